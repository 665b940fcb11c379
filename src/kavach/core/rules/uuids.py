"""
Ids of things that are no orders: saved baskets, their lines, GTT rules.

The core has no chance, so an id is derived from what is unique already: the kind of thing, its
owner, and a count that the state keeps. It looks like any other UUID; version 8 says that its
maker defines its bits (RFC 9562, 5.8). It is no secret: a thing is shown to its owner alone.

Source: docs/wire/README.md, "Rows"; docs/wire/baskets.md; docs/wire/gtt.md.
"""

from hashlib import blake2b
from typing import Final

UUID_BYTES: Final = 16


def uuid_of(kind: str, client_id: str, number: int) -> str:
    """Return the UUID of the thing with this number; the same facts give the same id."""
    digest = bytearray(
        blake2b(f"{kind}/{client_id}/{number}".encode(), digest_size=UUID_BYTES).digest()
    )
    digest[6] = digest[6] & 0x0F | 0x80  # Version 8.
    digest[8] = digest[8] & 0x3F | 0x80  # The variant of RFC 9562.
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
