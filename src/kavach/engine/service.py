"""
The engine in an event loop: answers wait for the disk, and what is due is done on time.

Theory. The engine runs ahead of the disk; whoever is told something waits until everything
executed before is durable. Waiters stand in one queue, in the order of the sequences they wait
for, and each batch of the journal releases those at its head with one call into the loop.
Nothing polls: the loop sleeps until the engine's next due time, or until somebody makes an
earlier one.

Time runs at the pace of a clock that may be stopped or sped up, so the clock says how many
seconds of the real world a due time is away.

Source: ARCHITECTURE.md, "One order's journey"; docs/spec/journal.md, "How a commit works".
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from kavach.core.commands import Command, SessionChange
from kavach.core.model.state import OmsState
from kavach.core.refusals import Outcome
from kavach.core.rules.pending import PendingRequest
from kavach.engine.engine import Engine
from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalError,
    JournalFenced,
    JournalPaused,
    JournalUnavailable,
)
from kavach.engine.quote import Quote
from kavach.engine.venue_port import ExecutionReport
from kavach.instruments import Instrument
from kavach.units import InstrumentKey

TURN_SECONDS: Final = 0.001  # How often the journal's thread is given a turn while answers wait.
SLEEP_SECONDS_MIN: Final = 0.001  # Below the resolution of the loop's timers it would spin.
RETRY_SECONDS: Final = 0.1  # How soon a failed disk is tried again; then ever later, up to
RETRY_SECONDS_MAX: Final = 5.0
NEVER_NS: Final = 2**63 - 1
UNHEARD: Final = "The journal was not heard of for too long: another process may own it by now."
# A start replays some 100 000 records a second: below this a snapshot saves next to nothing.
SNAPSHOT_RECORDS_MIN: Final = 10_000


class Pace(Protocol):
    """How the engine's time runs, seen from the real world."""

    def seconds_until(self, at_ns: int) -> float | None:
        """Return how many real seconds until it is ``at_ns``; None while time stands still."""


class Repair(Protocol):
    """How a service whose journal has failed gets another engine in its place."""

    def looked_back(self) -> tuple[Engine, Pace] | None:
        """Return an engine that holds what is durable, and nothing else; it is only read.

        None if nothing may be shown: the journal is elsewhere, and perhaps another's by now.
        """

    def reopened(self) -> tuple[Engine, Pace]:
        """Return an engine on a journal that works; raises ``JournalError`` while none does."""


