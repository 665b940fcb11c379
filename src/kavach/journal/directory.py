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
from kavach.private_files import create_private, make_private_directory

PROBE: Final = "probe.new"
UNFINISHED: Final = "backup.new"  # A directory: the target of a backup that has not ended.
PROBE_BYTES: Final = 1_000_000
# All that is kept in a data directory, whoever keeps it; other files there are not ours.
OWN_FILES: Final = ("journal.*", "snapshot*", "contracts.*", "tokens.*", "market.*", PROBE)


def make_directory(directory: Path) -> None:
    """Return when the directory exists, its owner's alone, made with its parents if missing."""
    try:
        make_private_directory(directory)
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
    path = directory / PROBE
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(create_private(path), "wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise JournalUnavailable(f"{directory} can't be written: {error.strerror}.") from error
