"""
A world whose exchange is inside the process, with every fault it can be asked for.

What the exchange says is said within the step, or late by its own post; the state of the exchange
is in the records, so it dies and comes back with the process. Only what strangers had in the book
is gone after a crash, and the faults that were still to come.

Source: docs/reliability.md; docs/twin.md (faults, link).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final

from kavach.core import events as e
from kavach.core.commands import Leg, session_change
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.exchange.exchange import Exchange
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.units import NS_PER_MS, InstrumentKey, Phase
from kavach.venues.embedded import DelayedReportSource, EmbeddedVenue, VenueAnswer
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.simulation.auditor import Asked, Entered, Thing
from tests.simulation.network import Price, Query
from tests.simulation.process import NSE, SHARES
from tests.simulation.world import World

DELAYS_MS: Final = (1, 100, 900, 1_800)


class OverheardVenue(EmbeddedVenue):
    """The exchange inside; somebody hears all that is asked and all that is said."""

    def __init__(self, hear: Callable[[Thing], None]) -> None:
        super().__init__(SHARES)
        self.handed: list[object] = []
        self._tell = hear

    def send(
        self, request: e.Request, order: VenueOrder, parent: ParentOrder, at_ns: int
    ) -> VenueAnswer:
        """Return what the exchange says, overheard."""
        self.handed.append(request)
        self._tell(request)
        return self.overheard(super().send(request, order, parent, at_ns))

    def statuses(self, orders: Iterable[VenueOrder]) -> VenueAnswer:
        """Return what the exchange knows, overheard."""
        asked = list(orders)
        for order in asked:
            query = Query(order.tag, order.serial, order.queried_at_ns)
            self.handed.append(query)
            self._tell(query)
        return self.overheard(super().statuses(asked))

    def late(self, now_ns: int) -> VenueAnswer:
        """Return what has arrived by now, overheard."""
        return self.overheard(super().late(now_ns))

    def overheard(self, heard: VenueAnswer) -> VenueAnswer:
        """Return what was said, after the listener heard it."""
        for key, price in heard.moved.items():
            self._tell(Price(0, key, price))
        for said in heard.reports:
            self._tell(said)
        return heard


class NearWorld(World):
    """Clients and the house on the exchange inside."""

    prompt = True
    settings = Settings(t_reconcile_ns=2_000 * NS_PER_MS)
    deeds: ClassVar[Mapping[str, int]] = {**World.deeds, "fault": 20}

    def first_exchange(self) -> Exchange:
        """Return the exchange of the first venue."""
        self.venue = self.fresh_venue()
        return self.venue.exchange

    def fresh_venue(self) -> OverheardVenue:
        """Return an empty exchange: replay fills it."""
        return OverheardVenue(self.see)

    def start(self) -> Engine:
        """Return an engine that has read the journal, the exchange's part of it included."""
        self.venue = self.fresh_venue()
        self.exchange = self.venue.exchange
        engine = Engine(SHARES, self.settings, self.journal, self.venue, self)
        engine.recover()
        engine.add_source(DelayedReportSource(engine, self.venue))
        return engine

    def connect(self) -> None:
        """A start is a return: what was never told is told now."""
        self.venue.set_link(up=self.linked)
        if self.linked and (
            self.engine.state.venue_disconnected or self.venue.delayed.undelivered()
        ):
            self.step(self.engine.restore_link)
        elif not self.linked:
            self.step(self.engine.lose_link)

    def in_transit(self) -> Sequence[object]:
        """Return every request of this process's life."""
        return self.venue.handed

    def at_exchange(self, key: InstrumentKey, act: Callable[[int], list[ExchangeEvent]]) -> None:
        """Let others do something at the exchange, if there is one at the moment."""
        if not self.alive:
            return
        self.tick()

        def heard(at_ns: int) -> VenueAnswer:
            return self.venue.overheard(self.venue.reports_of(act(at_ns), key))

        self.step(lambda: self.engine.market(heard))

    def check_truth(self) -> None:
        """INV-5 by what really stands at the exchange."""
        for parent in self.engine.state.every_order():
            if not parent.over:
                continue
            for order in parent.entries + parent.exits:
                lives = self.exchange.order(order.exchange_order_id) is not None
                assert not lives, f"INV-5: an order outlived {parent.order_id}"

    def compare_with_exchange(self) -> None:
        """Assert that the core knows of every order what the exchange knows."""
        untold = [
            t for t in self.venue.delayed.undelivered() if not self.engine.state.orders[t].dead
        ]
        assert not untold, f"truth: something was never told of {untold}"
        for order in self.engine.state.orders.values():
            lives = self.exchange.order(order.exchange_order_id)
            assert order.closed is (lives is None), f"truth: {order.tag} is {order.life}"
            if lives is not None:
                ours = (order.quantity, order.filled_quantity)
                theirs = (lives.quantity, lives.filled_quantity)
                assert ours == theirs, f"truth: {order.tag} is {theirs}, not {ours}"

    # --- What goes wrong ----------------------------------------------------------------------

    def fault(self) -> None:
        """Let some of the next requests suffer."""
        chance = self.chance
        effect = chance.choice(list(FaultEffect))
        self.tally[f"fault: {effect}"] += 1
        self.venue.faults.add(
            Fault(
                fault_id=f"F{self.number}",
                on=chance.choice(list(FaultOn)),
                leg=chance.choice((Leg.ENTRY, Leg.SECOND, Leg.THIRD, None)),
                client_id=None,
                effect=effect,
                code=17070,
                reason="out of range",
                times=chance.randint(1, 3),
                delay_ns=chance.choice(DELAYS_MS) * NS_PER_MS,
            )
        )

    def end_faults(self) -> None:
        """From now on nothing suffers."""
        self.venue.faults.clear()

    def close_link(self) -> None:
        """Cut the link; the engine knows at once."""
        if self.alive:
            self.tick()
            self.venue.set_link(up=False)
            self.step(self.engine.lose_link)

    def mend_link(self) -> None:
        """Mend the link, and let the engine ask."""
        if self.alive:
            self.tick()
            self.venue.set_link(up=True)
            self.step(self.engine.restore_link)
            self.auditor.excuse(self.engine.now_ns())

    def change_session(self, *, is_open: bool) -> None:
        """Let core and exchange change the day in one step."""
        if self.alive:
            self.change_phase(Phase.OPEN if is_open else Phase.CLOSED)

    def change_phase(self, phase: Phase) -> None:
        """Let core and exchange enter a phase in one step."""
        self.tick()

        def change(at_ns: int) -> VenueAnswer:
            self.see(Entered(phase))
            return self.venue.overheard(self.venue.set_phase(NSE, phase, at_ns))

        command = session_change(NSE, phase)

        def act() -> None:
            outcome = self.engine.change_phase(command, change, self.engine.now_ns())
            written = self.journal.durable_sequence
            self.note(written, self.engine.core.now_ns, Asked(command, outcome))

        self.step(act)
        self.auditor.excuse(self.engine.now_ns())
