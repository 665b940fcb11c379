"""
When a trading day of an exchange is over, and that it is settled once.

A day ends with its session. A session that is still open at midnight in India ends its day
there and goes on into the next one; that is how a market that never closes has days. What is
traded after the settlement, because the session was opened again, belongs to the next one.

The settlement is the last thing of its step: first the venue has reported what expired.

Source: docs/decisions/0015-the-end-of-a-day.md.
"""

from collections.abc import Collection

from kavach.core.day import day_of
from kavach.core.model.money.events import DaySettled, IntradayCarried
from kavach.core.rules.context import StepContext
from kavach.instruments import SESSIONS
from kavach.units import Exchange, InstrumentKey, Pips, Product


def session_over(context: StepContext, exchange: Exchange, names: Collection[str]) -> None:
    """Settle the day at the end of this step, if its last session ends and it was not before."""
    if not context.state.sessions.closed.union(names).issuperset(SESSIONS[exchange]):
        return
    if context.state.settled_days.get(exchange.value) != context.day():
        context.days_over[exchange] = context.day()


def midnight(context: StepContext) -> None:
    """Settle the days that have ended at a midnight, at the end of this step."""
    state = context.state
    if state.day_ends_ns is None or state.day_ends_ns > context.now_ns:
        return
    for name, since_ns in state.unsettled_since_ns.items():
        if state.ends_at_midnight(name) and state.midnight_after(name) <= context.now_ns:
            context.days_over[Exchange(name)] = day_of(since_ns)


def settle_days(context: StepContext) -> None:
    """Settle what is over by now."""
    for exchange in sorted(context.days_over):
        if exchange.value not in context.state.unsettled_since_ns:
            continue  # Nothing is held there.
        context.emit(DaySettled(exchange, context.days_over[exchange], _closes(context, exchange)))
        _tell_of_intraday(context, exchange)
    context.days_over.clear()


def _closes(context: StepContext, exchange: Exchange) -> tuple[tuple[InstrumentKey, Pips], ...]:
    """Return the last prices of everything that is held there."""
    instruments = context.state.instruments
    held: set[InstrumentKey] = set()
    for client in context.state.clients.values():
        held.update(position.instrument for position in client.positions)
        held.update(holding.instrument for holding in client.holdings)
    return tuple(
        (key, Pips(context.last_price(instruments[key])))
        for key in sorted(held)
        if instruments[key].exchange is exchange
    )


def _tell_of_intraday(context: StepContext, exchange: Exchange) -> None:
    for client in context.state.clients.values():
        for position in client.positions:
            instrument = context.state.instruments[position.instrument]
            intraday = position.product is Product.MIS and position.plain_net != 0
            if intraday and instrument.exchange is exchange:
                context.emit(IntradayCarried(client.client_id, instrument.key, position.plain_net))
