"""
What price and time do to GTT rules.

A rule is taken off the watch before its order is placed, and both happen in one step: so it fires
at most once, whatever its order causes, and a crash leaves both or neither. While the venue cannot
be reached, or trading of the instrument is over, a rule waits; as soon as that has passed, the last
price is looked at once.

Source: docs/wire/gtt.md.
"""

from collections.abc import Collection

from kavach.core.model.gtt.events import GttExpired, GttOrderPlaced, GttOrderRefused, GttTriggered
from kavach.core.model.gtt.rule import GttRule
from kavach.core.rules.context import StepContext
from kavach.core.rules.gtt.requests import placed_as
from kavach.core.rules.placing import place_terms
from kavach.units import InstrumentKey


def price_moved(context: StepContext, key: InstrumentKey, last_pips: int) -> None:
    """Place the orders of all rules whose trigger this last price has reached, oldest first."""
    if context.state.venue_disconnected or not context.state.sessions.is_continuous(
        context.state.instruments[key]
    ):
        return
    for rule in context.gtts.reached(key, last_pips):
        which = next(n for n, t in enumerate(rule.triggers) if t.reached_by(last_pips))
        _fire(context, rule, which, last_pips)


def look_again(context: StepContext) -> None:
    """Look at the last prices once: they may have moved while nothing could be sent."""
    time_reached(context)
    for key in context.gtts.instruments():
        last_pips = context.prices.get(key)
        if last_pips is not None:  # A previous close is no traded price.
            price_moved(context, key, last_pips)


def time_reached(context: StepContext) -> None:
    """Expire the rules whose last day is over."""
    for rule in context.gtts.due(context.now_ns):
        _expire(context, rule)


def session_ended(context: StepContext, names: Collection[str]) -> None:
    """Expire the rules whose last day this is: no price will reach them any more."""
    today = context.day()
    instruments = context.state.instruments
    for rule in context.state.gtts.active():
        if rule.expiry_day <= today and instruments[rule.terms.instrument].session in names:
            _expire(context, rule)


def _expire(context: StepContext, rule: GttRule) -> None:
    context.gtts.disarm(rule)
    context.emit(GttExpired(rule.rule_id))
    rule.check()


def _fire(context: StepContext, rule: GttRule, which: int, last_pips: int) -> None:
    """Place the rule's one order."""
    context.gtts.disarm(rule)
    context.emit(GttTriggered(rule.rule_id, which, last_pips))
    terms = placed_as(rule.terms, rule.triggers[which])
    placed = place_terms(context, rule.client_id, terms)
    if placed.order_id:
        context.emit(GttOrderPlaced(rule.rule_id, placed.order_id))
    if placed.rejected:
        context.emit(GttOrderRefused(rule.rule_id, placed.code, placed.text))
    rule.check()
