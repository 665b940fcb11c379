"""
The hash chain: each record's link covers its body, its sequence and the link before it.

Hence a link stands for the whole history up to its record, and no earlier record can be changed,
dropped, added or moved without all later links changing. It guards against accidents, and against
edits by somebody who does not recompute the chain; it is not a signature.

Source: docs/spec/journal.md, "The chain".
"""

from hashlib import blake2b
from typing import Final

LINK_SIZE: Final = 16  # Bytes.
GENESIS: Final = bytes(LINK_SIZE)  # The link before record 1.


def link(previous: bytes, sequence: int, body: bytes) -> bytes:
    """Return the link of a record: BLAKE2b-16 of the previous link, the sequence and the body."""
    hashed = blake2b(previous + sequence.to_bytes(8, "big"), digest_size=LINK_SIZE)
    hashed.update(body)
    return hashed.digest()
