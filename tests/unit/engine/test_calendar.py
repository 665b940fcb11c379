"""Sessions open, square off and end by the calendar, in order, once, and across restarts."""

from datetime import date, datetime, timedelta

import pytest

from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.calendar import Calendar
from kavach.engine.engine import Engine
from kavach.engine.record import decode_record
from kavach.engine.trading_hours import NSE_HOURS, Hours, Moment, Step, TradingHours, us_summer
from kavach.instruments import SESSIONS
from kavach.journal.memory import MemoryJournal
from kavach.trading_days import TradingDays
from kavach.units import Exchange, Phase
from kavach.venues.embedded import EmbeddedVenue

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
        hours = None if always_open else TradingHours(NSE_HOURS, TradingDays())
        self.calendar = Calendar(self.engine, self.venue.set_phase, hours)
        self.calendar.start()
        self.engine.add_source(self.calendar)
        self.go(moment)

    def go(self, moment: str) -> "Day":
        """Let it become this late."""
        self.clock.time_ns = at(moment)
        self.engine.catch_up(self.engine.now_ns())
        return self

    def phases(self) -> str:
        """
        Return the sessions that are not closed.

        Those that take no more cover orders with a minus, those that are squared off in small
        letters, those in an auction with its phase.
        """
        sessions = self.engine.state.sessions
        shown = []
        for name in [name for names in SESSIONS.values() for name in names]:
            phase = self.venue.exchange.phase(name)
            assert phase is sessions.phase(name), name
            if phase is Phase.CLOSED:
                continue
            if phase is not Phase.OPEN:
                shown.append(f"{name}:{phase.value}")
            elif name in sessions.entries_stopped:
                shown.append(name.lower())
            else:
                shown.append(f"{name}-" if name in sessions.covers_stopped else name)
        return " ".join(shown)

    def told(self) -> list[tuple[str, str]]:
        """Return time of day and cause of every record so far."""
        records = [decode_record(body) for _, body in self.journal.records()]
        return [(_clock(record.at_ns), record.cause) for record in records]


