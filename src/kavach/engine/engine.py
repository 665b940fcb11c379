"""
Runs the core: one command at a time, one record a command, recovery at the start.

A step is: let the core decide, hand its requests to the venue, let the core hear what the venue
says, and so on until nothing is left to send; then the step is one record of the journal. With
a venue inside, all of that is one record, so a crash leaves either all of it or none. Whoever
waits for an answer waits until the record is durable; the engine itself goes on.

Time comes from the clock port; whatever became due since the last step is done first, in
order, each at its own time.

Source: ARCHITECTURE.md, "One order's journey"; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from kavach.core.commands import (
    Command,
    LoseLink,
    MovePrice,
    ReachTime,
    RestoreLink,
    SessionChange,
)
from kavach.core.core import Core
from kavach.core.events import Event, OrderQuerySent, Request
from kavach.core.evolve.apply import evolve
from kavach.core.model.state import OmsState
from kavach.core.refusals import Answer, Outcome
from kavach.core.rules.context import INSTRUMENT_OF
from kavach.core.rules.pending import PendingRequest
from kavach.core.settings import Settings
from kavach.engine.attention_port import Attention
from kavach.engine.clock_port import Clock, TimeSource
from kavach.engine.journal_port import Journal
from kavach.engine.observer_port import Observer
from kavach.engine.quote import Quotes
from kavach.engine.record import LAYOUT, Snapshot, Step, decode_record, decode_snapshot, encode
from kavach.engine.venue_port import ExecutionReport, SparesPrices, Venue
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.instruments import Instrument, Listing
from kavach.units import InstrumentKey, Pips

HASH_BYTES: Final = 16
# No lawful step sends more: the largest is the square-off of everything.
REQUESTS_MIN: Final = 1_000
REQUESTS_PER_ORDER: Final = 50
CLOCK_SET: Final = "SetClock"  # The cause of a record that holds nothing but its time.


class EngineStopped(Exception):
    """A step broke off, so memory may be ahead of the journal; a restart recovers."""


class _CoreTimers:
    """The core's own timers, as a time source."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def next_due_ns(self) -> int | None:
        return self._engine.core.next_due_ns()

    def fire(self, at_ns: int) -> None:
        self._engine.step(ReachTime(), at_ns)


