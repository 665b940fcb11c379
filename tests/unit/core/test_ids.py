"""Ids of the day and the agenda: dates of India, counters, and who is called when."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.state import OmsState
from kavach.core.rules.context import StepContext
from kavach.core.rules.timers import Timers
from kavach.core.settings import Settings
from kavach.units import InstrumentKey
from tests.unit.core.scenario import Scene
from tests.unit.core.stocks import stock

IST = timezone(timedelta(hours=5, minutes=30))


@given(second=st.integers(0, 4_000_000_000))
def test_the_day_is_the_date_in_india(second: int) -> None:
    """The day of an id is the calendar date in India, leap years and centuries included."""
    desk = StepContext(OmsState([stock()], Settings()), {})
    desk.now_ns = second * 10**9
    there = datetime.fromtimestamp(second, tz=UTC).astimezone(IST)
    assert desk.day() == int(there.strftime("%Y%m%d"))


def test_ids_begin_anew_at_midnight_in_india() -> None:
    """The last id of one day and the first of the next differ in date, and the counter restarts."""
    scene = Scene()
    midnight = datetime(2026, 11, 24, 0, 0, tzinfo=IST)
    scene.clock.at_ns = int(midnight.timestamp()) * 10**9 - 2_000
    ids = []
    for _ in range(3):
        scene.tell("place 1 @ 13 stop 12")
        assert scene.cover is not None
        ids += [scene.cover.basket_id, scene.cover.order_id]
    assert ids == [202611231, 202611232, 202611241, 202611242, 202611243, 202611244]


def test_the_stop_gets_an_id_at_the_first_fill() -> None:
    """The stop's row has an id of its own from the first fill on, and keeps it."""
    scene = Scene()
    scene.tell("place 100 @ 13 stop 12")
    scene.tell("E1 acked")
    assert scene.cover is not None
    assert scene.cover.stop.order_id == 0
    scene.tell("E1 traded 10")
    first = scene.cover.stop.order_id
    scene.tell("E1 traded 10")
    assert first == scene.cover.stop.order_id == int(f"{scene.cover.order_id}") + 1


def _cover(cover_id: int) -> CoverOrder:
    scene = Scene()
    scene.tell("place 1 @ 13 stop 12")
    assert scene.cover is not None
    scene.cover.order_id = cover_id
    return scene.cover


def test_the_agenda_calls_in_order_and_once() -> None:
    """Whoever is due is called, earliest first, and a later wish replaces an earlier one."""
    timers = Timers()
    for cover_id, at_ns in ((1, 300), (2, 100), (3, 200), (2, 400), (3, 0)):
        timers.wake(cover_id, at_ns)
    assert timers.next_due_ns() == 300
    assert timers.take_due(299) is None
    assert [timers.take_due(1_000) for _ in range(3)] == [1, 2, None]
    assert timers.next_due_ns() is None


def test_the_agenda_knows_who_watches_a_price() -> None:
    """An order watches its own instrument, until it wants no more."""
    timers, one, other = Timers(), _cover(1), _cover(2)
    timers.watch(one, wants=True)
    timers.watch(other, wants=True)
    timers.watch(one, wants=False)
    assert timers.watchers(stock().key) == [other]
    assert timers.watchers(InstrumentKey("NSE:9")) == []
