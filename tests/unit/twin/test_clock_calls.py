"""The clock and session calls: time passes when the operator says so, and everything happens."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import sleep

import pytest

from kavach.core.model.cover.tables import State
from kavach.engine.clock_port import TimeSource
from kavach.twin import calls
from kavach.twin.travel import travel
from kavach.units import OrderType, Pips
from tests.unit.twin.stage import ADDRESS, START_NS, Served, Stage

SECOND = 1_000_000_000


class Diary(TimeSource):
    """Something that is due every so often, and remembers when it was called."""

    def __init__(self, stage: Stage, every_ns: int) -> None:
        self.seen: list[tuple[int, int]] = []
        self._stage = stage
        self.every_ns = every_ns
        self._due_ns = stage.engine.now_ns() + every_ns

    def next_due_ns(self) -> int | None:
        """Return when it is due."""
        return self._due_ns

    def fire(self, at_ns: int) -> None:
        """Write down when it was called, and what the clock showed."""
        self.seen.append((at_ns, self._stage.clock.now_ns()))
        self._due_ns += self.every_ns


def test_the_clock_tells_the_time_in_india(served: Served) -> None:
    """The time is told as ISO 8601 in Indian time and as nanoseconds, with how it runs."""
    assert served.get("clock") == {
        "now": "2026-11-19T09:30:00.000000+05:30",
        "now_ns": START_NS,
        "paused": False,
        "speed": 1,
    }


def test_it_is_paused_and_resumed(served: Served) -> None:
    """A paused clock stands while the wall goes on, and runs on when it is resumed."""
    assert served.post("clock", action="pause")["paused"] is True
    served.stage.wall_ns += 60 * SECOND
    assert served.get("clock")["now_ns"] == START_NS
    assert served.post("clock", action="resume")["paused"] is False
    served.stage.wall_ns += SECOND
    assert served.get("clock")["now_ns"] == START_NS + SECOND


def test_everything_due_happens_on_the_way_at_its_own_time(served: Served) -> None:
    """An advance calls whatever is due in order, and the clock shows each its own time."""
    diary = served.do(lambda: Diary(served.stage, 10 * SECOND))
    served.do(lambda: served.stage.engine.add_source(diary))
    answer = served.post("clock", action="advance", seconds=35)
    times = [START_NS + n * 10 * SECOND for n in (1, 2, 3)]
    assert diary.seen == [(time, time) for time in times]
    assert answer["now_ns"] == START_NS + 35 * SECOND
    answer = served.post("clock", action="set", to="2026-11-19T09:30:40.000001+05:30")
    assert answer["now"] == "2026-11-19T09:30:40.000001+05:30"
    assert len(diary.seen) == 4


def test_an_exit_is_repriced_on_the_way(served: Served) -> None:
    """An exit that nobody takes reaches further at each of its times, down to the band's edge."""
    cover = served.place()
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=100)
    served.post("market/trade", **ADDRESS, price=12, quantity=1)
    assert cover.state.value == "TRIGGERED"
    served.post("clock", action="advance", seconds=9)
    assert cover.state.value == "EXITING"
    assert cover.exits[0].price_pips == 104_000
    assert served.get("audit")["violations"] == []


def test_too_much_on_the_way_ends_early_and_says_so(served: Served) -> None:
    """A journey with too much due ends where it has got to, and can be gone on with."""
    diary = served.do(lambda: Diary(served.stage, 1_000))

    async def go() -> bool:
        served.stage.engine.add_source(diary)
        return await travel(served.stage, START_NS + 3_600 * SECOND, limit_seconds=0.05)

    arrived = asyncio.run_coroutine_threadsafe(go(), served.loop).result(30)
    clock = served.get("clock")
    assert not arrived
    assert START_NS < clock["now_ns"] < START_NS + 3_600 * SECOND
    assert diary.seen[-1][0] == clock["now_ns"]


def test_one_journey_at_a_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the clock is being set, another call to set it is refused, and others are answered."""
    # It ends when the test says so, and not when a slow machine has spent its seconds.
    monkeypatch.setattr(calls, "travel", partial(travel, limit_seconds=600))
    diary = served.do(lambda: Diary(served.stage, 1_000))  # Too often to get far.
    served.do(lambda: served.stage.engine.add_source(diary))
    with ThreadPoolExecutor(1) as pool:
        journey = pool.submit(served.post, "clock", action="advance", seconds=300)
        while not served.stage.clock.travelling:
            assert not journey.done(), "there is no journey"
            sleep(0.001)  # The server shares this process.
        other = served.http.post("/twin/v1/clock", json={"action": "advance", "seconds": 1})
        reset = served.http.post("/twin/v1/reset")
        look = served.http.get("/twin/v1/market/NSE/14366")
        assert not journey.done()
        diary.every_ns = 3_600 * SECOND
        answer = journey.result(30)
    assert (other.status_code, reset.status_code, look.status_code) == (409, 409, 200)
    assert answer["now_ns"] == START_NS + 300 * SECOND


def test_a_day_with_a_restless_order_is_quick(served: Served) -> None:
    """A market entry that nobody takes looks twice a second, and a trading day still ends."""
    cover = served.place(order_type=OrderType.MARKET, price_pips=Pips(0))
    answer = served.post("clock", action="advance", seconds=22_500)
    assert answer["now_ns"] == START_NS + 22_500 * SECOND
    assert cover.state.value == "ENTRY_OPEN"


def test_a_session_is_closed_and_opened(served: Served) -> None:
    """Closing a session expires what rests and carries what is held; opening it trades again.

    What was carried of an intraday order leaves at the opening, so a new order must not meet it.
    """
    entered = served.place(price_pips=Pips(125_000))
    held = served.place()
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=100)
    answer = served.post("session", exchange="NSE", phase="closed")
    closed = served.state_hash()
    assert answer == served.post("session", exchange="NSE", phase="closed")
    assert answer == {"exchange": "NSE", "phase": "closed"}
    assert served.state_hash() == closed
    assert (entered.state, held.state) == (State.EXPIRED, State.CARRIED)
    assert served.get("market/NSE/14366")["phase"] == "closed"
    assert served.get("market/BSE/532461")["phase"] == "open"
    error = served.refused("session", {"exchange": "NSE", "phase": "shut"})
    assert error.startswith("phase: must be one of open, closed, pre_open")
    error = served.refused("session", {"exchange": "NSE", "phase": "open", "session": "NFO"})
    assert error == "session: must be one of NSE, NSE-CAS"
    error = served.refused("market/trade", {**ADDRESS, "price": 13, "quantity": 1})
    assert error == "exchange: NSE-CAS is closed"
    assert served.get("audit")["violations"] == []
    served.post("session", exchange="NSE", phase="open")
    assert held.state is State.EXITING
    assert served.place(price_pips=Pips(115_000), stop_price_pips=Pips(110_000)).state is (
        State.ENTRY_OPEN
    )
    assert served.get("audit")["violations"] == []
