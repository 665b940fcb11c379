"""
Clients, their positions and their money: a fold of distinct trades, and what is blocked.

Cash moves by realised profit only, and realised profit is computed from the sums of a
position, not accumulated, so that it can always be recomputed from the trades (INV-11).
Margin is blocked for what an entry could still open and for what it has opened; an order
that reduces a position never asks for any (INV-12).

Values are pips times shares until they become paise, rounded against the client by less than
one paisa.

Source: cover-order 5.8 (INV-11, INV-12), 4 (CO leverage).
"""

import msgspec

from kavach.core.settings import PERMILLE, Settings
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product, Side


class Position(msgspec.Struct, array_like=True):
    """What a client has traded of one instrument in one product today."""

    instrument: InstrumentKey
    product: Product
    multiplier: int
    buy_quantity: int = 0
    buy_value: int = 0
    sell_quantity: int = 0
    sell_value: int = 0

    @property
    def net_quantity(self) -> int:
        """Bought less sold: negative when short."""
        return self.buy_quantity - self.sell_quantity

    @property
    def realised_paise(self) -> int:
        """Profit of what has been bought and sold, at average prices, rounded down."""
        closed = min(self.buy_quantity, self.sell_quantity)
        if closed == 0:
            return 0
        if self.buy_quantity == self.sell_quantity:
            profit = self.sell_value - self.buy_value
        else:
            profit = (
                self.sell_value * closed * self.buy_quantity
                - self.buy_value * closed * self.sell_quantity
            ) // (self.buy_quantity * self.sell_quantity)
        return profit * self.multiplier // PIPS_PER_PAISA

    def trade(self, side: Side, quantity: int, price_pips: int) -> None:
        """Add one trade."""
        if side is Side.BUY:
            self.buy_quantity += quantity
            self.buy_value += quantity * price_pips
        else:
            self.sell_quantity += quantity
            self.sell_value += quantity * price_pips


class Client(msgspec.Struct, array_like=True):
    """An account."""

    client_id: str
    cash_paise: int
    token_digest: str
    password_digest: str
    pin_digest: str
    killed: bool = False
    blocked_paise: int = 0
    realised_paise: int = 0
    positions: list[Position] = msgspec.field(default_factory=list)

    def position(self, instrument: InstrumentKey, product: Product) -> Position | None:
        """Return the position of an instrument in a product, if it ever traded."""
        for position in self.positions:
            if position.instrument == instrument and position.product is product:
                return position
        return None

    @property
    def available_paise(self) -> int:
        """What is free for new entries; may be negative after a loss."""
        return self.cash_paise + self.realised_paise - self.blocked_paise

    def trade(
        self, instrument: Instrument, product: Product, side: Side, quantity: int, price_pips: int
    ) -> None:
        """Fold one trade into the position and the realised profit."""
        position = self.position(instrument.key, product)
        if position is None:
            position = Position(instrument.key, product, instrument.multiplier)
            self.positions.append(position)
        before = position.realised_paise
        position.trade(side, quantity, price_pips)
        self.realised_paise += position.realised_paise - before


def margin_paise(
    instrument: Instrument, settings: Settings, product: Product, quantity: int, price_pips: int
) -> int:
    """Return what must be free to hold ``quantity`` at ``price_pips``, rounded up to a paisa."""
    value = quantity * price_pips * instrument.multiplier * settings.margin_permille[product]
    return -(-value // (PERMILLE * PIPS_PER_PAISA))
