"""
``kavach journal``: prints what happened, from a journal that is served or not, and goes on with it.

Source: docs/twin.md (command line); docs/spec/journal.md.
"""

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from kavach.cli.copy_journal import copy
from kavach.cli.journal_lines import KINDS, Line, Register, as_json, as_text, lines
from kavach.cli.reading import reading
from kavach.cli.values import MOMENT, PLACE, Kind
from kavach.cli.verbs import WithVerbs
from kavach.journal.database import FILE_NAME
from kavach.journal.place import Place, Stored

LOOK_SECONDS: Final = 0.2
_FARTHER: Final = 8  # So many times as far back, if too few of the last records were chosen.
_Files = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which lines are wanted."""

    order_id: int | None = None
    client_id: str | None = None
    kinds: frozenset[str] = frozenset()  # Empty: all.
    since_ns: int = 0

    @property
    def needs_all(self) -> bool:
        """Whether what is chosen is known only to who has read from the first record on."""
        return self.order_id is not None or self.client_id is not None

    def of(self, told: Iterable[Line], register: Register) -> Iterator[Line]:
        """Yield those of these lines."""
        for line in told:
            if line.at_ns < self.since_ns or (self.kinds and line.event not in self.kinds):
                continue
            if self.client_id is not None and register.client(line.fields) != self.client_id:
                continue
            if self.order_id is not None:
                own_id = register.own_id.get(self.order_id, self.order_id)
                if register.order(line.fields) != own_id:
                    continue
            yield line


class Reader:
    """Reads the journal at a place again and again, each time what is new.

    The journal is opened for each look and closed after it, so that no server is kept from it.
    """

    def __init__(self, place: Place, chosen: Chosen) -> None:
        self._place = place
        self._chosen = chosen
        self._register = Register()
        self._sequence = 0
        self._files: _Files = ()
        self._is_live = False

    def first(self, most: int | None) -> Iterator[Line]:
        """Yield the chosen lines that are there, only the last ``most`` if that is given."""
        self._files = self._look()
        with reading(self._place) as journal:
            self._note(journal)
            if self._chosen.order_id is not None:
                # An order may be named by an id that it was given late in its life.
                for _line in lines(journal, self._register):
                    pass
            if most is None:
                yield from self._after(journal, 0)
            else:
                yield from self._last(journal, most)

    def following(self) -> Iterator[Line]:
        """Yield the chosen lines that come, for ever."""
        while True:
            time.sleep(LOOK_SECONDS)
            files = self._look()
            if files == self._files and not self._is_live:
                continue  # There is no writer, so there is nothing to open.
            is_another = _is_another(files, self._files)
            self._files = files
            if is_another:
                click.echo("kavach: the journal begins anew.", err=True)
                self._register, self._sequence = Register(), 0
            with reading(self._place) as journal:
                after = self._sequence
                self._note(journal)
                yield from self._after(journal, after)

    def _note(self, journal: Stored) -> None:
        self._sequence = journal.durable_sequence
        self._is_live = journal.is_live or not isinstance(self._place, Path)

    def _after(self, journal: Stored, after: int) -> Iterator[Line]:
        """Yield chosen lines up to the record that was noted as the last one."""
        for line in self._chosen.of(lines(journal, self._register, after), self._register):
            if line.sequence > self._sequence:
                break
            yield line

    def _last(self, journal: Stored, most: int) -> Iterable[Line]:
        span = max(most, 1)
        while True:
            after = 0 if self._chosen.needs_all else max(self._sequence - span, 0)
            found = deque(self._after(journal, after), maxlen=most)
            if len(found) == most or after == 0:
                return found
            span *= _FARTHER

    def _look(self) -> _Files:
        """Return what changes with every record: file, size and time of database and log."""
        if not isinstance(self._place, Path):
            return ()  # Only a look at the database tells.
        found: list[tuple[int, int, int] | None] = []
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            try:
                status = os.stat(self._place / name)
            except FileNotFoundError:
                found.append(None)
            else:
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)


def _is_another(files: _Files, before: _Files) -> bool:
    """Return whether the database is another file than before."""
    if not files or not before:
        return False
    return files[0] is None or before[0] is None or files[0][0] != before[0][0]


@click.command(cls=WithVerbs, short_help="Print a journal, one event a line.")
@click.argument("place", metavar="DIRECTORY|URL", type=PLACE)
@click.option("--order", "order_id", type=int, help="Only this order: entry, stop or basket id.")
@click.option("--client", "client_id", help="Only this client.")
@click.option(
    "--kind", "kinds", type=Kind(KINDS), multiple=True, help="Only this event; repeatable."
)
@click.option(
    "--since",
    type=MOMENT,
    default=0,
    help="Only from then on, by the journal's clock, as 2026-12-01T09:15 in India.",
)
@click.option("--tail", type=click.IntRange(0), help="Only the last so many lines.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object a line.")
def journal(
    place: Place,
    order_id: int | None,
    client_id: str | None,
    kinds: tuple[str, ...],
    since: int,
    tail: int | None,
    follow: bool,
    json_wanted: bool,
) -> None:
    """Print what the journal in DIRECTORY holds, served or not: what is on disk.

    A URL is that of a journal in PostgreSQL. `kavach journal copy --help` tells how to copy one.
    """
    chosen = Chosen(order_id=order_id, client_id=client_id, kinds=frozenset(kinds), since_ns=since)
    reader = Reader(place, chosen)
    show = as_json if json_wanted else as_text
    try:
        for line in reader.first(tail):
            click.echo(show(line))
        if follow:
            for line in reader.following():
                click.echo(show(line))
    except KeyboardInterrupt:  # The way to end it.
        pass


journal.verbs["copy"] = copy
