"""
A process that lives in a time that we make, writes to a disk, and dies now and then.

Nothing here runs by itself: ``run_until`` takes whatever is due next, the engine's timers, the
network's parcels or the world's own appointments, and the auditor looks after each. What a step
wrote is on disk a moment later; requests and answers leave when it is, and what was not is lost
with the process.

Time is nanoseconds; ``true_ns`` is the world's, the engine's clock may be off.

Source: docs/reliability.md; docs/spec/cover_order.md, "What the system owes";
docs/spec/cover_order.md, "What must hold".
"""

from collections import Counter
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import ClassVar, Final, TypeGuard, TypeVar

from msgspec.structs import replace

from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    KeyedCommand,
    ModifyCoverOrder,
    OpenClient,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.limits.commands import ChooseLimits
from kavach.core.model.limits.profiles import Profile
from kavach.core.refusals import Answer, Outcome
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
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
)
from kavach.units import Exchange as Segment
from tests.simulation.auditor import Asked, Asking, Auditor, Row, Thing
from tests.simulation.network import Price
from tests.simulation.pace_auditor import PaceAuditor
from tests.simulation.place_auditor import PlaceAuditor
from tests.simulation.row_auditor import RowAuditor
from tests.simulation.schedule import stream
from tests.simulation.window import Window
from tests.unit.core.scenario import START_NS
from tests.unit.core.stocks import stock

T = TypeVar("T")
C = TypeVar("C", bound=Command)
Known = tuple[int, int, str]  # What an answer is about: an order, a basket, a rule.
SHARES: Final = (
    stock(),
    stock(token=2, freeze=50, slm_allowed=False),
    stock(token=3, lot=5, tick_pips=500),
)
LIVING_MAX: Final = 7
LIMITED_EVERY: Final = 4  # Every so many worlds are under the regulator's rules.
CLOCK_EARLY_NS: Final = -2_000 * NS_PER_MS
CLOCK_LATE_NS: Final = 500 * NS_PER_MS
KINDS: Final = (OrderType.LIMIT,) * 4 + (OrderType.MARKET, OrderType.SL, OrderType.SLM)
NSE: Final = Segment.NSE


def has_key(command: Command) -> TypeGuard[KeyedCommand]:
    """Return whether a request may be asked again without a second effect."""
    return isinstance(command, KeyedCommand) and command.idempotency_key != ""


