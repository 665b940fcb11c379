"""Sessions open, square off and end by the calendar, in order, once, and across restarts."""

from datetime import datetime

import msgspec
import pytest

from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.calendar import NSE_HOURS, Calendar, Hours
from kavach.engine.engine import Engine
from kavach.engine.record import decode_record
from kavach.exchange.messages import Phase
from kavach.journal.memory import MemoryJournal
from kavach.units import Exchange, InstrumentKey, TimestampNs
from kavach.venues.embedded import EmbeddedVenue, VenueAnswer

MONDAY = "2027-01-04"


def at(moment: str) -> int:
    """Return a time in India, as ``2027-01-04T09:15``, in nanoseconds."""
    return int(datetime.fromisoformat(f"{moment}+05:30").timestamp()) * 1_000_000_000


class Standing:
    """A clock that a test sets."""

    def __init__(self, moment: str) -> None:
        self.time_ns = at(moment)

    def now_ns(self) -> int:
        """Return the time that was set."""
        return self.time_ns


class Day:
    """An engine with sessions, on a journal that outlives it."""

    def __init__(
        self, moment: str, journal: MemoryJournal | None = None, *, always_open: bool = False
    ) -> None:
        instruments = load_instruments()
        self.journal = journal or MemoryJournal()
        self.clock = Standing(moment)
        self.venue = EmbeddedVenue(instruments)
        self.engine = Engine(instruments, Settings(), self.journal, self.venue, self.clock)
        self.engine.recover()
        self.calendar = Calendar(self.engine, self._set_phase, {} if always_open else NSE_HOURS)
        self.calendar.start()
        self.engine.add_source(self.calendar)
        self.go(moment)

    def _set_phase(self, exchange: Exchange, phase: Phase, at_ns: int) -> VenueAnswer:
        events = self.venue.exchange.set_phase(exchange, phase, TimestampNs(at_ns))
        return self.venue.reports_of(events, InstrumentKey(""))

    def go(self, moment: str) -> "Day":
        """Let it become this late."""
        self.clock.time_ns = at(moment)
        self.engine.catch_up(self.engine.now_ns())
        return self

    def phases(self) -> str:
        """Return the segments that trade; those that take no new entries in small letters."""
        stopped = self.engine.state.entries_stopped
        shown = []
        for exchange in Exchange:
            is_open = self.venue.exchange.phase(exchange) is Phase.OPEN
            assert is_open == (exchange.value not in self.engine.state.sessions_closed)
            if is_open:
                name = exchange.value
                shown.append(name.lower() if name in stopped else name)
        return " ".join(shown)

    def told(self) -> list[tuple[str, str]]:
        """Return time of day and cause of every record so far."""
        records = [decode_record(body) for _, body in self.journal.records()]
        return [(_clock(record.at_ns), record.cause) for record in records]


def _clock(at_ns: int) -> str:
    seconds = (at_ns // 1_000_000_000 + 19_800) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


@pytest.mark.parametrize(
    ("moment", "phases"),
    [
        (f"{MONDAY}T00:00", ""),
        (f"{MONDAY}T08:59", ""),
        (f"{MONDAY}T09:00", "MCX CDS"),
        (f"{MONDAY}T09:15", "NSE BSE NFO BFO MCX CDS"),
        (f"{MONDAY}T15:04", "NSE BSE NFO BFO MCX CDS"),
        (f"{MONDAY}T15:05", "nse bse NFO BFO MCX CDS"),
        (f"{MONDAY}T15:15", "NFO BFO MCX CDS"),
        (f"{MONDAY}T15:25", "nfo bfo MCX CDS"),
        (f"{MONDAY}T15:40", "MCX CDS"),
        (f"{MONDAY}T16:45", "MCX cds"),
        (f"{MONDAY}T17:00", "MCX"),
        (f"{MONDAY}T23:00", "mcx"),
        (f"{MONDAY}T23:30", ""),
        ("2027-01-09T11:00", ""),
        ("2027-01-10T11:00", ""),
    ],
)
def test_the_time_of_day_decides(moment: str, phases: str) -> None:
    """A start finds the phases of its time, and so does a day that got there step by step."""
    assert Day(moment).phases() == phases
    assert Day("2027-01-03T12:00").go(moment).phases() == phases


def test_a_day_is_told_in_order() -> None:
    """Each moment is one record a segment, at its own time, however late the clock looks."""
    day = Day(f"{MONDAY}T00:00")
    before = len(day.told())
    day.go("2027-01-05T00:00")
    told = day.told()[before:]
    assert [moment for moment, _ in told] == sorted(moment for moment, _ in told)
    assert told[:2] == [("09:00", "OpenSession")] * 2
    assert told[-1] == ("23:30", "EndSession")
    assert len(told) == 3 * len(Exchange)


def test_looking_twice_changes_nothing() -> None:
    """What was done is not done again."""
    day = Day(f"{MONDAY}T10:00")
    before = day.told()
    assert day.go(f"{MONDAY}T10:00").told() == before


def test_nothing_is_due_at_the_weekend() -> None:
    """From Friday's last close the next moment is Monday's first opening."""
    day = Day("2027-01-08T23:30")
    assert day.engine.next_due_ns() == at("2027-01-11T09:00")


def test_always_open_has_no_moments() -> None:
    """Without hours everything trades, and nothing is ever due."""
    day = Day("2027-01-09T03:00", always_open=True)
    assert day.phases() == "NSE BSE NFO BFO MCX CDS"
    assert day.engine.next_due_ns() is None
    assert day.told() == []


def test_a_restart_makes_up_for_what_was_missed() -> None:
    """Sessions that opened and ended while nothing ran are gone through at their own times."""
    first = Day(f"{MONDAY}T08:00").go(f"{MONDAY}T14:00")
    told = len(first.told())
    second = Day("2027-01-05T10:00", first.journal)
    assert second.phases() == "NSE BSE NFO BFO MCX CDS"
    made_up = second.told()[told:]
    assert made_up[0] == ("15:05", "SquareOff")
    assert made_up[-1] == ("09:15", "OpenSession")


def test_a_restart_in_the_same_session_changes_nothing() -> None:
    """Nothing is said twice of a session that goes on."""
    first = Day(f"{MONDAY}T08:00").go(f"{MONDAY}T14:00")
    told = first.told()
    assert Day(f"{MONDAY}T14:30", first.journal).told() == told


def test_a_restart_may_choose_other_sessions() -> None:
    """What the sessions closed is open again without them, and the other way round."""
    closed = Day(f"{MONDAY}T20:00")
    opened = Day(f"{MONDAY}T20:05", closed.journal, always_open=True)
    assert opened.phases() == "NSE BSE NFO BFO MCX CDS"
    assert Day(f"{MONDAY}T20:10", opened.journal).phases() == "MCX"
    squared_off = Day(f"{MONDAY}T15:10")
    opened = Day(f"{MONDAY}T15:11", squared_off.journal, always_open=True)
    assert opened.phases() == "NSE BSE NFO BFO MCX CDS"


def test_hours_run_forwards() -> None:
    """A day whose square-off comes after its end is no day."""
    with pytest.raises(AssertionError, match="forwards"):
        Hours(540, 1000, 900)
    assert all(isinstance(hours, msgspec.Struct) for hours in NSE_HOURS.values())
