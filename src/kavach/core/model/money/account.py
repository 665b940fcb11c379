"""
Clients and their money: a fold of distinct trades, and what is blocked.

Within a day cash stands still: profit is realised in the sums of positions, and computed from
them, not accumulated, so that it can always be recomputed from the trades (INV-11). When the day
ends, it is paid (``core.model.money.settlement``).

Margin is blocked for what an entry could still open and for what it has opened; an order
that reduces a position never asks for any (INV-12).

Source: docs/spec/cover_order.md, "What must hold".
"""

import msgspec

from kavach.core.model.money.holding import Holding
from kavach.core.model.money.position import Position
from kavach.core.model.orders.indexed import FEW, Indexed
from kavach.instruments import Instrument
from kavach.units import InstrumentKey, Product, Side


def _of_position(position: Position) -> tuple[InstrumentKey, Product]:
    return position.instrument, position.product


def _of_holding(holding: Holding) -> InstrumentKey:
    return holding.instrument


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
    holdings: list[Holding] = msgspec.field(default_factory=list)
    totp_secret: str = ""  # In base 32; it can't be checked without being known.
    cash_rest_pips: int = 0  # What a settlement left below a paisa.
    deposit_paise: int | None = None  # The cash that the account began with.

    def __post_init__(self) -> None:
        """Take the cash of an account that never saw the end of a day for its deposit."""
        if self.deposit_paise is None:
            self.deposit_paise = self.cash_paise

    def position(self, instrument: InstrumentKey, product: Product) -> Position | None:
        """Return the position of an instrument in a product, if it ever traded."""
        positions = self.positions
        if len(positions) < FEW:
            for position in positions:
                if position.instrument == instrument and position.product is product:
                    return position
            return None
        if not isinstance(positions, Indexed):
            self.positions = positions = Indexed(positions, _of_position)
        return positions.find((instrument, product))

    def position_in(self, instrument: Instrument, product: Product) -> Position:
        """Return the position of an instrument in a product, a new one if there is none."""
        position = self.position(instrument.key, product)
        if position is None:
            position = Position(instrument.key, product, instrument.multiplier)
            self.positions.append(position)
        return position

    def holding(self, instrument: InstrumentKey) -> Holding | None:
        """Return what is owned of an instrument, if anything ever was."""
        holdings = self.holdings
        if len(holdings) < FEW:
            for holding in holdings:
                if holding.instrument == instrument:
                    return holding
            return None
        if not isinstance(holdings, Indexed):
            self.holdings = holdings = Indexed(holdings, _of_holding)
        return holdings.find(instrument)

    def holding_in(self, instrument: InstrumentKey) -> Holding:
        """Return what is owned of an instrument, a new holding if there is none."""
        holding = self.holding(instrument)
        if holding is None:
            holding = Holding(instrument)
            self.holdings.append(holding)
        return holding

    @property
    def available_paise(self) -> int:
        """What is free for new entries; may be negative after a loss."""
        return self.cash_paise + self.realised_paise - self.blocked_paise

    def trade(
        self,
        instrument: Instrument,
        product: Product,
        side: Side,
        quantity: int,
        price_pips: int,
        *,
        plain: bool,
    ) -> Position:
        """Fold one trade into the position and the realised profit, and return the position.

        ``plain``: by a regular order; otherwise by an order that blocks its own margin.
        """
        position = self.position_in(instrument, product)
        before = position.realised_paise
        position.trade(side, quantity, price_pips)
        if plain:
            position.plain_net += quantity if side is Side.BUY else -quantity
        self.realised_paise += position.realised_paise - before
        return position
