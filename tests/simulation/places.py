"""
What is told of one instrument, by place: each figure with the place that tells it.

Everything is read as clients read it, by the routes, the control room and the feed's packets; what
is read is put into one unit, so that places can be compared. Packets are taken apart by the layout
of the documentation. Quotes, scrip info and packets are there where the venue shows prices.

Prices are pips (1/10 000 rupee), quantities shares.

Source: docs/wire/contracts.md; docs/wire/feeds.md; docs/wire/portfolio.md.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple

from kavach.api.routes.contracts import ROUTES as CONTRACT_ROUTES
from kavach.api.routes.portfolio import holdings, positions
from kavach.instruments import Instrument
from kavach.wire.feed.wishes import Mode
from tests.simulation.window import Window

PIPS: Final = 10_000
PIPS_PER_PAISA: Final = 100
_ROUTE: Final = {
    route.name: route.show for route in CONTRACT_ROUTES if route.show and not route.public
}
MODES: Final = (Mode.MARKETDATA, Mode.COMPACT, Mode.SNAPQUOTE, Mode.DPR)
CURRENCIES: Final = 3  # The code of the exchange whose packets have 10 000 000 a rupee.
CURRENCY_SCALE: Final = Fraction(1, 1_000)
PAISE_SCALE: Final = Fraction(100)
_LAYOUTS: Final = {
    1: struct.Struct(">bb9i2q12i"),
    2: struct.Struct(">bb10i"),
    4: struct.Struct(">bb36i2qi"),
    7: struct.Struct(">bb4i"),
}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Behind the token of a packet, in the order of the documentation.
_MARKETDATA: Final = _names(
    "last traded_at last_quantity volume bid bid_quantity ask ask_quantity bid_total ask_total "
    "average now open high low close year_high year_low band_low band_high oi oi_before"
)
_COMPACT: Final = _names("last change traded_at band_low band_high oi oi_before bid ask")
_SNAPQUOTE: Final = _names("average open high low close bid_total ask_total volume")
_DPR: Final = _names("now band_high band_low")
_PRICES: Final = frozenset(
    _names("last bid ask average open high low close year_high year_low band_low band_high")
)


class Told(NamedTuple):
    """A figure, the place that tells it, and what it says."""

    fact: str
    place: str
    value: object


class Held(NamedTuple):
    """The rows of what a client holds, of every instrument."""

    live: list[dict[str, Any]]  # Positions, day-wise.
    net: list[dict[str, Any]]
    holdings: list[dict[str, Any]]


def pips(rupees: float | str) -> int:
    """Return a price or an amount in pips."""
    return round(float(rupees) * PIPS)


def held(window: Window, client_id: str) -> Held:
    """Return what a client reads of what it holds."""
    return Held(
        window.read(positions, client_id, "type=live")["data"],
        window.read(positions, client_id, "type=historical")["data"],
        window.read(holdings, client_id)["data"]["holdings"],
    )


def of_rows(exchange: str, token: int, has: Held) -> Iterator[Told]:
    """Yield what the positions and holdings of a client tell of an instrument."""
    for place, rows in (("live positions", has.live), ("net positions", has.net)):
        for row in rows:
            if (row["exchange"], row["instrument_token"]) == (exchange, token):
                yield Told("last", place, pips(row["ltp"]))
                yield Told("close", place, pips(row["previous_close"]))
                yield Told("close", f"{place}, close_price", pips(row["close_price"]))
                yield Told("multiplier", place, row["multiplier"])
                yield Told("name", place, row["trading_symbol"])
    for row in has.holdings:
        if (row["exchange"], row["token"]) == (exchange, token):
            yield Told("last", "holdings", pips(row["ltp"]))
            yield Told("close", "holdings", pips(row["previous_close"]))
            yield Told("isin", "holdings", row["isin"])
            yield Told("name", "holdings", row["instrument_details"]["trading_symbol"])


def of_order(row: dict[str, Any]) -> Iterator[Told]:
    """Yield what a row of the order book tells of its instrument."""
    yield Told("lot", "order book", row["lot_size"])
    yield Told("name", "order book", row["trading_symbol"])
    yield Told("isin", "order book", row["isin"])


def of_everybody(window: Window, share: Instrument, client_id: str) -> Iterator[Told]:
    """Yield what the market's own places tell: quotes, scrip info, search, control room, feed."""
    where, what = share.exchange.value, f"token={share.token}"
    for row in window.read(_ROUTE["searchScrip"], client_id, f"key={share.symbol}")["result"]:
        if row["token"] == str(share.token):
            yield from of_search(row)
    if not window.shows_quotes:
        return
    quotes = _ROUTE["getMarketdataCapital"]
    yield from of_quote(window.read(quotes, client_id, what, where)["data"])
    for fact, key in (("last", "last_trade_price"), ("close", "close_price")):
        one = window.read(quotes, client_id, f"{what}&key={key}", where)["data"]
        yield Told(fact, f"quote, key={key}", pips(one))
    yield from of_scrip(window.read(_ROUTE["getScripInfo"], client_id, what, where)["result"])
    yield from of_view(window.view(share.key))
    for mode in MODES:
        yield from of_packet(window.packet(mode, share.key))


