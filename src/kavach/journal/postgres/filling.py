"""
Filling an empty database with the records of another journal, whole or not at all.

Until all is there the head has format 0, which no program opens.

Source: docs/spec/journal.md, "Backups".
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from kavach.engine.journal_port import JournalUnwritable
from kavach.journal.database import FORMAT_VERSION
from kavach.journal.postgres.connecting import connect, meaning, shown
from kavach.journal.postgres.journal import PostgresJournal, own
from kavach.journal.postgres.tables import SCHEMA, UNFINISHED
from kavach.journal.postgres.tenure import Owner


@contextmanager
def filling(address: str, owner: Owner) -> Iterator[PostgresJournal]:
    """Give an empty journal that is one for others after the block; raises ``JournalError``."""
    journal = own(address, owner)
    try:
        if journal.durable_sequence:
            raise JournalUnwritable(f"{shown(address)} holds a journal already.")
        _mark(address, UNFINISHED)
        yield journal
        _mark(address, FORMAT_VERSION)
    finally:
        journal.close()


def _mark(address: str, version: int) -> None:
    connection = connect(address, "copy")
    try:
        connection.execute(f"UPDATE {SCHEMA}.head SET format = %s", (version,))
    except psycopg.Error as error:
        raise meaning(error, address) from error
    finally:
        connection.close()
