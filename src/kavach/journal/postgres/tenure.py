"""
Who owns the journal, since when, and whether that is certain now.

Two things make an owner, and each covers what the other cannot:

- *The lock.* An advisory lock of PostgreSQL, held by the connection that writes. When the owner
  dies the connection ends and the lock goes to who waits for it, at once.
- *The epoch.* A number in ``head`` that each owner raises when it begins. Each statement of an
  owner names its epoch, and changes nothing once there is a higher one. It is what makes writing
  safe; the lock only says who may raise it.

An owner that was frozen holds its lock and knows nothing. So it beats: each statement proves the
epoch and notes PostgreSQL's time. Who sees that the last beat is older than the *lease* ends the
owner's connection. The owner for its part gives no answer when the last statement that
proved its epoch was sent longer than 0.9 of the lease ago. No clocks are compared: one is
PostgreSQL's, the other the owner's own, and they need only run at the same speed, to a tenth.

Source: docs/spec/journal.md, "In PostgreSQL"; the PostgreSQL page "Explicit Locking".
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
from psycopg import Connection

from kavach.engine.journal_port import JournalFenced, JournalLocked
from kavach.journal.postgres import reading, tables
from kavach.journal.postgres.connecting import Row, meaning, shown

SHARE_OF_LEASE: Final = 0.9  # The rest is for clocks that run at different speeds.
BEATS_IN_LEASE: Final = 3
TRIES_SECONDS: Final = 2.0  # For a lock whose holder was just ended.
_TRY_AGAIN_SECONDS: Final = 0.01
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_LOCK: Final = f"({tables.LOCK_CLASS}, {tables.OWNER_LOCK})"
_LOOK: Final = f"""
    SELECT epoch, owner, address, backend, cluster,
           beat_at > clock_timestamp() - lease_ms * interval '1 ms'
    FROM {tables.SCHEMA}.head
"""
_TAKE: Final = f"""
    UPDATE {tables.SCHEMA}.head
    SET epoch = epoch + 1, owner = %s, address = %s, backend = pg_backend_pid(),
        beat_at = clock_timestamp(), successor = ''
    RETURNING epoch, head, chain, lease_ms, cluster
"""
_END_BACKEND: Final = f"""
    SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND granted AND database =
        (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        AND classid = {tables.LOCK_CLASS} AND objid = {tables.OWNER_LOCK} AND pid = %s
"""
_LEAVE: Final = f"""
    UPDATE {tables.SCHEMA}.head SET owner = '', address = '', backend = 0, beat_at = '-infinity'
    WHERE epoch = %s
"""


def monotonic() -> float:
    """Return seconds on a clock that is never set, sleep of the machine included."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who wants to own a journal."""

    name: str  # Unique: machine and process.
    address: str  # Where clients find it; empty: nowhere.


@dataclass(frozen=True, slots=True)
class Held:
    """An ownership that was had: the cluster and the epoch."""

    cluster: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The head as it is seen from outside."""

    epoch: int
    owner: str
    address: str
    backend: int
    cluster: UUID
    beats: bool  # Whether the last beat is younger than the lease.


class Tenure:
    """An ownership: the connection that holds it, and how far the journal had got."""

    def __init__(
        self,
        connection: "Connection[Row]",
        held: Held,
        head: int,
        chain: bytes,
        lease_seconds: float,
        proved_at: float,
    ) -> None:
        self.connection = connection
        self.held = held
        self.head = head
        self.chain = chain
        self.lease_seconds = lease_seconds
        self._proved_at = proved_at

    @property
    def epoch(self) -> int:
        """The number under which this owner writes."""
        return self.held.epoch

    def prove(self, sent_at: float) -> None:
        """Note that a statement sent at this time found the epoch unchanged."""
        self._proved_at = sent_at

    def may_answer(self) -> bool:
        """Return whether no other owner can have begun; any thread may ask."""
        return monotonic() - self._proved_at < SHARE_OF_LEASE * self.lease_seconds

    def leave(self) -> None:
        """Give the ownership up, if it is still held, and close the connection."""
        with suppress(psycopg.Error):
            if not self.connection.closed:
                self.connection.execute(_LEAVE, (self.epoch,))
        self.connection.close()


def look(connection: "Connection[Row]") -> Seen:
    """Return the head as it is now."""
    row = connection.execute(_LOOK).fetchone()
    assert row is not None, "the format was read from this row"
    return Seen(*row)


def acquire(
    connection: "Connection[Row]", address: str, owner: Owner, before: Held | None
) -> Tenure:
    """Return the ownership, if it is free; raises ``JournalLocked`` or ``JournalFenced``.

    ``before`` is what this process held earlier: if there was another owner since, it is fenced.
    The end of the records is read before anything is changed, so damage is told first.
    """
    try:
        seen = look(connection)
        _check_before(seen, before)
        give_up_at = monotonic() + TRIES_SECONDS
        while not _try_lock(connection):
            seen = look(connection)
            _check_before(seen, before)
            if (seen.beats and before is None) or monotonic() > give_up_at:
                raise JournalLocked(
                    f"The journal in {shown(address)} has an owner, {seen.address or seen.owner}:"
                    " stop it, or follow it with kavach standby."
                )
            end_connection(connection, seen.backend)
            time.sleep(_TRY_AGAIN_SECONDS)
        _check_before(look(connection), before)
        reading.check_end(connection)
        return take(connection, owner)
    except psycopg.Error as error:
        raise meaning(error, address) from error


def take(connection: "Connection[Row]", owner: Owner) -> Tenure:
    """Return the ownership of a new epoch, on a connection that has the lock.

    It waits for a commit that is under way, which is then part of what is found, or will match
    no row. What was found is durable: this is a synced commit that comes after it.
    """
    sent_at = monotonic()
    row = connection.execute(_TAKE, (owner.name, owner.address)).fetchone()
    assert row is not None, "the head is one row"
    epoch, head, chain, lease_ms, cluster = row
    assert isinstance(epoch, int) and isinstance(head, int) and isinstance(lease_ms, int)
    assert isinstance(chain, bytes) and isinstance(cluster, UUID)
    return Tenure(connection, Held(cluster, epoch), head, chain, lease_ms / 1_000, sent_at)


def end_connection(connection: "Connection[Row]", backend: int) -> None:
    """End the connection of this number, if it is the one that holds the lock."""
    connection.execute(_END_BACKEND, (backend,))


def wait_for_lock(connection: "Connection[Row]") -> None:
    """Return when this connection has the lock, however long that takes."""
    connection.execute(f"SELECT pg_advisory_lock{_LOCK}")


def give_lock_back(connection: "Connection[Row]") -> None:
    """Let another one have the lock."""
    connection.execute(f"SELECT pg_advisory_unlock{_LOCK}")


def _try_lock(connection: "Connection[Row]") -> bool:
    row = connection.execute(f"SELECT pg_try_advisory_lock{_LOCK}").fetchone()
    return row is not None and bool(row[0])


def _check_before(seen: Seen, before: Held | None) -> None:
    if before is None:
        return
    if seen.cluster != before.cluster:
        raise JournalFenced("The database is another one now, with a journal of its own.")
    if seen.epoch != before.epoch:
        raise JournalFenced(f"Epoch {before.epoch} is over: {seen.address or 'another'} owns it.")
