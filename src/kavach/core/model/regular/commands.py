"""
What a client may ask about regular orders.

``None`` in a modify means "leave as it is". Prices are pips, quantities shares.

Source: docs/wire/README.md, "Regular and after-market orders".
"""

from typing import ClassVar

from kavach.core.commands import KeyedCommand
from kavach.units import InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity


class PlaceOrder(KeyedCommand, frozen=True, kw_only=True):
    """Buy or sell."""

    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips  # 0 for MARKET and SLM.
    trigger_price_pips: Pips  # Of an SL or SLM order; otherwise 0.
    validity: Validity
    product: Product
    amo: bool = False  # Keep it until the session opens.
    user_order_id: int = 0
    device: str = ""
    protection_bp: int = 0  # Hundredths of a percent; 0: the instrument's own protection.


class ModifyOrder(KeyedCommand, frozen=True, kw_only=True):
    """Change a living order."""

    order_id: int
    exchange_order_id: str | None = None
    instrument: InstrumentKey | None = None  # These three may not change: they are checks.
    side: Side | None = None
    product: Product | None = None
    last_activity_ns: int | None = None
    order_type: OrderType | None = None
    quantity: Quantity | None = None  # The new total, what has traded included.
    disclosed_quantity: Quantity | None = None
    price_pips: Pips | None = None
    trigger_price_pips: Pips | None = None
    validity: Validity | None = None
    protection_bp: int | None = None
    filled_quantity: Quantity | None = None  # These three are checks.
    remaining_quantity: Quantity | None = None
    amo: bool | None = None


class CancelOrder(KeyedCommand, frozen=True, kw_only=True):
    """Cancel what has not traded."""

    protective: ClassVar[bool] = True

    order_id: int
