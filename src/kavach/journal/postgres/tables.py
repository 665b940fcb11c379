"""
What is in the database: the tables of schema ``kavach``, and how they are made.

    head       one row: whose journal it is, where it ends, and who owns it until when
    batches    the records, one row a commit: bodies is MessagePack, a list of byte strings
    snapshots  bodies in parts, since a value of PostgreSQL holds 1 GB at most
    standbys   who follows, for an operator to see
    kept       small things that every owner needs, as the key of the tokens

One database holds one journal. ``head`` is updated in place with every commit (fillfactor), and
bodies are not compressed (EXTERNAL), since that costs more time than it saves.

Source: docs/spec/journal.md, "In PostgreSQL"; the PostgreSQL pages "Heap-Only Tuples", "TOAST".
"""

from typing import Final

from psycopg import Connection

from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalMissing,
    JournalNewer,
    JournalUnwritable,
)
from kavach.journal.database import FORMAT_OLDEST, FORMAT_VERSION

SCHEMA: Final = "kavach"
# Advisory locks count per database, so constants do: "kvch", and which of the two.
LOCK_CLASS: Final = int.from_bytes(b"kvch", "big")
OWNER_LOCK: Final = 1
MAKING_LOCK: Final = 2
CHANNEL: Final = "kavach"  # Where the owner tells that there are records.
LEASE_MS: Final = 1_000
UNFINISHED: Final = 0  # The format of a copy that has not ended.

_TABLES: Final = f"""
    CREATE SCHEMA {SCHEMA};
    CREATE TABLE {SCHEMA}.head (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        cluster uuid NOT NULL DEFAULT gen_random_uuid(),
        format integer NOT NULL,
        epoch bigint NOT NULL DEFAULT 0,
        head bigint NOT NULL DEFAULT 0,
        chain bytea NOT NULL DEFAULT '\\x00000000000000000000000000000000',
        owner text NOT NULL DEFAULT '',
        address text NOT NULL DEFAULT '',
        backend integer NOT NULL DEFAULT 0,
        beat_at timestamptz NOT NULL DEFAULT '-infinity',
        lease_ms integer NOT NULL DEFAULT {LEASE_MS},
        successor text NOT NULL DEFAULT ''
    ) WITH (fillfactor = 50);
    CREATE TABLE {SCHEMA}.batches (
        last bigint PRIMARY KEY,
        first bigint NOT NULL,
        epoch bigint NOT NULL,
        chain bytea NOT NULL,
        bodies bytea NOT NULL
    );
    CREATE TABLE {SCHEMA}.snapshots (
        sequence bigint,
        part integer,
        parts integer NOT NULL,
        chain bytea NOT NULL,
        digest bytea NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (sequence, part)
    );
    ALTER TABLE {SCHEMA}.batches ALTER bodies SET STORAGE EXTERNAL;
    ALTER TABLE {SCHEMA}.snapshots ALTER body SET STORAGE EXTERNAL;
    CREATE TABLE {SCHEMA}.standbys (
        name text PRIMARY KEY,
        pid integer NOT NULL,
        address text NOT NULL,
        sequence bigint NOT NULL,
        seen_at timestamptz NOT NULL
    );
    CREATE TABLE {SCHEMA}.kept (name text PRIMARY KEY, body bytea NOT NULL);
    INSERT INTO {SCHEMA}.head (format) VALUES ({FORMAT_VERSION});
"""
_COLUMNS: Final = f"""
    SELECT count(*) FROM pg_catalog.pg_attribute
    WHERE attrelid = to_regclass('{SCHEMA}.head') AND attname IN ('cluster', 'chain', 'beat_at')
"""


def is_made(connection: "Connection[tuple[object, ...]]") -> bool:
    """Return whether there is a journal; ``JournalCorrupt`` if the schema holds something else."""
    row = connection.execute(
        f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL, ({_COLUMNS})"
    ).fetchone()
    assert row is not None, "a SELECT without FROM has one row"
    there, columns = row
    if there and columns != 3:
        raise JournalCorrupt(0, f"the database has a schema {SCHEMA} that is no journal of kavach")
    return bool(there)


def make(connection: "Connection[tuple[object, ...]]") -> None:
    """Return when the tables are there; another process may make them. All of them or none."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, MAKING_LOCK))
        if not is_made(connection):
            connection.execute(_TABLES)


def check_format(connection: "Connection[tuple[object, ...]]", shown: str) -> None:
    """Return if this version can read what is there."""
    row = connection.execute(f"SELECT format FROM {SCHEMA}.head").fetchone()
    if row is None:
        raise JournalCorrupt(0, f"the head of the journal in {shown} is missing")
    version = row[0]
    assert isinstance(version, int), "the column is an integer"
    if version > FORMAT_VERSION:
        raise JournalNewer(
            f"The journal in {shown} was written by a newer version of kavach"
            f" (format {version}; this one knows {FORMAT_VERSION})."
        )
    if version == UNFINISHED:
        raise JournalUnwritable(
            f"{shown} holds a copy that did not end: drop its schema {SCHEMA} and copy again."
        )
    if version < FORMAT_OLDEST:
        raise JournalCorrupt(0, f"the journal in {shown} has the unknown format {version}")


def missing(shown: str) -> JournalMissing:
    """Return what is said where there is a database but no journal in it."""
    return JournalMissing(f"There is no journal in {shown}; kavach serve --journal makes one.")
