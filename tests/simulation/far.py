"""
A world whose exchange is far away, behind a network that is late, lossy and repeats itself.

The exchange is the real one; it lives on while the process dies. Every parcel to either side is
an event, and after each the auditor looks at what was told, and at what really stands at the
exchange, told of or not.

Source: docs/reliability.md.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from kavach.core import events as e
from kavach.core.model.orders.life import Life
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.exchange.exchange import Exchange
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.units import NS_PER_MS, InstrumentKey, Phase, TimestampNs
from kavach.venues.scripted import Told
from tests.simulation.network import CALM, WEATHERS, Entry, FarVenue, Gateway, Network, Price
from tests.simulation.process import CLOCK_EARLY_NS, CLOCK_LATE_NS, NSE, SHARES
from tests.simulation.world import World

KEYS = [share.key for share in SHARES]


class FarWorld(World):
    """Clients here, the exchange there."""

    # A request may look younger than it is by the clock's widest leap.
    settings = Settings(t_absent_ns=4_500 * NS_PER_MS, t_reconcile_ns=2_000 * NS_PER_MS)
    deeds: ClassVar[Mapping[str, int]] = {
        **World.deeds,
        "weather": 12,
        "stall": 2,
        "clock_leap": 2,
    }

    def first_exchange(self) -> Exchange:
        """Return the exchange, and open the gateway before it."""
        self.network = Network()
        exchange = Exchange(SHARES)
        self.gateway = Gateway(exchange, self.network, all_knowing=self.seed % 3 > 0)
        self.price_number = 0
        return exchange

    def start(self) -> Engine:
        """Return an engine that has read the journal."""
        self.venue = FarVenue(self.exchange, KEYS)
        engine = Engine(SHARES, self.settings, self.journal, self.venue, self, far=True)
        engine.recover()
        return engine

    def fresh_venue(self) -> FarVenue:
        """Return a venue that nobody talks to."""
        return FarVenue(self.exchange, KEYS)

    def connect(self) -> None:
        """A start is a return: ask first, or know that nobody can be asked."""
        if self.linked:
            self.engine_step(self.engine.restore_link)
        else:
            self.engine_step(self.engine.lose_link)

    def in_transit(self) -> Sequence[object]:
        """Return what was handed over in this process's life."""
        return self.venue.handed

    # --- What is handed over, and what arrives ------------------------------------------------

    def engine_step(self, act: Callable[[], None]) -> None:
        """Let the engine do something, with the auditor behind it."""
        self.step(act)

    def look(self) -> None:
        """Let the auditor see what was handed over since, and judge."""
        handed = self.venue.handed
        for thing in handed[self.shown :]:
            self.tell(f"> {thing}")
            self.note(self.journal.durable_sequence, self.engine.core.now_ns, thing)
        self.shown = len(handed)
        super().look()

    shown = 0

    def flushed(self) -> None:
        """Post what waited for the disk."""
        for thing in self.venue.outbox:
            self.network.post(thing, self.true_ns, self.chance, to_venue=True)
        self.venue.outbox.clear()

    def died(self) -> None:
        """The connection ends with the process; what was not posted never will be."""
        self.venue.outbox.clear()
        self.shown = 0
        self.network.break_off(self.chance)

    def due_ns(self) -> int | None:
        """Return when the next parcel arrives."""
        return self.network.next_due_ns()

    def arrive(self) -> None:
        """Hand over a parcel."""
        parcel = self.network.take()
        self.events += 1
        if parcel.to_venue:
            self.tell(f"        venue gets {parcel.payload}")
            self.gateway.take(parcel.payload, self.true_ns, self.chance)  # type: ignore[arg-type]
            self.check_truth()
        elif self.alive and self.linked:
            self._hear(parcel.payload)  # type: ignore[arg-type]

    def _hear(self, said: e.ExecutionReport | Price) -> None:
        self.tick()
        if isinstance(said, Price):
            if said.number <= self.price_number:
                return  # A newer one has overtaken it.
            self.price_number = said.number
            self.see(said)
            moved = Told(moved={said.instrument: said.price_pips})
            self.step(lambda: self.engine.receive(moved))
        else:
            self.see(said)
            self.step(lambda: self.engine.receive(Told([said])))

    def at_exchange(self, key: InstrumentKey, act: Callable[[int], list[ExchangeEvent]]) -> None:
        """Let others do something at the exchange; it is told through the network."""
        self.gateway.publish(act(self.true_ns), self.true_ns, self.chance)
        self.check_truth()

    def exchange_id(self, tag: int) -> str:
        """Return under which id the exchange knows an order of ours."""
        entry = self.gateway.ledger.get(tag)
        return entry.exchange_order_id if entry else ""

    # --- Truth --------------------------------------------------------------------------------

    def check_truth(self) -> None:
        """INV-3 and INV-5 by what really stands at the exchange, told of or not."""
        parents = self.engine.state.parents
        for cover_id, entries in self.gateway.of_cover.items():
            bought = could_sell = 0
            alive = False
            linked: dict[int, list[Entry]] = {}
            for entry in entries:
                lives = entry.alive
                alive = alive or lives
                if entry.asked.purpose is e.Purpose.ENTRY:
                    bought += entry.filled
                elif entry.asked.link:
                    linked.setdefault(entry.asked.link, []).append(entry)
                else:
                    could_sell += entry.quantity if lives else entry.filled
            for together in linked.values():
                # Their trades are one sum, and no living one goes beyond its own quantity.
                sold = sum(entry.filled for entry in together)
                could_sell += max([sold, *(entry.quantity for entry in together if entry.alive)])
            assert could_sell <= bought, f"INV-3: {cover_id} can be reversed at the exchange"
            if alive and self.alive:
                assert not parents[cover_id].over, f"INV-5: an order outlived {cover_id}"

    def compare_with_exchange(self) -> None:
        """Assert that the core knows of every order what the ledger says."""
        for order in self.engine.state.orders.values():
            entry = self.gateway.ledger.get(order.tag)
            if entry is None:
                assert order.life is Life.REJECTED, f"truth: order {order.tag} never arrived"
                continue
            assert order.filled_quantity == entry.filled, f"truth: fills of {order.tag} differ"
            value = sum(trade.quantity * trade.price_pips for trade in entry.trades)
            assert order.filled_value == value, f"truth: prices of {order.tag} differ"
            assert order.closed is not entry.alive, f"truth: {order.tag} is {order.life}"
            if entry.alive:
                ours = (order.order_type, order.quantity, order.price_pips)
                theirs = (entry.order_type, entry.quantity, entry.price_pips)
                assert ours == theirs, f"truth: {order.tag} is {theirs}, not {ours}"

    # --- What goes wrong ----------------------------------------------------------------------

    def weather(self) -> None:
        """Let the network and the gateway be better or worse from now on."""
        self.network.weather = self.chance.choice(WEATHERS)

    def stall(self) -> None:
        """Let the process stand still for a while, as under a debugger; the world goes on.

        What is written has left: a stall between the disk and the wire would make a request older
        than any message may be.
        """
        if not self.alive:
            return
        self.flush()
        self.tally["stall"] += 1
        until_ns = self.true_ns + self.chance.choice((500, 5_000)) * NS_PER_MS
        heard = []
        while (due_ns := self.network.next_due_ns()) is not None and due_ns <= until_ns:
            self.true_ns = max(self.true_ns, due_ns)
            parcel = self.network.take()
            if parcel.to_venue:
                self.gateway.take(parcel.payload, due_ns, self.chance)  # type: ignore[arg-type]
            else:
                heard.append(parcel.payload)
        self.true_ns = until_ns
        self.auditor.excuse(self.engine.now_ns())
        self.engine_step(lambda: self.engine.catch_up(self.engine.now_ns()))
        self.auditor.excuse(self.engine.now_ns())
        for said in heard if self.linked else ():
            self._hear(said)  # type: ignore[arg-type]

    def clock_leap(self) -> None:
        """Let the engine's clock leap, forwards or back."""
        self.tally["clock leap"] += 1
        self.drift_ns = self.chance.randint(CLOCK_EARLY_NS, CLOCK_LATE_NS)

    def faults(self) -> Counter[str]:
        """Return what went wrong and what was asked, the network's part included."""
        parcels = Counter({f"parcel {what}": n for what, n in self.network.faults.items()})
        return self.tally + parcels

    def end_faults(self) -> None:
        """From now on the network is quick and loses nothing, and the clock is right."""
        self.network.weather = CALM
        self.drift_ns = CLOCK_LATE_NS

    def close_link(self) -> None:
        """Cut the link; the engine notices a little later."""
        self.network.up = False
        self.network.break_off(self.chance)
        self.later(self.chance.choice((0, 40)) * NS_PER_MS, self._notice)

    def _notice(self) -> None:
        if self.alive and not self.linked and not self.engine.state.venue_disconnected:
            self.tick()
            self.engine_step(self.engine.lose_link)

    def mend_link(self) -> None:
        """Mend the link; the engine asks what became of everything."""
        self.network.up = True
        if self.alive:
            self.tick()
            self.engine_step(self.engine.restore_link)
            self.auditor.excuse(self.engine.now_ns())

    def change_session(self, *, is_open: bool) -> None:
        """Let the day change at both ends, neither of which knows the other's clock."""
        mine, theirs = (self.chance.choice((0, 100)) * NS_PER_MS for _ in range(2))
        self.later(theirs, self._change_phase)
        self.later(mine, self._tell_engine)

    def _change_phase(self) -> None:
        phase = Phase.OPEN if self.open else Phase.CLOSED
        events = self.exchange.set_phase(NSE, phase, TimestampNs(self.true_ns))
        self.gateway.publish(events, self.true_ns, self.chance)

    def _tell_engine(self) -> None:
        if self.alive and (NSE in self.engine.state.sessions.closed) is self.open:
            self.execute(self.phase_command(is_open=self.open))
            self.auditor.excuse(self.engine.now_ns())