class Engine:
    """The only writer of one shard: core, venue and journal, in step."""

    def __init__(
        self,
        instruments: Iterable[Instrument] | Listing,
        settings: Settings,
        journal: Journal,
        venue: Venue,
        clock: Clock,
        *,
        far: bool = False,
        real_ns: Callable[[], int] | None = None,
    ) -> None:
        """Join the parts; ``far``: the venue is outside, so what is done late is dated late.

        A request that leaves now must not be dated back to when it was due: how long it has been
        on its way decides what its absence at the venue means. ``real_ns`` is a clock that nobody
        sets, stops or speeds up; without one ``clock`` passes for it.
        """
        self._real_ns = real_ns or clock.now_ns
        self._far = far
        self.core = Core(OmsState(instruments, settings))
        self.core.links_orders = venue.links_orders
        self.journal = journal
        self.venue = venue
        self._spares_prices = venue if isinstance(venue, SparesPrices) else None
        self.clock = clock
        self.observers: list[Observer] = []
        self.attention: Attention | None = None  # Who makes a market where somebody looks.
        self.quotes: Quotes | None = None  # Who shows prices.
        self.sequence = journal.durable_sequence  # Of the last record.
        self.replayed = 0  # Records applied at start.
        self.passed_over = 0  # Snapshots that another version wrote, at start.
        self.undecided: PendingRequest | None = (
            None  # The last command, if the venue owes it an answer.
        )
        self.stopped: BaseException | None = None  # Why no further step may be made.
        self._sources: list[TimeSource] = [_CoreTimers(self)]
        self._catching_up = False
        self._followed_ns = 0  # The time of the last record that was followed.

    # --- What others ask ----------------------------------------------------------------------

    @property
    def state(self) -> OmsState:
        """The state of the core; for reading only."""
        return self.core.state

    def execute(self, command: Command) -> Outcome:
        """Return what became of a command, as far as the venue has spoken; not durable yet."""
        now_ns = self.now_ns()
        self.catch_up(now_ns)
        return self.step(command, now_ns)

    def market(self, act: Callable[[int], ExecutionReport]) -> ExecutionReport:
        """Return what the venue says to something others do there, after the core heard it."""
        now_ns = self.now_ns()
        self.catch_up(now_ns)
        return self.market_step(act, now_ns)

    def receive(self, heard: ExecutionReport) -> None:
        """Let the core hear what a venue says on its own; writes one record."""
        self.market(lambda at_ns: heard)

    def now_ns(self) -> int:
        """Return the engine's time: the clock's, never before the last step's."""
        return max(self.clock.now_ns(), self.core.now_ns)

    def real_ns(self) -> int:
        """Return real nanoseconds since some moment, whatever an operator does to the clock."""
        return self._real_ns()

    def naked_real_ns_max(self) -> int:
        """Return the longest that a position was without protection, or is, in real time."""
        open_ns = self.core.gaps.longest_real_ns(self._real_ns())
        return max(self.state.naked_real_ns_max, open_ns)

    def add_source(self, source: TimeSource) -> None:
        """Call this whenever it is due."""
        self._sources.append(source)

    def next_due_ns(self) -> int | None:
        """Return when something is due next, if ever."""
        times = [due for source in self._sources if (due := source.next_due_ns()) is not None]
        return min(times, default=None)

    def catch_up(self, now_ns: int) -> None:
        """Do everything that is due by now, in order, each at its own time."""
        if self._catching_up:
            return  # A source that executes commands is called at the right time already.
        self._catching_up = True
        try:
            while True:
                due_ns, source = self._next_source()
                if source is None or due_ns > now_ns:
                    return
                source.fire(now_ns if self._far else max(due_ns, self.core.now_ns))
        finally:
            self._catching_up = False

    def _next_source(self) -> tuple[int, TimeSource | None]:
        best: tuple[int, TimeSource | None] = (0, None)
        for source in self._sources:
            due_ns = source.next_due_ns()
            if due_ns is not None and (best[1] is None or due_ns < best[0]):
                best = (due_ns, source)
        return best

    def lose_link(self) -> None:
        """Take the venue for unreachable: nothing is sent, what is in flight is unknown."""
        self.step(LoseLink(), self.now_ns())

    def restore_link(self) -> None:
        """Hear first what the venue knows of every order, then do what is owed; one step."""
        core = self.core
        self._begin(self.now_ns())
        try:
            venue_events: list[ExchangeEvent] = []
            if not core.state.venue_disconnected:
                core.handle(LoseLink())  # A start: whatever is owed waits for the snapshot, too.
            unacknowledged = [core.state.orders[tag] for tag in core.unacknowledged_tags()]
            self._on_reports(self.venue.statuses(unacknowledged), venue_events)
            core.handle(RestoreLink())
            core.resume()
            self._exchange_messages(venue_events)
            self._finish()
            if core.events or venue_events:
                self._write("RestoreLink", venue_events)
        except BaseException as error:
            self.stopped = error
            raise
        self._tell("RestoreLink", None)

    # --- Steps --------------------------------------------------------------------------------

    def step(self, command: Command, at_ns: int) -> Outcome:
        """Return what became of a command at this time; writes one record if anything changed."""
        core = self.core
        self._begin(at_ns)
        try:
            venue_events: list[ExchangeEvent] = []
            pending = core.handle(command)
            if core.requests:
                self._exchange_messages(venue_events)
            outcome = core.conclude(pending)
            self._finish()
            if core.events or venue_events:
                self._write(type(command).__name__, venue_events)
            self.undecided = pending if type(pending) is PendingRequest and pending.waits else None
        except BaseException as error:
            self.stopped = error
            raise
        self._tell(type(command).__name__, outcome)
        return outcome

    def market_step(
        self, act: Callable[[int], ExecutionReport], at_ns: int, *, spares: bool = False
    ) -> ExecutionReport:
        """Return what the venue says to something others do there; writes one record.

        ``spares``: none if all that happened are prices at which no rule did anything.
        """
        self._begin(at_ns)
        heard = act(at_ns)  # What it refuses by an exception has changed nothing.
        try:
            venue_events: list[ExchangeEvent] = []
            self._on_reports(heard, venue_events)
            self._exchange_messages(venue_events)
            self._finish()
            if self.core.events or (venue_events and not (spares and self._spare(venue_events))):
                self._write("Market", venue_events)
        except BaseException as error:
            self.stopped = error
            raise
        self._tell("Market", None)
        return heard

    def change_phase(
        self, command: SessionChange, act: Callable[[int], ExecutionReport], at_ns: int
    ) -> Outcome:
        """Return the answer to a change of session, which core and venue make in one step."""
        core = self.core
        self._begin(at_ns)
        try:
            venue_events: list[ExchangeEvent] = []
            # The core first: what the venue then expires is the end of the day, no accident.
            pending = core.handle(command)
            self._on_reports(act(at_ns), venue_events)
            self._exchange_messages(venue_events)
            outcome = core.conclude(pending)
            self._finish()
            self._write(type(command).__name__, venue_events)
        except BaseException as error:
            self.stopped = error
            raise
        self._tell(type(command).__name__, outcome)
        return outcome

    def keep_time(self) -> None:
        """Write a record of nothing but the time: what was over by now is over after a restart."""
        self._begin(self.now_ns())
        try:
            self._finish()
            self._write(CLOCK_SET, [])
        except BaseException as error:
            self.stopped = error
            raise
        self._tell(CLOCK_SET, None)

    def _begin(self, at_ns: int) -> None:
        """Refuse to go on where going on would part the memory from the journal."""
        if self.stopped is not None:
            raise EngineStopped("The engine has stopped: " + str(self.stopped)) from self.stopped
        failure = self.journal.failure
        if failure is not None:
            raise failure
        self.core.begin(at_ns)

    def _finish(self) -> None:
        """End the core's step, and time by clocks what it has begun or ended to leave open."""
        core = self.core
        if core.gaps.moved(core.changed_orders.values()):
            core.gaps.look(core, self.now_ns(), self._real_ns())
        core.finish()

    def _exchange_messages(self, venue_events: list[ExchangeEvent]) -> None:
        """Send what the core wants sent and let it hear the answers, until it wants no more."""
        core = self.core
        requests = core.requests
        left = REQUESTS_MIN + REQUESTS_PER_ORDER * (
            len(core.state.covers) + len(core.state.regulars)
        )
        while requests:
            left -= 1
            assert left > 0, "a step without an end: core and venue go round in a circle"
            request = requests.popleft()
            order = core.state.orders[request.tag]
            parent = core.state.parents[order.parent_id]
            if type(request) is OrderQuerySent:
                if order.asked_at_ns == core.now_ns and _is_changed_by(requests, request.tag):
                    requests.append(request)  # Its answer is to tell of that request, too.
                    continue
                heard = self.venue.statuses([order])
            else:
                heard = self.venue.send(request, order, parent, core.now_ns)
            self._on_reports(heard, venue_events)

    def _on_reports(self, heard: ExecutionReport, venue_events: list[ExchangeEvent]) -> None:
        core = self.core
        venue_events.extend(heard.journaled)
        if heard.moved:
            core.prices.update(heard.moved)
            for key in heard.moved:
                core.use(key)
        for said in heard.reports:
            core.on_report(said)
        for key, price in heard.moved.items():
            if core.watches(key):
                core.handle(MovePrice(key, Pips(price)))

    def _write(self, cause: str, venue_events: Sequence[ExchangeEvent]) -> None:
        core = self.core
        recorded: Sequence[ExchangeEvent] = venue_events
        if self._spares_prices is not None:
            recorded = self._spares_prices.record(self._instruments_of_step, venue_events)
        body = encode(Step(core.now_ns, cause, core.events, list(recorded)))
        self.sequence = self.journal.append(body)

    def _spare(self, venue_events: Sequence[ExchangeEvent]) -> bool:
        """Return whether what happened at the venue needs no record."""
        return self._spares_prices is not None and self._spares_prices.spare(venue_events)

    def _instruments_of_step(self) -> set[InstrumentKey]:
        """Return the instruments that the core's part of this step is about."""
        core = self.core
        keys = {parent.instrument for parent in core.changed_orders.values()}
        for event in core.events:
            if type(event) in INSTRUMENT_OF:
                keys.add(INSTRUMENT_OF[type(event)](event))
        return keys

    def _tell(self, cause: str, outcome: Outcome | None) -> None:
        core = self.core
        for observer in self.observers:
            observer.stepped(cause, outcome, core.events, core.changed_orders.values(), core.now_ns)

    # --- Start and stop -----------------------------------------------------------------------

    def recover(self, until: int | None = None) -> None:
        """Become the state that the journal holds: a snapshot if there is one, then records.

        ``until`` is the last record to believe; a failed journal may hold more than is durable.
        """
        for sequence, body in self.journal.records(self.restore()):
            if until is not None and sequence > until:
                break
            self.follow(sequence, body)
        self.take_over()

    def restore(self) -> int:
        """Become what the newest snapshot holds; return the last record that it spares."""
        assert not self.state.clients, "recover comes first"
        after, self._followed_ns = self._restore()
        return after

    def follow(self, sequence: int, body: bytes) -> None:
        """Become what the next record leads to, without deciding anything."""
        record = decode_record(body)
        self.replay(record.events, record.venue, record.at_ns)
        self._followed_ns = record.at_ns
        self.sequence = sequence
        self.replayed += 1

    def take_over(self) -> None:
        """Decide from now on, where the last record left off."""
        self.core.prices.update(self.venue.prices())
        self.core.recovered(self._followed_ns, self._real_ns())

    def _restore(self) -> tuple[int, int]:
        """Return the last record that a snapshot spared us, and its time."""
        stored = self.journal.latest_snapshot()
        if stored is None:
            return 0, 0
        sequence, body = stored
        try:
            snapshot = decode_snapshot(body)
            for terms in snapshot.core.listed:
                self.state.list_terms(terms)  # First: the venue's books are made by these terms.
            self.venue.restore(snapshot.venue)
        except msgspec.ValidationError:
            # Another version wrote it, and nothing has changed yet but terms that the records list,
            # too: the records say the same.
            self.passed_over += 1
            return 0, 0
        self.state.restore(snapshot.core)
        self.sequence = sequence
        return sequence, snapshot.at_ns

    def replay(
        self, events: Sequence[Event], venue_events: Sequence[ExchangeEvent], at_ns: int
    ) -> None:
        """Apply what a record holds, without deciding anything."""
        state = self.state
        for event in events:
            evolve(state, event, at_ns)
        self.venue.replay(venue_events, events)

    def save_snapshot(self) -> None:
        """Store the whole state, so that the next start need not replay what led to it."""
        snapshot = Snapshot(self.core.now_ns, self.state.snapshot(), self.venue.snapshot(), LAYOUT)
        self.journal.save_snapshot(self.sequence, encode(snapshot))

    def state_hash(self) -> str:
        """Return one hash over core and venue: equal before and after a restart."""
        both = self.state.state_hash() + self.venue.state_hash()
        return blake2b(both.encode(), digest_size=HASH_BYTES).hexdigest()

    @property
    def instruments(self) -> dict[InstrumentKey, Instrument]:
        """Everything that can be traded."""
        return self.state.instruments


def _is_changed_by(requests: Iterable[Request], tag: int) -> bool:
    """Return whether a request about an order, other than a question, is yet to be sent."""
    return any(one.tag == tag and type(one) is not OrderQuerySent for one in requests)


def accepted(outcome: Outcome) -> Answer:
    """Return the answer of a command that cannot be refused."""
    assert isinstance(outcome, Answer), f"refused: {outcome}"
    return outcome