class Service:
    """One engine as the API and the control room use it, in the thread of the running loop.

    When the disk fails, memory may be ahead of it. With a ``repair`` the engine is then replaced
    by one that holds what is durable: reads go on with that, commands are refused, time stands
    still, and the journal is tried again until it works. ``on_failure`` is called once, when an
    invariant is broken or there is no way back: every command is refused, and the program should
    stop.
    """

    def __init__(
        self,
        engine: Engine,
        pace: Pace,
        on_failure: Callable[[Exception], None],
        repair: Repair | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_failure = on_failure
        self._repair = repair
        self._looks_back = False  # The engine holds what is durable, its journal has failed.
        self._is_blind = False  # It has failed, and nothing is shown until it works.
        self._retry: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._turn: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._refusal: Exception | None = None
        self._stepped: asyncio.Future[None] | None = None  # For those who wait for the venue.
        self._adopt(engine, pace)

    def _adopt(self, engine: Engine, pace: Pace) -> None:
        self.engine = engine
        # Read with every request, so they are fields of this object and not properties.
        self.state: OmsState = engine.state
        self.instruments: dict[InstrumentKey, Instrument] = engine.instruments
        self._pace = pace
        self._core = engine.core
        self._journal = engine.journal
        self._unsubscribe = engine.journal.subscribe(self._on_batch)
        self._planned_ns = NEVER_NS
        self._plan()

    # --- What the API asks --------------------------------------------------------------------

    def execute(self, command: Command) -> Outcome:
        """Return what the core made of a command; not durable yet."""
        if self._refusal is not None:
            raise self._refusal
        if not self._journal.may_answer():
            raise JournalPaused(UNHEARD)
        key = getattr(command, "instrument", None)
        if key is not None:
            self.attend(key)  # Who trades it wants somebody to trade with.
        try:
            outcome = self.engine.execute(command)
        except (AssertionError, JournalError) as error:
            self._fail(error)
            raise
        due_ns = self._core.next_due_ns()
        if due_ns is not None and due_ns < self._planned_ns:
            self._plan()
        if self._stepped is not None:
            self._tell_of_step()
        return outcome

    def market(self, act: Callable[[int], ExecutionReport]) -> ExecutionReport:
        """Return what the venue says to something others do there, after the core heard it."""
        if self._refusal is not None:
            raise self._refusal
        try:
            heard = self.engine.market(act)
        except (AssertionError, JournalError) as error:
            self._fail(error)
            raise
        self._plan()
        self._tell_of_step()
        return heard

    def change_phase(self, command: SessionChange, act: Callable[[int], ExecutionReport]) -> None:
        """Open or close a session, for core and venue in one step."""
        engine = self.engine
        self._change(lambda: engine.change_phase(command, act, engine.now_ns()))

    def lose_link(self) -> None:
        """Take the venue for unreachable."""
        self._change(self.engine.lose_link)

    def restore_link(self) -> None:
        """Hear what the venue knows, then do what is owed."""
        self._change(self.engine.restore_link)

    def keep_time(self) -> None:
        """Have the time in the journal, so that a restart doesn't go behind it."""
        self._change(self.engine.keep_time)

    def _change(self, act: Callable[[], object]) -> None:
        if self._refusal is not None:
            raise self._refusal
        try:
            act()
        except (AssertionError, JournalError) as error:
            self._fail(error)
            raise
        self._plan()
        self._tell_of_step()

    def pending(self) -> PendingRequest | None:
        """Return the command just executed, if the venue has still to say what becomes of it."""
        return self.engine.undecided

    async def decided(self, pending: PendingRequest, seconds: float) -> Outcome:
        """Return what became of a command once the venue has said so, or after this long."""
        engine = self.engine
        end = self._loop.time() + seconds
        while pending.waits and (left := end - self._loop.time()) > 0:
            if self._stepped is None:
                self._stepped = self._loop.create_future()
            try:
                await asyncio.wait_for(asyncio.shield(self._stepped), left)
            except TimeoutError:
                break
        if self.engine is not engine:
            raise JournalUnavailable("The engine that did this was replaced before it was durable.")
        return self._core.review(pending)

    def _tell_of_step(self) -> None:
        """Wake those who wait for the venue."""
        if self._stepped is not None:
            if not self._stepped.done():
                self._stepped.set_result(None)
            self._stepped = None

    def may_answer(self) -> bool:
        """Return whether anything may be told now, of what is durable or to be done."""
        return not self._is_blind and (self._looks_back or self._journal.may_answer())

    async def until_durable(self) -> None:
        """Return when everything executed so far is durable; raises ``JournalError``.

        It was this process's to tell before the wait and is after it, or that raises, too.
        """
        if self._looks_back:
            return
        if self.engine.stopped is not None:
            raise JournalUnavailable("A step broke off: what it did is in no record.")
        sequence = self.engine.sequence
        journal = self._journal
        if not self.may_answer():
            raise JournalUnavailable(UNHEARD)
        if sequence <= journal.durable_sequence and journal.failure is None:
            return
        future = self._loop.create_future()
        self._waiting.append((sequence, future))
        if sequence <= journal.durable_sequence or journal.failure is not None:
            self._release()  # It happened before the journal's thread could see that we wait.
        elif self._turn is None:
            self._turn = self._loop.call_later(TURN_SECONDS, self._give_turn)
        await future
        if not journal.may_answer():
            raise JournalUnavailable(UNHEARD)

    def now_ns(self) -> int:
        """Return the engine's time."""
        return self.engine.now_ns()

    def real_ns(self) -> int:
        """Return real nanoseconds since some moment, whatever an operator does to the clock."""
        return self.engine.real_ns()

    def seconds_until(self, at_ns: int) -> float | None:
        """Return how many real seconds until the engine's time is this; None while it stands."""
        return self._pace.seconds_until(at_ns)

    def last_price_pips(self, key: InstrumentKey) -> int:
        """Return the last traded price, or the previous close before the first trade."""
        return self._core.last_price(self.instruments[key])

    def quote(self, key: InstrumentKey) -> Quote:
        """Return an instrument as everybody sees it."""
        quotes = self.engine.quotes
        assert quotes is not None, "no venue shows prices"
        return quotes.quote(key)

    def attend(self, key: InstrumentKey) -> None:
        """Have a market made in this instrument, because somebody looks at it."""
        attention = self.engine.attention
        if attention is not None and self._refusal is None and attention.attend(key):
            self._tick()

    # --- Time ---------------------------------------------------------------------------------

    def changed(self) -> None:
        """Do what is due now and sleep anew: the clock, the market or the sessions changed."""
        self._tick()

    def _tick(self) -> None:
        self._planned_ns = NEVER_NS
        if self._refusal is not None:
            return
        try:
            self.engine.catch_up(self.engine.now_ns())
        except (AssertionError, JournalError) as error:
            self._fail(error)
            raise
        self._plan()
        self._tell_of_step()

    def _plan(self) -> None:
        """Sleep until the next thing is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ns = self.engine.next_due_ns()
        self._planned_ns = NEVER_NS if due_ns is None else due_ns
        seconds = None if due_ns is None else self._pace.seconds_until(due_ns)
        if seconds is not None:
            self._timer = self._loop.call_later(max(seconds, SLEEP_SECONDS_MIN), self._tick)

    # --- The disk -----------------------------------------------------------------------------

    def _on_batch(self, durable_sequence: int) -> None:
        """Wake the loop for those who wait; runs on the journal's thread.

        Who begins to wait looks at the journal once more afterwards, so nobody is forgotten
        when this finds nobody.
        """
        if self._waiting or self._journal.failure is not None:
            self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        journal = self._journal
        durable, waiting = journal.durable_sequence, self._waiting
        while waiting and waiting[0][0] <= durable:
            future = waiting.popleft()[1]
            if not future.done():  # Who was cancelled waits no more.
                future.set_result(None)
        failure = journal.failure
        if failure is not None:
            self._fail(failure)
            self._disappoint(failure)

    def _disappoint(self, failure: JournalError) -> None:
        """End the waits for what may come too late to be told, or never."""
        while self._waiting:
            future = self._waiting.popleft()[1]
            if not future.done():
                future.set_exception(failure)

    def _give_turn(self) -> None:
        self._turn = None
        if not self._journal.may_answer():
            self._disappoint(JournalUnavailable(UNHEARD))
        if self._waiting and self._journal.give_turn():
            self._turn = self._loop.call_later(TURN_SECONDS, self._give_turn)

    # --- When it fails ------------------------------------------------------------------------

    def _fail(self, error: Exception) -> None:
        """Refuse everything from now on: the state may be ahead of the disk, or wrong."""
        if self._refusal is not None:
            return
        failure = self._journal.failure
        fenced = isinstance(failure, JournalFenced)
        if self._repair is not None and failure is not None and not fenced:
            self._refusal = JournalPaused(f"Nothing is written until the disk works: {error}")
            self._loop.call_soon(self._look_back, self._repair)
        else:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._refusal = JournalUnavailable(f"The engine has stopped: {error}")
        self._looks_back = False
        self._is_blind = self._is_blind or isinstance(error, JournalFenced)
        self._on_failure(error)

    # --- A disk that fails and works again ----------------------------------------------------

    def _look_back(self, repair: Repair) -> None:
        """Show what is durable, now that those who waited for more have been told."""
        self._leave()
        self._release()
        self._unsubscribe()
        try:
            found = repair.looked_back()
        except (JournalError, AssertionError) as error:
            self._give_up(error)
            return
        if found is None:
            self._is_blind = True
        else:
            self._adopt(*found)
            self._leave()
            self._looks_back = True
        self._tell_of_step()
        self._retry = self._loop.call_later(RETRY_SECONDS, self._try_again, repair, RETRY_SECONDS)

    def _try_again(self, repair: Repair, seconds: float) -> None:
        """Go on where the disk has stopped, or wait a little longer."""
        try:
            engine, pace = repair.reopened()
        except (JournalCorrupt, JournalFenced) as error:
            self._give_up(error)
        except JournalError:
            longer = min(2 * seconds, RETRY_SECONDS_MAX)
            self._retry = self._loop.call_later(longer, self._try_again, repair, longer)
        except AssertionError as error:
            self._give_up(error)
        else:
            self._looks_back = self._is_blind = False
            self._refusal = None
            self._adopt(engine, pace)

    # --- The end ------------------------------------------------------------------------------

    def replace(self, build: Callable[[], tuple[Engine, Pace]]) -> None:
        """Put another engine in the place of this one, which is closed before it is built."""
        if self._refusal is not None:
            raise self._refusal
        self._leave()
        self._journal.close()
        self._release()
        try:
            engine, pace = build()
        except Exception as error:
            self._give_up(error)  # The old journal is closed: only a start goes on from here.
            raise
        self._adopt(engine, pace)

    async def close(self) -> None:
        """Return when everything accepted is on disk and the journal is released.

        A long journal gets a snapshot, so that the next start is quick. After a failure there is
        none: the state may hold what the disk does not. Raises what prevented a clean end.
        """
        broken = self._refusal is not None
        self._refusal = self._refusal or JournalUnavailable("The server is stopping.")
        self._leave()
        if not broken:
            await self.until_durable()
            stored = self._journal.latest_snapshot()
            if self.engine.sequence - (stored[0] if stored else 0) >= SNAPSHOT_RECORDS_MIN:
                self.engine.save_snapshot()
        self._unsubscribe()
        self._journal.close()
        if self._looks_back or self._is_blind:
            assert self._refusal is not None, "a service that looks back refuses"
            raise self._refusal  # What was answered is on disk, but the disk needs somebody.

    def _leave(self) -> None:
        """Stop calling the engine."""
        for handle in (self._timer, self._turn, self._retry):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = self._retry = None
