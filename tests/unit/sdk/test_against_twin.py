"""
The client against the whole program: ``kavach serve`` in a process of its own, spoken to over HTTP.

What others do in the market comes through the control room, as a person would do it.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from kavach.sdk import (
    AsyncPocket,
    AuthError,
    CancelOutcome,
    CoverOrder,
    InvalidRequest,
    OutcomeUnknown,
    Pocket,
    RequestRefused,
    Settled,
)
from tests.unit.sdk.test_vendor_names import PUBLISHED_EXAMPLE

ROOT = Path(__file__).parents[3]
START_SECONDS_MAX = 30.0
IDEA = {"exchange": "NSE", "instrument_token": 14366}
ORDER: dict[str, Any] = IDEA | {
    "side": "BUY",
    "quantity": 10,
    "price": "12.90",
    "stop_loss": "12.50",
}


class Twin:
    """A running twin: where it is, who may ask, and its control room."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.url: str = ready["url"]
        self.client_id: str = ready["client_id"]
        self.access_token: str = ready["access_token"]
        self.pid: int = ready["pid"]
        self.room = httpx.Client(
            base_url=f"{self.url}/twin/v1/",
            headers={"Authorization": f"Bearer {ready['operator_token']}"},
        )

    def does(self, call: str, **fields: Any) -> Any:
        """Let the operator do something."""
        answer = self.room.post(call, json=fields)
        assert answer.is_success, answer.text
        return answer.json()

    def trades(self, side: str, price: str, quantity: int) -> None:
        """Let somebody bid for, or offer, this much."""
        self.does("market/order", **IDEA, side=side, price=price, quantity=quantity)

    def pocket(self, **arguments: Any) -> Pocket:
        """Return a client of the twin."""
        told = {"access_token": self.access_token, "base_url": self.url} | arguments
        return Pocket(self.client_id, **told)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """Return a twin in its own process; it is stopped as an operator would stop it."""
    ready = tmp_path_factory.mktemp("twin") / "ready.json"
    command = [sys.executable, "-m", "kavach", "serve", "--port", "0", "--data-dir", ":memory:"]
    command += ["--market", "quiet", "--limits", "off", "--ready-file", str(ready)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not ready.exists():
            assert process.poll() is None, "the twin did not start"
            assert time.monotonic() < deadline, "the twin did not get ready"
            time.sleep(0.02)
        twin = Twin(msgspec.json.decode(ready.read_bytes()))
        yield twin
        twin.room.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


@pytest.fixture
def twin(program: Twin) -> Iterator[Twin]:
    """Return the twin with a fresh world in it; afterwards every invariant must still hold."""
    program.does("reset")
    yield program
    assert program.room.get("audit").json()["violations"] == []


@pytest.fixture
def pocket(twin: Twin) -> Iterator[Pocket]:
    """Return a client of the twin."""
    with twin.pocket() as made:
        yield made


def filled(twin: Twin, pocket: Pocket, quantity: int = 10) -> CoverOrder:
    """Return a cover order of which this much has traded."""
    order = pocket.place_cover_order(**ORDER)
    twin.trades("SELL", "12.90", quantity)
    return pocket.cover_order(order)


def test_place_find_cancel(pocket: Pocket) -> None:
    """A resting entry is placed, found, cancelled, and closed in the order book."""
    order = pocket.place_cover_order(**ORDER)
    assert (order.status, order.entry.price, order.stop) == ("CONFIRMED", Decimal("12.9"), None)
    assert order.basket_id
    assert [row.oms_order_id for row in pocket.orders("pending")] == [order.oms_order_id]

    result = pocket.cancel_cover_order(order)

    assert result.outcome is CancelOutcome.CANCELLED
    assert result.request_id
    assert pocket.orders("pending") == []
    assert [row.order_status for row in pocket.orders("completed")] == ["CANCEL_CONFIRMED"]
    assert pocket.order_history(order)[-1].status == "CANCEL_CONFIRMED"


def test_a_repeated_cancel_is_still_cancelled(pocket: Pocket) -> None:
    """Cancelling what is cancelled says the same again."""
    order = pocket.place_cover_order(**ORDER)
    pocket.cancel_cover_order(order)

    assert pocket.cancel_cover_order(order).outcome is CancelOutcome.CANCELLED
    assert pocket.exit_cover_order(order).outcome is CancelOutcome.CANCELLED


def test_fill_and_exit(twin: Twin, pocket: Pocket) -> None:
    """A filled entry is covered by its stop; the exit sells all of it at the bid."""
    order = filled(twin, pocket)
    assert order.stop is not None and order.quantity_held == 10
    assert (order.stop.order_status, order.stop.trigger_price) == (
        "TRIGGER_PENDING",
        Decimal("12.5"),
    )
    twin.trades("BUY", "12.80", 10)

    result = pocket.exit_cover_order(order)

    assert result.outcome is CancelOutcome.EXITED
    assert (result.order.quantity_held, result.order.is_over) == (0, True)
    sold = [(row.order_side, row.trade_price, row.trade_quantity) for row in pocket.trades()]
    assert sold == [("BUY", Decimal("12.9"), 10), ("SELL", Decimal("12.8"), 10)]
    (position,) = pocket.positions()
    assert (position.net_quantity, position.realized_mtm) == (0, Decimal(-1))


def test_an_exit_without_a_buyer_is_pending(twin: Twin, pocket: Pocket) -> None:
    """As long as nobody buys, nobody is told EXITED; when somebody does, the book shows it."""
    order = filled(twin, pocket)

    result = pocket.exit_cover_order(order, confirm_seconds=0.1)

    assert result.outcome is CancelOutcome.PENDING
    assert result.order.quantity_held == 10
    twin.trades("BUY", "12.90", 10)
    assert pocket.exit_cover_order(order).outcome is CancelOutcome.EXITED


def test_cancelling_a_part_filled_entry_keeps_its_stop(twin: Twin, pocket: Pocket) -> None:
    """The rest is cancelled, and the stop stands for what has traded."""
    order = filled(twin, pocket, quantity=4)

    result = pocket.cancel_cover_order(order)

    assert result.outcome is CancelOutcome.CANCELLED
    stop = result.order.stop
    assert stop is not None and result.order.quantity_held == 4
    assert (stop.order_status, stop.quantity) == ("TRIGGER_PENDING", 4)


def test_a_filled_entry_is_too_late_to_cancel(twin: Twin, pocket: Pocket) -> None:
    """Who lost the race against a fill is told so, and is still covered."""
    order = pocket.place_cover_order(**ORDER)
    twin.trades("SELL", "12.90", 10)

    result = pocket.cancel_cover_order(order)

    assert (result.outcome, result.reason) == (CancelOutcome.TOO_LATE, "ENTRY_ALREADY_EXECUTED")
    assert result.order.stop is not None and not result.order.stop.is_closed


def test_a_refused_cancel_leaves_the_order(twin: Twin, pocket: Pocket) -> None:
    """When the exchange refuses a cancel, the order is not reported as cancelled."""
    order = pocket.place_cover_order(**ORDER)
    twin.does(
        "faults",
        on="cancel",
        leg="ENTRY",
        effect="reject",
        code=16344,
        reason="cannot be cancelled",
        times=1,
    )

    with pytest.raises(RequestRefused, match="cannot be cancelled") as caught:
        pocket.cancel_cover_order(order)

    assert caught.value.reason == "VENUE_REFUSED"
    assert not pocket.cover_order(order).entry.is_closed
    assert pocket.cancel_cover_order(order).outcome is CancelOutcome.CANCELLED


def test_an_order_that_the_exchange_rejects_is_returned(twin: Twin, pocket: Pocket) -> None:
    """The server accepted it, the exchange did not: the order says why."""
    twin.does(
        "faults", on="new", leg="ENTRY", effect="reject", code=16283, reason="bad tick", times=1
    )

    order = pocket.place_cover_order(**ORDER)

    assert order.is_rejected and order.is_over
    assert (order.entry.rejection_code, order.entry.rejection_reason) == (16283, "bad tick")
    assert pocket.cancel_cover_order(order).outcome is CancelOutcome.TOO_LATE


def test_a_refused_move_of_the_stop_is_not_reported_as_done(twin: Twin, pocket: Pocket) -> None:
    """When the exchange refuses a new trigger, the old one stands and the caller is told."""
    order = filled(twin, pocket)
    twin.does("faults", on="amend", leg="THIRD", effect="reject", code=1, reason="no", times=1)

    with pytest.raises((RequestRefused, OutcomeUnknown)):
        pocket.modify_cover_order(order, stop_loss="12.55", confirm_seconds=0.2)

    stop = pocket.cover_order(order).stop
    assert stop is not None and stop.trigger_price == Decimal("12.5")


def test_modify_entry_and_stop(twin: Twin, pocket: Pocket) -> None:
    """Entry and stop change alone and together, before and after a fill."""
    order = pocket.place_cover_order(**ORDER)
    order = pocket.modify_cover_order(order, price=12.85, quantity=8, stop_loss=12.4)
    assert (order.entry.price, order.entry.quantity) == (Decimal("12.85"), 8)
    twin.trades("SELL", "12.85", 3)

    order = pocket.modify_cover_order(order, stop_loss="12.45")
    assert order.stop is not None
    assert (order.stop.trigger_price, order.stop.quantity) == (Decimal("12.45"), 3)
    order = pocket.modify_cover_order(order, price="12.86")
    assert order.stop is not None

    assert (order.entry.price, order.stop.trigger_price) == (Decimal("12.86"), Decimal("12.45"))


def test_refusals_name_the_field(pocket: Pocket) -> None:
    """A stop on the wrong side is refused with the vendor's code, a reason, and an id."""
    with pytest.raises(InvalidRequest, match="stop_loss_value") as caught:
        pocket.place_cover_order(**ORDER | {"stop_loss": "13.00"})

    assert caught.value.code == 44000
    assert caught.value.reason and caught.value.request_id
    assert pocket.orders() == []


def test_a_wrong_token_is_an_auth_error(twin: Twin) -> None:
    """A token nobody has is refused as such, and so is another's client id."""
    stranger = twin.pocket(access_token="wrong")
    with stranger, pytest.raises(AuthError, match="Request Unauthorised"):
        stranger.orders()
    pretender = Pocket("SOMEBODY", twin.access_token, base_url=twin.url)
    with pretender, pytest.raises(AuthError, match="Request forbidden"):
        pretender.orders()


def test_the_token_tells_the_client(twin: Twin) -> None:
    """With a token alone an order can be placed: the server knows whose it is."""
    with Pocket(access_token=twin.access_token, base_url=twin.url) as pocket:
        assert pocket.place_cover_order(**ORDER).client_id == twin.client_id


def test_the_same_key_places_once(pocket: Pocket) -> None:
    """A placement repeated under its key and user order id returns the first order."""
    same = ORDER | {"user_order_id": 7001, "idempotency_key": "mine"}

    first, second = pocket.place_cover_order(**same), pocket.place_cover_order(**same)

    assert first.oms_order_id == second.oms_order_id
    assert len(pocket.orders()) == 1


@contextmanager
def stalled(twin: Twin) -> Iterator[None]:
    """Let the twin's process stand still for the length of a ``with``."""
    os.kill(twin.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(twin.pid, signal.SIGCONT)


def test_a_stalled_placement_is_unknown_until_the_book_tells(twin: Twin) -> None:
    """A server that stops answering leaves it open; when it is back, the book tells."""
    with twin.pocket(timeout_seconds=0.3) as pocket:
        pocket.place_cover_order(**ORDER)
        with stalled(twin), pytest.raises(OutcomeUnknown) as caught:
            pocket.place_cover_order(**ORDER)

        resolution = pocket.resolve(caught.value)

        # Whether the request of a client that has left is still carried out is the server's affair.
        was_placed = len(pocket.orders()) == 2
        assert (resolution.settled is Settled.DONE) is was_placed


def test_a_stalled_cancel_is_unknown_until_the_book_tells(twin: Twin) -> None:
    """Of a cancel as well, only the order book knows what became of it."""
    with twin.pocket(timeout_seconds=0.3) as pocket:
        order = pocket.place_cover_order(**ORDER)
        with stalled(twin), pytest.raises(OutcomeUnknown) as caught:
            pocket.cancel_cover_order(order)

        resolution = pocket.resolve(caught.value)

        was_cancelled = pocket.cover_order(order).entry.is_cancelled
        assert (resolution.settled is Settled.DONE) is was_cancelled


def test_a_careless_program_leaves_nothing(twin: Twin) -> None:
    """Clients and feeds that are forgotten or left open leave nothing, and nothing to warn of."""
    program = Path(__file__).parent / "leaves_nothing.py"
    strict = [sys.executable, "-X", "dev", "-W", "error"]
    done = subprocess.run(
        [*strict, program, twin.url, twin.client_id, twin.access_token],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_many_at_once(twin: Twin) -> None:
    """Twenty orders placed and cancelled at the same time each find their own row."""

    async def story() -> tuple[list[CoverOrder], list[CancelOutcome]]:
        async with AsyncPocket(access_token=twin.access_token, base_url=twin.url) as pocket:
            orders = await asyncio.gather(*(pocket.place_cover_order(**ORDER) for _ in range(20)))
            results = await asyncio.gather(*(pocket.cancel_cover_order(each) for each in orders))
            return list(orders), [result.outcome for result in results]

    orders, outcomes = asyncio.run(story())

    assert len({order.oms_order_id for order in orders}) == 20
    assert set(outcomes) == {CancelOutcome.CANCELLED}


def test_the_published_example_runs_as_written(twin: Twin, pocket: Pocket) -> None:
    """The page's own call is answered by the vendor's envelope: no such order is known here."""
    scope: dict[str, Any] = {"pocket": pocket, "clintId": twin.client_id}

    exec(PUBLISHED_EXAMPLE, scope)

    assert scope["response"] == {
        "data": {},
        "error_code": 45000,
        "message": "`oms_order_id` is invalid",
        "status": "error",
    }


def test_the_published_answer(twin: Twin, pocket: Pocket) -> None:
    """With the ids of a living order the same call gets the page's answer, key for key."""
    order = pocket.place_cover_order(**ORDER)
    example = PUBLISHED_EXAMPLE.replace("1300000034566552", order.exchange_order_id)
    scope: dict[str, Any] = {"pocket": pocket, "clintId": twin.client_id}

    exec(example.replace("202403132605", order.oms_order_id), scope)

    assert scope["response"] == {
        "data": {"basket_id": order.basket_id, "message": "Order Cancelled Successfully"},
        "message": "",
        "status": "success",
    }


def test_the_vendors_names_place_and_read(twin: Twin, pocket: Pocket) -> None:
    """A program of the official SDK, from placing to history, gets the documented shapes."""
    placed = pocket.placeConditionalOrder(
        {
            "exchange": "NSE",
            "instrument_token": "14366",
            "client_id": twin.client_id,
            "order_type": "LIMIT",
            "price": 12.9,
            "quantity": 1,
            "disclosed_quantity": 0,
            "validity": "DAY",
            "product": "MIS",
            "order_side": "BUY",
            "device": "WEB",
            "user_order_id": 10002,
            "execution_type": "CO",
            "stop_loss_value": 12.5,
            "trailing_stop_loss": "0.05",
            "is_trailing": False,
            "trigger_price": 0,
            "square_off_value": None,
        }
    )
    assert placed["data"]["data"]["message"] == "basket Order Placed Successfully"
    (row,) = pocket.getPendingOrder()["data"]["orders"]
    assert row["user_order_id"] == "10002" and isinstance(row["price"], float)
    keys = ("client_id", "oms_order_id", "exchange_order_id", "execution_type")

    modified = pocket.modifyConditionalOrder({key: row[key] for key in keys} | {"price": 12.8})

    assert modified["data"]["message"] == "basket Order modified Successfully"
    assert pocket.getPendingOrder()["data"]["orders"][0]["price"] == 12.8
    assert pocket.getCompletedOrder()["data"]["orders"] == []
    assert pocket.getOrderHistory(row["oms_order_id"])["data"][-1]["price"] == 12.8
    assert pocket.getTradeBook()["data"] == {"trades": []}
    assert pocket.getPositionsDaywise()["data"] == pocket.getPositionsNetwise()["data"] == []


def test_the_guides_first_program_runs(twin: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    """The program with which the page for users begins does what the page says."""
    guide = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    program = guide.split("```python\n")[1].split("```")[0]
    mine = program.replace("http://127.0.0.1:8080", twin.url).replace('"..."', "token")

    exec(mine, {"token": twin.access_token})

    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" CONFIRMED")
    assert second == "CANCELLED"
