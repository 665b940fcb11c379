"""
A position: the sums of what was traded of one instrument in one product, and what is open there.

A position has two owners. What regular orders hold of it (``plain_net``) may be sold, converted
and settled at will; the rest belongs to cover and bracket orders, which get out by orders of
their own and block their own margin. Both count in the one position that a client sees.

Profit is computed from sums, never accumulated, so the order of trades does not matter and it can
be computed again. What was left of earlier days is carried in at a day's closing price, bought and
sold apart: what an owner holds is carried by its sign, so the two may differ in it.

Quantities are shares or contracts, values pips times quantity.

Source: docs/spec/cover_order.md, "What must hold"; docs/wire/portfolio.md.
"""

from typing import Final

import msgspec

from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product, Side


class Open(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What regular orders of one side could still trade, and the value of that at their prices."""

    quantity: int = 0
    value: int = 0

    def __add__(self, other: "Open") -> "Open":
        """Both together."""
        return Open(self.quantity + other.quantity, self.value + other.value)

    def __sub__(self, other: "Open") -> "Open":
        """What is left without the other, which is a part of it."""
        return Open(self.quantity - other.quantity, self.value - other.value)


NOTHING: Final = Open()


class Position(msgspec.Struct, array_like=True):
    """What a client has traded of one instrument in one product, and carries in it."""

    instrument: InstrumentKey
    product: Product
    multiplier: int
    buy_quantity: int = 0  # Of this day, as the next three.
    buy_value: int = 0
    sell_quantity: int = 0
    sell_value: int = 0
    plain_net: int = 0  # What regular orders hold of the net quantity, carried in or not.
    carried_buy_quantity: int = 0  # From earlier days, at a closing price, as the next three.
    carried_buy_value: int = 0
    carried_sell_quantity: int = 0
    carried_sell_value: int = 0
    open_buy: Open = NOTHING  # Of regular orders that live.
    open_sell: Open = NOTHING
    blocked_paise: int = 0  # For ``plain_net`` and for what is open.

    @property
    def bought(self) -> int:
        """What was bought, carried in or today."""
        return self.carried_buy_quantity + self.buy_quantity

    @property
    def bought_value(self) -> int:
        """What that cost."""
        return self.carried_buy_value + self.buy_value

    @property
    def sold(self) -> int:
        """What was sold, carried in or today."""
        return self.carried_sell_quantity + self.sell_quantity

    @property
    def sold_value(self) -> int:
        """What that brought."""
        return self.carried_sell_value + self.sell_value

    @property
    def net_quantity(self) -> int:
        """Bought less sold: negative when short."""
        return self.bought - self.sold

    @property
    def bound_net(self) -> int:
        """What cover and bracket orders hold of the net quantity."""
        return self.net_quantity - self.plain_net

    @property
    def realised_paise(self) -> int:
        """Profit of what has been bought and sold, at average prices, rounded down."""
        bought, sold = self.bought, self.sold
        closed = min(bought, sold)
        if closed == 0:
            return 0
        if bought == sold:
            profit = self.sold_value - self.bought_value
        else:
            profit = (self.sold_value * closed * bought - self.bought_value * closed * sold) // (
                bought * sold
            )
        return profit * self.multiplier // PIPS_PER_PAISA

    def trade(self, side: Side, quantity: int, price_pips: int) -> None:
        """Add one trade."""
        if side is Side.BUY:
            self.buy_quantity += quantity
            self.buy_value += quantity * price_pips
        else:
            self.sell_quantity += quantity
            self.sell_value += quantity * price_pips

    def open_of(self, side: Side) -> Open:
        """Return what regular orders of one side could still trade."""
        return self.open_buy if side is Side.BUY else self.open_sell

    def carry(self, plain: int, bound: int, close_pips: int) -> None:
        """Begin another day with this, at a closing price; it may be less than there was."""
        long, short = max(plain, 0) + max(bound, 0), max(-plain, 0) + max(-bound, 0)
        self.buy_quantity = self.buy_value = self.sell_quantity = self.sell_value = 0
        self.carried_buy_quantity, self.carried_buy_value = long, long * close_pips
        self.carried_sell_quantity, self.carried_sell_value = short, short * close_pips
        self.plain_net = plain

    @property
    def carried(self) -> int:
        """How much was carried in, on both sides."""
        return self.carried_buy_quantity + self.carried_sell_quantity

    def of_today(self) -> "Position":
        """Return what was traded today, without what was carried in."""
        return Position(
            self.instrument,
            self.product,
            self.multiplier,
            self.buy_quantity,
            self.buy_value,
            self.sell_quantity,
            self.sell_value,
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it, not even an order."""
        held = self.bought or self.sold or self.plain_net
        return not (held or self.open_buy.quantity or self.open_sell.quantity)
