"""
What the feed tells, as a client reads it: prices as ``Decimal`` rupees, times in Unix seconds.

    Quote, CompactQuote, Depth, PriceBand, OpenInterest      of one instrument
    SessionStatus, ExchangeNotice                            of an exchange
    OrderChange, TradeDone, PositionChange                   of your own orders, numbered
    Snapshot                                                 all of your rows: forget what you had

Source: kavach.wire.feed.packets, kavach.wire.feed.updates; docs/wire/feeds.md.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec

from kavach.sdk.rows import Order, Position, Trade, read_row
from kavach.units import Exchange
from kavach.wire.feed import packets
from kavach.wire.feed.updates import Kind, Numbered


class Level(msgspec.Struct, frozen=True):
    """One price of a side: how much is wanted there, in how many orders."""

    price: Decimal
    quantity: int
    orders: int


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about an instrument but its depth."""

    exchange: Exchange
    instrument_token: int
    last_price: Decimal
    last_time: int  # 0 until it has traded.
    last_quantity: int
    average_price: Decimal
    volume: int
    bid: Decimal
    bid_quantity: int
    ask: Decimal
    ask_quantity: int
    total_bid_quantity: int
    total_ask_quantity: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal  # Of the day before.
    band_low: Decimal
    band_high: Decimal
    time: int


class CompactQuote(msgspec.Struct, frozen=True, kw_only=True):
    """The last price and the best ones."""

    exchange: Exchange
    instrument_token: int
    last_price: Decimal
    change: Decimal  # Against the close of the day before.
    last_time: int
    bid: Decimal
    ask: Decimal
    band_low: Decimal
    band_high: Decimal


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """Up to five levels a side, best first."""

    exchange: Exchange
    instrument_token: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    average_price: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    total_bid_quantity: int
    total_ask_quantity: int
    volume: int


class PriceBand(msgspec.Struct, frozen=True, kw_only=True):
    """The prices that orders may have today."""

    exchange: Exchange
    instrument_token: int
    low: Decimal
    high: Decimal


class OpenInterest(msgspec.Struct, frozen=True, kw_only=True):
    """Contracts that are open."""

    exchange: Exchange
    instrument_token: int
    current: int
    initial: int


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an exchange trades."""

    exchange: Exchange
    market: str
    status: str


class ExchangeNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What an exchange lets everybody know."""

    exchange: Exchange
    text: str
    time: int


class OrderChange(msgspec.Struct, frozen=True, kw_only=True):
    """An order has changed: ``order`` is its row now, or a step on the way there."""

    number: int
    order: Order
    mode: str  # NEW, MODIFY, CANCEL, SQUAREOFF
    basket_id: str


class TradeDone(msgspec.Struct, frozen=True, kw_only=True):
    """An order has traded."""

    number: int
    trade: Trade


