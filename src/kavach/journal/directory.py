"""
The directory of a journal, and the lock that keeps a second process out.

The lock is ``flock`` on the directory itself: it leaves no file behind, works where nothing may be
written, and the kernel releases it when the process dies. One writer, or any number of readers.

Source: docs/spec/journal.md, "Files".
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from kavach.engine.journal_port import (
    JournalLocked,
    JournalMissing,
    JournalUnavailable,
    JournalUnwritable,
)

PROBE_BYTES: Final = 1_000_000


def make_directory(directory: Path) -> None:
    """Return when the directory exists, made with its parents where they were missing."""
    try:
        made = [path for path in (directory, *directory.parents) if not path.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        for path in made:
            sync_directory(path.parent)
    except FileExistsError as error:
        raise JournalUnwritable(f"{directory} is not a directory.") from error
    except OSError as error:
        raise JournalUnwritable(f"{directory} can't be made: {error.strerror}.") from error


def lock_directory(directory: Path, *, shared: bool) -> int:
    """Return the file descriptor that holds the lock; closing it releases the lock."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise JournalMissing(f"There is no directory {directory}.") from error
    except NotADirectoryError as error:
        raise JournalUnwritable(f"{directory} is not a directory.") from error
    except OSError as error:
        raise JournalUnavailable(f"{directory} can't be opened: {error.strerror}.") from error
    try:
        # Files in it can only be reached with the right to search it, which opening doesn't need.
        os.stat(".", dir_fd=descriptor)
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalLocked(f"The journal in {directory} is in use by another process.") from error
    except OSError as error:
        os.close(descriptor)
        raise JournalUnavailable(f"{directory} can't be locked: {error.strerror}.") from error
    return descriptor


def unlock(descriptor: int) -> None:
    """Return when others may lock the directory."""
    os.close(descriptor)


def probe(directory: Path) -> None:
    """Return if the disk takes and syncs a megabyte; nothing of it is kept."""
    path = directory / "probe.new"
    try:
        with path.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise JournalUnavailable(f"{directory} can't be written: {error.strerror}.") from error


def sync_directory(directory: Path) -> None:
    """Return when the names in the directory are on disk, as well as the files they name."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
