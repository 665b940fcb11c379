"""
Opening a journal to read it, and ending with the right exit code when that fails.

Source: docs/spec/journal.md, "Errors"; docs/twin.md (command line).
"""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import click

from kavach.contracts.archive import ContractsError
from kavach.engine.journal_port import JournalCorrupt, JournalError
from kavach.journal.place import Place, Stored, open_stored
from kavach.program.kept_tokens import TokensError

FOUND: Final = 1  # What was read is not as it should be.
NOT_BEGUN: Final = 2  # There was nothing that could be read.


@contextmanager
def reading(place: Place) -> Iterator[Stored]:
    """Give a journal, served or not; what is on disk of it is read.

    An error becomes a sentence and an exit code.
    """
    with told():
        journal = open_stored(place)
        with closing(journal):
            yield journal


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of journal or contracts into a sentence and an exit code."""
    try:
        yield
    except JournalCorrupt as error:
        click.echo(f"kavach: {error}", err=True)
        sys.exit(FOUND)
    except (JournalError, ContractsError, TokensError) as error:
        click.echo(f"kavach: {error}", err=True)
        sys.exit(NOT_BEGUN)
