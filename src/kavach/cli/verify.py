"""
``kavach verify``: read a journal from its first record and believe nothing.

Three things are checked. The chain, by reading every record. The invariants of cover orders, by
replaying: after each record those of every cover order that the record speaks of, and at the
snapshot and the end those of all orders, accounts and the exchange together. The snapshots: each
must be intact, and the newest must hold the state that the records lead to.

Source: docs/twin.md (command line); docs/spec/cover_order.md, "What must hold";
docs/spec/journal.md.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from kavach.cli.progress import progress
from kavach.cli.reading import FOUND, reading
from kavach.cli.values import PLACE
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.journal_port import Journal
from kavach.engine.record import Record, decode_record, decode_snapshot, is_of_this_layout
from kavach.instruments import listing
from kavach.journal.memory import MemoryJournal
from kavach.journal.place import Place, shown
from kavach.twin.audit import audit
from kavach.twin.audit_orders import check_cover, see
from kavach.twin.audit_seen import Violation, check_regular, see_regular
from kavach.twin.clock import TwinClock
from kavach.venues.embedded import EmbeddedVenue

TOLD_EVERY: Final = 1_000  # Records.


class Broken(Exception):
    """Something is wrong with a record, or with the state after it; the text says what."""

    def __init__(self, sequence: int, detail: str) -> None:
        super().__init__(f"Record {sequence}: {detail}.")


class Replay:
    """A state that is built record by record, and looked at on the way."""

    def __init__(self) -> None:
        # Bundled ones are enough: terms of imported contracts stand in the journal.
        instruments = listing(load_instruments())
        self._venue = EmbeddedVenue(instruments)
        standing = TwinClock(lambda: 0, start_ns=0)
        self._engine = Engine(instruments, Settings(), MemoryJournal(), self._venue, standing)
        self._at_ns = 0

    @property
    def state_hash(self) -> str:
        """The hash over core and exchange."""
        return self._engine.state_hash()

    @property
    def cover_orders(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._engine.state.every_cover())

    def apply(self, sequence: int, body: bytes) -> None:
        """Go one record further; raises ``Broken`` if that breaks an invariant."""
        try:
            record = decode_record(body)
            self._engine.replay(record.events, record.venue, record.at_ns)
            touched = self._touched(record)
            for parent in touched:
                parent.check()
        except msgspec.MsgspecError as error:
            raise Broken(sequence, f"it is no record of this version ({error})") from error
        except (AssertionError, LookupError) as error:
            raise Broken(sequence, f"it does not follow from those before ({error!r})") from error
        if record.at_ns < self._at_ns:
            raise Broken(sequence, "it is older than the record before it")
        self._at_ns = record.at_ns
        for parent in touched:
            self._expect_none(sequence, self._found_wrong(parent))

    def restore(self, sequence: int, body: bytes) -> None:
        """Begin with what a snapshot holds; raises ``Broken`` if it can't be read."""
        try:
            snapshot = decode_snapshot(body)
            self._engine.state.restore(snapshot.core)
            self._venue.restore(snapshot.venue)
        except (msgspec.MsgspecError, AssertionError, LookupError) as error:
            raise Broken(sequence, f"its snapshot can't be read ({error!r})") from error

    def check_everything(self, sequence: int) -> None:
        """Check orders, accounts and the exchange together; raises ``Broken``."""
        report = audit(self._engine.state, self._venue.exchange.snapshot(), self._at_ns)
        self._expect_none(sequence, report.violations)

    def _touched(self, record: Record) -> list[ParentOrder]:
        """Return the orders that a record speaks of."""
        state = self._engine.state
        touched: dict[int, ParentOrder] = {}
        for event in record.events:
            order_id = getattr(event, "order_id", 0)
            if not order_id and hasattr(event, "tag"):
                order_id = state.orders[event.tag].parent_id
            if order_id:
                touched[order_id] = state.parents[order_id]
        return list(touched.values())

    def _found_wrong(self, parent: ParentOrder) -> Iterable[Violation]:
        """Return what is wrong with an order, by its trades and the exchange's book."""
        exchange = self._venue.exchange
        found = {
            order.tag: exchange.order(order.exchange_order_id)
            for order in parent.entries + parent.exits
        }
        at_venue = {tag: record for tag, record in found.items() if record is not None}
        last, state = exchange.last_price_pips(parent.instrument), self._engine.state
        if isinstance(parent, CoverOrder):
            return check_cover(see(state, parent, at_venue, last, self._at_ns))
        assert isinstance(parent, RegularOrder), f"{parent.order_id}: of no known kind"
        return check_regular(see_regular(state, parent, at_venue, last, self._at_ns))

    def _expect_none(self, sequence: int, violations: Iterable[Violation]) -> None:
        for violation in violations:
            of_order = f" of cover order {violation.order}" if violation.order else ""
            raise Broken(sequence, f"{violation.invariant}{of_order}: {violation.detail}")


