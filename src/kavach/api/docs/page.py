"""
The page that shows ``/openapi.json`` to people, and the files that it is made of.

Each answer carries a policy by which the page loads and asks nothing but this server.
"""

from typing import Final

from kavach.api.http.call import Reply
from kavach.static import TYPES, read

# The interface sets styles of elements; it has no inline script.
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"cache-control", b"no-cache"),
    (b"content-security-policy", _POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_ELSEWHERE: Final = {"docs.html": "/docs", "favicon.svg": "/favicon.ico"}


def static_pages() -> dict[str, Reply]:
    """Return what is served, by its path; each file is read once."""
    return {
        _ELSEWHERE.get(name, f"/static/{name}"): Reply(
            200, read(name), media_type=media_type.encode(), more=_HEADERS
        )
        for name, media_type in TYPES.items()
    }
