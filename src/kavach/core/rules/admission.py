"""
Whether a client's request may be taken now, by the rules of the house.

Two things are asked of a request that is not protective: that the client has not had more
accepted than its limits allow, and that what the request needs to send fits into the budget of
requests to the venue. Requests that take risk away (a cancel, an exit, a change of the stop)
are counted and never refused: they are taken at once, whatever was counted before them. Nothing
of that is queued, because a queue could only make it late (docs/decisions/0017). What the system
itself places (an executed basket, a rule that fired, what was parked) waits its turn, unsent.

What is counted is what was accepted: a refusal changes nothing, so it does not count either, and
a repetition that is answered from memory does nothing a second time.

Times are nanoseconds.

Source: docs/wire/limits.md; docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md,
"Cancelling and getting out"; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Callable
from typing import Any

from kavach.core.commands import KeyedCommand, Leg, ModifyCoverOrder, PlaceCoverOrder
from kavach.core.model.baskets.commands import ExecuteBasket
from kavach.core.model.limits.events import RequestCounted
from kavach.core.model.regular.commands import ModifyOrder, PlaceOrder
from kavach.core.refusals import Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.limits.budget import changes, later, no_room, slices_of
from kavach.core.rules.pending import PendingRequest
from kavach.core.rules.regular.requests import reduces
from kavach.units import InstrumentKey

Decide = Callable[[Any, Any], PendingRequest | Refusal]


def admit(context: StepContext, command: KeyedCommand, decide: Decide) -> PendingRequest | Refusal:
    """Return the decision on a request that the limits let through, counted if it is accepted."""
    if not command.counted:
        return decide(context, command)
    requests = _requests(context, command)
    if not _is_protective(context, command):
        refusal = _over_limits(context, command.client_id, requests) or _over_budget(
            context, command
        )
        if refusal is not None:
            return refusal
    pending = decide(context, command)
    if isinstance(pending, PendingRequest) and (
        pending.answer is None or not pending.answer.replayed
    ):
        for _ in range(requests):
            context.emit(RequestCounted(command.client_id))
    return pending


def _requests(context: StepContext, command: KeyedCommand) -> int:
    """Return how many requests a request counts as: a basket as many as it has orders."""
    if not isinstance(command, ExecuteBasket):
        return 1
    basket = context.state.shelf.baskets.get(command.basket_id)
    return 1 if basket is None else max(1, len(basket.orders))


def _is_protective(context: StepContext, command: KeyedCommand) -> bool:
    """Return whether the request only takes risk away (INV-12)."""
    if isinstance(command, PlaceOrder):
        return reduces(context.state.clients[command.client_id], command)
    if not isinstance(command, ModifyCoverOrder):
        return command.protective
    cover = context.state.covers.get(command.order_id)
    names_stop = cover is not None and command.order_id == cover.stop.order_id
    return command.leg is Leg.THIRD or (command.leg is None and names_stop)


def _over_limits(context: StepContext, client_id: str, requests: int) -> Refusal | None:
    limits = context.state.limits
    tally, limit = limits.requests.get(client_id), limits.rules.orders
    return None if tally is None or limit is None else later(context, tally, limit, requests)


def _over_budget(context: StepContext, command: KeyedCommand) -> Refusal | None:
    needed = _venue_requests(context, command)
    return None if needed is None else no_room(context, command.client_id, *needed)


def _venue_requests(
    context: StepContext, command: KeyedCommand
) -> tuple[InstrumentKey, int] | None:
    """Return the instrument and the most entry requests that a request can lead to at once."""
    state = context.state
    if isinstance(command, PlaceOrder):
        return None if command.amo else (command.instrument, 1)
    if isinstance(command, PlaceCoverOrder):
        instrument = state.instruments.get(command.instrument)
        slices = 1 if instrument is None else slices_of(instrument, command.quantity)
        return command.instrument, slices
    if isinstance(command, ModifyOrder | ModifyCoverOrder):
        parent = state.covers.get(command.order_id) or state.regulars.get(command.order_id)
        if parent is None or parent.client_id != command.client_id or not parent.entries:
            return None
        quantity = parent.quantity if command.quantity is None else command.quantity
        return parent.instrument, changes(parent, state.instruments[parent.instrument], quantity)
    return None
