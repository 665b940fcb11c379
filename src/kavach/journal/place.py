"""
Where a journal is: a directory, or the address of a PostgreSQL database.

Nothing of PostgreSQL is imported before an address of one is opened.

Source: docs/spec/journal.md; docs/twin.md, "The command line".
"""

from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from kavach.engine.journal_port import Journal, JournalMissing
from kavach.journal import snapshots
from kavach.journal.sqlite import SqliteJournal

SCHEMES: Final = ("postgresql://", "postgres://")
Place = Path | str  # A directory, or an address.


class Stored(Journal, Protocol):
    """A journal that outlives its process: what can be read of it beside its writer."""

    @property
    def is_live(self) -> bool:
        """Whether a process had it open to write when it was opened: this one or another."""

    def check_snapshots(self) -> None:
        """Return if every snapshot is intact and of these records; ``JournalCorrupt``."""

    def intact_snapshots(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, link, body) of each snapshot whose digest is right, newest first."""

    def newest_snapshot(self) -> int:
        """Return the sequence that the newest snapshot is said to stand for, 0 if none is."""

    def link_of(self, sequence: int) -> bytes | None:
        """Return the link of a durable record, or None if there is no such record."""

    def linked(self, after: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, body, link) of the durable records behind ``after``, verified."""


def is_address(text: str) -> bool:
    """Return whether this is an address of PostgreSQL and no directory."""
    return text.startswith(SCHEMES)


def has_password(address: str) -> bool:
    """Return whether an address of PostgreSQL names a password."""
    try:
        parts = urlsplit(address)
        return parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        return "password" in address or "@" in address  # Nothing is told of what can't be read.


def without_password(place: Place) -> tuple[Place, dict[str, str]]:
    """Return a place for a command line, and what is to be in the environment of the command."""
    if isinstance(place, Path) or not has_password(place):
        return place, {}
    told: tuple[Place, dict[str, str]] = postgres("connecting").without_password(place)
    return told


def newest_snapshot(place: Place) -> int:
    """Return the sequence that the newest snapshot is said to stand for, 0 if none is."""
    if isinstance(place, Path):
        return snapshots.newest(place)
    with closing(open_stored(place)) as journal:
        return journal.newest_snapshot()


def shown(place: Place) -> str:
    """Return a place as a person may see it: no password is in it; raises ``JournalError``."""
    told: str = str(place) if isinstance(place, Path) else postgres("connecting").shown(place)
    return told


def open_stored(place: Place) -> Stored:
    """Return a journal to read what is durable of it, whether it is served or not.

    Raises ``JournalError``.
    """
    if isinstance(place, Path):
        return SqliteJournal(place, create=False, read_only=True, beside=True)
    journal: Stored = postgres("journal").PostgresJournal(place)
    return journal


def postgres(module: str) -> Any:
    """Return a module of ``kavach.journal.postgres``; ``JournalMissing`` says what to install.

    Only now is psycopg imported, which a journal in SQLite does not need.
    """
    try:
        return import_module(f"kavach.journal.postgres.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "psycopg":
            raise
        raise JournalMissing(
            "A journal in PostgreSQL needs psycopg, which is not installed:"
            ' pip install "kavach-oms[server,postgres]".'
        ) from error
