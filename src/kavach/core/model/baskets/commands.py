"""
What a client may ask about its saved baskets.

Source: docs/wire/baskets.md.
"""

from typing import ClassVar

from kavach.core.commands import KeyedCommand
from kavach.core.model.baskets.basket import BasketType
from kavach.core.model.orders.terms import OrderTerms


class CreateBasket(KeyedCommand, frozen=True, kw_only=True):
    """Keep an empty basket under this name."""

    counted: ClassVar[bool] = False
    name: str
    basket_type: BasketType
    product_type: str = "ALL"
    order_type: str = "ALL"


class RenameBasket(KeyedCommand, frozen=True, kw_only=True):
    """Give a basket another name."""

    counted: ClassVar[bool] = False
    basket_id: str
    name: str


class DeleteBasket(KeyedCommand, frozen=True, kw_only=True):
    """Forget a basket."""

    counted: ClassVar[bool] = False
    basket_id: str


class AddBasketOrder(KeyedCommand, frozen=True, kw_only=True):
    """Keep one more order in a basket."""

    counted: ClassVar[bool] = False
    basket_id: str
    terms: OrderTerms


class EditBasketOrder(KeyedCommand, frozen=True, kw_only=True):
    """Replace an order of a basket."""

    counted: ClassVar[bool] = False
    basket_id: str
    line_id: str
    terms: OrderTerms


class RemoveBasketOrder(KeyedCommand, frozen=True, kw_only=True):
    """Take an order out of a basket."""

    counted: ClassVar[bool] = False
    basket_id: str
    line_id: str


class ExecuteBasket(KeyedCommand, frozen=True, kw_only=True):
    """Place every order of a basket; with ``square_off``, each on the other side."""

    basket_id: str
    square_off: bool = False
