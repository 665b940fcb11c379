"""
What a disk holds after a crash: every call of SQLite to it is written down, and played again.

Theory. A journal that runs on ``Recorder`` leaves a list of operations. What survives a crash
after the first *i* of them is a function of that list, so each crash point costs a restart and
not another run. A process that is killed leaves what it wrote, for the system keeps it. A
machine that loses its power leaves of each file what was last synced, and of what came later any
part: nothing, a beginning, or some of its sectors. A write can be torn at any byte. A disk that
lies about syncs leaves the same, from an earlier sync on.

Not played: bytes that change by themselves (``tests/unit/journal``), and directories that forget a
name in spite of a sync.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

import apsw

SECTOR: Final = 512


@dataclass(frozen=True)
class Operation:
    """One call to the file system; ``file`` is a name in the journal's directory."""

    file: str


@dataclass(frozen=True)
class Write(Operation):
    """Bytes go to an offset."""

    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate(Operation):
    """A file becomes this long."""

    size: int


@dataclass(frozen=True)
class Sync(Operation):
    """What was written to a file is on disk once this has returned."""


@dataclass(frozen=True)
class Delete(Operation):
    """A file goes."""


@dataclass(frozen=True)
class Rename(Operation):
    """A file takes the name of another; the directory is synced."""

    to: str


@dataclass(frozen=True)
class Durable(Operation):
    """No call: from here on the records up to this sequence may have been answered."""

    sequence: int


Log = list[Operation]
Files = dict[str, bytes]


class Recorder(apsw.VFS):
    """The real file system, which writes down what it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name, base="")
        self.name = name
        self.log: Log = []

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Return the real file, watched."""
        return RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Delete."""
        super().xDelete(filename, syncdir)
        self.log.append(Delete(Path(filename).name))

    def save(self, name: str, data: bytes) -> None:
        """Write down how a snapshot came to the disk, which SQLite knows nothing of."""
        unfinished = f"unfinished-{name}"
        self.log += [Write(unfinished, 0, data), Sync(unfinished), Rename(unfinished, name)]


class RecordedFile(apsw.VFSFile):
    """One open file of the recorder."""

    def __init__(
        self, disk: Recorder, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path is not None, "a journal has no nameless files"
        self._name = Path(path).name
        self._log = disk.log

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write."""
        super().xWrite(data, offset)
        self._log.append(Write(self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        """Truncate."""
        super().xTruncate(size)
        self._log.append(Truncate(self._name, size))

    def xSync(self, flags: int) -> None:
        """Sync."""
        super().xSync(flags)
        self._log.append(Sync(self._name))


@contextmanager
def recorder(name: str = "recorder") -> Iterator[Recorder]:
    """Give a recording disk that SQLite knows by its name for as long as the context lasts."""
    disk = Recorder(name)
    try:
        yield disk
    finally:
        disk.unregister()


# --- Playing it again -----------------------------------------------------------------------------


def kept(log: Sequence[Operation]) -> Files:
    """Return what the system keeps of all these operations when only the process dies."""
    return {name: bytes(content) for name, content in _apply({}, log).items()}


Choice = Callable[[list[Operation]], list[Operation]]


def after_power_loss(log: Sequence[Operation], synced_until: int, choose: Choice) -> Files:
    """Return what is left when the power goes.

    Syncs among the first ``synced_until`` operations were honoured, later ones were not. Of the
    operations on a file that no honoured sync follows, those that ``choose`` returns survive.
    """
    safe = _last_syncs(log[:synced_until])
    files: dict[str, bytearray] = {}
    waiting: dict[str, list[Operation]] = {}
    for number, operation in enumerate(log):
        name = operation.file
        if isinstance(operation, Rename):
            # The directory was synced, or the old name would still be there and no answer given.
            if name in waiting:
                waiting[operation.to] = [
                    replace(other, file=operation.to) for other in waiting.pop(name)
                ]
            if name in files:
                files[operation.to] = files.pop(name)
        elif number < safe.get(name, 0):
            _apply(files, [operation])
        elif isinstance(operation, Write | Truncate | Delete):
            waiting.setdefault(name, []).append(operation)
    for pending in waiting.values():
        _apply(files, choose(pending))
    return {name: bytes(content) for name, content in files.items()}


def nothing(pending: list[Operation]) -> list[Operation]:
    """Let nothing survive that was not synced."""
    return []


@dataclass
class SomeSectors:
    """Let any sectors of any write survive, and any truncation."""

    random: Random

    def __call__(self, pending: list[Operation]) -> list[Operation]:
        """Return what survives."""
        out: list[Operation] = []
        for operation in pending:
            if not isinstance(operation, Write):
                out += [operation] if self.random.random() < 0.5 else []
                continue
            for start in range(0, len(operation.data), SECTOR):
                if self.random.random() < 0.5:
                    part = operation.data[start : start + SECTOR]
                    out.append(Write(operation.file, operation.offset + start, part))
        return out


@dataclass
class SomeBeginning:
    """Let the first operations survive, and the next one be torn."""

    random: Random

    def __call__(self, pending: list[Operation]) -> list[Operation]:
        """Return what survives."""
        whole = self.random.randint(0, len(pending))
        return pending[:whole] + [
            torn(operation, self.random.randint(1, len(operation.data)))
            for operation in pending[whole : whole + 1]
            if isinstance(operation, Write)
        ]


def torn(write: Write, size: int) -> Write:
    """Return the beginning of a write."""
    return Write(write.file, write.offset, write.data[:size])


def _last_syncs(log: Sequence[Operation]) -> dict[str, int]:
    """Return, by the name a file had then, the number of the last sync of each file."""
    found: dict[str, int] = {}
    for number, operation in enumerate(log):
        if isinstance(operation, Sync):
            found[operation.file] = number
    return found


def _apply(files: dict[str, bytearray], log: Sequence[Operation]) -> dict[str, bytearray]:
    for operation in log:
        if isinstance(operation, Write):
            content = files.setdefault(operation.file, bytearray())
            end = operation.offset + len(operation.data)
            content.extend(bytes(max(0, end - len(content))))
            content[operation.offset : end] = operation.data
        elif isinstance(operation, Truncate):
            content = files.setdefault(operation.file, bytearray())
            content.extend(bytes(max(0, operation.size - len(content))))
            del content[operation.size :]
        elif isinstance(operation, Delete):
            files.pop(operation.file, None)
        elif isinstance(operation, Rename) and operation.file in files:
            files[operation.to] = files.pop(operation.file)
    return files


def lay_out(files: Files, directory: Path) -> None:
    """Make the directory hold these files and nothing else."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (directory / name).write_bytes(content)
