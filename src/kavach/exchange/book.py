"""
The book of one instrument: two sides, two sets of waiting stops, and what everybody sees of it.

Clients' orders and the house's rest in the same queues and trade by the same rules. Only
``State.apply`` and matching change a book.

Source: docs/spec/exchange.md (the book).
"""

from typing import Final

from kavach.exchange.averages import Averages
from kavach.exchange.groups import OuoGroups
from kavach.exchange.ladder import LIQUIDITY, Ladder, Order, unlink
from kavach.instruments import Instrument
from kavach.units import OrderType, Pips, Quantity, Side, TimestampNs

STOPS: Final = frozenset((OrderType.SL, OrderType.SLM))
BUY: Final = Side.BUY
MARKET: Final = OrderType.MARKET
LIMIT: Final = OrderType.LIMIT
PERCENT: Final = 100
AUCTION_PERCENT: Final = 3  # How far from its reference price the closing auction may go.


class Book:
    """All live orders of one instrument, and its day's statistics."""

    __slots__ = (
        "asks",
        "at_ns",
        "bids",
        "buy_stops",
        "day_high",
        "day_low",
        "day_open",
        "groups",
        "instrument",
        "last_price",
        "last_quantity",
        "last_trade_id",
        "liquidity_quotes",
        "market_asks",
        "market_bids",
        "recent",
        "reference_pips",
        "sell_stops",
        "session",
        "touched_high",
        "touched_low",
        "value_pips",
        "volume",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.session = instrument.session
        self.bids = Ladder(1)
        self.asks = Ladder(-1)
        # Market orders: empty between commands, but while an auction collects orders.
        self.market_bids = Ladder(1)
        self.market_asks = Ladder(1)
        self.buy_stops = Ladder(-1)  # The lowest trigger fires first.
        self.sell_stops = Ladder(1)  # The highest trigger fires first.
        self.groups = OuoGroups()
        self.liquidity_quotes: list[Order] = []
        self.last_price: Pips = instrument.previous_close_pips
        self.day_open = self.day_high = self.day_low = Pips(0)  # 0: no trade today.
        self.volume = Quantity(0)
        self.value_pips = 0  # The day's trades, price times quantity.
        self.last_quantity = Quantity(0)
        self.at_ns = TimestampNs(0)  # Of the last trade; 0: it has never traded.
        self.last_trade_id = ""
        self.recent = Averages()
        self.reference_pips = Pips(0)  # Of the closing auction that is on; 0: none was set.
        # The prices that the running command has traded at; 0 between commands.
        self.touched_low = self.touched_high = 0

    def side(self, side: Side) -> Ladder:
        """Return where orders of this side rest."""
        return self.bids if side is BUY else self.asks

    def place(self, order: Order) -> None:
        """Put the order where its type belongs, behind those that were there before."""
        if order.order_type is LIMIT:
            (self.bids if order.side is BUY else self.asks).add(order, order.price)
        elif order.order_type in STOPS:
            (self.buy_stops if order.side is BUY else self.sell_stops).add(order, order.trigger)
        else:
            (self.market_bids if order.side is BUY else self.market_asks).add(order, order.price)

    def next_stop(self) -> Order | None:
        """
        Return the stop that must fire now, if any.

        A stop fires when a trade touches its trigger: lowest buy trigger and highest sell
        trigger first; of one each, the one that has waited longer.
        """
        buy, sell = self.buy_stops.best(), self.sell_stops.best()
        first_buy = buy.head if buy is not None and buy.price <= self.touched_high else None
        first_sell = sell.head if sell is not None and sell.price >= self.touched_low else None
        if first_buy is None or first_sell is None:
            return first_buy or first_sell
        return first_buy if first_buy.priority < first_sell.priority else first_sell

    def take(self, order: Order, quantity: int) -> None:
        """Take a trade's quantity off the order that came to the book."""
        leaves = order.quantity - order.counted - quantity
        assert quantity > 0 and leaves >= 0, order.exchange_order_id
        order.filled += quantity
        order.counted += quantity
        visible = min(order.disclosed or leaves, leaves)
        if order.level is not None:
            order.level.visible += visible - order.visible
        order.visible = visible
        if leaves == 0 and order.level is not None:
            unlink(order)

    def give(self, order: Order, quantity: int, priority: int) -> None:
        """Take a trade's quantity off the resting order; an iceberg's next part queues anew."""
        level = order.level
        assert level is not None, order.exchange_order_id
        assert 0 < quantity <= order.visible, order.exchange_order_id
        order.filled += quantity
        order.counted += quantity
        order.visible -= quantity
        level.visible -= quantity
        if order.visible > 0:
            return
        unlink(order)
        leaves = order.quantity - order.counted
        if leaves > 0:
            order.visible = min(order.disclosed, leaves)
            order.priority = priority
            level.ladder.add(order, order.price)

    def see_trade(self, price: Pips, quantity: int, at_ns: TimestampNs) -> None:
        """Let a trade move the last price and the day's statistics."""
        self.last_price = price
        self.at_ns = at_ns
        self.volume = Quantity(self.volume + quantity)
        self.value_pips += price * quantity
        self.last_quantity = Quantity(quantity)
        self.recent.see(price, quantity, at_ns)
        if self.day_open == 0:
            self.day_open = self.day_high = self.day_low = price
        elif price > self.day_high:
            self.day_high = price
        elif price < self.day_low:
            self.day_low = price

    def begin_day(self) -> None:
        """Forget the statistics of the day before."""
        self.day_open = self.day_high = self.day_low = Pips(0)
        self.volume = Quantity(0)
        self.value_pips = 0

    @property
    def is_blank(self) -> bool:
        """Whether it is as a new one would be: no order rests, and it has never traded."""
        return not self.at_ns and self.is_empty

    @property
    def is_empty(self) -> bool:
        """Whether no order rests or waits here, not even of the house."""
        return not any(ladder.levels for ladder in self.ladders)

    @property
    def serves_clients(self) -> bool:
        """Whether an order of a client rests or waits here."""
        return any(order.account != LIQUIDITY for ladder in self.ladders for order in ladder)

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """All the places where orders rest or wait, in the order of a snapshot."""
        market = self.market_bids, self.market_asks
        return (self.bids, self.asks, self.buy_stops, self.sell_stops, *market)

    @property
    def day_band(self) -> tuple[int, int]:
        """The lowest and the highest price of the day."""
        return self.instrument.band_low_pips, self.instrument.band_high_pips

    @property
    def reference(self) -> Pips:
        """The reference price of an auction: the opening one's is where the day before ended."""
        return self.reference_pips or self.last_price

    @property
    def auction_band(self) -> tuple[int, int]:
        """The lowest and the highest price of the closing auction, on tick, in the day's band."""
        tick, reference = self.instrument.tick_pips, self.reference
        low = -(-reference * (PERCENT - AUCTION_PERCENT) // (PERCENT * tick)) * tick
        high = reference * (PERCENT + AUCTION_PERCENT) // (PERCENT * tick) * tick
        day_low, day_high = self.day_band
        return max(low, day_low), min(high, day_high)

    def check(self) -> None:
        """Assert what must hold of a book between commands of continuous trading, at once."""
        assert not self.market_bids.keys and not self.market_asks.keys, self.instrument.key
        bid, ask = self.bids.best(), self.asks.best()
        assert bid is None or ask is None or bid.price < ask.price, self.instrument.key
        buy, sell = self.buy_stops.best(), self.sell_stops.best()
        assert buy is None or buy.price > self.last_price, self.instrument.key
        assert sell is None or sell.price < self.last_price, self.instrument.key
