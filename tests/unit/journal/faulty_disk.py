"""A disk that fails, waits or counts on command, put between SQLite and the real one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import apsw


class FaultyDisk(apsw.VFS):
    """Passes everything on to the real file system until it is told otherwise."""

    def __init__(self, name: str) -> None:
        super().__init__(name, base="")
        self.name = name
        self.write_error: type[apsw.Error] | None = None
        self.sync_error: type[apsw.Error] | None = None
        self.writes_before_error = 0
        self.log_syncs = 0
        self.may_sync = threading.Event()
        self.may_sync.set()
        self.syncing = threading.Event()

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Return the real file, watched."""
        return WatchedFile(self, name, flags)


class WatchedFile(apsw.VFSFile):
    """One open file of the faulty disk."""

    def __init__(
        self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write, or fail after as many writes as were allowed."""
        if self._disk.write_error is not None:
            if self._disk.writes_before_error == 0:
                raise self._disk.write_error("injected")
            self._disk.writes_before_error -= 1
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        """Sync when it is allowed, or fail."""
        if self._is_log:
            self._disk.log_syncs += 1
        self._disk.syncing.set()
        self._disk.may_sync.wait()
        if self._disk.sync_error is not None:
            raise self._disk.sync_error("injected")
        super().xSync(flags)


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    """Return a disk that SQLite knows by its name for as long as the context lasts."""
    disk = FaultyDisk("faulty")
    try:
        yield disk
    finally:
        disk.may_sync.set()
        disk.unregister()
