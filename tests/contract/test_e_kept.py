"""What is kept of orders follows them, through days, ends, reopenings and a restart."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import msgspec
import pytest

from kavach.api.feed.snapshot import snapshot
from kavach.api.gateway.gateway import LONG_MAX
from kavach.api.http.listing import ROWS_PER_PIECE
from kavach.api.rows import kept_rows
from kavach.core.commands import Leg
from kavach.core.day import DAY_NS, next_midnight_ns
from kavach.core.model.orders.indexed import FEW, Indexed
from kavach.core.model.orders.parent_order import Trade
from kavach.core.model.state import OmsSnapshot, OmsState
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.units import Pips, Quantity
from kavach.wire.orders.rows import OrderRow
from tests.contract.kept_check import check_index, check_rows
from tests.unit.api.world import BEARER, NOW_NS, World, running


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world."""
    with running() as world:
        yield world


def restored(snapshot: OmsSnapshot) -> OmsState:
    """Return the state that a snapshot holds."""
    state = OmsState(load_instruments(), Settings())
    state.restore(snapshot)
    return state


def live(world: World) -> None:
    """Let orders of three days be placed, filled, cancelled and left open."""
    for day in range(3):
        rows = [world.place(user_order_id=10 * day + number) for number in range(4)]
        world.cancel(rows[0])
        world.fill(rows[1], 4, 130_000)
        world.fill(rows[2], 10, 130_000)
        world.do(lambda: world.desk.later(86_400))
    for row in world.rows("pending")[:3]:
        world.cancel(row)


def test_a_restart_knows_what_is_open_and_of_which_day(world: World) -> None:
    """From a snapshot the same orders are open, belong to the same days and block the same."""
    live(world)
    state = world.desk.state
    check_index(state)
    check_rows(state)
    again = restored(state.snapshot())
    check_index(again)
    midnight = next_midnight_ns(NOW_NS)
    for day in range(4):
        end_ns = midnight + day * DAY_NS
        then = [one.order_id for one in state.index.between("DEMO1", end_ns - DAY_NS, end_ns)]
        assert then == [
            one.order_id for one in again.index.between("DEMO1", end_ns - DAY_NS, end_ns)
        ]
        assert then
    assert again.index.blocked == state.index.blocked


def test_an_order_that_is_opened_again_has_its_place(world: World) -> None:
    """The open orders are in the order in which they came, whatever happened to them meanwhile."""
    first, second = (world.place(user_order_id=number) for number in (1, 2))
    state = world.desk.state
    one = state.parents[int(first["oms_order_id"])]
    state.index.end(one)
    assert [str(o.order_id) for o in state.living_of("DEMO1")] == [second["oms_order_id"]]
    state.index.reopen(one)
    found = [str(o.order_id) for o in state.living_of("DEMO1")]
    assert found == [first["oms_order_id"], second["oms_order_id"]]


def test_members_of_a_long_list_are_found_by_their_key() -> None:
    """Also those that came later; and the list is written as any other."""

    def trade(number: int) -> Trade:
        return Trade(number, f"T{number}", 1, Leg.ENTRY, "X", Quantity(1), Pips(130_000))

    plain = [trade(number) for number in range(FEW)]
    trades = Indexed(plain, lambda one: one.trade_id)
    assert trades.find("T3") is trades[3] and trades.find("T99") is None
    assert msgspec.msgpack.encode(trades) == msgspec.msgpack.encode(plain)
    trades.append(trade(99))
    assert trades.find("T99") is trades[-1] and trades.find("T100") is None


