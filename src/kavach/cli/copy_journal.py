"""
``kavach journal copy``: a journal written anew elsewhere, with the links that it has.

From a directory into a database, back, or between two of a kind; served or not.

Source: docs/twin.md (command line); docs/spec/journal.md, "Backups".
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from kavach.cli.backup import back_up_with_all
from kavach.cli.progress import progress
from kavach.cli.reading import told
from kavach.cli.values import PLACE
from kavach.journal.copying import copy_records
from kavach.journal.place import Place, open_stored, postgres, shown
from kavach.program.home import process_name
from kavach.program.kept_tokens import FILE_NAME, load_key


@click.command(name="copy", short_help="Copy a journal into a database or a directory.")
@click.argument("source", metavar="FROM", type=PLACE)
@click.argument("target", metavar="TO", type=PLACE)
def copy(source: Place, target: Place) -> None:
    """Copy the journal at FROM to TO, each a directory or the URL of a database.

    Records, their links, the newest snapshot and the key of the tokens are the same there. TO
    must be new or empty. Exit code 0: it is there. 1: damage was found. 2: it can't be.
    """
    with told():
        if isinstance(target, Path):
            copied = back_up_with_all(source, target).sequence
        else:
            copied = _fill(source, target)
    click.echo(f"{shown(target)}: {copied} records, chain intact.")


def _fill(place: Place, target: str) -> int:
    """Return how many records are in the database now, which was empty."""
    with closing(open_stored(place)) as source, _filling(target) as filled:
        with progress("copying records", source.durable_sequence) as tell:
            copy_records(source, filled, tell)
        for sequence, chain, body in source.intact_snapshots():
            if filled.link_of(sequence) == chain:
                filled.save_snapshot(sequence, body)
                break
        beside: Any = place if isinstance(place, Path) else source
        filled.keep(FILE_NAME, load_key(beside))
        copied: int = filled.durable_sequence
        return copied


@contextmanager
def _filling(address: str) -> Iterator[Any]:
    owner = postgres("tenure").Owner(process_name(), "")
    with postgres("filling").filling(address, owner) as journal:
        yield journal
