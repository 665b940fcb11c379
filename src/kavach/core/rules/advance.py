"""
What is done after everything that touched an order of a client.

Send what it is owed, check it, and schedule the next call.

Source: docs/spec/cover_order.md, "What must hold"; docs/spec/regular_order.md.
"""

from enum import StrEnum

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.rules.context import OrderPolicy, StepContext
from kavach.core.rules.orders.turns import note_leaving


def advance(context: StepContext, parent: ParentOrder, before: StrEnum) -> None:
    """Perform the duties, assert the invariants and the move, arm timer and price watch."""
    policy = context.policies[type(parent)]
    after = policy.enforce(context, parent)
    allowed = after is before or after in policy.moves[before]
    assert allowed, f"{parent.order_id}: {before} to {after}"
    parent.check()
    note_leaving(context, parent)
    context.changed_orders[parent.order_id] = parent


def schedule(context: StepContext) -> None:
    """Arm what was touched in this step, once, when it is known what the venue answered."""
    compares = context.state.settings.t_reconcile_ns > 0
    derived = context.state.derived
    for parent in context.changed_orders.values():
        derived.pop(parent.order_id, None)
        policy = context.policies[type(parent)]
        state = parent.state
        known = compares or parent.order_id in context.timers.known
        if known or not policy.wants_nothing(parent, state):
            _arm(context, policy, parent, state)


def arm(context: StepContext, parent: ParentOrder) -> None:
    """Arrange for the order to be called when time or price will owe it something."""
    _arm(context, context.policies[type(parent)], parent, parent.state)


def _arm(context: StepContext, policy: OrderPolicy, parent: ParentOrder, state: StrEnum) -> None:
    wants = policy.wants_price(parent, state)
    wake_ns = 0 if state in policy.terminal else policy.next_wake_ns(context, parent, state)
    context.timers.watch(parent, wants=wants)
    context.timers.wake(parent.order_id, wake_ns)
    if not wants and wake_ns == 0:
        context.timers.known.discard(parent.order_id)