def test_a_book_that_changes_while_it_is_read_is_read_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders that change between the steps of a reading are shown as they are at its end."""
    placed = [world.place(user_order_id=number) for number in range(40)]
    state = world.desk.state
    state.derived.clear()

    def read() -> list[bytes]:
        wanted = frozenset({False, True})
        plan = kept_rows.order_rows(state, lambda: state.orders_of("DEMO1"), wanted)
        steps = 0
        while True:
            try:
                next(plan)
            except StopIteration as end:
                assert steps > 2, "it has paused"
                found: list[bytes] = end.value
                return found
            steps += 1
            state.derived.pop(int(placed[steps]["oms_order_id"]), None)

    worded = world.do(read)
    assert len(worded) == 40
    shown = world.http.get("/api/v1/orders?type=all", headers=BEARER).json()["data"]["orders"]
    assert [row["user_order_id"] for row in shown] == [str(number) for number in range(40)]
    assert list(shown[0]) == list(OrderRow.__struct_fields__)


@pytest.mark.parametrize("written", ["2024-6-13", "yesterday", "20240613", "2024-02-30"])
def test_a_day_that_is_none_is_refused(world: World, written: str) -> None:
    """The field is named, and how a day is written."""
    for path in ("/api/v1/orders?type=all&", "/api/v1/trades?"):
        answer = world.http.get(f"{path}date={written}", headers=BEARER)
        assert answer.status_code == 400
        assert "date" in answer.json()["message"] and "YYYY-MM-DD" in answer.json()["message"]


def test_trades_are_the_days(world: World) -> None:
    """A trade belongs to the day on which it was made, whenever its order was placed."""
    row = world.place(quantity=10, product="CNC")
    world.fill(row, 4, 130_000)
    world.do(lambda: world.desk.later(86_400))
    world.fill(row, 6, 130_000)
    quantities = []
    for query in ("", "?date=2024-06-13", "?date=2024-06-14", "?date=2024-06-12"):
        answer = world.http.get(f"/api/v1/trades{query}", headers=BEARER).json()
        quantities.append([trade["trade_quantity"] for trade in answer["data"]["trades"]])
    assert quantities == [[6], [4], [6], []]


def test_a_snapshot_of_the_feed_is_worded_in_steps_and_once(world: World) -> None:
    """All rows of a client in one update take several steps at first, and none the next time."""
    row = world.place(quantity=100)
    for _ in range(20):
        world.fill(row, 1, 130_000)
    for number in range(60):
        world.place(user_order_id=8_000 + number)
    state, core = world.desk.state, world.desk.core
    state.derived.clear()

    def take() -> tuple[int, bytes]:
        plan = snapshot(state, "DEMO1", core.last_price)
        steps = 0
        while True:
            try:
                next(plan)
            except StopIteration as end:
                return steps, end.value
            steps += 1

    (first, told), (second, again) = world.do(take), world.do(take)
    assert first > 3 and second == 0
    assert told == again
    found = json.loads(told)
    assert found["complete"] is True
    assert (len(found["orders"]), len(found["trades"])) == (62, 20)
    assert [trade["volume_filled_today"] for trade in found["trades"]] == list(range(1, 21))


def test_long_answers_of_one_client_are_bounded(world: World) -> None:
    """While sixteen long books wait for the disk the next is 503 BUSY; then all is well again."""
    for number in range(ROWS_PER_PIECE + 1):
        world.place(user_order_id=number + 1)
    path = "/api/v1/orders?type=all"
    world.desk.disk.clear()
    with ThreadPoolExecutor(LONG_MAX) as pool, ThreadPoolExecutor(1) as pool_of_one:
        waiting = [
            pool.submit(httpx.get, f"{world.url}{path}", headers=BEARER, timeout=30)
            for _ in range(LONG_MAX)
        ]
        late = pool_of_one.submit(httpx.get, f"{world.url}{path}", headers=BEARER, timeout=30)
        refused = next(as_completed([*waiting, late])).result()  # Whoever came last of them.
        assert refused.status_code == 503
        assert refused.headers["x-error-reason"] == "BUSY"
        world.desk.disk.set()
        answers = [one.result() for one in (*waiting, late)]
    served = [one for one in answers if one.status_code == 200]
    assert len(served) == LONG_MAX
    assert {len(one.json()["data"]["orders"]) for one in served} == {ROWS_PER_PIECE + 1}
    assert world.http.get(path, headers=BEARER).status_code == 200
    head = world.http.head(path, headers=BEARER)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(served[0].content)
