"""The official SDK's socket, unmodified but for its address, hears a real server."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from pocketful.pocketfulwebsocket import PocketfulSocket

from tests.twin_server import TwinServer, running
from tests.unit.api.world import entry

IDEA = {"exchangeCode": 1, "instrumentToken": 14366}
FENCE = {"exchangeCode": 1, "instrumentToken": 11915}
UNIQUE = count(8001)
FENCES = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server for these tests alone."""
    with running("--data-dir", ":memory:") as started:
        yield started


@pytest.fixture(scope="module")
def sdk(server: TwinServer) -> Iterator[PocketfulSocket]:
    """The official socket, connected; its state is the module's, so there is one for all."""

    class AtOurs(PocketfulSocket):  # type: ignore[misc]  # It brings no types.
        base_url = server.url

    made = AtOurs(server.client_id, server.access_token)
    assert made.run_socket()
    yield made
    # It has no way to close, and when its connection ends its thread dies of its own defect. Its
    # own close is seen after ten seconds; the end of the server is seen at once.
    heard: list[threading.ExceptHookArgs] = []
    hook, threading.excepthook = threading.excepthook, heard.append
    server.process.kill()
    for thread in threading.enumerate():
        if "socket_connect" in thread.name:
            thread.join(60)
            assert not thread.is_alive()
    threading.excepthook = hook
    assert [str(args.exc_value) for args in heard if "isAlive" not in str(args.exc_value)] == []


