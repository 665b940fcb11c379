"""
Imported contracts on disk: one file in the data directory, whole or not there.

The file is a line that names the format, the SHA-256 of what follows, and MessagePack. It is
written beside the old one, synced, and renamed over it, so that whoever reads finds the old
contracts or the new ones. Contracts that a newer import no longer lists are kept as *former*
ones: they are not shown, but whatever speaks of them still finds them.

Source: docs/decisions/0012-terms-of-imported-contracts.md.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from kavach.contracts.archive import ContractsError
from kavach.instruments import Instrument
from kavach.private_files import make_private_directory, replacing

FILE_NAME: Final = "contracts.bin"
UNFINISHED: Final = "contracts.new-"
MAGIC: Final = b"kavach contracts 1\n"
DIGEST_BYTES: Final = 32


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """What was imported."""

    source: str  # The file's name.
    current: list[Instrument]
    former: list[Instrument] = []


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Stored)


def load(directory: Path) -> Stored:
    """Return what was imported into a directory, nothing if nothing was; ``ContractsError``."""
    path = directory / FILE_NAME
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Stored("", [])
    except OSError as error:
        raise ContractsError(f"{path} can't be read: {error.strerror}.") from error
    head = len(MAGIC) + DIGEST_BYTES
    body = memoryview(content)[head:]
    if content[: len(MAGIC)] != MAGIC or sha256(body).digest() != content[len(MAGIC) : head]:
        raise ContractsError(f"{path} is damaged or of another version: import the contracts anew.")
    try:
        return _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise ContractsError(f"{path} is of another version: import the contracts anew.") from error


def copy_store(directory: Path, target: Path) -> None:
    """Copy what was imported into another directory, if anything was; ``ContractsError``."""
    stored = load(directory)
    if stored.current or stored.former:
        save(target, stored)


def save(directory: Path, stored: Stored) -> None:
    """Return when this is what was imported; raises ``ContractsError``, the old one intact."""
    body = _ENCODER.encode(stored)
    path = directory / FILE_NAME
    try:
        make_private_directory(directory)
        for left in directory.glob(f"{UNFINISHED}*"):
            left.unlink(missing_ok=True)  # By an import that was killed.
        with replacing(path, UNFINISHED) as file:
            for part in (MAGIC, sha256(body).digest(), body):
                file.write(part)
    except OSError as error:
        raise ContractsError(f"{path} can't be written: {error.strerror}.") from error
