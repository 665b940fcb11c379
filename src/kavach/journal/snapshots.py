"""
Snapshots: one file each, written whole beside the database, the two newest kept.

They live outside the database because they are large and may be lost: writing one never holds
up a commit, and a damaged one is simply passed over. Offsets in bytes, numbers big-endian:

    offset  size  field
         0     8  magic, "KVCHSNP1"
         8     8  sequence, unsigned
        16    16  chain: the link of that record, which ties the snapshot to its journal
        32    16  digest: BLAKE2b-16 of chain, sequence and body
        48        body, to the end of the file

Source: docs/spec/journal.md, "Snapshots".
"""

import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kavach.engine.journal_port import JournalUnavailable
from kavach.journal.chain import link
from kavach.private_files import replacing

KEPT: Final = 2
MAGIC: Final = b"KVCHSNP1"
HEADER: Final = struct.Struct(">8sQ16s16s")

_UNFINISHED: Final = "snapshot.new"
_NAME: Final = "snapshot-"

_saving = threading.Lock()


def save(
    directory: Path, sequence: int, chain: bytes, body: bytes, belongs: Callable[[], bool]
) -> None:
    """Return when the snapshot is on disk under its own name; older ones than two are removed.

    ``belongs`` says, at the last moment, whether the journal it was made of is still there.
    """
    header = HEADER.pack(MAGIC, sequence, chain, link(chain, sequence, body))
    with _saving:
        try:
            with replacing(directory / f"{_NAME}{sequence:020}", f"{_UNFINISHED}-") as file:
                file.write(header)
                file.write(body)
                if not belongs():
                    raise JournalUnavailable(f"Another journal has taken the place of {directory}.")
            for old in _newest_first(directory)[KEPT:]:
                old.unlink()
        except OSError as error:
            raise JournalUnavailable(
                f"A snapshot can't be written to {directory}: {error.strerror}."
            ) from error


def forget_all(directory: Path) -> None:
    """Return when there is no snapshot, finished or not: each only stands for records."""
    for path in directory.glob("snapshot*"):
        path.unlink(missing_ok=True)


def forget_unfinished(directory: Path) -> None:
    """Return when what a killed process left half-written is gone."""
    for path in directory.glob(f"{_UNFINISHED}*"):
        path.unlink(missing_ok=True)


def intact(directory: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Return (sequence, chain, body) of each snapshot whose digest is right, newest first."""
    for path in _newest_first(directory):
        try:
            with path.open("rb") as file:
                header = file.read(HEADER.size)
                body = file.read()
        except FileNotFoundError:
            continue  # A newer one has taken its place meanwhile.
        if len(header) < HEADER.size:
            continue
        magic, sequence, chain, digest = HEADER.unpack(header)
        if magic == MAGIC and digest == link(chain, sequence, body):
            yield sequence, chain, body


def newest(directory: Path) -> int:
    """Return the sequence that the newest snapshot's name claims, 0 if there is none."""
    return max((_sequence(path) for path in _newest_first(directory)), default=0)


def examine(directory: Path) -> Iterator[tuple[int, bytes | None]]:
    """Return (sequence, chain) of each snapshot, by its name; chain None: it is damaged."""
    whole = {sequence: chain for sequence, chain, _body in intact(directory)}
    for path in _newest_first(directory):
        sequence = _sequence(path)
        if sequence in whole or path.exists():
            yield sequence, whole.get(sequence)


def _sequence(path: Path) -> int:
    named = path.name.removeprefix(_NAME)
    return int(named) if named.isdecimal() else 0


def _newest_first(directory: Path) -> list[Path]:
    # The sequence is padded with zeros: the order of names is the order of sequences.
    return sorted(directory.glob(f"{_NAME}*"), reverse=True)
