"""
Records and snapshots as they are read: each one verified.

A batch is verified as a whole, since its link is that of its last record.

Source: docs/spec/journal.md, "In PostgreSQL".
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from psycopg import Connection

from kavach.engine.journal_port import JournalCorrupt
from kavach.journal.chain import GENESIS, link
from kavach.journal.postgres.connecting import Row
from kavach.journal.postgres.tables import SCHEMA

READ_TOGETHER: Final = 100  # Batches: at most 25 600 records.
PART_BYTES: Final = 8_000_000
KEPT: Final = 2  # Snapshots.

Linked = tuple[int, bytes, bytes]  # Sequence, body, link.
_BODIES: Final = msgspec.msgpack.Decoder(list[bytes])
_BATCHES: Final = f"""
    SELECT first, last, chain, bodies FROM {SCHEMA}.batches
    WHERE last > %s AND last <= %s ORDER BY last LIMIT {READ_TOGETHER}
"""
_BATCH_OF: Final = f"""
    SELECT first, last, chain, bodies FROM {SCHEMA}.batches WHERE last >= %s ORDER BY last LIMIT 1
"""
_LINK_AT: Final = f"SELECT chain FROM {SCHEMA}.batches WHERE last = %s"


def encode(bodies: list[bytes]) -> bytes:
    """Return what a batch of these bodies is stored as."""
    return msgspec.msgpack.encode(bodies)


def end_of(connection: "Connection[Row]") -> tuple[int, bytes]:
    """Return the last sequence and its link, as ``head`` has them."""
    row = connection.execute(f"SELECT head, chain FROM {SCHEMA}.head").fetchone()
    if row is None:
        raise JournalCorrupt(0, "its head is missing")
    sequence, chain = row
    assert isinstance(sequence, int) and isinstance(chain, bytes), "so are the columns"
    return sequence, chain


def check_end(connection: "Connection[Row]") -> None:
    """Return if the last batch is what ``head`` says, and follows from the one before it."""
    end, chain = end_of(connection)
    found = _batch(connection, end) if end else []
    if end and (not found or found[-1][0] != end):
        raise JournalCorrupt(end, f"it is missing, though {end} were written")
    if (found[-1][2] if found else GENESIS) != chain:
        raise JournalCorrupt(end, "its hash is not the one that was noted")
    row = connection.execute(f"SELECT max(last) FROM {SCHEMA}.batches").fetchone()
    highest = row[0] if row is not None else None
    if isinstance(highest, int) and highest > end:
        raise JournalCorrupt(end + 1, f"record {highest} is there, though {end} were written")


def linked(connection: "Connection[Row]", after: int, end: int | None = None) -> Iterator[Linked]:
    """Return (sequence, body, link) of the records behind ``after``, each one verified.

    It ends with ``end``, or with the last record there was at the call.
    """
    if end is None:
        end, _chain = end_of(connection)
    if after >= end:
        return
    if after > 0 and _link_at(connection, after) is None:
        batch = _batch(connection, after)  # It begins in the middle of a commit.
        yield from (record for record in batch if after < record[0] <= end)
        after = batch[-1][0]
    previous = _link_at(connection, after)
    assert previous is not None, "the end of a batch has a link"
    expected = after + 1
    while expected <= end:
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_BATCHES, (expected - 1, end), prepare=True).fetchall()
        if not rows:
            raise JournalCorrupt(expected, f"it is missing, though {end} were written")
        for row in rows:
            for record in _verified(row, expected, previous):
                yield record
                previous = record[2]
            expected = record[0] + 1


def link_of(connection: "Connection[Row]", sequence: int) -> bytes | None:
    """Return the link of a record, or None if there is no such record."""
    if (chain := _link_at(connection, sequence)) is not None:
        return chain
    return next((found[2] for found in _batch(connection, sequence) if found[0] == sequence), None)


def _link_at(connection: "Connection[Row]", sequence: int) -> bytes | None:
    """Return the link of a record that ends a batch; None if it is not one."""
    if sequence == 0:
        return GENESIS
    row = connection.execute(_LINK_AT, (sequence,)).fetchone()
    if row is None:
        return None
    assert isinstance(row[0], bytes), "so is the column"
    return row[0]


def _batch(connection: "Connection[Row]", sequence: int) -> list[Linked]:
    """Return the records of the commit that this record was in, none if there is no such."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(_BATCH_OF, (sequence,)).fetchone()
    if row is None or not isinstance(row[0], int) or row[0] > sequence:
        return []
    previous = _link_at(connection, row[0] - 1)
    if previous is None:
        raise JournalCorrupt(row[0] - 1, "it is missing")
    return list(_verified(row, row[0], previous))


