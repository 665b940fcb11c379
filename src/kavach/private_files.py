"""
Files that only their owner may read, each written whole or not at all.

What the program keeps holds digests of passwords, TOTP secrets and access tokens, so its directory
has mode 0700 and its files 0600, whatever the umask is. A file is written under a name that cannot
be guessed, made anew (``O_EXCL``) and never through a link (``O_NOFOLLOW``), then renamed over the
one it replaces: a link that waits at either name is not followed, and whoever reads finds the old
content or the new.

Windows has neither these modes nor these flags: there a file is as private as the folder that it
is in, and the file system keeps names without being asked.

Source: open(2), rename(2); docs/operating.md, "A server does not start"; SECURITY.md.
"""

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600
_NAME_BYTES: Final = 8
_NEW_FILE: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)  # Without it Windows changes the ends of lines.
)
_DIRECTORY: Final[int | None] = getattr(os, "O_DIRECTORY", None)


def create_private(path: Path) -> int:
    """Return a descriptor of a new, empty file; ``FileExistsError`` if anything has its name."""
    descriptor = os.open(path, _NEW_FILE, FILE_MODE)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, FILE_MODE)  # A umask may have taken more than it should.
    return descriptor


@contextmanager
def replacing(path: Path, unfinished: str, *, sync: bool = True) -> Iterator[IO[bytes]]:
    """Give a file that is ``path`` once the block has ended well, and is gone otherwise.

    Until then its name begins with ``unfinished``, so that what a killed process left is found.
    With ``sync`` content and name are on disk afterwards. Raises ``OSError``.
    """
    beside = path.with_name(f"{unfinished}{secrets.token_hex(_NAME_BYTES)}")
    try:
        with os.fdopen(create_private(beside), "wb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    if sync:
        sync_directory(path.parent)


def make_private_directory(directory: Path) -> None:
    """Return when the directory exists and is its owner's alone; ``OSError``.

    Missing parents are made with the rights that the umask leaves.
    """
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    for path in made:
        sync_directory(path.parent)
    _restrict(directory, directory.stat(), DIRECTORY_MODE)


def restrict(directory: Path, patterns: Iterable[str]) -> None:
    """Return when the directory and its files of these names are their owner's alone.

    Nothing is opened, since closing a database's file would give up the locks on it. What belongs
    to another user stays as it is.
    """
    _restrict(directory, directory.stat(), DIRECTORY_MODE)
    for pattern in patterns:
        for path in directory.glob(pattern):
            with suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    _restrict(path, status, FILE_MODE)


def _restrict(path: Path, status: os.stat_result, mode: int) -> None:
    if stat.S_IMODE(status.st_mode) != mode:
        with suppress(PermissionError):
            path.chmod(mode)


def sync_directory(directory: Path) -> None:
    """Return when the names in the directory are on disk, as well as the files they name."""
    if _DIRECTORY is None:
        return
    descriptor = os.open(directory, os.O_RDONLY | _DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
