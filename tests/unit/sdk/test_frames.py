"""Results as data frames: every row and value is there, with types that hold without rows, too."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas
import pytest

from kavach.sdk import (
    BadArgument,
    Contract,
    CoverOrder,
    HistoryEntry,
    Order,
    Pocket,
    Position,
    Trade,
)
from kavach.sdk.frames import to_frame
from tests.twin_server import TOKEN, running

TERMS: dict[str, Any] = {"instrument": "NSE:IDEA-EQ", "side": "BUY", "quantity": 10}


@pytest.fixture(scope="module")
def pocket() -> Iterator[Pocket]:
    """A client that has bought 10 shares of IDEA with a cover order."""
    with running("--data-dir", ":memory:") as server:
        server.room(
            "POST", "market/quote", exchange="NSE", instrument_token=14366,
            bid=12.95, bid_quantity=500, ask=13.05, ask_quantity=400,
        )  # fmt: skip
        with Pocket("DEMO1", TOKEN, base_url=server.url) as made:
            made.place_cover_order(**TERMS, price="13.05", stop_loss="12.50")
            yield made


def test_rows_and_values_are_the_same(pocket: Pocket) -> None:
    """A frame of trades has their prices as floats, counts as whole numbers and times of India."""
    [trade] = pocket.trades()
    frame = to_frame([trade])
    assert isinstance(frame, pandas.DataFrame)
    [row] = frame.to_dict("records")
    assert (row["trade_price"], row["trade_quantity"]) == (13.05, 10)
    assert (row["oms_order_id"], row["trading_symbol"]) == (trade.oms_order_id, "IDEA-EQ")
    moment: datetime = row["trade_time"]
    assert moment.timestamp() == trade.trade_time
    assert moment.utcoffset() == timedelta(hours=5, minutes=30)


def test_a_cover_order_is_its_rows(pocket: Pocket) -> None:
    """Its entry comes first, then its stop; orders beside it have the same columns."""
    [entry] = [row for row in pocket.orders() if row.leg_order_indicator == "ENTRY"]
    order: CoverOrder = pocket.cover_order(entry)
    frame = to_frame([order])
    assert list(frame["leg_order_indicator"]) == ["ENTRY", "THIRD"]
    assert list(frame["trigger_price"]) == [0.0, 12.5]
    assert list(frame.columns) == list(to_frame([entry]).columns)


@pytest.mark.parametrize("kind", [Contract, HistoryEntry, Order, Position, Trade])
def test_types_do_not_depend_on_what_is_there(kind: Any) -> None:
    """Without a row there are the same columns with the same types."""
    texts = {"trade_number", "oms_order_id", "order_status", "exchange", "status"}
    whole = {"instrument_token", "token"}
    fields = kind.__struct_fields__[: len(kind.__struct_fields__) - len(kind.__struct_defaults__)]
    values = {name: "a" if name in texts else 1 for name in fields}
    assert set(values) <= texts | whole
    frame = to_frame([kind(**values)])
    assert len(frame) == 1 and len(frame.columns) == len(kind.__struct_fields__)
    assert to_frame([], kind).dtypes.equals(frame.dtypes)


def test_nanoseconds_are_times_too() -> None:
    """A time in nanoseconds keeps its microseconds; none is none."""
    steps = [
        HistoryEntry(status="a", last_modified=1_764_560_000_123_456_789),
        HistoryEntry(status="b"),
    ]
    first, second = to_frame(steps)["last_modified"]
    assert first.isoformat() == "2025-12-01T09:03:20.123456+05:30"
    assert pandas.isna(second)


def test_rows_of_several_kinds_are_refused() -> None:
    """A frame has rows of one kind; another is named, and so is what is no row."""
    trade = Trade(trade_number="1", oms_order_id="2", trade_price=Decimal(1))
    with pytest.raises(BadArgument, match="Order, Trade"):
        to_frame([trade, Order(oms_order_id="1", order_status="OPEN")])
    with pytest.raises(BadArgument, match="no row"):
        to_frame([{"trade_price": 1}])  # type: ignore[list-item]


def test_without_narwhals_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, importing says what to install."""
    monkeypatch.setitem(sys.modules, "narwhals", None)
    monkeypatch.delitem(sys.modules, "kavach.sdk.frames")
    with pytest.raises(ImportError, match=r"kavach-oms\[dataframes\]"):
        __import__("kavach.sdk.frames")
