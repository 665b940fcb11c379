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
    JournalError,
    JournalUnavailable,
    JournalUnwritable,
)
from kavach.journal.chain import link
from kavach.journal.database import FORMAT_VERSION
from kavach.journal.group_commit import GroupCommit
from kavach.journal.postgres import reading, tables, tenure
from kavach.journal.postgres.commit import PostgresTarget
from kavach.journal.postgres.connecting import Row, connect, meaning, shown
from kavach.journal.postgres.tenure import Held, Owner, Tenure, look
from kavach.journal.progress import Progress, Subscriber


class PostgresJournal:
    """The journal at an address: with a tenure to write, without one to read beside its owner."""

    def __init__(self, address: str, tenure: Tenure | None = None) -> None:
        """Open it; raises ``JournalError``, and then the tenure is given up."""
        self._address = address
        self._tenure = tenure
        self._writer: GroupCommit | None = None
        self._refusal: JournalError | None = None
        self._closed = False
        self.successor = ""  # Who is to own it next, if that is wanted.
        self._on_successor: Callable[[str], None] = lambda name: None
        if tenure is None:
            with self._reading() as connection:
                self._live = look(connection).beats
                self._sequence, self._chain = reading.end_of(connection)
            self._refusal = JournalUnwritable("The journal was opened for reading only.")
            self._progress = Progress(self._sequence)
            return
        self._live = True
        self._sequence, self._chain = tenure.head, tenure.chain
        self._progress = Progress(self._sequence)
        try:
            target = PostgresTarget(tenure, address, self._succeed)
        except psycopg.Error as error:
            tenure.leave()
            raise meaning(error, address) from error
        self._writer = GroupCommit(target, self._progress)

    @property
    def format_version(self) -> int:
        """The version of the format in which the records are stored."""
        return FORMAT_VERSION

    @property
    def held(self) -> Held | None:
        """The ownership under which it is written, None if it is only read."""
        return None if self._tenure is None else self._tenure.held

    @property
    def is_live(self) -> bool:
        """Whether it had an owner when it was opened."""
        return self._live

    @property
    def durable_sequence(self) -> int:
        """The last sequence that is durable; everything before it is, too. 0: none."""
        return self._progress.durable_sequence

    @property
    def failure(self) -> JournalError | None:
        """Why nothing more will become durable, or None while all is well."""
        return self._progress.failure

    def append(self, body: bytes) -> int:
        """Return the sequence of the record that was queued; never waits for the database."""
        refusal = self._refusal or self._progress.failure
        if refusal is not None or self._writer is None:
            raise refusal or JournalUnavailable("The journal is closed.")
        sequence = self._sequence + 1
        chain = link(self._chain, sequence, body)
        self._sequence = sequence
        self._chain = chain
        self._writer.add(sequence, body, chain)
        return sequence

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Return a function that ends the subscription; callbacks run on the writer's thread."""
        return self._progress.subscribe(callback)

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

    def wait_durable(self, sequence: int, timeout: float | None = None) -> None:
        """Return when everything up to ``sequence`` is durable; ``timeout`` is in seconds."""
        self._progress.wait(sequence, timeout)

    def give_turn(self) -> bool:
        """Return whether records wait for a commit, after letting the writer's thread run."""
        if self._writer is None or not self._is_waiting():
            return False
        self._writer.give_turn()
        return self._is_waiting()

    def records(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Return the durable records behind ``after``, each verified against the chain."""
        for sequence, body, _chain in self.linked(after):
            yield sequence, body

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

    def head(self) -> tuple[int, bytes]:
        """Return the sequence and the link of the last record, durable or not."""
        return self._sequence, self._chain

    def close(self) -> None:
        """Return when everything is durable and the ownership is given up.

        Raises what prevented it.
        """
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._refusal = JournalUnavailable("The journal is closed.")
        self._progress.end()
        if self._progress.failure is not None:
            raise self._progress.failure

    def _succeed(self, name: str) -> None:
        if name != self.successor:
            self.successor = name
            self._on_successor(name)

    def _is_waiting(self) -> bool:
        return self._progress.failure is None and self._progress.durable_sequence < self._sequence

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
