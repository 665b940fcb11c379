"""
What has happened to regular orders, beyond what happens to every order at a venue.

Source: docs/wire/README.md, "Regular and after-market orders".
"""

from kavach.core.events import Event
from kavach.units import InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity


class RegularOrderPlaced(Event, frozen=True):
    """A regular order is accepted and owned; nothing has been sent yet."""

    order_id: int
    client_id: str
    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    validity: Validity
    product: Product
    reference_price_pips: Pips  # What margin is measured by.
    user_order_id: int
    device: str
    amo: bool = False
    # Whether the system placed it of itself, to give back a position. None: written before this
    # was given; see ``core.evolve.regular``.
    by_system: bool | None = None


class RegularOrderReleased(Event, frozen=True):
    """A parked order goes to the venue."""

    order_id: int


class RegularOrderEnded(Event, frozen=True):
    """A regular order has reached a terminal state."""

    order_id: int
    state: str  # A terminal RegularState.
    code: int
    reason: str


class RegularOrderReopened(Event, frozen=True):
    """Something of it lives, or has traded, after its end."""

    order_id: int
