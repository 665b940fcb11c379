"""
Saved baskets: orders that a client keeps under a name, and places all at once when it likes.

A basket promises nothing: it is a list. What becomes of each of its orders is known when it is
executed, and kept with the execution, which outlives the basket.

Times are nanoseconds.

Source: docs/wire/baskets.md.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from kavach.core.model.orders.terms import OrderTerms


class BasketType(StrEnum):
    """What a basket is for."""

    NORMAL = "NORMAL"
    HEDGE = "HEDGE"  # Index derivatives that offset each other.


class BasketOrder(msgspec.Struct, frozen=True, array_like=True):
    """One line of a basket."""

    line_id: str  # A UUID; no order of a book has it.
    terms: OrderTerms


class SavedBasket(msgspec.Struct, array_like=True):
    """A basket as it stands."""

    basket_id: str
    client_id: str
    name: str
    basket_type: BasketType
    product_type: str  # A product, or ALL.
    order_type: str  # An order type, or ALL.
    executed: bool = False
    orders: list[BasketOrder] = msgspec.field(default_factory=list)

    def line(self, line_id: str) -> int | None:
        """Return where in the list an order stands, or None."""
        for number, order in enumerate(self.orders):
            if order.line_id == line_id:
                return number
        return None


class BasketOutcome(msgspec.Struct, frozen=True, array_like=True):
    """What became of one order of a basket when it was executed."""

    line_id: str  # Of the line.
    order_id: int  # oms_order_id; 0: its instrument is not listed any more.


class BasketExecution(msgspec.Struct, array_like=True):
    """One execution: when, and what became of each order, in the order of the list."""

    execution_id: int
    basket_id: str
    client_id: str
    at_ns: int
    square_off: bool
    outcomes: list[BasketOutcome] = msgspec.field(default_factory=list)


class Shelf:
    """Every basket and every execution, findable."""

    def __init__(self) -> None:
        self.baskets: dict[str, SavedBasket] = {}
        self.executions: dict[int, BasketExecution] = {}
        self._by_client: dict[str, dict[str, SavedBasket]] = {}

    def of(self, client_id: str) -> Iterable[SavedBasket]:
        """Return a client's baskets, oldest first."""
        return self._by_client.get(client_id, {}).values()

    def count(self, client_id: str) -> int:
        """Return how many baskets a client has."""
        return len(self._by_client.get(client_id, {}))

    def add(self, basket: SavedBasket) -> None:
        """Put a basket on the shelf."""
        self.baskets[basket.basket_id] = basket
        self._by_client.setdefault(basket.client_id, {})[basket.basket_id] = basket

    def remove(self, basket_id: str) -> None:
        """Take a basket off; its executions stay."""
        basket = self.baskets.pop(basket_id)
        del self._by_client[basket.client_id][basket_id]
