"""
``kavach backup`` and ``kavach snapshot``: what is done beside a journal, running or not.

A snapshot of a large state takes seconds to make. It is therefore not the server that makes it
but this command, in a process of its own, which reads the journal as anybody could: the server
starts it from time to time and goes on answering.

Source: docs/twin.md (command line); docs/spec/journal.md, "Backups", "Snapshots".
"""

import os
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from kavach.cli.reading import told
from kavach.cli.values import PLACE
from kavach.contracts.store import copy_store
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.instruments import listing
from kavach.journal.backup import Copied, back_up
from kavach.journal.place import Place, open_stored, postgres, shown
from kavach.program.kept_tokens import copy_key, keep_key, load_key
from kavach.twin.clock import TwinClock
from kavach.venues.embedded import EmbeddedVenue

NICENESS: Final = 5  # Whoever serves orders goes first.

_DIRECTORY: Final = click.Path(path_type=Path)


@click.command(short_help="Copy a journal while it is served.")
@click.argument("place", metavar="DIRECTORY|URL", type=PLACE)
@click.argument("target", type=_DIRECTORY)
def backup(place: Place, target: Path) -> None:
    """Copy the journal in DIRECTORY, served or not, into the new directory TARGET.

    A URL is that of a journal in PostgreSQL.

    Imported contracts, and the key of the tokens, go with it.

    TARGET is then a data directory like any other. Its chain has been read; `kavach verify
    TARGET` checks everything. Exit code 0: it is there. 1: damage was found. 2: it can't be.
    """
    with told():
        copied = back_up_with_all(place, target)
    with_it = copied.snapshot_sequence
    extra = f"with the snapshot of record {with_it}" if with_it else "no snapshot"
    click.echo(f"{target}: {copied.sequence} records, chain intact, {extra}.")


def back_up_with_all(place: Place, target: Path) -> Copied:
    """Return what was copied into ``target``, with what is kept beside the journal."""

    def also(copy: Path) -> None:
        if isinstance(place, Path):
            copy_store(place, copy)
            copy_key(place, copy)
        else:
            with closing(postgres("journal").PostgresJournal(place)) as journal:
                keep_key(copy, load_key(journal))

    return back_up(place, target, also)


@click.command(short_help="Make the next start quick.")
@click.argument("place", metavar="DIRECTORY|URL", type=PLACE)
@click.option("--if-served", is_flag=True, help="Do nothing unless a server has it open.")
def snapshot(place: Place, if_served: bool) -> None:
    """Store beside the journal in DIRECTORY, served or not, the state that it leads to.

    A URL is that of a journal in PostgreSQL.
    """
    if hasattr(os, "nice"):  # Not on Windows.
        os.nice(NICENESS)
    with told():
        sequence = take_snapshot(place, if_served=if_served)
    click.echo(f"{shown(place)}: snapshot of record {sequence}." if sequence else "Not served.")


def take_snapshot(place: Place, *, if_served: bool) -> int:
    """Return the last record that a snapshot stands for now; 0 if it is to be served and is not.

    A journal that nobody serves is locked against servers while it is read. Whoever was started by
    a server that has died meanwhile must not keep the next one from starting: ``if_served``.
    """
    with closing(open_stored(place)) as journal:
        if if_served and not journal.is_live:
            return 0
        # Bundled ones are enough: terms of imported contracts stand in the journal.
        instruments = listing(load_instruments())
        standing = TwinClock(lambda: 0, start_ns=0)
        engine = Engine(instruments, Settings(), journal, EmbeddedVenue(instruments), standing)
        engine.recover()
        if journal.newest_snapshot() < engine.sequence:
            engine.save_snapshot()
        return engine.sequence
