"""
Whether SQLite's log ends where it was torn, or where it was damaged.

Theory. After a crash SQLite takes of its write-ahead log what adds up and drops the rest without
a word. That is right for the transaction that was being written: nobody was told of it. But each
transaction is synced before the next one begins, so if a later transaction stands behind the
first frame that doesn't add up, that frame was whole once and has been damaged since, and what
SQLite drops had been answered. This reads the log as SQLite does and tells the two apart.

    header  32 bytes: magic, version, page size, checkpoints, salt 1, salt 2, checksum 1, 2
    frame   24 bytes: page, pages after a commit (else 0), salt 1, salt 2, checksum 1, 2; the page

Numbers are big-endian, 32 bits; the words that are summed have the order that the magic tells.

What it can't see: damage to the header (32 bytes), after which nothing adds up, and to the last
transaction, which then looks torn.

Source: the SQLite page "WAL-mode File Format"; docs/spec/journal.md, "Limits".
"""

import struct
from pathlib import Path
from typing import Final

HEADER: Final = struct.Struct(">8I")
FRAME: Final = struct.Struct(">6I")
MAGIC: Final = 0x377F0682  # With the lowest bit set: big-endian words.
_MASK: Final = 0xFFFFFFFF

Sums = tuple[int, int]


def is_damaged(log: Path) -> bool:
    """Return whether committed transactions stand behind a frame that doesn't add up."""
    stored = log.read_bytes()
    if len(stored) < HEADER.size:
        return False
    magic, _version, page_size, _checkpoints, *rest = HEADER.unpack_from(stored)
    salts, header_sums = tuple(rest[:2]), (rest[2], rest[3])
    words = ">" if magic & 1 else "<"
    sums = added((0, 0), stored[: HEADER.size - 8], words)
    if magic & ~1 != MAGIC or sums != header_sums:
        return False
    size = FRAME.size + page_size
    sound, ended = True, False
    for start in range(HEADER.size, len(stored) - size + 1, size):
        _page, committed, salt_1, salt_2, *frame_sums = FRAME.unpack_from(stored, start)
        of_this_log = (salt_1, salt_2) == salts
        if sound:
            page = stored[start + FRAME.size : start + size]
            sums = added(added(sums, stored[start : start + 8], words), page, words)
            adds_up = sums == tuple(frame_sums)
            sound = adds_up and of_this_log
            # A frame of an earlier log may still lie where a torn write should have gone.
            ended = committed != 0 and (adds_up or of_this_log)
        elif of_this_log:
            if ended:
                return True
            ended = committed != 0
    return False


def added(sums: Sums, stored: bytes, words: str) -> Sums:
    """Return SQLite's running checksum with these bytes, a multiple of eight, added to it."""
    first, second = sums
    for one, other in struct.iter_unpack(f"{words}2I", stored):
        first = (first + one + second) & _MASK
        second = (second + other + first) & _MASK
    return first, second
