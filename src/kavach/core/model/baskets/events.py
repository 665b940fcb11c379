"""
What has happened to saved baskets.

Source: docs/wire/baskets.md.
"""

from kavach.core.events import Event
from kavach.core.model.baskets.basket import BasketType
from kavach.core.model.orders.terms import OrderTerms


class BasketCreated(Event, frozen=True):
    """A client keeps a new, empty basket."""

    basket_id: str
    client_id: str
    name: str
    basket_type: BasketType
    product_type: str
    order_type: str


class BasketRenamed(Event, frozen=True):
    """A basket has another name."""

    basket_id: str
    name: str


class BasketDeleted(Event, frozen=True):
    """A basket is gone."""

    basket_id: str


class BasketOrderAdded(Event, frozen=True):
    """A basket holds one more order."""

    basket_id: str
    line_id: str
    terms: OrderTerms


class BasketOrderEdited(Event, frozen=True):
    """An order of a basket is another one now."""

    basket_id: str
    line_id: str
    terms: OrderTerms


class BasketOrderRemoved(Event, frozen=True):
    """An order is no longer in its basket."""

    basket_id: str
    line_id: str


class BasketExecuted(Event, frozen=True):
    """The orders of a basket are being placed; what becomes of each follows in the same record."""

    execution_id: int
    basket_id: str
    square_off: bool


class BasketOrderSettled(Event, frozen=True):
    """One order of an execution was placed; its row says what became of it."""

    execution_id: int
    line_id: str
    order_id: int  # 0: its instrument is not listed any more.


BasketEvent = (
    BasketCreated
    | BasketRenamed
    | BasketDeleted
    | BasketOrderAdded
    | BasketOrderEdited
    | BasketOrderRemoved
    | BasketExecuted
    | BasketOrderSettled
)