class Process:
    """An engine, its journal and clock, and an auditor, in a world that others furnish."""

    prompt = False
    story: list[str] | None = None  # What happens, in words, if somebody wants to read it.
    rows: RowAuditor | None = None  # Who reads the rows, once somebody does.
    window: Window
    places: PlaceAuditor
    pace: PaceAuditor
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
        self.answers: dict[tuple[str, str], Known] = {}  # Keys whose answer the client has.
        self.unsaid: list[KeyedCommand] = []  # Asked under a key, and never answered.
        self.decided: dict[int, int] = {}  # Which decision placed which cover order.
        self.number = 0  # Of the decision that is being made.
        self.hashes: dict[int, str] = {}
        self.auditor = self.first_auditor()
        self.exchange = self.first_exchange()
        self.engine = self.start()
        self.clients = "ABCDE"[: 3 + self.chance.randrange(3)]
        for client in self.clients:
            cash = self.chance.choice((10**9, 10**9, 2 * 10**5))
            self.execute(OpenClient(client_id=client, cash_paise=Paise(cash)))
        self.limited = seed % LIMITED_EVERY == 0
        if self.limited:
            self.execute(ChooseLimits(profile=Profile.SEBI_2026))
            self.auditor.bounded = True
        self.flush()

    # --- What the two worlds bring ------------------------------------------------------------

    def first_auditor(self) -> Auditor:
        """Return who looks on."""
        return Auditor(SHARES, self.settings.t_absent_ns, prompt=self.prompt)

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
        """Let the auditors see something that belongs to the step at hand."""
        self.tell(thing)
        self.note(self.sequence(), self.engine.core.now_ns, thing)

    def note(self, sequence: int, at_ns: int, thing: Thing) -> None:
        """Let the auditors see something that belongs to a record."""
        self.auditor.see(sequence, at_ns, thing)
        if self.rows is not None:
            self.rows.see(sequence, at_ns, thing)
            self.pace.see(at_ns, thing)

    def watch_rows(self, *, count: bool = False) -> None:
        """Read the rows from now on, before anything is placed; ``count`` what is not so."""
        self.rows, self.pace = RowAuditor(self.settings.t_absent_ns), PaceAuditor()
        self.places = PlaceAuditor(SHARES)
        self.rows.findings = self.places.findings = Counter() if count else None
        self.auditor.wakes_carried = True
        self.window = Window(self.engine)

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
        if has_key(command) and isinstance(outcome, Answer):
            key = (command.client_id, command.idempotency_key)
            known = (outcome.order_id, outcome.basket_id, outcome.subject)
            first = self.answers.setdefault(key, known)
            assert first == known, f"INV-6: {key} was answered with two things"

    def look(self) -> None:
        """Let the auditor judge."""
        state = self.engine.state
        rows = [
            self.row(cover)
            for cover in state.every_cover()
            if cover.ended is None or cover.position or cover.order_id in self.auditor.touched
        ]
        self.auditor.touched.clear()
        able = self.alive and not state.venue_disconnected and state.sessions.all_continuous
        self.auditor.check(rows, self.engine.core.now_ns, able=able)
        self.check_truth()
        if self.rows is not None:
            self.rows.look(self.window, self.journal.durable_sequence, self.now_ns(), self.clients)
            self.places.look(self.window, self.clients)

    def row(self, cover: CoverOrder) -> Row:
        """Return a cover order as the order book shows it."""
        return Row(
            cover.order_id,
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
        if self.rows is not None:
            self.rows.forget_after(self.durable)
            self.pace.begin()
        if self.auditor.forget_after(self.durable):
            self.tally["crash with lost records"] += 1
        for _, command, _ in self._waiting:
            if has_key(command):
                self.unsaid.append(command)
        self._waiting.clear()
        down_ns = self.chance.choice((1, 20, 300, 4_000)) * NS_PER_MS
        self.later(down_ns, lambda: self._return(whole if lost == 0 else ""))

    def _return(self, whole: str) -> None:
        self.engine = self.start()
        self.alive = True
        if self.rows is not None:
            self.window = Window(self.engine)
            self.rows.sweep(self.window, self.durable, self.clients)
        self.tell(f"started again with {self.durable} records")
        if whole:
            assert self.engine.state_hash() == whole, (
                "INV-19: the state after is not the state before"
            )
        for key, price in self.engine.core.prices.items():  # Looked up at the start.
            self.note(self.durable, self.now_ns(), Price(0, key, price))
        self.auditor.excuse(self.engine.now_ns())
        self.connect()
        self._catch_up_session()
        # Who was never answered asks again, with the same key.
        for command in self.unsaid:
            self.execute(command)
        self.unsaid.clear()
        for asked, told in self.answers.items():
            known = self.engine.state.answers.get(asked)
            assert known is not None, f"promise 1: {asked}"
            assert (known.order_id, known.basket_id, known.subject) == told, f"promise 1: {asked}"

    def _catch_up_session(self) -> None:
        closed = NSE in self.engine.state.sessions.closed
        if closed == self.open:
            self.change_session(is_open=self.open)

    # --- Clients ------------------------------------------------------------------------------

    def execute(self, command: Command) -> Outcome | None:
        """Return the answer to a command; None if there is nobody to ask."""
        if not self.alive:
            return None
        self.tick()

        def act() -> Outcome:
            if isinstance(command, KeyedCommand):
                self.see(Asking(self.by_entry(command)))
            outcome = self.engine.execute(command)
            written = self.journal.durable_sequence
            self.note(written, self.engine.core.now_ns, Asked(self.by_entry(command), outcome))
            if isinstance(command, KeyedCommand):
                self.tell(outcome)
                self._waiting.append((written, command, outcome))
            return outcome

        before = len(self.in_transit())
        outcome = self.step(act)
        if isinstance(command, KeyedCommand):
            self._check_isolation(command.client_id, before)
        return outcome

    def by_entry(self, command: C) -> C:
        """Return the command with the id of the entry, where it names a leg by the leg's own."""
        if isinstance(command, ModifyCoverOrder | CancelCoverOrder):
            found = self.engine.state.leg(command.order_id)
            if found is not None:
                return replace(command, order_id=found[0].order_id)
        return command

    def _check_isolation(self, client: str, before: int) -> None:
        """INV-20: nothing is sent for one client because another asked, unless they traded."""
        for thing in self.in_transit()[before:] if not self.prompt else ():
            tag = getattr(thing, "tag", 0)
            assert self.auditor.papers[tag].asked.client_id == client, f"INV-20: {thing}"

    # --- What the deeds look at ---------------------------------------------------------------

    def last_pips(self, share: Instrument) -> int:
        """Return the last price as the exchange has it."""
        return self.exchange.last_price_pips(share.key)

    def near_price(self, share: Instrument, ticks: int) -> Pips:
        """Return a price within so many ticks of the last, on tick and in the band."""
        tick = share.tick_pips
        price = self.last_pips(share) + tick * self.chance.randint(-ticks, ticks)
        price = price // tick * tick
        low, high = self.exchange.price_band(share.key)
        return Pips(min(max(price, low), high))
