"""Looking at a journal's files, and damaging them on purpose."""

from contextlib import closing
from pathlib import Path

import apsw

from kavach.journal.sqlite import SqliteJournal


def content(directory: Path) -> dict[str, bytes]:
    """Every file of the directory, by name."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def write(directory: Path, records: int) -> list[bytes]:
    """Make a closed journal with this many records; return their bodies."""
    bodies = [b"record %d" % number for number in range(1, records + 1)]
    journal = SqliteJournal(directory)
    for body in bodies:
        journal.append(body)
    journal.close()
    return bodies


def edit(directory: Path, *statements: str) -> None:
    """Change a closed journal behind its back."""
    with closing(apsw.Connection(str(directory / "journal.db"))) as connection:
        for statement in statements:
            connection.execute(statement)
