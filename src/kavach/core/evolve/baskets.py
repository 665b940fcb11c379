"""
What each event of the saved baskets means for the state. Applies, never refuses.

Source: docs/wire/baskets.md; ``core.evolve.apply``.
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.model.baskets import events as e
from kavach.core.model.baskets.basket import (
    BasketExecution,
    BasketOrder,
    BasketOutcome,
    SavedBasket,
)
from kavach.core.model.state import OmsState


def _created(state: OmsState, event: e.BasketCreated, at_ns: int) -> None:
    state.uuids_given += 1
    state.shelf.add(
        SavedBasket(
            event.basket_id,
            state.clients[event.client_id].client_id,
            event.name,
            event.basket_type,
            event.product_type,
            event.order_type,
        )
    )


def _renamed(state: OmsState, event: e.BasketRenamed, at_ns: int) -> None:
    state.shelf.baskets[event.basket_id].name = event.name


def _deleted(state: OmsState, event: e.BasketDeleted, at_ns: int) -> None:
    state.shelf.remove(event.basket_id)


def _order_added(state: OmsState, event: e.BasketOrderAdded, at_ns: int) -> None:
    state.uuids_given += 1
    basket = state.shelf.baskets[event.basket_id]
    basket.orders.append(BasketOrder(event.line_id, event.terms))


def _order_edited(state: OmsState, event: e.BasketOrderEdited, at_ns: int) -> None:
    basket = state.shelf.baskets[event.basket_id]
    basket.orders[_line(basket, event.line_id)] = BasketOrder(event.line_id, event.terms)


def _order_removed(state: OmsState, event: e.BasketOrderRemoved, at_ns: int) -> None:
    basket = state.shelf.baskets[event.basket_id]
    del basket.orders[_line(basket, event.line_id)]


def _executed(state: OmsState, event: e.BasketExecuted, at_ns: int) -> None:
    basket = state.shelf.baskets[event.basket_id]
    basket.executed = True
    state.shelf.executions[event.execution_id] = BasketExecution(
        event.execution_id, event.basket_id, basket.client_id, at_ns, event.square_off
    )
    state.id_given(event.execution_id)


def _order_settled(state: OmsState, event: e.BasketOrderSettled, at_ns: int) -> None:
    outcome = BasketOutcome(event.line_id, event.order_id)
    state.shelf.executions[event.execution_id].outcomes.append(outcome)


def _line(basket: SavedBasket, line_id: str) -> int:
    number = basket.line(line_id)
    assert number is not None, f"{basket.basket_id} holds no {line_id}"
    return number


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.BasketCreated: _created,
    e.BasketRenamed: _renamed,
    e.BasketDeleted: _deleted,
    e.BasketOrderAdded: _order_added,
    e.BasketOrderEdited: _order_edited,
    e.BasketOrderRemoved: _order_removed,
    e.BasketExecuted: _executed,
    e.BasketOrderSettled: _order_settled,
}
