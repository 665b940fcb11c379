"""
Which twins run on this machine: each has a file in its user's state directory while it runs.

A twin writes ``ready-<port>.json``, keeps it open and locked, and removes it when it ends. One that
is killed leaves its file behind without the lock, which the system takes away: such a file counts
for nothing. Where there is no ``flock``, on Windows, it is enough that the file is open, since no
file that is open there can be renamed, not even to its own name.

Source: docs/twin.md, "The ready file"; flock(2); docs/decisions/0039-windows-by-design.md.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import msgspec
from platformdirs import user_state_dir

from kavach.private_files import make_private_directory, replacing

try:
    import fcntl
except ImportError:  # On Windows.
    _HAS_FLOCK = False
else:
    _HAS_FLOCK = True


class Ready(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a program needs to know of a running twin; the content of a ready file."""

    url: str
    client_id: str
    access_token: str
    operator_token: str
    pid: int
    app_id: str = ""  # These two only if there is a demo app.
    app_secret: str = ""


def directory() -> Path:
    """Return where the ready files of this user are."""
    return Path(user_state_dir("kavach", appauthor=False))


def write_ready_file(path: Path, ready: Ready) -> None:
    """Write a ready file whole or not at all, for its owner's eyes: there are tokens in it."""
    with replacing(path, f".{path.name}.", sync=False) as file:
        file.write(msgspec.json.encode(ready) + b"\n")


class Published:
    """A ready file in the state directory, until ``withdraw`` or the end of the process."""

    def __init__(self, ready: Ready) -> None:
        """Write and hold the file; raises ``OSError``."""
        place = directory()
        make_private_directory(place)
        self._path = place / f"ready-{urlsplit(ready.url).port}.json"
        write_ready_file(self._path, ready)
        self._held = self._path.open("rb")
        if _HAS_FLOCK:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def withdraw(self) -> None:
        """Remove the file; if another process has replaced it, that one stays."""
        with suppress(OSError):
            ours = os.path.samestat(os.fstat(self._held.fileno()), self._path.stat())
            if not _HAS_FLOCK:
                self._held.close()  # What is open can't be removed there.
            if ours:
                self._path.unlink()
        self._held.close()


def running() -> list[Ready]:
    """Return every twin of this user that runs on this machine, by port."""
    found = []
    for path in directory().glob("ready-*.json"):
        with suppress(OSError, msgspec.MsgspecError), path.open("rb") as file:
            ready = msgspec.json.decode(file.read(), type=Ready)
            if _is_held(file) if _HAS_FLOCK else _is_open(path, file):
                found.append(ready)
    return sorted(found, key=lambda ready: urlsplit(ready.url).port or 0)


def _is_held(file: IO[bytes]) -> bool:
    """Return whether another open file holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _is_open(path: Path, file: IO[bytes]) -> bool:
    """Return whether some process has it open; ``file``, our own, is closed for that."""
    file.close()
    try:
        path.rename(path)
    except PermissionError:
        return True
    return False
