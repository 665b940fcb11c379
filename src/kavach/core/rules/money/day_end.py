"""
When a trading day of an exchange is over, and that it is settled once.

A day ends with its session. A session that is still open at midnight in India ends its day
there and goes on into the next one; that is how a market that never closes has days. What is
traded after the settlement, because somebody opened the session again, belongs to the next one.

The settlement is the last thing of its step: first the venue has said what expired.

Source: docs/decisions/0015-the-end-of-a-day.md.
"""

from kavach.core.day import day_of
from kavach.core.model.money.events import DaySettled, IntradayCarried
from kavach.core.rules.context import Desk
from kavach.units import Exchange, InstrumentKey, Pips, Product


def session_over(desk: Desk, exchange: Exchange) -> None:
    """Settle the day at the end of this step, unless it was settled before."""
    if desk.state.settled_days.get(exchange.value) != desk.day():
        desk.days_over[exchange] = desk.day()


def midnight(desk: Desk) -> None:
    """Settle the days that have ended at a midnight, at the end of this step."""
    state = desk.state
    if state.day_ends_ns is None or state.day_ends_ns > desk.now_ns:
        return
    for name, since_ns in state.unsettled_since_ns.items():
        if state.ends_at_midnight(name) and state.midnight_after(name) <= desk.now_ns:
            desk.days_over[Exchange(name)] = day_of(since_ns)


def settle_days(desk: Desk) -> None:
    """Settle what is over by now."""
    for exchange in sorted(desk.days_over):
        if exchange.value not in desk.state.unsettled_since_ns:
            continue  # Nobody has anything there.
        desk.emit(DaySettled(exchange, desk.days_over[exchange], _closes(desk, exchange)))
        _tell_of_intraday(desk, exchange)
    desk.days_over.clear()


def _closes(desk: Desk, exchange: Exchange) -> tuple[tuple[InstrumentKey, Pips], ...]:
    """Return the last prices of everything that anybody has there."""
    instruments = desk.state.instruments
    held: set[InstrumentKey] = set()
    for client in desk.state.clients.values():
        held.update(position.instrument for position in client.positions)
        held.update(holding.instrument for holding in client.holdings)
    return tuple(
        (key, Pips(desk.last_price(instruments[key])))
        for key in sorted(held)
        if instruments[key].exchange is exchange
    )


def _tell_of_intraday(desk: Desk, exchange: Exchange) -> None:
    for client in desk.state.clients.values():
        for position in client.positions:
            instrument = desk.state.instruments[position.instrument]
            intraday = position.product is Product.MIS and position.plain_net != 0
            if intraday and instrument.exchange is exchange:
                desk.emit(IntradayCarried(client.client_id, instrument.key, position.plain_net))
