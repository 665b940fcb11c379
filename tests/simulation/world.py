"""
A process that trades for some clients and dies now and then, in a time that we make.

``World`` is what both worlds share: the clock, the disk, the clients and what they do, the days,
crashes, and the auditor who sees it all. What stands behind the engine, an exchange far away or
the one inside, is the business of ``FarWorld`` and ``NearWorld``.

Nothing here runs by itself: ``run_until`` takes whatever is due next, the engine's timers, the
network's parcels or the world's own appointments, and the auditor looks after each.

Time is nanoseconds; ``true_ns`` is the world's, the engine's clock may be off.

Source: docs/reliability.md; cover-order 5.8.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import ClassVar, Final, NamedTuple, TypeVar
from zlib import crc32

import msgspec

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    EndSession,
    Kill,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    OpenSession,
    PlaceCoverOrder,
    SquareOff,
)
from kavach.core.cover_order import CoverOrder
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.engine.venue_port import Venue
from kavach.exchange.exchange import Exchange
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.instruments import Instrument
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    NS_PER_MS,
    NS_PER_SECOND,
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from kavach.units import Exchange as Segment
from tests.core.scenario import START_NS
from tests.core.stocks import stock
from tests.simulation.auditor import Asked, Asking, Auditor, Row, Thing
from tests.simulation.network import Price
from tests.simulation.schedule import Decision, plan, stream

T = TypeVar("T")
SHARES: Final = (
    stock(),
    stock(token=2, freeze=50, slm_allowed=False),
    stock(token=3, lot=5, tick_pips=500),
)
LIVING_MAX: Final = 7
GAPS_MS: Final = (0, 1, 5, 20, 60, 150, 400, 1_000, 2_500)
CLOCK_EARLY_NS: Final = -2_000 * NS_PER_MS
CLOCK_LATE_NS: Final = 500 * NS_PER_MS
QUIET_NS: Final = 20 * NS_PER_SECOND
KINDS: Final = (OrderType.LIMIT,) * 4 + (OrderType.MARKET, OrderType.SL, OrderType.SLM)
NSE: Final = Segment.NSE


class World:
    """Clients, an engine, a journal and an auditor."""

    deeds: ClassVar[Mapping[str, int]] = {
        "place": 36,
        "cancel_entry": 8,
        "exit": 8,
        "modify_entry": 8,
        "modify_stop": 6,
        "snoop": 2,
        "house_order": 40,
        "house_quote": 20,
        "print_trade": 12,
        "remove": 6,
        "cut": 4,
        "crash": 8,
        "day": 2,
        "kill": 1,
    }
    prompt = False
    story: list[str] | None = None  # What happens, in words, if somebody wants to read it.
    settings: ClassVar[Settings]

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = stream(seed, "start")
        self.true_ns = START_NS
        self.drift_ns = 0
        self.tally: Counter[str] = Counter()
        self.events = 0
        self._appointments: list[tuple[int, int, Callable[[], object]]] = []
        self._made = 0
        self.journal = MemoryJournal()
        self.durable = 0  # Records on disk; those after it are lost with the process.
        self.alive = True
        self.linked = True
        self.open = True  # As the calendar has it.
        self.begun_ns = 0
        self._flushing = False
        self._waiting: list[tuple[int, Command, Outcome]] = []  # Answers, until they may go.
        self.answers: dict[tuple[str, str], int] = {}  # Keys whose answer the client has.
        self.unsaid: list[PlaceCoverOrder] = []  # Asked, and never answered.
        self.decided: dict[int, int] = {}  # Which decision placed which cover order.
        self.number = 0  # Of the decision that is being made.
        self.hashes: dict[int, str] = {}
        self.auditor = Auditor(SHARES, self.settings.t_absent_ns, prompt=self.prompt)
        self.exchange = self.first_exchange()
        self.engine = self.start()
        self.clients = "ABCDE"[: 3 + self.chance.randrange(3)]
        for client in self.clients:
            cash = self.chance.choice((10**9, 10**9, 2 * 10**5))
            self.execute(OpenClient(client_id=client, cash_paise=Paise(cash)))
        self.flush()

    # --- What the two worlds bring ------------------------------------------------------------

    def first_exchange(self) -> Exchange:
        """Return the exchange as the world begins."""
        raise NotImplementedError

    def start(self) -> Engine:
        """Return an engine that has read the journal and is ready."""
        raise NotImplementedError

    def connect(self) -> None:
        """Let a started engine find its venue again."""
        raise NotImplementedError

    def at_exchange(self, key: InstrumentKey, act: Callable[[int], list[ExchangeEvent]]) -> None:
        """Let others do something at the exchange."""
        raise NotImplementedError

    def flushed(self) -> None:
        """Let go what waited for the disk."""

    def died(self) -> None:
        """Lose what the process held in its hands."""

    def due_ns(self) -> int | None:
        """Return when something of this kind of world is due."""
        return None

    def arrive(self) -> None:
        """Let it happen."""

    def check_truth(self) -> None:
        """Look at what really stands at the exchange, told or not."""

    def end_faults(self) -> None:
        """From now on everything works."""

    def faults(self) -> Counter[str]:
        """Return what went wrong and what was asked, by class."""
        return self.tally

    def close_link(self) -> None:
        """Cut the link."""
        raise NotImplementedError

    def mend_link(self) -> None:
        """Mend it."""
        raise NotImplementedError

    def change_session(self, *, is_open: bool) -> None:
        """Let trading end or begin."""
        raise NotImplementedError

    def in_transit(self) -> Sequence[object]:
        """Return everything that was handed over in this process's life."""
        raise NotImplementedError

    # --- Time ---------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return what the engine's clock shows."""
        return self.true_ns + self.drift_ns

    def later(self, delay_ns: int, act: Callable[[], object]) -> None:
        """Make an appointment."""
        self._made += 1
        heappush(self._appointments, (self.true_ns + delay_ns, self._made, act))

    def run_until(self, until_ns: int) -> None:
        """Let everything happen that is due by then, in order."""
        while True:
            due: list[tuple[int, int, Callable[[], None]]] = []
            if self._appointments:
                due.append((self._appointments[0][0], 0, self._keep_appointment))
            at_ns = self.due_ns()
            if at_ns is not None:
                due.append((at_ns, 1, self.arrive))
            timer_ns = self.engine.next_due_ns() if self.alive else None
            if timer_ns is not None:
                due.append((timer_ns - self.drift_ns, 2, self.tick))
            if not due:
                break
            first_ns, _, act = min(due, key=lambda item: item[:2])
            if first_ns > until_ns:
                break
            self.true_ns = max(self.true_ns, first_ns)
            act()
        self.true_ns = max(self.true_ns, until_ns)

    def _keep_appointment(self) -> None:
        heappop(self._appointments)[2]()

    def tick(self) -> None:
        """Let the engine do what is due."""
        self.step(lambda: self.engine.catch_up(self.engine.now_ns()))

    # --- Steps and the disk -------------------------------------------------------------------

    def sequence(self) -> int:
        """Return the number of the record that the step at hand will write."""
        return self.journal.durable_sequence + 1

    def tell(self, what: object) -> None:
        """Add a line to the story."""
        if self.story is not None:
            self.story.append(f"{(self.true_ns - START_NS) / NS_PER_SECOND:10.6f} {what}")

    def see(self, thing: Thing) -> None:
        """Let the auditor see something that belongs to the step at hand."""
        self.tell(thing)
        self.auditor.see(self.sequence(), self.engine.core.now_ns, thing)

    def step(self, act: Callable[[], T]) -> T:
        """Return what the engine did, after the auditor looked."""
        result = act()
        self.events += 1
        self.look()
        if self.journal.durable_sequence > self.durable and not self._flushing:
            wait_ms = self.chance.choice((0, 0, 0, 1, 2, 8))
            if wait_ms:
                self._flushing = True
                self.later(wait_ms * NS_PER_MS, self.flush)
        if not self._flushing:
            self.flush()
        return result

    def flush(self) -> None:
        """Let the disk have everything, and then the world."""
        self._flushing = False
        if not self.alive:
            return
        self.durable = self.journal.durable_sequence
        for _, command, outcome in self._waiting:
            self._answer(command, outcome)
        self._waiting.clear()
        self.flushed()

    def _answer(self, command: Command, outcome: Outcome) -> None:
        if isinstance(command, PlaceCoverOrder) and isinstance(outcome, Answer):
            key = (command.client_id, command.idempotency_key)
            first = self.answers.setdefault(key, outcome.cover_id)
            assert first == outcome.cover_id, f"INV-6: {key} was answered with two orders"

    def look(self) -> None:
        """Let the auditor judge."""
        state = self.engine.state
        rows = [
            self.row(cover)
            for cover in state.every_cover()
            if cover.ended is None or cover.cover_id in self.auditor.touched
        ]
        self.auditor.touched.clear()
        able = self.alive and not state.link_down and not state.sessions_closed
        self.auditor.check(rows, self.engine.core.now_ns, able=able)
        self.check_truth()

    def row(self, cover: CoverOrder) -> Row:
        """Return a cover order as the order book shows it."""
        return Row(
            cover.cover_id,
            cover.client_id,
            cover.state.value,
            cover.entry_filled,
            cover.exits_filled,
        )

    # --- Crash and return ---------------------------------------------------------------------

    def crash(self) -> None:
        """Let the process die; after a while another one takes its place."""
        if not self.alive:
            return
        self.tally["crash"] += 1
        lost = self.journal.durable_sequence - self.durable
        whole = self.engine.state_hash()
        self.alive = False
        self._flushing = False
        self.died()
        bodies = [body for sequence, body in self.journal.records() if sequence <= self.durable]
        self.tally["record lost"] += lost
        self.journal = MemoryJournal()
        for body in bodies:
            self.journal.append(body)
        if self.auditor.forget_after(self.durable):
            self.tally["crash with lost records"] += 1
        for _, command, _ in self._waiting:
            if isinstance(command, PlaceCoverOrder):
                self.unsaid.append(command)
        self._waiting.clear()
        down_ns = self.chance.choice((1, 20, 300, 4_000)) * NS_PER_MS
        self.later(down_ns, lambda: self._return(whole if lost == 0 else ""))

    def _return(self, whole: str) -> None:
        self.engine = self.start()
        self.alive = True
        self.tell(f"started again with {self.durable} records")
        if whole:
            assert self.engine.state_hash() == whole, (
                "INV-19: the state after is not the state before"
            )
        for key, price in self.engine.core.prices.items():  # Looked up at the start.
            self.auditor.see(self.durable, self.now_ns(), Price(0, key, price))
        self.auditor.excuse(self.engine.now_ns())
        self.connect()
        self._catch_up_session()
        # Who was never answered asks again, with the same key.
        for command in self.unsaid:
            self.execute(command)
        self.unsaid.clear()
        for asked, cover_id in self.answers.items():
            known = self.engine.state.answers.get(asked)
            assert known is not None and known.cover_id == cover_id, f"promise 1: {asked}"

    def _catch_up_session(self) -> None:
        closed = NSE in self.engine.state.sessions_closed
        if closed == self.open:
            self.change_session(is_open=self.open)

    # --- Clients ------------------------------------------------------------------------------

    def execute(self, command: Command) -> Outcome | None:
        """Return the answer to a command; None if there is nobody to ask."""
        if not self.alive:
            return None
        self.tick()
        asks = isinstance(command, PlaceCoverOrder | CancelCoverOrder | ModifyCoverOrder)

        def act() -> Outcome:
            if isinstance(command, PlaceCoverOrder | CancelCoverOrder | ModifyCoverOrder):
                self.see(Asking(command))
            outcome = self.engine.execute(command)
            if isinstance(command, PlaceCoverOrder | CancelCoverOrder | ModifyCoverOrder):
                written = self.journal.durable_sequence
                self.tell(outcome)
                self.auditor.see(written, self.engine.core.now_ns, Asked(command, outcome))
                self._waiting.append((written, command, outcome))
            elif isinstance(command, SquareOff | Kill):
                written = self.journal.durable_sequence
                self.auditor.see(written, self.engine.core.now_ns, Asked(command, outcome))
            return outcome

        before = len(self.in_transit())
        outcome = self.step(act)
        if asks:
            self._check_isolation(command, before)
        return outcome

    def _check_isolation(self, command: Command, before: int) -> None:
        """INV-20: nothing is sent for one client because another asked, unless they traded."""
        client = getattr(command, "client_id", "")
        for thing in self.in_transit()[before:] if not self.prompt else ():
            tag = getattr(thing, "tag", 0)
            assert self.auditor.papers[tag].asked.client_id == client, f"INV-20: {thing}"

    def pick(self) -> CoverOrder | None:
        """Return a cover order, the same one whether or not others exist."""
        if not self.alive:
            return None
        covers = list(self.engine.state.every_cover())
        if self.chance.randrange(4):
            covers = [cover for cover in covers if cover.ended is None] or covers

        def rank(cover: CoverOrder) -> int:
            return crc32(f"{self.number}/{self.decided.get(cover.cover_id)}".encode())

        return max(covers, key=rank, default=None)

    def last_pips(self, share: Instrument) -> int:
        """Return the last price as the exchange has it."""
        return self.exchange.last_price_pips(share.key)

    def near_price(self, share: Instrument, ticks: int) -> Pips:
        """Return a price within so many ticks of the last, on tick and in the band."""
        tick = share.tick_pips
        price = self.last_pips(share) + tick * self.chance.randint(-ticks, ticks)
        price = price // tick * tick
        return Pips(min(max(price, share.band_low_pips), share.band_high_pips))

    def place(self) -> None:
        """Place a cover order, now and then twice with one key (INV-6)."""
        chance = self.chance
        share = chance.choice(SHARES)
        side = chance.choice(list(Side))
        kind = chance.choice(KINDS)
        client = chance.choice(self.clients)
        tick = share.tick_pips
        sign = 1 if side is Side.BUY else -1
        last = self.last_pips(share) // tick * tick
        lots = chance.choice((1, 2, 5, 20, 40, 120, 130))
        limit = last + sign * tick * chance.choice((-3, -1, 0, 0, 1, 3))
        trigger = last + sign * tick * chance.choice((1, 2))
        trails = chance.randrange(3) == 0
        stop = last - sign * tick * chance.choice((4, 6, 10, 30))
        repeats = chance.randrange(4) == 0
        quick = chance.randrange(8) == 0
        living = [c for c in self.engine.state.every_cover() if c.ended is None]
        if len(living) >= LIVING_MAX:
            return
        prices = {
            OrderType.LIMIT: (limit, 0),
            OrderType.MARKET: (0, 0),
            OrderType.SL: (trigger + sign * tick, trigger),
            OrderType.SLM: (0, trigger),
        }
        price, trigger = prices[kind]
        command = PlaceCoverOrder(
            client_id=client,
            idempotency_key=f"K{self.number}",
            fingerprint="place",
            instrument=share.key,
            side=side,
            order_type=kind,
            quantity=Quantity(lots * share.lot),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(price),
            trigger_price_pips=Pips(trigger),
            validity=Validity.IOC if quick and kind is OrderType.LIMIT else Validity.DAY,
            product=Product.MIS,
            stop_price_pips=Pips(stop),
            trailing_step_pips=Pips(tick * chance.choice((1, 2)) if trails else 0),
            user_order_id=self.number,
        )
        first = self.execute(command)
        if first is None:
            return
        self.tally[f"place: {first.reason if isinstance(first, Refusal) else 'taken'}"] += 1
        if isinstance(first, Answer):
            self.decided[first.cover_id] = self.number
            if repeats:
                sent = len(self.in_transit())
                again = self.execute(command)
                assert isinstance(again, Answer) and again.replayed, "INV-6: not replayed"
                assert again.cover_id == first.cover_id, "INV-6: another order"
                assert len(self.in_transit()) == sent, "INV-6: a repetition sent something"

    def cancel(self, cover: CoverOrder, leg: Leg) -> CancelCoverOrder:
        """Return a cancel of a leg by the ids that its rows show."""
        entry = [o.exchange_order_id for o in cover.entries if o.exchange_order_id]
        exits = [o.exchange_order_id for o in cover.exits if o.exchange_order_id]
        known = entry if leg is Leg.ENTRY else exits or entry
        return CancelCoverOrder(
            client_id=cover.client_id,
            order_id=cover.cover_id,
            leg=leg,
            exchange_order_id=known[0] if known else "unknown-yet",
        )

    def cancel_entry(self) -> None:
        """C1, and perhaps again at once (INV-7); the stop is not touched (INV-14)."""
        repeats = self.chance.randrange(3) == 0
        cover = self.pick()
        if cover is not None:
            self.tick()
            leaving = cover.exit_source is not None
            protected = cover.protected
            sent = len(self.in_transit())
            self.ask_twice(self.cancel(cover, Leg.ENTRY), repeats=repeats)
            if self.prompt or leaving:
                return
            assert cover.protected == protected, f"INV-14: {cover.cover_id} is less protected"
            for thing in self.in_transit()[sent:]:
                assert not (
                    isinstance(thing, e.OrderCancelSent)
                    and not self.auditor.papers[thing.tag].entry
                ), "INV-14: C1 cancelled a stop"

    def exit(self) -> None:
        """C2, and perhaps again at once."""
        repeats = self.chance.randrange(3) == 0
        cover = self.pick()
        if cover is not None:
            self.ask_twice(self.cancel(cover, Leg.THIRD), repeats=repeats)

    def ask_twice(self, command: CancelCoverOrder, *, repeats: bool) -> None:
        """Ask, and perhaps again: one effect, equal answers (INV-7)."""
        self.tick()
        cover = self.engine.state.covers[command.order_id]
        row = self.row(cover)
        first = self.execute(command)
        name = "C1" if command.leg is Leg.ENTRY else "C2"
        assert first is not None
        self.tally[f"{name}: {first.reason if isinstance(first, Refusal) else 'ok'}"] += 1
        if isinstance(first, Refusal) and first.reason is not Reason.VENUE_REFUSED:
            able = not self.engine.state.sessions_closed
            self.auditor.refused(command, first.reason, row, able=able)
        if not repeats:
            return
        sent = len(self.in_transit())
        second = self.execute(command)
        if isinstance(first, Answer):
            assert isinstance(second, Answer), f"INV-7: {name} again: {second}"
            assert (second.cover_id, second.state) == (first.cover_id, first.state), "INV-7"
            assert len(self.in_transit()) == sent, "INV-7: a repetition sent something"
        elif first.reason not in (Reason.VENUE_REFUSED, Reason.TOO_LATE):
            assert second == first, f"INV-7: {second} is not {first}"

    def modify_entry(self) -> None:
        """C3."""
        chance = self.chance
        more, reprices, cuts = chance.randint(-30, 60), chance.randrange(2), chance.randrange(4)
        cover = self.pick()
        if cover is None:
            return
        share = self.engine.state.instruments[cover.instrument]
        price = self.near_price(share, 3)
        quantity = max(1, cover.quantity // share.lot + more) * share.lot
        if cuts == 0 and cover.entry_filled:
            quantity = cover.entry_filled  # Race 22.
        command = ModifyCoverOrder(
            client_id=cover.client_id,
            order_id=cover.cover_id,
            leg=Leg.ENTRY,
            quantity=Quantity(quantity),
            price_pips=price if reprices and cover.order_type is OrderType.LIMIT else None,
        )
        outcome = self.execute(command)
        assert outcome is not None
        self.tally[f"C3: {outcome.reason if isinstance(outcome, Refusal) else 'ok'}"] += 1

    def modify_stop(self) -> None:
        """C4."""
        chance = self.chance
        ticks, trails = chance.choice((1, 3, 5, 8, 20)), chance.randrange(4)
        cover = self.pick()
        if cover is None:
            return
        share = self.engine.state.instruments[cover.instrument]
        sign = 1 if cover.side is Side.BUY else -1
        last = self.last_pips(share) // share.tick_pips * share.tick_pips
        command = ModifyCoverOrder(
            client_id=cover.client_id,
            order_id=cover.cover_id,
            leg=Leg.THIRD,
            stop_price_pips=Pips(last - sign * share.tick_pips * ticks),
            trailing_step_pips=Pips(share.tick_pips * (trails - 1)) if trails else None,
        )
        outcome = self.execute(command)
        assert outcome is not None
        self.tally[f"C4: {outcome.reason if isinstance(outcome, Refusal) else 'ok'}"] += 1

    def snoop(self) -> None:
        """Another client's order and no order at all look alike (INV-20)."""
        cover = self.pick()
        if cover is None:
            return
        other = next(client for client in self.clients if client != cover.client_id)
        theirs = msgspec.structs.replace(self.cancel(cover, Leg.ENTRY), client_id=other)
        nobodys = msgspec.structs.replace(theirs, order_id=1)
        answers = {self.execute(theirs), self.execute(nobodys)}
        assert answers == {Refusal(Reason.ORDER_MUST_EXIST)}, f"INV-20: {answers}"

    # --- The market ---------------------------------------------------------------------------

    def house_order(self) -> None:
        """Let a stranger trade through the book, or add to it."""
        chance = self.chance
        share, side = chance.choice(SHARES), chance.choice(list(Side))
        price = self.near_price(share, 6) if chance.randrange(5) else None
        lots = Quantity(chance.choice((1, 5, 20, 60, 200)) * share.lot)
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.house_order(
                    share.key, side, price, lots, TimestampNs(at_ns)
                )[2],
            )

    def house_quote(self) -> None:
        """Let the house quote around some price."""
        chance = self.chance
        share = chance.choice(SHARES)
        middle = self.near_price(share, 8)
        sizes = [Quantity(chance.choice((0, 1, 10, 50, 300)) * share.lot) for _ in range(2)]
        self.quote(share, middle, *sizes)

    def quote(self, share: Instrument, middle: int, bid: Quantity, ask: Quantity) -> None:
        """Replace the house's quotes by these, a tick from the middle."""
        low = max(share.band_low_pips, middle - share.tick_pips)
        low = Pips(min(low, share.band_high_pips - 2 * share.tick_pips))
        high = Pips(low + 2 * share.tick_pips)
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.house_quote(
                    share.key, low, bid, high, ask, TimestampNs(at_ns)
                ),
            )

    def print_trade(self) -> None:
        """Let a share trade elsewhere: stops fire."""
        share = self.chance.choice(SHARES)
        price = self.near_price(share, 10)
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.print_trade(
                    share.key, price, share.lot, TimestampNs(at_ns)
                ),
            )

    def remove(self) -> None:
        """Let the exchange take one of our orders out of the book."""
        papers = [paper for paper in self.auditor.papers.values() if paper.final is None]
        ranked = sorted(papers, key=lambda p: crc32(f"{self.number}/{p.asked.tag}".encode()))
        found = [
            (paper.asked.instrument, order_id)
            for paper in ranked
            if (order_id := self.exchange_id(paper.asked.tag))
            and self.exchange.order(order_id) is not None
        ]
        if found:
            key, order_id = found[0]
            self.tally["removed by the exchange"] += 1
            self.at_exchange(key, lambda at_ns: self.exchange.remove(order_id, 17070, "range"))

    def exchange_id(self, tag: int) -> str:
        """Return under which id the exchange knows an order of ours."""
        return self.engine.state.orders[tag].exchange_order_id

    def exchange_open(self) -> bool:
        """Return whether the exchange trades."""
        return self.exchange.phase(NSE) == "open"

    # --- The day ------------------------------------------------------------------------------

    def kill(self) -> None:
        """K."""
        self.tally["kill"] += 1
        self.execute(Kill(self.chance.choice(self.clients)))

    def day(self) -> None:
        """End the session, with or without a square-off before it; later begin the next."""
        if not self.open:
            return
        self.tally["session"] += 1
        chance = self.chance
        if chance.randrange(2):
            self.tally["square-off"] += 1
            self.execute(SquareOff(NSE))
        ends_ns = chance.choice((0, 200, 3_000)) * NS_PER_MS
        self.later(ends_ns, lambda: self._turn(is_open=False))
        self.later(
            ends_ns + chance.choice((500, 6_000)) * NS_PER_MS, lambda: self._turn(is_open=True)
        )

    def _turn(self, *, is_open: bool) -> None:
        if self.open is not is_open:
            self.open = is_open
            self.change_session(is_open=is_open)

    def phase_command(self, *, is_open: bool) -> EndSession | OpenSession:
        """Return what the engine is told of a change of session."""
        return OpenSession(NSE) if is_open else EndSession(NSE)

    # --- The link -----------------------------------------------------------------------------

    def cut(self) -> None:
        """Cut the link for a while."""
        down_ns = self.chance.choice((50, 400, 2_000, 8_000)) * NS_PER_MS
        if self.linked:
            self.linked = False
            self.tally["link cut"] += 1
            self.close_link()
            self.later(down_ns, self._mend)

    def _mend(self) -> None:
        self.linked = True
        self.tell("the link is back")
        self.mend_link()

    # --- Playing ------------------------------------------------------------------------------

    def play(self, decisions: Sequence[Decision]) -> None:
        """Do all this, one after the other, with time between."""
        for decision in decisions:
            chance = stream(self.seed, decision.number)
            self.run_until(self.true_ns + chance.choice(GAPS_MS) * NS_PER_MS)
            self.chance, self.number = chance, decision.number
            self.tell(f"--- {decision.number} {decision.name}")
            getattr(self, decision.name)()
        self.chance = stream(self.seed, "end")
        self.tell("--- no more faults")
        self.wind_up()

    def wind_up(self) -> None:
        """Once nothing fails any more, everything ends as it should, in bounded time."""
        self.end_faults()
        self.run_until(self.true_ns + QUIET_NS)  # Every appointment is kept by then.
        assert self.alive and self.linked and self.open, "the world has not come back"
        self._go_on(QUIET_NS)
        self.check_settled({"ENTRY_OPEN", "COVERED_OPEN", "COVERED"})
        for cover in list(self.engine.state.every_cover()):
            if cover.ended is None:
                self.execute(self.cancel(cover, Leg.ENTRY))
        self._go_on(QUIET_NS // 2)
        self.check_settled({"COVERED"})
        for cover in list(self.engine.state.every_cover()):
            if cover.ended is None or cover.position:
                outcome = self.execute(self.cancel(cover, Leg.THIRD))
                assert isinstance(outcome, Answer), f"INV-12: {outcome} in {cover.state}"
        self._go_on(QUIET_NS // 2)
        self.check_settled(set())
        held = [c.cover_id for c in self.engine.state.every_cover() if c.position]
        assert not held, f"INV-9: {held} are left with a position"
        self._check_money()
        self._check_replay()

    def _go_on(self, for_ns: int) -> None:
        """Let time pass in a market that takes and gives everything."""
        for _ in range(for_ns // NS_PER_SECOND):
            for share in SHARES:
                last = self.last_pips(share) // share.tick_pips * share.tick_pips
                plenty = Quantity(5_000 * share.lot)
                self.quote(share, last, plenty, plenty)
            self.run_until(self.true_ns + NS_PER_SECOND)

    def check_settled(self, living: set[str]) -> None:
        """Assert that every cover order is over or at rest, and nothing is in doubt (INV-8)."""
        for cover in self.engine.state.every_cover():
            who, state = cover.cover_id, cover.state.value
            assert cover.ended is not None or state in living, f"INV-8: {who} is still {state}"
            for order in cover.entries + cover.exits:
                assert not order.doubted and not order.waits, f"INV-8: {order.tag} is in doubt"
                assert cover.ended is None or order.dead, f"INV-4: {order.tag} outlives {who}"
            if cover.ended is None:
                assert cover.protected == cover.position, f"INV-1: {who} has a gap"
        self.compare_with_exchange()

    def compare_with_exchange(self) -> None:
        """Assert that the core knows of every order what the exchange knows."""
        raise NotImplementedError

    def _check_money(self) -> None:
        """INV-11: positions and money are the fold of the distinct trades."""
        state = self.engine.state
        for (client_id, key, product), row in self.auditor.ledger().items():
            position = state.clients[client_id].position(key, product)
            assert position is not None, f"INV-11: {client_id} has no position in {key}"
            kept = [position.buy_quantity, position.buy_value]
            kept += [position.sell_quantity, position.sell_value]
            assert kept == row, f"INV-11: {client_id} {key}: {kept} is not {row}"
        profit = self.auditor.profit_paise()
        for client_id, client in state.clients.items():
            off = abs(client.realised_paise - profit[client_id])
            assert off <= len(client.positions), f"INV-11: {client_id} is off by {off} paise"
            assert client.blocked_paise == 0, f"INV-11: {client_id} has margin blocked for nothing"

    def _check_replay(self) -> None:
        """INV-19: whoever reads the journal gets here, and to wherever we were in between."""
        self.hashes[self.journal.durable_sequence] = self.engine.state_hash()
        for sequence, known in self.hashes.items():
            assert self.hash_of(sequence) == known, f"INV-19: replay of {sequence} records differs"

    def hash_of(self, sequence: int) -> str:
        """Return the hash of the state that so many records make."""
        journal = MemoryJournal()
        for number, body in self.journal.records():
            if number <= sequence:
                journal.append(body)
        again = Engine(SHARES, self.settings, journal, self.fresh_venue(), _Stopped(self.now_ns()))
        again.recover()
        return again.state_hash()

    def fresh_venue(self) -> Venue:
        """Return a venue for an engine that only reads."""
        raise NotImplementedError


class _Stopped:
    """A clock that stands."""

    def __init__(self, at_ns: int) -> None:
        self._at_ns = at_ns

    def now_ns(self) -> int:
        """Return the time at which it stands."""
        return self._at_ns


class Failure(NamedTuple):
    """What went wrong, and where."""

    kind: type[World]
    seed: int
    text: str

    @property
    def label(self) -> str:
        """The first word: which invariant, or what kind of exception."""
        return self.text.partition(":")[0]


def attempt(
    kind: type[World],
    seed: int,
    decisions: Sequence[Decision] | None = None,
    story: list[str] | None = None,
) -> World | Failure:
    """Return the world after a schedule (the seed's own, if none is given), or how it failed."""
    try:
        world = kind(seed)
        world.story = story
        world.play(plan(seed, kind.deeds) if decisions is None else decisions)
    except Exception as broken:  # Whatever a broken core raises is a finding, not our end.
        text = str(broken) if isinstance(broken, AssertionError) else repr(broken)
        if not text.startswith(("INV-", "promise", "truth")):
            text = f"{type(broken).__name__}: {text}"
        return Failure(kind, seed, text)
    return world
