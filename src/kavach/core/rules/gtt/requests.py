"""
What a client may ask of its GTT rules: create, modify, cancel.

A rule is found by its id, and only by its owner. It is checked for what can never become right by
waiting; band, margin and session are looked at when its order is placed.

Source: docs/wire/gtt.md; docs/wire/errors.md; ``core.model.gtt.tables``.
"""

from typing import Final

from msgspec.structs import replace

from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish, ModifyGtt
from kavach.core.model.gtt.events import GttCancelled, GttCreated, GttModified
from kavach.core.model.gtt.expiry import DAYS_MAX, days_of
from kavach.core.model.gtt.rule import GttRule, GttTrigger
from kavach.core.model.gtt.tables import GTT, Deny, GttEvent
from kavach.core.model.orders.terms import LIMIT, MARKET, SL, OrderTerms, check_kept, check_quantity
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.limits.order_attributes import lacks_protection
from kavach.core.rules.pending import PendingRequest
from kavach.core.rules.uuids import uuid_of
from kavach.instruments import Instrument
from kavach.units import Pips

GTTS_MAX: Final = 250  # Active ones, a client.


def create_gtt(context: StepContext, command: CreateGtt) -> PendingRequest | Refusal:
    """Keep a rule and watch its price."""
    state = context.state
    armed = _armed(context, command)
    if isinstance(armed, Refusal):
        return armed
    if state.gtts.active_count(command.client_id) >= GTTS_MAX:
        return Refusal(Reason.GTTS_MUST_BE_FEWER)
    rule_id = uuid_of("gtt", command.client_id, state.uuids_given)
    context.emit(
        GttCreated(
            rule_id, command.client_id, command.action, command.terms, armed, command.expiry_day
        )
    )
    rule = state.gtts.rules[rule_id]
    context.gtts.arm(rule)
    return _done(rule)


def modify_gtt(context: StepContext, command: ModifyGtt) -> PendingRequest | Refusal:
    """Replace an active rule, armed from the price as it is now."""
    rule = _find(context, command.client_id, command.rule_id)
    if rule is None:
        return Refusal(Reason.GTT_TO_MODIFY_MUST_EXIST)
    if GTT[rule.state][GttEvent.MODIFY] is Deny.OVER:
        return Refusal(Reason.GTT_MUST_BE_ACTIVE, f"it is {rule.state}")
    if command.terms.instrument != rule.terms.instrument:
        return Refusal(Reason.INSTRUMENT_MUST_NOT_CHANGE)
    armed = _armed(context, command)
    if isinstance(armed, Refusal):
        return armed
    context.gtts.disarm(rule)
    context.emit(
        GttModified(rule.rule_id, command.action, command.terms, armed, command.expiry_day)
    )
    context.gtts.arm(rule)
    return _done(rule)


def cancel_gtt(context: StepContext, command: CancelGtt) -> PendingRequest | Refusal:
    """Wait no longer; a repetition is answered as the first time."""
    rule = _find(context, command.client_id, command.rule_id)
    if rule is None:
        return Refusal(Reason.GTT_MUST_EXIST)
    cell = GTT[rule.state][GttEvent.CANCEL]
    if cell is Deny.AGAIN:
        return _done(rule, replayed=True)
    if cell is Deny.OVER:
        return Refusal(Reason.GTT_MUST_BE_ACTIVE, f"it is {rule.state}")
    context.gtts.disarm(rule)
    context.emit(GttCancelled(rule.rule_id))
    return _done(rule)


def _find(context: StepContext, client_id: str, rule_id: str) -> GttRule | None:
    rule = context.state.gtts.rules.get(rule_id)
    return rule if rule is not None and rule.client_id == client_id else None


def _done(rule: GttRule, *, replayed: bool = False) -> PendingRequest:
    return PendingRequest(answer=Answer(0, 0, rule.state, replayed=replayed, subject=rule.rule_id))


# --- What must hold ---------------------------------------------------------------------------


def _armed(
    context: StepContext, command: CreateGtt | ModifyGtt
) -> tuple[GttTrigger, ...] | Refusal:
    """Return the triggers as they lie around the price now, or why the rule cannot be."""
    terms = command.terms
    instrument = context.state.instruments.get(terms.instrument)
    if instrument is None:
        return Refusal(Reason.INSTRUMENT_MUST_EXIST, terms.instrument)
    reason = _check(context, instrument, terms, command.wishes)
    if reason is not None:
        return Refusal(reason)
    today = context.day()
    if command.expiry_day < today:
        return Refusal(Reason.EXPIRY_MUST_BE_AHEAD)
    if days_of(command.expiry_day) - days_of(today) > DAYS_MAX:
        return Refusal(Reason.EXPIRY_MUST_BE_WITHIN_LIMIT)
    last = context.last_price(instrument)
    armed = tuple(
        GttTrigger(wish.at_pips, wish.at_pips > last, wish.price_pips, wish.quantity)
        for wish in command.wishes
    )
    if command.wishes[0].at_pips == last:
        return Refusal(Reason.GTT_TRIGGER_MUST_NOT_BE_LAST_PRICE)
    if len(armed) > 1 and (armed[0].rises is armed[1].rises or armed[1].at_pips == last):
        return Refusal(Reason.GTT_TRIGGERS_MUST_SURROUND_LAST_PRICE)
    return armed


def _check(
    context: StepContext, instrument: Instrument, terms: OrderTerms, wishes: tuple[GttWish, ...]
) -> Reason | None:
    """Return why these orders can never be placed, or these triggers never be prices."""
    settings = context.state.settings
    first, *second = wishes
    order = replace(placed_as(terms, first), disclosed_quantity=terms.disclosed_quantity)
    if lacks_protection(context, order.order_type, order.protection_bp):
        return Reason.MARKET_PROTECTION_MUST_BE_GIVEN
    reason = check_kept(order, instrument, settings)
    if reason is not None:
        return reason
    if first.at_pips <= 0:
        return Reason.TRIGGER_PRICE_MUST_BE_POSITIVE
    if first.at_pips % instrument.tick_pips:
        return Reason.TRIGGER_PRICE_MUST_BE_ON_TICK
    for wish in second:
        if wish.at_pips <= 0 or wish.at_pips % instrument.tick_pips:
            return Reason.GTT_STOP_TRIGGER_MUST_FIT
        order = placed_as(terms, wish)
        if check_quantity(order, instrument, settings) is not None:
            return Reason.GTT_STOP_QUANTITY_MUST_FIT
        if check_kept(order, instrument, settings) is not None:
            return Reason.GTT_STOP_PRICE_MUST_FIT
    return None


def placed_as(terms: OrderTerms, trigger: GttTrigger | GttWish) -> OrderTerms:
    """Return the order that a trigger places.

    Its trigger has been reached by then, so an SL is placed as a LIMIT and an SLM as a MARKET.
    """
    return replace(
        terms,
        order_type=LIMIT if terms.order_type in (LIMIT, SL) else MARKET,
        quantity=trigger.quantity,
        disclosed_quantity=min(terms.disclosed_quantity, trigger.quantity),
        price_pips=trigger.price_pips,
        trigger_price_pips=Pips(0),
    )
