"""The shapes and bytes of the API: what a server and its clients both have to know."""