def _verified(row: Row, expected: int, previous: bytes) -> list[Linked]:
    """Return the records of a commit; ``JournalCorrupt`` if they are not what was written."""
    first, last, chain, stored = row
    if first != expected:
        raise JournalCorrupt(expected, f"record {first} is in its place")
    assert isinstance(stored, bytes), "the column holds bytes"
    try:
        bodies = _BODIES.decode(stored)
    except msgspec.MsgspecError as error:
        raise JournalCorrupt(expected, f"its commit can't be read ({error})") from error
    if not bodies or expected + len(bodies) - 1 != last:
        raise JournalCorrupt(
            expected, f"its commit holds {len(bodies)} records, and ends at {last}"
        )
    records = []
    for sequence, body in enumerate(bodies, expected):
        previous = link(previous, sequence, body)
        records.append((sequence, body, previous))
    if previous != chain:
        raise JournalCorrupt(expected, f"the hash of its commit, up to record {last}, doesn't fit")
    return records


# --- Snapshots -----------------------------------------------------------------------------------


def save_snapshot(connection: "Connection[Row]", sequence: int, chain: bytes, body: bytes) -> None:
    """Return when a snapshot is kept, in parts; older ones than two are removed."""
    digest = link(chain, sequence, body)
    parts = max(-(-len(body) // PART_BYTES), 1)
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        cursor.execute(f"DELETE FROM {SCHEMA}.snapshots WHERE sequence = %s", (sequence,))
        for part in range(parts):
            cursor.execute(
                f"INSERT INTO {SCHEMA}.snapshots VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    sequence,
                    part,
                    parts,
                    chain,
                    digest,
                    body[part * PART_BYTES : (part + 1) * PART_BYTES],
                ),
            )
        cursor.execute(
            f"DELETE FROM {SCHEMA}.snapshots WHERE sequence NOT IN (SELECT DISTINCT sequence"
            f" FROM {SCHEMA}.snapshots ORDER BY sequence DESC LIMIT {KEPT})"
        )


def snapshot_sequences(connection: "Connection[Row]") -> list[int]:
    """Return what the snapshots are said to stand for, newest first."""
    rows = connection.execute(
        f"SELECT DISTINCT sequence FROM {SCHEMA}.snapshots ORDER BY sequence DESC"
    ).fetchall()
    return [sequence for (sequence,) in rows if isinstance(sequence, int)]


def snapshot(connection: "Connection[Row]", sequence: int) -> tuple[bytes, bytes] | None:
    """Return link and body of a snapshot, None if it is not whole."""
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            f"SELECT part, parts, chain, digest, body FROM {SCHEMA}.snapshots"
            " WHERE sequence = %s ORDER BY part",
            (sequence,),
        ).fetchall()
    if not rows or [row[0] for row in rows] != list(range(len(rows))):
        return None
    if any(row[1:4] != (len(rows), *rows[0][2:4]) for row in rows):
        return None
    _part, _parts, chain, digest, _body = rows[0]
    body = b"".join(row[4] for row in rows if isinstance(row[4], bytes))
    assert isinstance(chain, bytes), "so is the column"
    return (chain, body) if link(chain, sequence, body) == digest else None


# --- What is kept beside the records -------------------------------------------------------------


def kept(connection: "Connection[Row]", name: str) -> bytes | None:
    """Return what is kept under a name, None if nothing is."""
    row = connection.execute(f"SELECT body FROM {SCHEMA}.kept WHERE name = %s", (name,)).fetchone()
    if row is None:
        return None
    assert isinstance(row[0], bytes), "so is the column"
    return row[0]


def keep(connection: "Connection[Row]", name: str, body: bytes) -> None:
    """Return when this is kept under a name."""
    connection.execute(
        f"INSERT INTO {SCHEMA}.kept VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET body = excluded.body",
        (name, body),
    )
