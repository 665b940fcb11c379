"""One engine on one journal, with a clock that is moved by hand: what dies and is recovered."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from kavach.core.commands import Command
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Outcome
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.journal_port import Journal
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.journal.sqlite import SqliteJournal
from kavach.twin.audit import audit
from kavach.units import InstrumentKey, TimestampNs
from kavach.venues.embedded import DelayedReportSource, EmbeddedVenue

START_NS: Final = 1_795_400_000_000_000_000  # A Monday morning in November 2026.
INSTRUMENTS: Final = tuple(load_instruments())


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at_ns = START_NS

    def now_ns(self) -> int:
        """Return where the hand put it."""
        return self.at_ns


class World:
    """An engine as it recovers from a journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.clock = HandClock()
        self.venue = EmbeddedVenue(INSTRUMENTS)
        self.engine = Engine(INSTRUMENTS, Settings(), journal, self.venue, self.clock)
        self.engine.recover()
        self.engine.add_source(DelayedReportSource(self.engine, self.venue))
        self.clock.at_ns = max(START_NS, self.engine.core.now_ns)

    def ask(self, command: Command) -> Outcome:
        """Return what became of a command."""
        return self.engine.execute(command)

    def market(self, key: InstrumentKey, act: Callable[[TimestampNs], list[ExchangeEvent]]) -> None:
        """Let somebody else do something at the exchange."""
        self.engine.market(lambda at_ns: self.venue.reports_of(act(TimestampNs(at_ns)), key))

    def pass_time(self, span_ns: int) -> None:
        """Let time go by, and all that is due happen."""
        self.clock.at_ns += span_ns
        self.engine.catch_up(self.clock.at_ns)

    def covers(self, user_order_id: int) -> list[CoverOrder]:
        """Return the cover orders that a client gave this number: one, if all is well."""
        every = self.engine.state.every_cover()
        return [cover for cover in every if cover.user_order_id == user_order_id]

    def reconnect(self) -> None:
        """Do what a start does with a venue that outlived us: ask it for everything first."""
        self.venue.set_link(up=True)
        self.engine.restore_link()

    def violations(self) -> list[str]:
        """Return what the auditor finds: positions and cash are folded anew from trades."""
        report = audit(self.engine.state, self.venue.exchange.snapshot(), self.engine.now_ns())
        return [f"{found.invariant} {found.order}: {found.detail}" for found in report.violations]


def reopen(directory: Path, vfs: str | None = None) -> World:
    """Return the world as a restart on this directory makes it; raises ``JournalError``."""
    journal = SqliteJournal(directory, vfs=vfs)
    try:
        return World(journal)
    except BaseException:
        journal.close()
        raise
