"""HTTP for people: logging in, apps that they log in to, who they are."""
