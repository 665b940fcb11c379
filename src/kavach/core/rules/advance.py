"""
What is done after everything that touched an order of a client.

Pay what it is owed, check it, and arrange the next call.

Source: cover-order 5.8; ``MOVES`` of ``core.model.cover.tables`` and of
``core.model.regular.tables``.
"""

from enum import StrEnum

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.rules.context import Desk, OrderPolicy
from kavach.core.rules.orders.turns import note_leaving


def settle(desk: Desk, parent: ParentOrder, before: StrEnum) -> None:
    """Perform the duties, assert the invariants and the move, arm timer and price watch."""
    policy = desk.policies[type(parent)]
    after = policy.enforce(desk, parent)
    allowed = after is before or after in policy.moves[before]
    assert allowed, f"{parent.order_id}: {before} to {after}"
    parent.check()
    note_leaving(desk, parent)
    desk.touched[parent.order_id] = parent


def arrange(desk: Desk) -> None:
    """Arm what was touched in this step, once, when it is known what the venue answered."""
    compares = desk.state.settings.t_reconcile_ns > 0
    derived = desk.state.derived
    for parent in desk.touched.values():
        derived.pop(parent.order_id, None)
        policy = desk.policies[type(parent)]
        state = parent.state
        known = compares or parent.order_id in desk.agenda.known
        if known or not policy.wants_nothing(parent, state):
            _arm(desk, policy, parent, state)


def arm(desk: Desk, parent: ParentOrder) -> None:
    """Arrange for the order to be called when time or price will owe it something."""
    _arm(desk, desk.policies[type(parent)], parent, parent.state)


def _arm(desk: Desk, policy: OrderPolicy, parent: ParentOrder, state: StrEnum) -> None:
    wants = policy.wants_price(parent, state)
    wake_ns = 0 if state in policy.terminal else policy.next_wake_ns(desk, parent, state)
    desk.agenda.watch(parent, wants=wants)
    desk.agenda.wake(parent.order_id, wake_ns)
    if not wants and wake_ns == 0:
        desk.agenda.known.discard(parent.order_id)
