"""
What each event of the GTT rules means for the state. Applies, never refuses.

Source: docs/wire/gtt.md; ``core.model.gtt.tables``.
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.model.gtt import events as e
from kavach.core.model.gtt.rule import GttRule
from kavach.core.model.gtt.tables import GTT, GttEvent, GttState
from kavach.core.model.state import OmsState

_MODIFY, _CANCEL, _REACHED, _REFUSED, _DAY_OVER = GttEvent


def _move(state: OmsState, rule_id: str, happened: GttEvent) -> GttRule:
    """Move the rule as the grid says; anything but a state in the cell is a broken journal."""
    rule = state.gtts.rules[rule_id]
    cell = GTT[rule.state][happened]
    assert isinstance(cell, GttState), f"{rule_id}: {happened} in {rule.state}"
    waited = rule.active
    rule.state = cell
    if waited and not rule.active:
        state.gtts.ended(rule)
    return rule


def _created(state: OmsState, event: e.GttCreated, at_ns: int) -> None:
    state.uuids_given += 1
    state.gtts.add(
        GttRule(
            event.rule_id,
            state.uuids_given,
            state.clients[event.client_id].client_id,
            event.action,
            event.terms,
            event.triggers,
            event.expiry_day,
            at_ns,
            at_ns,
        )
    )


def _modified(state: OmsState, event: e.GttModified, at_ns: int) -> None:
    rule = _move(state, event.rule_id, _MODIFY)
    rule.action = event.action
    rule.terms = event.terms
    rule.triggers = event.triggers
    rule.expiry_day = event.expiry_day
    rule.updated_at_ns = at_ns


def _cancelled(state: OmsState, event: e.GttCancelled, at_ns: int) -> None:
    _move(state, event.rule_id, _CANCEL).updated_at_ns = at_ns


def _expired(state: OmsState, event: e.GttExpired, at_ns: int) -> None:
    _move(state, event.rule_id, _DAY_OVER).updated_at_ns = at_ns


def _triggered(state: OmsState, event: e.GttTriggered, at_ns: int) -> None:
    rule = _move(state, event.rule_id, _REACHED)
    rule.fired = event.which
    rule.updated_at_ns = at_ns


def _order_placed(state: OmsState, event: e.GttOrderPlaced, at_ns: int) -> None:
    rule = state.gtts.rules[event.rule_id]
    assert rule.state is GttState.TRIGGERED, f"{rule.rule_id}: an order of a rule in {rule.state}"
    assert not rule.order_id, f"{rule.rule_id}: a second order"
    rule.order_id = event.order_id


def _order_refused(state: OmsState, event: e.GttOrderRefused, at_ns: int) -> None:
    rule = _move(state, event.rule_id, _REFUSED)
    rule.reject_code = event.code
    rule.reject_text = event.text


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.GttCreated: _created,
    e.GttModified: _modified,
    e.GttCancelled: _cancelled,
    e.GttExpired: _expired,
    e.GttTriggered: _triggered,
    e.GttOrderPlaced: _order_placed,
    e.GttOrderRefused: _order_refused,
}
