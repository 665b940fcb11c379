"""HTTP: authentication, routes and translation. Thin: what is decided is decided in the core."""
