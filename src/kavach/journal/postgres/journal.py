"""
A journal in PostgreSQL behind the engine's port.

``append`` hashes and queues; a thread commits whatever has gathered (``group_commit``, ``commit``).
Each reading has a connection of its own, and verifies the chain as it goes.

Source: docs/spec/journal.md, "In PostgreSQL".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection

from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalUnavailable,
)
from kavach.journal.chained import ChainedJournal
from kavach.journal.group_commit import GroupCommit
from kavach.journal.postgres import reading, tables, tenure
from kavach.journal.postgres.commit import PostgresTarget
from kavach.journal.postgres.connecting import Row, connect, meaning, shown
from kavach.journal.postgres.tenure import Held, Owner, Tenure, look


class PostgresJournal(ChainedJournal):
    """The journal at an address: with a tenure to write, without one to read beside its owner."""

    def __init__(self, address: str, tenure: Tenure | None = None) -> None:
        """Open it; raises ``JournalError``, and then the tenure is given up."""
        self._address = address
        self._tenure = tenure
        self.successor = ""  # Who is to own it next, if that is wanted.
        self._on_successor: Callable[[str], None] = lambda name: None
        if tenure is None:
            with self._reading() as connection:
                self._live = look(connection).beats
                end = reading.end_of(connection)
            super().__init__(*end)
            return
        super().__init__(tenure.head, tenure.chain)
        self._live = True
        try:
            target = PostgresTarget(tenure, address, self._succeed)
        except psycopg.Error as error:
            tenure.leave()
            raise meaning(error, address) from error
        self._write_by(GroupCommit(target, self._progress))

    @property
    def held(self) -> Held | None:
        """The ownership under which it is written, None if it is only read."""
        return None if self._tenure is None else self._tenure.held

    @property
    def is_live(self) -> bool:
        """Whether it had an owner when it was opened."""
        return self._live

    def on_successor(self, callback: Callable[[str], None]) -> None:
        """Have this called, on the writer's thread, with the name of who is to own it next."""
        self._on_successor = callback
        if self.successor:
            callback(self.successor)

    def may_answer(self) -> bool:
        """Return whether no other owner can have begun; always where it is only read."""
        if self._tenure is None:
            return True
        return self._tenure.may_answer() and self._progress.failure is None

    def linked(self, after: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, body, link) of the durable records behind ``after``, verified."""
        with self._reading() as connection:
            yield from reading.linked(connection, after)

    def check(self, until: int, most: int) -> None:
        """Return if the last ``most`` records up to ``until`` are as they were written."""
        with self._reading() as connection:
            for _record in reading.linked(connection, max(until - most, 0), until):
                pass

    def save_snapshot(self, sequence: int, body: bytes) -> None:
        """Return when the snapshot is kept; it waits for the records it stands for."""
        if self._tenure is not None:
            self._progress.wait(sequence, None)
        with self._reading() as connection:
            chain = reading.link_of(connection, sequence)
            if chain is None:
                raise JournalUnavailable(f"There is no record {sequence} to make a snapshot of.")
            reading.save_snapshot(connection, sequence, chain, body)

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """Return the newest snapshot that is intact and belongs to these records, if any.

        Raises JournalCorrupt if there is an intact one of records that are not there: a
        snapshot is only ever made of durable records, so they have been lost.
        """
        with self._reading() as connection:
            for sequence in reading.snapshot_sequences(connection):
                found = reading.snapshot(connection, sequence)
                if found is None:
                    continue
                chain, body = found
                known = reading.link_of(connection, sequence)
                if known == chain:
                    return sequence, body
                if known is None:
                    end, _chain = reading.end_of(connection)
                    raise JournalCorrupt(
                        end + 1, f"it is missing, though there is a snapshot of record {sequence}"
                    )
        return None

    def check_snapshots(self) -> None:
        """Return if every snapshot is intact and of these records."""
        with self._reading() as connection:
            for sequence in reading.snapshot_sequences(connection):
                found = reading.snapshot(connection, sequence)
                if found is None:
                    raise JournalCorrupt(sequence, "its snapshot is damaged")
                if reading.link_of(connection, sequence) != found[0]:
                    raise JournalCorrupt(sequence, "its snapshot is of other records")

    def intact_snapshots(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Return (sequence, link, body) of each snapshot whose digest is right, newest first."""
        with self._reading() as connection:
            for sequence in reading.snapshot_sequences(connection):
                found = reading.snapshot(connection, sequence)
                if found is not None:
                    yield sequence, *found

    def newest_snapshot(self) -> int:
        """Return the sequence that the newest snapshot is said to stand for, 0 if none is."""
        with self._reading() as connection:
            return max(reading.snapshot_sequences(connection), default=0)

    def kept(self, name: str) -> bytes | None:
        """Return what is kept under a name beside the records, None if nothing is."""
        with self._reading() as connection:
            return reading.kept(connection, name)

    def keep(self, name: str, body: bytes) -> None:
        """Return when this is kept under a name beside the records."""
        with self._reading() as connection:
            reading.keep(connection, name, body)

    def link_of(self, sequence: int) -> bytes | None:
        """Return the link of a durable record, or None if there is no such record."""
        with self._reading() as connection:
            return reading.link_of(connection, sequence)

    def _succeed(self, name: str) -> None:
        if name != self.successor:
            self.successor = name
            self._on_successor(name)

    @contextmanager
    def _reading(self) -> Iterator["Connection[Row]"]:
        """Give a connection to read with; PostgreSQL's errors become the journal's."""
        if self._closed:
            raise JournalUnavailable("The journal is closed.")
        opened = connection_to if self._tenure is None else connect  # Its owner knows the format.
        connection = opened(self._address, "reader")
        try:
            yield connection
        except psycopg.Error as error:
            raise meaning(error, self._address) from error
        finally:
            connection.close()


def connection_to(address: str, purpose: str) -> "Connection[Row]":
    """Return a connection to a journal that is there and that this version knows."""
    connection = connect(address, purpose)
    try:
        if not tables.is_made(connection):
            raise tables.missing(shown(address))
        tables.check_format(connection, shown(address))
    except psycopg.Error as error:
        connection.close()
        raise meaning(error, address) from error
    except BaseException:
        connection.close()
        raise
    return connection


def own(
    address: str, owner: Owner, *, create: bool = True, before: Held | None = None
) -> PostgresJournal:
    """Return the journal at an address, to write; raises ``JournalError``.

    ``create`` makes it where there is none. ``before`` is what this process held earlier: if there
    was another owner since, that is a ``JournalFenced``.
    """
    connection = connect(address, "owner")
    try:
        if create:
            tables.make(connection)
        elif not tables.is_made(connection):
            raise tables.missing(shown(address))
        tables.check_format(connection, shown(address))
        held = tenure.acquire(connection, address, owner, before)
    except psycopg.Error as error:
        connection.close()
        raise meaning(error, address) from error
    except BaseException:
        connection.close()
        raise
    return PostgresJournal(address, held)
