"""
What may be registered as the address to which a login sends its user back.

It is compared letter by letter afterwards, so here is only looked at what makes an address
dangerous in itself: one that runs a program in the page, has a fragment, or holds what could
end the header or the policy that it will stand in.

Source: RFC 6749, section 3.1.2; RFC 9700, section 4.1.3.
"""

from typing import Final
from urllib.parse import urlsplit

LENGTH_MAX: Final = 512

_UNSAFE_SCHEMES: Final = frozenset(
    {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "ws", "wss"}
)
_UNSAFE: Final = frozenset("\"'<>\\^`{}|;,*#")


def redirect_fault(uri: str) -> str:
    """Return what is wrong with an address, empty if nothing is."""
    if not 0 < len(uri) <= LENGTH_MAX:
        return f"must be an address of 1 to {LENGTH_MAX} characters"
    if not (uri.isascii() and uri.isprintable()) or " " in uri or not _UNSAFE.isdisjoint(uri):
        return "must be percent-encoded, without a fragment"
    try:
        parts = urlsplit(uri)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "must be an address"
    if not parts.scheme or parts.scheme in _UNSAFE_SCHEMES:
        return "must begin with http://, https:// or the scheme of an app"
    if "@" in parts.netloc:
        return "must not name a user"
    if parts.scheme in ("http", "https") and not has_host:
        return "must name a host"
    return ""


def origin_of(uri: str) -> str:
    """Return the place of an address, for people: where it leads, but not to which page of it."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def policy_source_of(uri: str) -> str:
    """Return what a content security policy calls the place of an address."""
    parts = urlsplit(uri)
    # The policy's language has no word for an address in brackets.
    return f"{parts.scheme}:" if "[" in parts.netloc else origin_of(uri)
