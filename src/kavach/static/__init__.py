"""
Files for browsers, inside the package: nothing that a page needs is fetched from elsewhere.

What others made lies in a folder of its own, whole and unchanged, with its licence;
``vendored.json`` lists version, licence and SHA-256 of each.
"""

from importlib.resources import files
from typing import Final

# Of every file that is served: its folder and name, and its type. Nothing else is.
TYPES: Final = {
    "docs.html": "text/html; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
    "swagger-ui/swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}


def read(name: str) -> bytes:
    """Return a file of ``TYPES``; ``KeyError`` for any other name."""
    TYPES[name]
    return files(__name__).joinpath(*name.split("/")).read_bytes()
