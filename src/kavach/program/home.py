"""
Where a world is kept: nowhere, in a directory, or in a database that other machines reach, too.

Source: docs/spec/journal.md; docs/twin.md, "The command line".
"""

import os
import socket
from pathlib import Path
from typing import Any, NamedTuple

from kavach.engine.journal_port import Journal
from kavach.journal.memory import MemoryJournal
from kavach.journal.place import postgres
from kavach.journal.sqlite import SqliteJournal
from kavach.program.kept_tokens import Cupboard, load_key
from kavach.program.options import WorldOptions


class Home(NamedTuple):
    """An open journal, and what is kept beside it."""

    journal: Journal
    beside: Path | Cupboard | None  # None: nothing is kept.
    key: bytes  # Tokens that were not given are made from it.


def open_home(options: WorldOptions, before: object = None) -> Home:
    """Return what a world is made of; raises ``JournalError``, ``TokensError``.

    ``before`` is what this process held of a database earlier: if there was another owner since,
    that is a ``JournalFenced``.
    """
    if options.database is not None:
        owner = postgres("tenure").Owner(process_name(), options.database.url)
        journal = postgres("journal").own(options.database.address, owner, before=before)
        return home_of(journal)
    key = load_key(options.data_dir)  # First: nothing is made where that is damaged.
    if options.data_dir is None:
        return Home(MemoryJournal(), None, key)
    return Home(SqliteJournal(options.data_dir), options.data_dir, key)


def home_of(journal: Any) -> Home:
    """Return the home of a world whose journal in a database is owned already."""
    try:
        return Home(journal, journal, load_key(journal))
    except BaseException:
        journal.close()
        raise


def process_name() -> str:
    """Return a name that no other process has while this one lives."""
    return f"{socket.gethostname()}:{os.getpid()}"


def held_of(journal: Journal) -> object:
    """Return what an open journal in a database holds, None of any other one."""
    return getattr(journal, "held", None)
