"""
The file that the broker publishes: a ZIP of tables, or one table by itself.

What is no such file is said in one sentence before anything else happens. A member is read as a
stream and no further than ``BYTES_MAX``, so that a small file can't become a large memory.

Source: docs/wire/contracts.md.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

BYTES_MAX: Final = 1 << 30  # Of all tables together, unpacked.
HEADER_BYTES_MAX: Final = 1 << 16
ZIP_BEGINS: Final = b"PK\x03\x04"
REQUIRED: Final = frozenset({"trading_symbol", "exchange_token", "lot_size", "tick_size"})

Progress = Callable[[int, int], None]  # Bytes read, bytes in all.


class ContractsError(Exception):
    """The contracts can't be read or kept; the text is a sentence for a person."""


Line = tuple[int, list[str]]  # Its number in the table, the header's being 1; its cells.


class Table:
    """One CSV of the file: its name, its columns in lower case, its lines."""

    def __init__(self, name: str, columns: list[str], lines: Iterator[Line]) -> None:
        self.name = name
        self.columns = columns
        self.lines = lines


class _Counted(io.RawIOBase):
    """A stream that says how far it has been read, and has an end."""

    def __init__(self, stream: IO[bytes], said: Callable[[int], None]) -> None:
        self._stream = stream
        self._said = said

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._said(len(data))
        return len(data)


class Archive:
    """A published file, open."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path = path
        self._progress = progress
        self._read = 0
        self._bytes = 0

    def tables(self) -> Iterator[Table]:
        """Yield the tables one after the other; each is to be read before the next."""
        with _understood(self._path):
            if zipfile.is_zipfile(self._path):
                with zipfile.ZipFile(self._path) as packed:
                    yield from self._members(packed)
            else:
                self._bytes = self._path.stat().st_size
                with self._path.open("rb") as stream:
                    if stream.read(len(ZIP_BEGINS)) == ZIP_BEGINS:  # A download that broke off.
                        raise ContractsError(f"{self._path} is no whole ZIP: its end is missing.")
                    stream.seek(0)
                    yield self._table(self._path.name, stream)

    def _members(self, packed: zipfile.ZipFile) -> Iterator[Table]:
        members = [info for info in packed.infolist() if info.filename.lower().endswith(".csv")]
        if not members:
            raise ContractsError(f"{self._path} is a ZIP without a CSV in it.")
        self._bytes = sum(info.file_size for info in members)
        for info in members:
            with packed.open(info) as stream:
                yield self._table(Path(info.filename).name, stream)

    def _table(self, name: str, stream: IO[bytes]) -> Table:
        counted = io.BufferedReader(_Counted(stream, self._count), HEADER_BYTES_MAX)
        text = io.TextIOWrapper(counted, encoding="utf-8-sig", errors="replace", newline="")
        lines = csv.reader(text)
        header = next(lines, [])
        columns = [cell.strip().lower().replace(" ", "_") for cell in header]
        missing = sorted(REQUIRED - set(columns))
        if missing:
            raise ContractsError(
                f"{self._path} is no list of contracts: {name} has no column {', '.join(missing)}."
            )
        return Table(name, columns, self._numbered(name, lines))

    def _numbered(self, name: str, lines: Iterator[list[str]]) -> Iterator[Line]:
        number = 1
        try:
            for number, cells in enumerate(lines, start=2):
                yield number, cells
        except csv.Error as error:
            raise ContractsError(
                f"{self._path} can't be read: {name}, line {number + 1}: {error}."
            ) from error

    def _count(self, size: int) -> None:
        self._read += size
        if self._read > BYTES_MAX:
            raise ContractsError(f"{self._path} holds more than {BYTES_MAX >> 20} MiB of tables.")
        self._progress(self._read, max(self._bytes, self._read))


@contextmanager
def _understood(path: Path) -> Iterator[None]:
    """Say in a sentence what keeps a file from being read."""
    try:
        yield
    except OSError as error:
        raise ContractsError(f"{path} can't be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # A ZIP that is cut off or damaged, needs a password, or is packed in a way nobody knows.
        raise ContractsError(f"{path} is no whole ZIP: {error}.") from error
    except csv.Error as error:
        raise ContractsError(f"{path} can't be read: {error}.") from error
