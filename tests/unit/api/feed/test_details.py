"""Single figures of packets, updates and histories, each where a slip would pass for right."""

import time
from typing import Any

import pytest

from kavach.api.feed.hub import SPACE_SECONDS
from kavach.wire.feed import packets
from tests.twin_server import TwinServer
from tests.unit.api.feed.stage import Reader, feed_url
from tests.unit.api.feed.test_orders import place, rows, sell

IDEA = {"exchange": "NSE", "instrument_token": 14366}
USDINR = {"exchange": "CDS", "instrument_token": 1284}
RUPEE = 10_000_000  # How packets of CDS hold one.


def histories(server: TwinServer) -> dict[str, list[dict[str, Any]]]:
    """Return the steps of each row's life, by its leg."""
    return {
        str(row["leg_order_indicator"] or "REGULAR"): server.http.get(
            f"/api/v1/order/{row['oms_order_id']}/history"
        ).json()["data"]
        for row in rows(server)
    }


def test_each_line_of_a_step_has_the_average_until_then(fresh: TwinServer) -> None:
    """Two trades of one step at two prices: the first line has the first price, the last both."""
    for ask, quantity in ((12.9, 20), (12.95, 60)):
        sell(fresh, quantity, ask)
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        place(fresh, quantity=80)
        seen = reader.updates(5)
    lines = [
        (update["order_status"], update["filled_quantity"], update["average_price"])
        for _, update in seen
        if "order_status" in update
    ]
    wanted = [("CONFIRMED", 0, 0), ("PARTIAL_TRADE", 20, 12.9), ("COMPLETE", 80, 12.9375)]
    assert lines[:3] == wanted
    told = [
        (step["status"], step["fill_quantity"], step["avg_price"])
        for step in histories(fresh)["ENTRY"]
    ]
    assert told == [("PENDING", 0, 0), *wanted]


def test_price_and_trigger_are_told_apart(fresh: TwinServer) -> None:
    """An SL has both: they stand in their own places in each line of its life, changed or not."""
    fields = IDEA | {
        "client_id": "DEMO1",
        "order_type": "SL",
        "price": 13.4,
        "trigger_price": 13.3,
        "quantity": 10,
        "product": "MIS",
        "order_side": "BUY",
        "validity": "DAY",
        "user_order_id": 77,
    }
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        made = fresh.http.post("/api/v1/orders", json=fields)
        assert made.status_code == 200, made.text
        first = _prices(histories(fresh)["REGULAR"], "status")
        change = {
            "client_id": "DEMO1",
            "oms_order_id": made.json()["data"]["oms_order_id"],
            "price": 13.45,
            "trigger_price": 13.2,
        }
        changed = fresh.http.put("/api/v1/orders", json=change)
        assert changed.status_code == 200, changed.text
        seen = [update for _, update in reader.updates(2)]
    wanted = [("TRIGGER_PENDING", 13.4, 13.3), ("MODIFY_CONFIRMED", 13.45, 13.2)]
    assert first == [("PENDING", 13.4, 13.3), wanted[0]]
    assert _prices(seen, "order_status") == wanted
    assert _prices(histories(fresh)["REGULAR"], "status")[-1] == wanted[-1]


def _prices(lines: list[dict[str, Any]], status: str) -> list[tuple[str, float, float]]:
    return [(line[status], line["price"], line["trigger_price"]) for line in lines]


def test_a_target_that_was_moved_says_so(fresh: TwinServer) -> None:
    """A live target that was changed is MODIFY_CONFIRMED, in its row, its update and its life."""
    place(fresh, quantity=10, execution_type="BO", stop_loss_value=0.5, square_off_value=0.5)
    sell(fresh, 10, 13)
    [target] = [row for row in rows(fresh) if row["leg_order_indicator"] == "SECOND"]
    assert target["order_status"] == "CONFIRMED"
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("updates", "DEMO1", "web")
        reader.settle()
        change = {
            "client_id": "DEMO1",
            "oms_order_id": target["oms_order_id"],
            "execution_type": "BO",
            "leg_order_indicator": "SECOND",
            "price": 13.4,
        }
        assert fresh.http.put("/api/v1/orders/kart", json=change).status_code == 200
        _, update = reader.update()
    [target] = [row for row in rows(fresh) if row["leg_order_indicator"] == "SECOND"]
    for told in (target, update):
        assert (told["order_status"], told["price"]) == ("MODIFY_CONFIRMED", 13.4)
    last = histories(fresh)["SECOND"][-1]
    assert (last["status"], last["price"], last["trigger_price"]) == ("MODIFY_CONFIRMED", 13.4, 0)