class PositionChange(msgspec.Struct, frozen=True, kw_only=True):
    """A position has changed."""

    number: int
    position: Position


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All rows as they are: sent first, and when more was missed than the server keeps."""

    number: int
    complete: bool  # False: there are more; ask ``Pocket.orders()``.
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    positions: tuple[Position, ...]


MarketItem = (
    Quote | CompactQuote | Depth | PriceBand | OpenInterest | SessionStatus | ExchangeNotice
)
AccountItem = OrderChange | TradeDone | PositionChange | Snapshot
FeedItem = MarketItem | AccountItem

_NOT_SAID: Final = "NONE"


def market_item(packet: packets.Packet) -> MarketItem:
    """Return what a packet tells; raises ``KeyError`` for an exchange that nobody knows."""
    exchange = packets.EXCHANGE_OF_CODE[packet.exchange_code]
    scale = packets.scale_of(packet.exchange_code)

    def rupees(value: int) -> Decimal:
        return Decimal(value) / scale

    match packet:
        case packets.Marketdata():
            return _quote(packet, exchange, scale)
        case packets.Snapquote():
            return _depth(packet, exchange, scale)
        case packets.CompactMarketdata():
            return CompactQuote(
                exchange=exchange,
                instrument_token=packet.instrument_token,
                last_price=rupees(packet.last_traded_price),
                change=rupees(packet.change),
                last_time=packet.last_traded_time,
                bid=rupees(packet.bid_price),
                ask=rupees(packet.ask_price),
                band_low=rupees(packet.low_dpr),
                band_high=rupees(packet.high_dpr),
            )
        case packets.Dpr():
            return PriceBand(
                exchange=exchange,
                instrument_token=packet.instrument_token,
                low=rupees(packet.low_dpr),
                high=rupees(packet.high_dpr),
            )
        case packets.OpenInterest():
            return OpenInterest(
                exchange=exchange,
                instrument_token=packet.instrument_token,
                current=packet.current_open_interest,
                initial=packet.initial_open_interest,
            )
        case packets.MarketStatus():
            return SessionStatus(exchange=exchange, market=packet.market_type, status=packet.status)
        case packets.ExchangeMessage():
            return ExchangeNotice(
                exchange=exchange, text=packet.message, time=packet.exchange_timestamp
            )


def _quote(packet: packets.Marketdata, exchange: Exchange, scale: int) -> Quote:
    def rupees(value: int) -> Decimal:
        return Decimal(value) / scale

    return Quote(
        exchange=exchange,
        instrument_token=packet.instrument_token,
        last_price=rupees(packet.last_traded_price),
        last_time=packet.last_traded_time,
        last_quantity=packet.last_traded_quantity,
        average_price=rupees(packet.average_trade_price),
        volume=packet.trade_volume,
        bid=rupees(packet.best_bid_price),
        bid_quantity=packet.best_bid_quantity,
        ask=rupees(packet.best_ask_price),
        ask_quantity=packet.best_ask_quantity,
        total_bid_quantity=packet.total_buy_quantity,
        total_ask_quantity=packet.total_sell_quantity,
        open=rupees(packet.open_price),
        high=rupees(packet.high_price),
        low=rupees(packet.low_price),
        close=rupees(packet.close_price),
        band_low=rupees(packet.low_dpr),
        band_high=rupees(packet.high_dpr),
        time=packet.exchange_timestamp,
    )


def _depth(packet: packets.Snapquote, exchange: Exchange, scale: int) -> Depth:
    def rupees(value: int) -> Decimal:
        return Decimal(value) / scale

    def side(prices: packets.Five, sizes: packets.Five, orders: packets.Five) -> tuple[Level, ...]:
        levels = zip(prices, sizes, orders, strict=True)
        return tuple(Level(rupees(price), size, count) for price, size, count in levels if size)

    return Depth(
        exchange=exchange,
        instrument_token=packet.instrument_token,
        bids=side(packet.bid_prices, packet.bid_quantities, packet.buyers),
        asks=side(packet.ask_prices, packet.ask_quantities, packet.sellers),
        average_price=rupees(packet.average_trade_price),
        open=rupees(packet.open_price),
        high=rupees(packet.high_price),
        low=rupees(packet.low_price),
        close=rupees(packet.close_price),
        total_bid_quantity=packet.total_buy_quantity,
        total_ask_quantity=packet.total_sell_quantity,
        volume=packet.trade_volume,
    )


def account_item(numbered: Numbered) -> AccountItem:
    """Return what a numbered update tells; raises ``msgspec.ValidationError``."""
    number, data = numbered.number, numbered.data
    match numbered.kind:
        case Kind.ORDER:
            return OrderChange(
                number=number,
                order=_order(data),
                mode=str(data.get("mode", "")),
                basket_id=str(data.get("basket_id", "")),
            )
        case Kind.TRADE:
            return TradeDone(number=number, trade=_trade(data))
        case Kind.POSITION:
            return PositionChange(number=number, position=read_row(Position, data))
        case Kind.SNAPSHOT:
            return Snapshot(
                number=number,
                complete=bool(data["complete"]),
                orders=tuple(_order(row) for row in data["orders"]),
                trades=tuple(_trade(row) for row in data["trades"]),
                positions=tuple(read_row(Position, row) for row in data["positions"]),
            )
        case Kind.RESUMED:
            raise msgspec.ValidationError("it tells nothing")


def _order(data: Any) -> Order:
    """Return an update as a row: where rows hold a number, an update says NONE."""
    row = {key: value for key, value in data.items() if value != _NOT_SAID}
    return read_row(Order, row)


def _trade(data: Any) -> Trade:
    """Return a trade update as a row of the trades, which has other names for two things."""
    row = {
        **data,
        "trade_number": data.get("trade_id"),
        "trade_quantity": data.get("filled_quantity"),
        "trade_time": data.get("exchange_time"),
    }
    return read_row(Trade, row)