def _clock(at_ns: int) -> str:
    seconds = (at_ns // 1_000_000_000 + 19_800) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


CASH = "NSE NSE-CAS BSE BSE-CAS"
REST = "NFO BFO MCX CDS"


def each(phase: str) -> str:
    """Return the sessions with a closing auction in one of its phases, the others squared off."""
    return f"nse NSE-CAS:{phase} bse BSE-CAS:{phase} nfo bfo MCX CDS"


@pytest.mark.parametrize(
    ("moment", "phases"),
    [
        (f"{MONDAY}T00:00", ""),
        (f"{MONDAY}T08:59", ""),
        (
            f"{MONDAY}T09:00",
            "NSE:pre_open NSE-CAS:pre_open BSE:pre_open BSE-CAS:pre_open MCX CDS",
        ),
        (
            f"{MONDAY}T09:10",
            ("NSE:buffer NSE-CAS:buffer BSE:buffer BSE-CAS:buffer MCX CDS"),
        ),
        (f"{MONDAY}T09:15", f"{CASH} {REST}"),
        (f"{MONDAY}T15:09", f"{CASH} {REST}"),
        (f"{MONDAY}T15:10", f"NSE NSE-CAS- BSE BSE-CAS- {REST}"),
        (f"{MONDAY}T15:12", f"NSE nse-cas BSE bse-cas {REST}"),
        (
            f"{MONDAY}T15:15",
            f"NSE- NSE-CAS:closing_reference BSE- BSE-CAS:closing_reference {REST}",
        ),
        (
            f"{MONDAY}T15:20",
            "nse NSE-CAS:closing_auction bse BSE-CAS:closing_auction NFO- BFO- MCX CDS",
        ),
        (f"{MONDAY}T15:25", each("closing_auction_limit")),
        (
            f"{MONDAY}T15:30",
            "NSE-CAS:buffer BSE-CAS:buffer nfo bfo MCX CDS",
        ),
        (f"{MONDAY}T15:35", "nfo bfo MCX CDS"),
        (f"{MONDAY}T15:40", "MCX CDS"),
        (f"{MONDAY}T16:40", "MCX CDS-"),
        (f"{MONDAY}T16:45", "MCX cds"),
        (f"{MONDAY}T17:00", "MCX"),
        (f"{MONDAY}T23:25", "mcx"),  # New York has winter time.
        (f"{MONDAY}T23:54", "mcx"),
        (f"{MONDAY}T23:55", ""),
        ("2027-07-05T23:29", "mcx"),
        ("2027-07-05T23:30", ""),
        ("2027-01-09T11:00", ""),
        ("2027-01-10T11:00", ""),
        ("2026-07-31T15:15", "NSE- NSE-CAS- BSE- BSE-CAS- NFO BFO MCX CDS"),  # No auction yet.
        ("2026-12-25T11:00", ""),
        ("2026-12-25T19:00", ""),
        ("2026-11-24T11:00", ""),
        ("2026-11-24T19:00", "MCX"),  # Commodities trade in the evening of most holidays.
        ("2026-11-08T17:59", ""),  # Muhurat, a Sunday.
        ("2026-11-08T18:30", f"{CASH} {REST}"),
        ("2026-11-08T18:50", "nse nse-cas bse bse-cas nfo bfo mcx cds"),
        ("2026-11-08T19:00", ""),
    ],
)
def test_the_time_of_day_decides(moment: str, phases: str) -> None:
    """A start finds the phases of its time, and so does a day that got there step by step."""
    assert Day(moment).phases() == phases
    eve = datetime.fromisoformat(moment[:10]) - timedelta(days=1)
    assert Day(f"{eve:%Y-%m-%d}T12:00").go(moment).phases() == phases


def test_a_day_is_told_in_order() -> None:
    """Each moment is one record a segment, at its own time, however late the clock looks."""
    day = Day(f"{MONDAY}T00:00")
    before = len(day.told())
    day.go("2027-01-05T00:00")
    told = day.told()[before:]
    assert [moment for moment, _ in told] == sorted(moment for moment, _ in told)
    assert told[:6] == [("09:00", "BeginPhase")] * 4 + [("09:00", "OpenSession")] * 2
    assert told[-1] == ("23:55", "EndSession")
    assert len(told) == 6 * 2 + 10 * 2 + 4 * 4  # Cash, with a closing auction, the rest.


def test_looking_twice_changes_nothing() -> None:
    """What was done is not done again."""
    day = Day(f"{MONDAY}T10:00")
    before = day.told()
    assert day.go(f"{MONDAY}T10:00").told() == before


def test_nothing_is_due_at_the_weekend() -> None:
    """From Friday's last close the next moment is Monday's first opening."""
    day = Day("2027-01-08T23:55")
    assert day.engine.next_due_ns() == at("2027-01-11T09:00")


def test_always_open_has_no_moments() -> None:
    """Without hours everything trades, and nothing is ever due."""
    day = Day("2027-01-09T03:00", always_open=True)
    assert day.phases() == f"{CASH} {REST}"
    assert day.engine.next_due_ns() is None
    assert day.told() == []


def test_a_restart_makes_up_for_what_was_missed() -> None:
    """Sessions that opened and ended while nothing ran are gone through at their own times."""
    first = Day(f"{MONDAY}T08:00").go(f"{MONDAY}T14:00")
    told = len(first.told())
    second = Day("2027-01-05T10:00", first.journal)
    assert second.phases() == f"{CASH} {REST}"
    made_up = second.told()[told:]
    assert made_up[0] == ("15:10", "StopCovers")
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
    assert opened.phases() == f"{CASH} {REST}"
    assert Day(f"{MONDAY}T20:10", opened.journal).phases() == "MCX"
    squared_off = Day(f"{MONDAY}T15:10")
    opened = Day(f"{MONDAY}T15:11", squared_off.journal, always_open=True)
    assert opened.phases() == f"{CASH} {REST}"


def test_hours_run_forwards() -> None:
    """A day whose square-off comes after its end is no day, nor one that does not end."""
    opens = Moment(540, Step.OPEN)
    backwards = Hours(Exchange.NSE, "NSE", (opens, Moment(530, Step.END)))
    with pytest.raises(AssertionError, match="forwards"):
        TradingHours([backwards], TradingDays())
    with pytest.raises(AssertionError, match="ends"):
        TradingHours([Hours(Exchange.NSE, "NSE", (opens,))], TradingDays())


def test_an_auction_closes_at_a_time_that_the_seed_chooses() -> None:
    """Between 15:28 and 15:30, another on other days, the same on the same day."""
    closes = []
    for number in range(4, 9):
        day = f"2027-01-{number:02}"
        due_ns = [Day(f"{day}T15:28").engine.next_due_ns() for _ in range(2)]
        assert due_ns[0] == due_ns[1], "the same seed and day"
        assert due_ns[0] is not None
        closes.append(due_ns[0] - at(f"{day}T15:28"))
    assert all(0 < after_ns < 120 * 1_000_000_000 for after_ns in closes)
    assert len(set(closes)) > 1, closes


def test_new_york_has_summer_time() -> None:
    """From the second Sunday of March to the first of November; commodities close earlier then."""
    assert not us_summer(date(2026, 3, 7))
    assert us_summer(date(2026, 3, 8))
    assert us_summer(date(2026, 10, 31))
    assert not us_summer(date(2026, 11, 1))
    assert us_summer(date(2027, 3, 14))