def until(read: Callable[[], Any], true: Callable[[Any], bool]) -> Any:
    """Return what is read once it is so; the SDK has no callbacks, so one polls."""
    deadline = time.monotonic() + 30
    while True:
        found = read()
        if found and true(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def sent() -> None:
    """Return when the SDK has sent what it was told to; each message leaves in a thread."""
    for thread in threading.enumerate():
        if "(send_message)" in thread.name or "(unsubscribe_update)" in thread.name:
            thread.join(10)


def caught_up(server: TwinServer, sdk: PocketfulSocket) -> None:
    """Return when the SDK has heard all that the server sent until now.

    Both sides keep order, so it is enough to hear a price that is quoted now, of an instrument
    that no test looks at.
    """
    sdk.subscribe_multiple_compact_marketdata([FENCE])
    sent()
    bid = 17 + next(FENCES) / 100
    quote(server, bid, bid + 0.5, token=FENCE["instrumentToken"])
    until(
        lambda: sdk.read_multiple_compact_marketdata().get("11915_1"),
        lambda seen: seen["bidPrice"] == round(bid * 100),
    )


def unsubscribed(server: TwinServer, sdk: PocketfulSocket, *ends: Callable[[], None]) -> None:
    """Return when subscriptions have ended and what was under way is forgotten.

    The SDK forgets what it has shown as soon as it has asked, and shows it again if a packet
    was under way; so it is asked to forget once more when all of those have come.
    """
    sent()  # A subscription that is still to be sent would come after its end.
    for _ in range(2):
        for end in ends:
            end()
            sent()
        caught_up(server, sdk)


def quote(server: TwinServer, bid: float, ask: float, token: int = 14366) -> None:
    """Let the house quote IDEA, or another share."""
    server.room(
        "POST",
        "market/quote",
        exchange="NSE",
        instrument_token=token,
        bid=bid,
        bid_quantity=500,
        ask=ask,
        ask_quantity=400,
    )


def test_marketdata_is_decoded(server: TwinServer, sdk: PocketfulSocket) -> None:
    """Mode 1 arrives with prices in paise and every field in its place."""
    sdk.subscribe_detailed_marketdata(IDEA)
    until(sdk.read_detailed_marketdata, lambda seen: seen["close_price"] == 1_300)
    quote(server, 12.9, 13.05)
    seen = until(sdk.read_detailed_marketdata, lambda seen: seen["best_bid_price"] == 1_290)
    assert (seen["mode"], seen["exchange_code"], seen["instrument_token"]) == (1, 1, 14366)
    assert (seen["best_ask_price"], seen["best_ask_quantity"]) == (1_305, 400)
    assert (seen["lowDPR"], seen["highDPR"], seen["total_buy_quantity"]) == (1_040, 1_560, 500)


def test_compact_marketdata_is_decoded(server: TwinServer, sdk: PocketfulSocket) -> None:
    """Mode 2 arrives; a fall shows as the vendor's decoder shows it, without a sign."""
    sdk.subscribe_multiple_compact_marketdata(
        [IDEA, {"exchangeCode": 1, "instrumentToken": "3045"}]
    )
    until(
        sdk.read_multiple_compact_marketdata,
        lambda seen: {"14366_1", "3045_1"} <= set(seen),
    )
    quote(server, 12.9, 13.05)
    server.room(
        "POST",
        "market/order",
        exchange="NSE",
        instrument_token=14366,
        side="SELL",
        price=None,
        quantity=10,
    )
    seen = until(
        lambda: sdk.read_multiple_compact_marketdata()["14366_1"],
        lambda seen: seen["last_traded_price"] == 1_290,
    )
    assert seen["change"] == 2**32 - 10
    assert (seen["bidPrice"], seen["askPrice"]) == (1_290, 1_305)


def test_a_snapquote_is_decoded(server: TwinServer, sdk: PocketfulSocket) -> None:
    """Mode 4 arrives with five levels a side."""
    quote(server, 12.95, 13.1)
    sdk.subscribe_snapquote_data(IDEA)
    seen = until(sdk.read_snapquote_data, lambda seen: seen["bidPrices"][0] == 1_295)
    assert seen["askPrices"] == [1_310, 0, 0, 0, 0]
    assert (seen["buyers"][0], seen["askQtys"][0], seen["totalBuyQty"]) == (1, 400, 500)


def test_order_and_trade_updates_are_decoded(server: TwinServer, sdk: PocketfulSocket) -> None:
    """One subscription brings both; the SDK keeps the last of each."""
    quote(server, 12.9, 13.05)
    sdk.subscribe_order_update({"client_id": "DEMO1"})
    user_order_id = next(UNIQUE)
    sent()
    caught_up(server, sdk)
    answer = server.http.post(
        "/api/v1/orders/kart",
        json=entry(price=13.05, quantity=10, user_order_id=user_order_id),
    )
    assert answer.status_code == 200
    order = until(
        sdk.read_order_update_data, lambda seen: seen["user_order_id"] == str(user_order_id)
    )
    trade = until(sdk.read_trade_update_data, lambda seen: seen["filled_quantity"] == 10)
    assert (trade["trade_price"], trade["order_side"]) == (13.05, "BUY")
    order = until(sdk.read_order_update_data, lambda seen: seen["leg_order_indicator"] == "THIRD")
    assert (order["order_status"], order["trigger_price"]) == ("TRIGGER_PENDING", 12.5)
    assert order["basket_id"]


def test_unsubscribing_ends_it(server: TwinServer, sdk: PocketfulSocket) -> None:
    """After unsubscribing nothing of that mode comes any more."""
    sdk.subscribe_detailed_marketdata(IDEA)
    quote(server, 12.6, 13.2)
    until(sdk.read_detailed_marketdata, lambda seen: seen["best_bid_price"] == 1_260)
    unsubscribed(server, sdk, lambda: sdk.unsubscribe_detailed_marketdata(IDEA))
    assert sdk.read_detailed_marketdata() == {}
    quote(server, 12.5, 13.2)
    caught_up(server, sdk)
    assert sdk.read_detailed_marketdata() == {}


SBIN = {"exchangeCode": 1, "instrumentToken": 3045}
BANK = {"exchangeCode": 1, "instrumentToken": 1333}


def test_one_instrument_of_the_compact_mode(server: TwinServer, sdk: PocketfulSocket) -> None:
    """A single subscription brings it; after unsubscribing nothing of it comes any more."""
    sdk.subscribe_compact_marketdata(BANK)
    seen = until(sdk.read_compact_marketdata, lambda seen: seen["instrument_token"] == 1333)
    assert (seen["mode"], seen["exchange_code"]) == (2, 1)
    unsubscribed(
        server,
        sdk,
        lambda: sdk.unsubscribe_compact_marketdata(BANK),
        lambda: sdk.unsubscribe_multiple_compact_marketdata([IDEA, SBIN]),
    )
    quote(server, 1_400, 1_450, token=1333)
    quote(server, 12.6, 13.3)
    caught_up(server, sdk)
    assert set(sdk.read_multiple_compact_marketdata()) == {"11915_1"}


def test_several_instruments_in_every_mode(server: TwinServer, sdk: PocketfulSocket) -> None:
    """The full and the deep mode bring several instruments, too, and end like the others."""
    both = [IDEA, SBIN]
    sdk.subscribe_multiple_detailed_marketdata(both)
    sdk.subscribe_multiple_snapquote_data(both)
    for read in (sdk.read_multiple_detailed_marketdata, sdk.read_multiple_snapquote_data):
        until(read, lambda seen: {"14366_1", "3045_1"} <= set(seen))
    quote(server, 12.7, 13.4)
    until(
        lambda: sdk.read_multiple_snapquote_data()["14366_1"],
        lambda seen: seen["bidPrices"][0] == 1_270,
    )
    unsubscribed(
        server,
        sdk,
        lambda: sdk.unsubscribe_multiple_detailed_marketdata(both),
        lambda: sdk.unsubscribe_snapquote_data(IDEA),
        lambda: sdk.unsubscribe_multiple_snapquote_data(both),
    )
    quote(server, 12.8, 13.5)
    caught_up(server, sdk)
    assert sdk.read_multiple_detailed_marketdata() == sdk.read_multiple_snapquote_data() == {}
