"""
What may be asked about positions and shares.

Source: docs/wire/portfolio.md, "Converting"; docs/twin.md (holdings).
"""

from typing import ClassVar

from kavach.core.commands import Command, KeyedCommand, Shares
from kavach.units import InstrumentKey, Product, Quantity, Side


class ConvertPosition(KeyedCommand, frozen=True, kw_only=True):
    """Take a part of a position for another product."""

    counted: ClassVar[bool] = False

    instrument: InstrumentKey
    side: Side  # BUY: of a long position.
    quantity: Quantity
    product: Product
    new_product: Product


class GrantHoldings(Command, frozen=True, kw_only=True):
    """Grant a client shares that were not bought here."""

    client_id: str
    holdings: tuple[Shares, ...]