def test_currencies_have_a_scale_of_their_own(fresh: TwinServer) -> None:
    """On CDS a rupee is ten million, in every price of every mode."""
    fresh.room("POST", "market/trade", **USDINR, price=88.5025, quantity=1)
    sizes = {"bid_quantity": 3, "ask_quantity": 4}
    fresh.room("POST", "market/quote", **USDINR, bid=88.5, ask=88.505, **sizes)
    seen: dict[int, Any] = {}
    for mode in ("marketdata", "compact_marketdata", "full_snapquote", "dpr"):
        with Reader(feed_url(fresh.url)) as reader:
            reader.subscribe(mode, [3, 1284])
            packet = reader.packet()
            seen[packet.mode] = packet
    low, high, close, last = 801, 979, 890, 885.025  # Of ten rupees.
    full = seen[1]
    assert full.exchange_code == 3
    assert (full.last_traded_price, full.close_price) == (last * RUPEE / 10, close * RUPEE // 10)
    assert (full.best_bid_price, full.best_ask_price) == (885_000_000, 885_050_000)
    assert (full.low_dpr, full.high_dpr) == (low * RUPEE // 10, high * RUPEE // 10)
    compact = seen[2]
    assert (compact.bid_price, compact.ask_price) == (885_000_000, 885_050_000)
    assert compact.change == 885_025_000 - 890_000_000
    deep = seen[4]
    assert (deep.bid_prices[0], deep.ask_prices[0]) == (885_000_000, 885_050_000)
    assert (seen[7].low_dpr, seen[7].high_dpr) == (full.low_dpr, full.high_dpr)
    assert packets.scale_of(3) == RUPEE


def test_five_levels_are_shown_and_no_sixth(fresh: TwinServer) -> None:
    """Six prices a side: the best five, best first, each with its quantity and its orders."""
    for level in range(6):
        for side, price in (("BUY", 12.9 - level / 100), ("SELL", 13.1 + level / 100)):
            for _ in range(level + 1):
                order = {"side": side, "price": round(price, 2), "quantity": 10}
                fresh.room("POST", "market/order", **IDEA, **order)
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("full_snapquote", [1, 14366])
        packet: Any = reader.packet()
    assert packet.bid_prices == (1290, 1289, 1288, 1287, 1286)
    assert packet.ask_prices == (1310, 1311, 1312, 1313, 1314)
    assert packet.bid_quantities == packet.ask_quantities == (10, 20, 30, 40, 50)
    assert packet.buyers == packet.sellers == (1, 2, 3, 4, 5)
    shown = fresh.room("GET", "market/NSE/14366")
    for side in ("bids", "asks"):
        assert [level[1] for level in shown[side]] == [10, 20, 30, 40, 50]


@pytest.mark.parametrize("changes", [40])
def test_packets_of_one_instrument_keep_their_distance(fresh: TwinServer, changes: int) -> None:
    """However often a price changes, a packet comes at most once in its space, the newest last."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("compact_marketdata", [1, 14366])
        reader.packet()
        began = time.monotonic()
        for number in range(1, changes + 1):
            price = round(12 + number / 100, 2)
            sizes = {"bid_quantity": 1, "ask_quantity": 0}
            fresh.room("POST", "market/quote", **IDEA, bid=price, **sizes)
        seen = 0
        while True:
            packet: Any = reader.packet()
            seen += 1
            if packet.bid_price == 1_200 + changes:
                break
        # A slow machine has more time for packets, and so more of them.
        assert seen <= (time.monotonic() - began) / SPACE_SECONDS + 2