class Verified(msgspec.Struct, frozen=True):
    """What was found to be right of a journal."""

    records: int
    cover_orders: int
    snapshot: str
    state_hash: str

    def __str__(self) -> str:
        return (
            f"{self.records} records, {self.cover_orders} cover orders: chain intact,"
            f" {self.snapshot}, no invariant broken, state hash {self.state_hash}."
        )


def verify_journal(journal: Journal, tell: Callable[[int], None] = lambda done: None) -> Verified:
    """Return what was found to be right; raises ``Broken``, ``JournalCorrupt``.

    ``tell`` hears now and then how many records have been read.
    """
    replay = Replay()
    stored = journal.latest_snapshot()
    snapshot_sequence = stored[0] if stored else 0
    sequence, compared = 0, "no snapshot"
    for sequence, body in journal.records():
        replay.apply(sequence, body)
        if stored is not None and sequence == snapshot_sequence:
            replay.check_everything(sequence)
            compared = _compare(replay, *stored)
        if sequence % TOLD_EVERY == 0:
            tell(sequence)
    replay.check_everything(sequence)
    tell(sequence)
    return Verified(sequence, replay.cover_orders, compared, replay.state_hash)


def _compare(replay: Replay, sequence: int, body: bytes) -> str:
    """Return what can be said of a snapshot beside the records; raises ``Broken``."""
    try:
        ours = is_of_this_layout(body)
    except msgspec.ValidationError as error:
        raise Broken(sequence, f"its snapshot can't be read ({error!r})") from error
    if not ours:  # A start passes it over, too: the records say the same.
        return f"snapshot of record {sequence} of another version, not used"
    from_snapshot = Replay()
    from_snapshot.restore(sequence, body)
    if from_snapshot.state_hash != replay.state_hash:
        raise Broken(sequence, "its snapshot holds another state than the records lead to")
    return f"snapshot of record {sequence} equal"


@click.command(short_help="Check a journal, served or not.")
@click.argument("place", metavar="DIRECTORY|URL", type=PLACE)
def verify(place: Place) -> None:
    """Check chain, snapshot and invariants of what the journal in DIRECTORY has on disk.

    A URL is that of a journal in PostgreSQL, which has an owner or none.

    Exit code 0: all is well. 1: something is wrong, and where. 2: there is nothing to read.
    """
    with reading(place) as journal:
        journal.check_snapshots()
        try:
            with progress("checking records", journal.durable_sequence) as tell:
                found = verify_journal(journal, tell)
        except Broken as error:
            click.echo(f"kavach: {error}", err=True)
            sys.exit(FOUND)
    console = Console()
    if console.is_terminal:
        console.print(_table(shown(place), found))
    else:
        click.echo(f"{shown(place)}: {found}")


def _table(place: str, found: Verified) -> Table:
    """Return the same for a person at a terminal."""
    table = Table(title=place, title_justify="left", show_header=False)
    for row in (
        ("records", f"{found.records}, chain intact"),
        ("cover orders", f"{found.cover_orders}, no invariant broken"),
        ("snapshot", found.snapshot),
        ("state hash", found.state_hash),
    ):
        table.add_row(*row)
    return table