def of_search(row: dict[str, Any]) -> Iterator[Told]:
    """Yield what a search tells of a contract that it has found."""
    yield Told("close", "search", pips(row["close_price"]))
    yield Told("name", "search", row["trading_symbol"])
    yield Told("isin", "search", row.get("isin", ""))


def of_view(view: dict[str, Any]) -> Iterator[Told]:
    """Yield what the control room tells of an instrument."""
    yield Told("last", "control room", pips(view["last_price"]))
    yield Told("band_low", "control room", pips(view["low"]))
    yield Told("band_high", "control room", pips(view["high"]))


def of_quote(quote: dict[str, Any]) -> Iterator[Told]:
    """Yield what a quote tells; what of currencies is cut to paise is left out."""
    for fact, column in (
        ("last", "last_trade_price"),
        ("close", "close_price"),
        ("open", "open_price"),
        ("high", "high_price"),
        ("low", "low_price"),
    ):
        yield Told(fact, "quote", pips(quote[column]))
    if quote["exchange"] != "CDS":
        # A packet has paise, and so have averages that are to be compared with it.
        average = (pips(quote["average_trade_price"]) + 50) // PIPS_PER_PAISA * PIPS_PER_PAISA
        yield Told("average", "quote", average)
        for fact, column in (
            ("bid", "bid_price"),
            ("ask", "ask_price"),
            ("year_high", "yearly_high"),
            ("year_low", "yearly_low"),
        ):
            yield Told(fact, "quote", quote[column] * PIPS_PER_PAISA)
    for fact, column in (
        ("volume", "trade_volume"),
        ("traded_at", "last_trade_time"),
        ("last_quantity", "last_trade_qty"),
        ("bid_quantity", "bid_qty"),
        ("ask_quantity", "ask_qty"),
        ("bid_total", "total_buy_qty"),
        ("ask_total", "total_sell_qty"),
    ):
        yield Told(fact, "quote", quote[column])


def of_scrip(row: dict[str, Any]) -> Iterator[Told]:
    """Yield what scrip info tells of a contract."""
    low, high = row["dpr"].split(" - ")
    yield Told("close", "scrip info", pips(row["close_price"]))
    yield Told("band_low", "scrip info", pips(row["lower_circuit_limit"]))
    yield Told("band_high", "scrip info", pips(row["higher_circuit_limit"]))
    yield Told("band_low", "scrip info, dpr", pips(low))
    yield Told("band_high", "scrip info, dpr", pips(high))
    yield Told("year_high", "scrip info", pips(row["yearly_high_price"]))
    yield Told("year_low", "scrip info", pips(row["yearly_low_price"]))
    yield Told("tick", "scrip info", pips(row["tick_size"]))
    yield Told("tick", "scrip info, raw", row["raw_tick_size"] * PIPS // 10 ** row["precision"])
    yield Told("lot", "scrip info", row["board_lot_quantity"])
    yield Told("freeze", "scrip info, max_order_size", row["max_order_size"])
    yield Told("freeze", "scrip info, max_single_qty", row["max_single_qty"])
    yield Told("multiplier", "scrip info", row["multiplier"])
    yield Told("name", "scrip info", row["trading_symbol"])
    yield Told("isin", "scrip info", row["isin"])


def of_packet(data: bytes) -> Iterator[Told]:
    """Yield what a packet of an instrument tells."""
    mode, exchange = data[:2]
    scale = CURRENCY_SCALE if exchange == CURRENCIES else PAISE_SCALE
    values = _LAYOUTS[mode].unpack(data)[3:]
    if mode == 1:
        yield from _named("marketdata packet", _MARKETDATA, values, scale)
    elif mode == 2:
        yield from _named("compact packet", _COMPACT, values, scale)
        close = Fraction(values[0] - values[1]) * scale
        yield Told("close", "compact packet, last less change", close)
    elif mode == 4:
        yield from _named("snapquote packet", _SNAPQUOTE, values[30:], scale)
        for fact, at in (("bid", 5), ("ask", 20)):
            yield Told(fact, "snapquote packet", values[at] * scale)
            yield Told(f"{fact}_quantity", "snapquote packet", values[at + 5])
    else:
        yield from _named("dpr packet", _DPR, values, scale)


def _named(
    place: str, names: tuple[str, ...], values: tuple[int, ...], scale: Fraction
) -> Iterator[Told]:
    for name, value in zip(names, values, strict=True):
        if name not in ("now", "oi", "oi_before", "change"):
            yield Told(name, place, value * scale if name in _PRICES else value)


def disagreement(of: str, told: Iterable[Told]) -> str:
    """Return the first fact that two places tell differently, with all who tell it; "" for none."""
    said: dict[str, list[Told]] = defaultdict(list)
    for one in told:
        said[one.fact].append(one)
    for fact, places in said.items():
        if any(one.value != places[0].value for one in places):
            words = ", ".join(f"{one.value} ({one.place})" for one in places)
            return f"INV-25 {fact}: {of}: {words}"
    return ""
