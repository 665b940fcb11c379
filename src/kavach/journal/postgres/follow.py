"""
Following a journal: its records as they come, and the moment to own it.

Two connections. One waits in PostgreSQL for the lock, which comes when the owner's connection ends,
and is then the connection that writes. The other reads: it is woken by the owner's notices, looks
every 50 ms in any case, and ends the owner's connection if its last beat is older than the
lease. So there is one way to own the journal, through the lock.

A process that was frozen while it waited may be given the lock and not know it. One that holds it
for as long as a lease without becoming the owner has its connection ended, too.

Source: docs/spec/journal.md, "In PostgreSQL".
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import psycopg
from psycopg import Connection

from kavach.engine.journal_port import JournalError, JournalUnavailable
from kavach.journal.chain import GENESIS
from kavach.journal.postgres import reading, tables, tenure
from kavach.journal.postgres.connecting import Row, meaning
from kavach.journal.postgres.journal import PostgresJournal, connection_to
from kavach.journal.postgres.tenure import Owner, Seen, monotonic

LOOK_SECONDS: Final = 0.05
TELL_SECONDS: Final = 0.5  # Between two notes of how far this standby has got.
_HOLDER: Final = f"""
    SELECT pid FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND granted AND database =
        (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        AND classid = {tables.LOCK_CLASS} AND objid = {tables.OWNER_LOCK}
"""
_STANDBY: Final = f"""
    INSERT INTO {tables.SCHEMA}.standbys VALUES (%s, %s, %s, %s, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, seen_at = excluded.seen_at
"""
_FORGET: Final = f"""
    DELETE FROM {tables.SCHEMA}.standbys
    WHERE name = %s OR seen_at < clock_timestamp() - interval '10 s'
"""


class Follower:
    """One standby's view of the journal; all but ``stop`` belongs to one thread."""

    def __init__(self, address: str, owner: Owner, pid: int) -> None:
        """Connect; raises ``JournalError``."""
        self._address = address
        self._owner = owner
        self._pid = pid
        self._told_at = self._held_since = 0.0
        self._holder = 0
        self._reader = connection_to(address, "standby")
        self._lock = connection_to(address, "standby that waits")
        self._has_lock = threading.Event()
        self._lost_lock: Exception | None = None
        self.seen: Seen = tenure.look(self._reader)
        self._reader.execute(f"LISTEN {tables.CHANNEL}")
        self._waiter = threading.Thread(target=self._wait_for_lock, name="lock", daemon=True)
        self._waiter.start()

    def ask_for_it(self) -> None:
        """Have the owner hand the journal over to this standby."""
        self._execute(f"UPDATE {tables.SCHEMA}.head SET successor = %s", self._owner.name)

    def records(self, after: int, previous: bytes) -> Iterator[reading.Linked]:
        """Return what came behind a record with this link; raises ``JournalError``.

        ``JournalCorrupt`` if the journal has another one there.
        """
        try:
            if reading.link_of(self._reader, after) != (previous if after else GENESIS):
                raise JournalUnavailable("The journal goes another way than was followed.")
            yield from reading.linked(self._reader, after)
        except psycopg.Error as error:
            raise meaning(error, self._address) from error

    def wait(self, sequence: int) -> bool:
        """Return whether the journal is this standby's to own, after at most 50 ms.

        It returns earlier when records came. ``sequence`` is how far this standby has got.
        """
        if self._lost_lock is not None:
            raise JournalUnavailable(f"The wait for the lock ended: {self._lost_lock}.")
        if self._has_lock.is_set():
            return self._is_chosen()
        try:
            for _notice in self._reader.notifies(timeout=LOOK_SECONDS, stop_after=1):
                pass
            self.seen = tenure.look(self._reader)
            tables.check_format(self._reader, self._address)
            self._end_silent_owner()
            self._tell(sequence)
        except psycopg.Error as error:
            raise meaning(error, self._address) from error
        return self._has_lock.is_set() and self._is_chosen()

    def own(self) -> PostgresJournal:
        """Return the journal, which is this process's now; raises ``JournalError``."""
        try:
            held = tenure.take(self._lock, self._owner)
        except psycopg.Error as error:
            raise meaning(error, self._address) from error
        return PostgresJournal(self._address, held)

    def stop(self, *, owns: bool = False) -> None:
        """Let go of everything but the lock, and of that, too, unless this process owns it."""
        with suppress(psycopg.Error):
            self._reader.execute(_FORGET, (self._owner.name,))
        self._reader.close()
        if not owns:
            _cut(self._lock)

    def _is_chosen(self) -> bool:
        """Return whether no other was chosen; if one was, the lock is given on."""
        self.seen = tenure.look(self._reader)
        row = self._execute(f"SELECT successor FROM {tables.SCHEMA}.head").fetchone()
        if row is None or row[0] in ("", self._owner.name):
            return True
        self._execute(
            f"UPDATE {tables.SCHEMA}.head SET successor = '' WHERE NOT EXISTS (SELECT 1"
            f" FROM {tables.SCHEMA}.standbys WHERE name = successor)"
        )
        tenure.give_lock_back(self._lock)
        self._has_lock.clear()
        self._waiter = threading.Thread(target=self._wait_for_lock, name="lock", daemon=True)
        self._waiter.start()
        return False

    def _end_silent_owner(self) -> None:
        """End the connection that has the lock, if its beat is too old."""
        if self.seen.beats:
            self._holder = 0
            return
        row = self._reader.execute(_HOLDER).fetchone()
        holder = row[0] if row is not None and isinstance(row[0], int) else 0
        if holder != self._holder:
            self._holder, self._held_since = holder, monotonic()
        lease = tables.LEASE_MS / 1_000
        if holder and (holder == self.seen.backend or monotonic() - self._held_since > lease):
            tenure.end_connection(self._reader, holder)

    def _tell(self, sequence: int) -> None:
        now = monotonic()
        if now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            self._execute(_STANDBY, self._owner.name, self._pid, self._owner.address, sequence)

    def _execute(self, statement: str, *values: object) -> "psycopg.Cursor[Row]":
        try:
            found: psycopg.Cursor[Row] = self._reader.execute(statement, values or None)
        except psycopg.Error as error:
            raise meaning(error, self._address) from error
        return found

    def _wait_for_lock(self) -> None:
        try:
            tenure.wait_for_lock(self._lock)
        except Exception as error:  # Passed to the thread that follows, which raises it.
            self._lost_lock = error
        else:
            self._has_lock.set()


def _cut(connection: "Connection[Row]") -> None:
    """Close a connection in which another thread may wait."""
    with suppress(psycopg.Error, JournalError):
        connection.cancel_safe(timeout=1.0)
    with suppress(psycopg.Error):
        connection.close()
