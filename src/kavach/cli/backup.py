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
from kavach.contracts.store import copy_store
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.instruments import listing
from kavach.journal import snapshots
from kavach.journal.backup import back_up
from kavach.journal.sqlite import SqliteJournal
from kavach.program.kept_tokens import copy_key
from kavach.twin.clock import TwinClock
from kavach.venues.embedded import EmbeddedVenue

NICENESS: Final = 5  # Whoever serves orders goes first.

_DIRECTORY: Final = click.Path(path_type=Path)


@click.command(short_help="Copy a journal while it is served.")
@click.argument("directory", type=_DIRECTORY)
@click.argument("target", type=_DIRECTORY)
def backup(directory: Path, target: Path) -> None:
    """Copy the journal in DIRECTORY, served or not, into the new directory TARGET.

    Imported contracts, and the key of the tokens, go with it.

    TARGET is then a data directory like any other. Its chain has been read; `kavach verify
    TARGET` checks everything. Exit code 0: it is there. 1: damage was found. 2: it can't be.
    """
    with told():
        copied = back_up(directory, target, lambda place: _copy_rest(directory, place))
    with_it = copied.snapshot_sequence
    extra = f"with the snapshot of record {with_it}" if with_it else "no snapshot"
    click.echo(f"{target}: {copied.sequence} records, chain intact, {extra}.")


def _copy_rest(directory: Path, place: Path) -> None:
    """Copy what a data directory holds beside its journal."""
    copy_store(directory, place)
    copy_key(directory, place)


@click.command(short_help="Make the next start quick.")
@click.argument("directory", type=_DIRECTORY)
@click.option("--if-served", is_flag=True, help="Do nothing unless a server has it open.")
def snapshot(directory: Path, if_served: bool) -> None:
    """Store beside the journal in DIRECTORY, served or not, the state that it leads to."""
    if hasattr(os, "nice"):  # Not on Windows.
        os.nice(NICENESS)
    with told():
        sequence = take_snapshot(directory, if_served=if_served)
    click.echo(f"{directory}: snapshot of record {sequence}." if sequence else "Not served.")


def take_snapshot(directory: Path, *, if_served: bool) -> int:
    """Return the last record that a snapshot stands for now; 0 if it is to be served and is not.

    A journal that nobody serves is locked against servers while it is read. Whoever was started by
    a server that has died meanwhile must not keep the next one from starting: ``if_served``.
    """
    with closing(SqliteJournal(directory, create=False, read_only=True, beside=True)) as journal:
        if if_served and not journal.is_live:
            return 0
        # Bundled ones are enough: terms of imported contracts stand in the journal.
        instruments = listing(load_instruments())
        standing = TwinClock(lambda: 0, start_ns=0)
        engine = Engine(instruments, Settings(), journal, EmbeddedVenue(instruments), standing)
        engine.recover()
        if snapshots.newest(directory) < engine.sequence:
            engine.save_snapshot()
        return engine.sequence
