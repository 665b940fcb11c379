"""
What the auditor checks of what clients left for later: GTT rules, saved baskets, their executions.

Days are counted by the standard library's calendar, and triggers compared with the exchange's own
last prices, so nothing here is the arithmetic of the rules. While the venue cannot be reached or a
session is closed, a rule rightly waits behind its price; then only the rest is checked.

Source: docs/spec/gtt.md, "Invariants"; docs/wire/baskets.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from kavach.core.model.gtt.rule import GttAction, GttRule
from kavach.core.model.gtt.tables import GttState
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.core.rules.baskets.requests import BASKET_ORDERS_MAX, BASKETS_MAX, NAME_LENGTH_MAX
from kavach.core.rules.gtt.requests import GTTS_MAX
from kavach.twin.audit_seen import Violation
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND, InstrumentKey


def check_kept(
    state: OmsState, last_prices: Mapping[InstrumentKey, int], now_ns: int
) -> Iterator[Violation]:
    """Yield what is wrong with rules, baskets and executions."""
    today = _day_in_india(now_ns)
    for rule in state.gtts.rules.values():
        for invariant, detail in _check_rule(state, rule, last_prices, today):
            yield Violation(invariant, rule.order_id, f"rule {rule.rule_id} {detail}")
    yield from _check_shared(state)
    yield from _check_baskets(state)
    yield from _check_executions(state)


Found = Iterator[tuple[str, str]]


def _check_rule(
    state: OmsState, rule: GttRule, last_prices: Mapping[InstrumentKey, int], today: date
) -> Found:
    if rule.client_id not in state.clients:
        yield "GTT-2", f"belongs to nobody: {rule.client_id}"
    if len(rule.triggers) != (2 if rule.action is GttAction.OCO else 1):
        yield "GTT-2", f"is {rule.action} and has {len(rule.triggers)} triggers"
    if rule.state is GttState.TRIGGERED or rule.state is GttState.REJECTED:
        yield from _check_order(state, rule)
    elif rule.order_id:
        yield "GTT-1", f"is {rule.state} and has the order {rule.order_id}"
    if rule.state is not GttState.ACTIVE:
        return
    day = rule.expiry_day
    if date(day // 10_000, day // 100 % 100, day % 100) < today:
        yield "GTT-3", f"is active on {today}, and its last day was {day}"
    instrument = state.instruments[rule.terms.instrument]
    if state.venue_disconnected or not state.sessions.is_continuous(instrument):
        return
    last_pips = last_prices.get(instrument.key, instrument.previous_close_pips)
    for trigger in rule.triggers:
        behind = last_pips >= trigger.at_pips if trigger.rises else last_pips <= trigger.at_pips
        if behind:
            yield "GTT-4", f"waits for {trigger.at_pips}, and {last_pips} was traded"


def _check_order(state: OmsState, rule: GttRule) -> Found:
    """A rule that fired has one order, made of its own terms at its own time."""
    order = state.regulars.get(rule.order_id)
    if order is None:
        if rule.state is GttState.TRIGGERED or rule.terms.instrument in state.instruments:
            yield "GTT-2", f"is {rule.state}, and there is no order {rule.order_id}"
        return
    terms, trigger = rule.terms, rule.triggers[rule.fired]
    of_rule = (rule.client_id, terms.instrument, terms.side, terms.product, terms.user_order_id)
    if of_rule != (
        order.client_id,
        order.instrument,
        order.side,
        order.product,
        order.user_order_id,
    ):
        yield "GTT-2", f"has an order that is not its own: {order.order_id}"
    if order.placed_at_ns != rule.updated_at_ns:
        yield "GTT-2", f"fired at {rule.updated_at_ns}, its order came at {order.placed_at_ns}"
    changed = order.entry_modified or order.modify is not None or order.cancel_source is not None
    if not changed and (order.quantity, order.price_pips) != (trigger.quantity, trigger.price_pips):
        yield "GTT-2", f"ordered {order.quantity} at {order.price_pips} pips instead of its own"
    if rule.state is GttState.REJECTED and not _rejected_alike(rule, order):
        yield "GTT-2", f"says {rule.reject_code}, and its order {order.ended_code}"


def _rejected_alike(rule: GttRule, order: RegularOrder) -> bool:
    return order.over and (order.ended_code, order.ended_reason) == (
        rule.reject_code,
        rule.reject_text,
    )


def _check_shared(state: OmsState) -> Iterator[Violation]:
    """No order belongs to two rules, or to two lines of baskets, or to one of each."""
    owners = Counter(rule.order_id for rule in state.gtts.rules.values() if rule.order_id)
    for execution in state.shelf.executions.values():
        owners.update(outcome.order_id for outcome in execution.outcomes if outcome.order_id)
    for order_id, times in owners.items():
        if times > 1:
            detail = f"{times} rules or lines of baskets have placed this order"
            yield Violation("GTT-1", order_id, detail)
    active = Counter(rule.client_id for rule in state.gtts.rules.values() if rule.active)
    for client_id, many in active.items():
        if many > GTTS_MAX or many != state.gtts.active_count(client_id):
            detail = f"{client_id} has {many} active rules"
            yield Violation("GTT-3", 0, detail)


def _check_baskets(state: OmsState) -> Iterator[Violation]:
    """A basket is somebody's, has a name of its own, and holds each instrument once."""
    names = Counter((basket.client_id, basket.name) for basket in state.shelf.baskets.values())
    for basket in state.shelf.baskets.values():
        wrong = ""
        instruments = [order.terms.instrument for order in basket.orders]
        if basket.client_id not in state.clients:
            wrong = f"belongs to nobody: {basket.client_id}"
        elif names[basket.client_id, basket.name] > 1 or len(basket.name) > NAME_LENGTH_MAX:
            wrong = f"has no name of its own: {basket.name}"
        elif len(set(instruments)) < len(instruments) or len(instruments) > BASKET_ORDERS_MAX:
            wrong = f"holds {len(instruments)} orders of {len(set(instruments))} instruments"
        if wrong:
            yield Violation("BASKET-1", 0, f"basket {basket.basket_id} {wrong}")
    for client_id, many in Counter(client_id for client_id, _ in names.elements()).items():
        if many > BASKETS_MAX:
            yield Violation("BASKET-1", 0, f"{client_id} keeps {many} baskets")


def _check_executions(state: OmsState) -> Iterator[Violation]:
    """Each order of an execution is its client's, and was placed with it."""
    for execution in state.shelf.executions.values():
        if not execution.outcomes:
            detail = "a basket was executed, and nothing is known of its orders"
            yield Violation("BASKET-2", execution.execution_id, detail)
        for outcome in execution.outcomes:
            order = state.regulars.get(outcome.order_id)
            if order is None:
                if outcome.order_id:
                    yield Violation("BASKET-2", outcome.order_id, "there is no such order")
            elif (order.client_id, order.placed_at_ns) != (execution.client_id, execution.at_ns):
                detail = f"placed by {order.client_id}, and not by execution of the basket"
                yield Violation("BASKET-2", order.order_id, detail)


def _day_in_india(at_ns: int) -> date:
    at = datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC)
    return (at + timedelta(seconds=IST_OFFSET_SECONDS)).date()
