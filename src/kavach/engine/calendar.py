"""
Drives the sessions of an engine by the clock: what is due in each begins at its own time.

Instants are nanoseconds. After a restart the sessions are brought to where their day stands; what
became due while the program was not running is gone through by the engine, in order.

Source: docs/spec/exchange.md, "Sessions"; docs/spec/cover_order.md, "What the system owes".
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from kavach.core.commands import SquareOff, StopCovers, session_change
from kavach.core.model.sessions import OPENING
from kavach.engine.engine import Engine
from kavach.engine.trading_hours import Moment, Step, TradingHours
from kavach.engine.venue_port import ExecutionReport
from kavach.instruments import SESSIONS
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND, Exchange, Phase

DAY_NS: Final = 86_400 * NS_PER_SECOND
MINUTE_NS: Final = 60 * NS_PER_SECOND
IST_NS: Final = IST_OFFSET_SECONDS * NS_PER_SECOND
_EPOCH: Final = date(1970, 1, 1)
_LONGEST_WAIT_DAYS: Final = 30  # No run of holidays is longer.

# Brings the venue into a phase, at a time: a session of an exchange, with an empty name all.
SetPhase = Callable[[Exchange, Phase, int, str], ExecutionReport]


class _Due(NamedTuple):
    """What happens in a session at an instant."""

    at_ns: int
    exchange: Exchange
    session: str
    moment: Moment


class Calendar:
    """Opens and closes the sessions of an engine; with no hours they are always open."""

    def __init__(
        self, engine: Engine, set_phase: SetPhase, hours: TradingHours | None, seed: int = 0
    ) -> None:
        self._engine = engine
        self._set_phase = set_phase
        self._hours = hours
        self._seed = seed
        self._next: dict[tuple[Exchange, str], _Due] = {}
        self._due_ns: int | None = None  # Asked for with every command, so kept.

    def start(self) -> None:
        """Bring every session to where its day stands at the engine's time.

        What became due while the program was not running is not done here: the engine catches
        up with it, in order, each at its own time.
        """
        engine = self._engine
        at_ns = engine.core.now_ns or engine.now_ns()
        for exchange, names in SESSIONS.items():
            for session in names:
                self._bring(exchange, session, at_ns)
                if self._hours is not None:
                    self._next[exchange, session] = self._after(exchange, session, at_ns)
        self._due_ns = min((due.at_ns for due in self._next.values()), default=None)

    def next_due_ns(self) -> int | None:
        """Return the next moment at which something happens in a session."""
        return self._due_ns

    def fire(self, at_ns: int) -> None:
        """Do what is due by ``at_ns`` and was not done before, in order."""
        while (due_ns := self._due_ns) is not None and due_ns <= at_ns:
            due = [one for one in self._next.values() if one.at_ns == due_ns]
            for one in due:
                key = one.exchange, one.session
                self._next[key] = self._after(*key, due_ns)
            self._due_ns = min(one.at_ns for one in self._next.values())
            for one in due:
                self._do(one.exchange, one.session, one.moment, at_ns)

    def _bring(self, exchange: Exchange, session: str, at_ns: int) -> None:
        """Do what the session's day is ahead of the state."""
        past = self._so_far(exchange, session, at_ns)
        sessions = self._engine.state.sessions
        stands = (
            sessions.phase(session),
            session in sessions.covers_stopped or session in sessions.entries_stopped,
            session in sessions.entries_stopped,
        )
        missing = list(past)
        for number, reached in enumerate(_course(past), start=1):
            if reached == stands:
                missing = past[number:]
        for moment in missing:
            self._do(exchange, session, moment, at_ns)

    def _so_far(self, exchange: Exchange, session: str, at_ns: int) -> list[Moment]:
        """Return what has happened in a session's day; before its first moment it is over."""
        if self._hours is None:
            return [_ALWAYS_OPEN]
        today = day_at(at_ns)
        past = [due.moment for due in self._day(exchange, session, today) if due.at_ns <= at_ns]
        if not past or past[-1].step is Step.END:
            return [_OVER]
        return past

    def _day(self, exchange: Exchange, session: str, day: date) -> Iterator[_Due]:
        """Yield what happens in a session on a day in India."""
        assert self._hours is not None, "always open"
        midnight_ns = (day - _EPOCH).days * DAY_NS - IST_NS
        for moment in self._hours.moments(exchange, session, day):
            at_ns = midnight_ns + moment.minute * MINUTE_NS
            if moment.random_seconds:
                chance = Random(f"{self._seed} {exchange} {day} {moment.minute}")
                at_ns += chance.randrange(moment.random_seconds) * NS_PER_SECOND
            yield _Due(at_ns, exchange, session, moment)

    def _after(self, exchange: Exchange, session: str, after_ns: int) -> _Due:
        """Return what happens next in a session after a time."""
        today = day_at(after_ns)
        for ahead in range(_LONGEST_WAIT_DAYS):
            for due in self._day(exchange, session, today + timedelta(days=ahead)):
                if due.at_ns > after_ns:
                    return due
        raise AssertionError(f"{session} trades within {_LONGEST_WAIT_DAYS} days")

    def _do(self, exchange: Exchange, session: str, moment: Moment, at_ns: int) -> None:
        engine, step = self._engine, moment.step
        if step is Step.CUT_OFF:
            engine.step(StopCovers(exchange, session), at_ns)
            return
        if step is Step.SQUARE_OFF:
            engine.step(SquareOff(exchange, session), at_ns)
            return
        phase = _PHASES.get(step, moment.phase)
        engine.change_phase(
            session_change(exchange, phase, session),
            lambda now_ns: self._set_phase(exchange, phase, now_ns, session),
            at_ns,
        )


def _course(past: list[Moment]) -> Iterator[tuple[Phase, bool, bool]]:
    """Yield where a session stands after each moment: phase, no new covers, squared off."""
    phase, covers_stopped, squared_off = Phase.CLOSED, True, True
    for moment in past:
        if moment.step is Step.OPEN:
            phase, covers_stopped, squared_off = Phase.OPEN, False, False
        elif moment.step is Step.END:
            phase, covers_stopped, squared_off = Phase.CLOSED, True, True
        elif moment.step is Step.PHASE:
            phase, covers_stopped = moment.phase, True
            if phase is not Phase.BUFFER:
                squared_off = phase not in OPENING
        else:
            covers_stopped = True
            squared_off = squared_off or moment.step is Step.SQUARE_OFF
        yield phase, covers_stopped, squared_off


def day_at(at_ns: int) -> date:
    """Return the day of an instant in India."""
    return _EPOCH + timedelta(days=(at_ns + IST_NS) // DAY_NS)


_PHASES: Final = {Step.OPEN: Phase.OPEN, Step.END: Phase.CLOSED}
_ALWAYS_OPEN: Final = Moment(0, Step.OPEN)
_OVER: Final = Moment(0, Step.END)
