"""
How a batch of records becomes durable in PostgreSQL: one statement, one round trip, one row.

The statement compares and sets: it moves ``head`` on only where epoch, end and link are those that
this owner knows, and writes the records only if it did. No row means that another owner has begun:
then nothing of it was written, and nothing ever will be again.

The server says a warning, and no error, when a wait for a replica was cut short: the records are
then on one machine only. So any notice on this connection is a failure.

While nothing is written the owner beats: the same comparison, which moves only the time.

Source: docs/spec/journal.md, "In PostgreSQL"; the PostgreSQL pages "Synchronous Replication",
"Data-Modifying Statements in WITH".
"""

import struct
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import errors, pq

from kavach.engine.journal_port import JournalError, JournalFenced, JournalUnavailable
from kavach.journal.database import FORMAT_VERSION
from kavach.journal.group_commit import COLUMNS, Batch, bodies_of
from kavach.journal.postgres import reading
from kavach.journal.postgres.connecting import meaning
from kavach.journal.postgres.tables import CHANNEL, SCHEMA, UNFINISHED
from kavach.journal.postgres.tenure import BEATS_IN_LEASE, Tenure, monotonic

NOTIFY_SECONDS: Final = 0.02  # Who follows looks again by itself after that.

_INT8, _BYTEA = 20, 17  # The numbers of these types in PostgreSQL.
_APPEND: Final = f"""
    WITH me AS (
        UPDATE {SCHEMA}.head SET head = $1, chain = $2, beat_at = clock_timestamp()
        WHERE epoch = $3 AND head = $4 AND chain = $5 RETURNING successor
    )
    INSERT INTO {SCHEMA}.batches (first, last, epoch, chain, bodies)
    SELECT $4 + 1, $1, $3, $2, $6 FROM me
    RETURNING (SELECT successor FROM me)
"""
_BEAT: Final = f"""
    UPDATE {SCHEMA}.head SET beat_at = clock_timestamp()
    WHERE epoch = $1 AND head = $2 AND chain = $3 RETURNING successor
"""
_STATEMENTS: Final = {
    b"append": (_APPEND, [_INT8, _BYTEA, _INT8, _INT8, _BYTEA, _BYTEA]),
    b"append and tell": (
        f"{_APPEND}, pg_notify('{CHANNEL}', '')",
        [_INT8, _BYTEA, _INT8, _INT8, _BYTEA, _BYTEA],
    ),
    b"beat": (_BEAT, [_INT8, _INT8, _BYTEA]),
}
_number: Final = struct.Struct(">q").pack


class PostgresTarget:
    """The connection that writes; used by the writer's thread, but for ``close``."""

    def __init__(self, tenure: Tenure, address: str, on_successor: Callable[[str], None]) -> None:
        """Write under this tenure; ``on_successor`` hears who is to have it next."""
        self._tenure = tenure
        self._address = address
        self._on_successor = on_successor
        self._beat_seconds = tenure.lease_seconds / BEATS_IN_LEASE
        self._head, self._chain = tenure.head, tenure.chain
        self._sent_at = self._told_at = 0.0
        self._notices: list[str] = []
        self._connection = tenure.connection
        self._pgconn: Any = self._connection.pgconn
        for name, (statement, types) in _STATEMENTS.items():
            self._check(self._pgconn.prepare(name, statement.encode(), types))
        self._connection.add_notice_handler(
            lambda notice: self._notices.append(notice.message_primary or "a warning")
        )

    @property
    def idle_seconds(self) -> float | None:
        """How long this connection may be silent."""
        return self._beat_seconds

    def begin(self) -> None:
        """Let programs that know only older formats refuse the journal from now on."""
        self._connection.execute(
            f"UPDATE {SCHEMA}.head SET format = %s"
            " WHERE format < %s AND format <> %s AND epoch = %s",
            (FORMAT_VERSION, FORMAT_VERSION, UNFINISHED, self._tenure.epoch),
        )
        self._check_notices()

    def commit(self, batch: Batch) -> None:
        """Return when these records are durable."""
        last, chain = batch[-COLUMNS], batch[-1]
        assert isinstance(last, int) and isinstance(chain, bytes), "a batch ends with a record"
        sent_at = monotonic()
        tells = sent_at - self._told_at >= NOTIFY_SECONDS
        if tells:
            self._told_at = sent_at
        self._execute(
            b"append and tell" if tells else b"append",
            (
                _number(last),
                chain,
                _number(self._tenure.epoch),
                _number(self._head),
                self._chain,
                reading.encode(bodies_of(batch)),
            ),
            sent_at,
        )
        self._head, self._chain = last, chain

    def rest(self, *, waiting: bool) -> None:
        """Beat, if nothing was said for long enough."""
        if waiting or monotonic() - self._sent_at < self._beat_seconds:
            return
        head = (_number(self._tenure.epoch), _number(self._head), self._chain)
        self._execute(b"beat", head, monotonic())

    def meaning(self, error: Exception) -> JournalError | None:
        """Return what an error of PostgreSQL, or of this target, means."""
        if isinstance(error, psycopg.Error):
            return meaning(error, self._address)
        return error if isinstance(error, JournalError) else None

    def close(self, *, failed: bool) -> None:
        """Give the ownership up; after a failure only the connection is closed."""
        if failed:
            self._connection.close()
        else:
            self._tenure.leave()

    def _execute(self, name: bytes, parameters: tuple[bytes, ...], sent_at: float) -> None:
        """Return if the statement found the head as this owner knows it."""
        result = self._pgconn.exec_prepared(name, parameters, [1] * len(parameters), 1)
        self._check(result)
        self._check_notices()
        if result.ntuples != 1:
            raise JournalFenced(f"Epoch {self._tenure.epoch} is over: the journal has a new owner.")
        self._sent_at = sent_at
        self._tenure.prove(sent_at)
        successor = result.get_value(0, 0)
        if successor:
            self._on_successor(successor.decode())

    def _check(self, result: Any) -> None:
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise errors.error_from_result(result)

    def _check_notices(self) -> None:
        if self._notices:
            raise JournalUnavailable(f"PostgreSQL warned of a commit: {self._notices[0]}.")
