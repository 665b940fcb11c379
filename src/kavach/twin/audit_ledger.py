"""
What a client must have, added up anew from everything that happened, in its order.

The deposit, then every distinct trade, conversion, gift and settlement. It shares no code with the
rules, and keeps cash as a fraction, so nothing can hide in a rounding.

Values are pips times shares; cash is paise.

Source: docs/spec/cover_order.md, "What must hold"; docs/decisions/0015-the-end-of-a-day.md.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from kavach.core.commands import Leg
from kavach.core.model.money.events import DaySettled, HoldingGranted, PositionConverted
from kavach.core.model.orders.parent_order import ParentOrder, Trade
from kavach.core.model.regular.order import RegularOrder
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product, Side, opposite

BUY, SELL = Side.BUY, Side.SELL


class Book:
    """One position, as its trades make it: quantity and value by side, today and carried in."""

    def __init__(self) -> None:
        self.today = {BUY: [0, 0], SELL: [0, 0]}
        self.carried = {BUY: [0, 0], SELL: [0, 0]}
        self.plain = 0  # What regular orders hold.

    def total(self, side: Side) -> tuple[int, int]:
        """Return quantity and value of a side, whenever it was traded."""
        (quantity, value), (carried, carried_value) = self.today[side], self.carried[side]
        return quantity + carried, value + carried_value

    @property
    def net(self) -> int:
        """What is held."""
        return self.total(BUY)[0] - self.total(SELL)[0]

    def told(self) -> tuple[object, ...]:
        """Return all of it."""
        sides = [(*self.today[side], *self.carried[side]) for side in Side]
        return (*sides, self.plain)


class Account:
    """What a client must have."""

    def __init__(self, deposit_paise: int) -> None:
        self.cash = Fraction(deposit_paise)
        self.books: dict[tuple[InstrumentKey, Product], Book] = {}
        self.shares: dict[InstrumentKey, list[int]] = {}  # Free, on their way in, their cost.

    def book(self, instrument: InstrumentKey, product: Product) -> Book:
        """Return the book of a position."""
        return self.books.setdefault((instrument, product), Book())

    def trade(self, order: ParentOrder, trade: Trade) -> None:
        """Add one trade."""
        side = order.side if trade.leg is Leg.ENTRY else opposite(order.side)
        book = self.book(order.instrument, order.product)
        book.today[side][0] += trade.quantity
        book.today[side][1] += trade.quantity * trade.price_pips
        if isinstance(order, RegularOrder):
            book.plain += trade.quantity if side is BUY else -trade.quantity

    def convert(self, event: PositionConverted) -> None:
        """Move a part of one book into another."""
        part = event.quantity + event.carried_quantity
        for product, sign in ((event.product, -1), (event.new_product, 1)):
            book = self.book(event.instrument, product)
            for sums, quantity, value in (
                (book.today[event.side], event.quantity, event.value),
                (book.carried[event.side], event.carried_quantity, event.carried_value),
            ):
                sums[0] += sign * quantity
                sums[1] += sign * value
            book.plain += sign * (part if event.side is BUY else -part)

    def grant(self, event: HoldingGranted) -> None:
        """Let there be shares."""
        shares = self.shares.setdefault(event.instrument, [0, 0, 0])
        shares[0] += event.quantity
        shares[2] += event.quantity * event.price_pips

    def settle(
        self,
        event: DaySettled,
        instruments: Mapping[InstrumentKey, Instrument],
        paid_out: Mapping[tuple[InstrumentKey, Product], int],
    ) -> None:
        """End a day."""
        closes = dict(event.closes)
        for key in closes.keys() & self.shares.keys():
            free, coming, cost = self.shares[key]
            self.shares[key] = [free + coming, 0, cost]
        for (key, product), book in self.books.items():
            if key not in closes:
                continue
            instrument, close = instruments[key], closes[key]
            plain, bound = book.plain, book.net - book.plain
            expiry = instrument.expiry.replace("-", "")
            moved = 0
            if expiry and int(expiry) <= event.day:
                plain, bound = 0, bound - paid_out.get((key, product), 0)
            elif product is Product.CNC:
                moved = self._deliver(key, book)
                plain -= moved
            earned = book.total(SELL)[1] - book.total(BUY)[1] + (book.net - moved) * close
            self.cash += Fraction(earned * instrument.multiplier, PIPS_PER_PAISA)
            book.today = {BUY: [0, 0], SELL: [0, 0]}
            for side, sign in ((BUY, 1), (SELL, -1)):
                left = max(0, sign * plain) + max(0, sign * bound)
                book.carried[side] = [left, left * close]
            book.plain = plain

    def _deliver(self, key: InstrumentKey, book: Book) -> int:
        shares = self.shares.setdefault(key, [0, 0, 0])
        if book.plain >= 0:
            bought, paid = book.total(BUY)
            shares[1] += book.plain
            shares[2] += floor(Fraction(paid * book.plain, max(1, bought)))
            return book.plain
        gone = min(-book.plain, shares[0] + shares[1])
        if gone:
            shares[2] -= floor(Fraction(shares[2] * gone, shares[0] + shares[1]))
            shares[0] -= gone
        return -gone
