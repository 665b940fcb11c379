"""
What conversions, gifts and the end of a day change. Applies, never refuses.

Source: docs/wire/portfolio.md; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.model.money import events as m
from kavach.core.model.money.account import Client
from kavach.core.model.money.position import Position
from kavach.core.model.money.settlement import has_expired, settle_client
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.units import InstrumentKey, Product, Side


def position_converted(state: OmsState, event: m.PositionConverted, at_ns: int) -> None:
    """Move a part of a position into another product."""
    client = state.clients[event.client_id]
    instrument = state.instruments[event.instrument]
    old = client.position_in(instrument, event.product)
    new = client.position_in(instrument, event.new_product)
    before = old.realised_paise + new.realised_paise
    move(event, old, -1)
    move(event, new, 1)
    client.realised_paise += old.realised_paise + new.realised_paise - before
    state.reblock_position(client, old)
    state.reblock_position(client, new)
    _note(state, event)


def move(event: m.PositionConverted, position: Position, sign: int) -> None:
    """Add what is converted to a position, or take it away."""
    quantity, value = sign * event.quantity, sign * event.value
    carried_quantity, carried_value = sign * event.carried_quantity, sign * event.carried_value
    if event.side is Side.BUY:
        position.buy_quantity += quantity
        position.buy_value += value
        position.carried_buy_quantity += carried_quantity
        position.carried_buy_value += carried_value
        position.plain_net += quantity + carried_quantity
    else:
        position.sell_quantity += quantity
        position.sell_value += value
        position.carried_sell_quantity += carried_quantity
        position.carried_sell_value += carried_value
        position.plain_net -= quantity + carried_quantity


def holding_granted(state: OmsState, event: m.HoldingGranted, at_ns: int) -> None:
    """Let shares be there that were not bought here."""
    client = state.clients[event.client_id]
    instrument = state.instruments[event.instrument].key
    holding = client.holding_in(instrument)
    holding.free_quantity += event.quantity
    holding.cost_value += event.quantity * event.price_pips
    position = client.position(instrument, Product.CNC)
    if position is not None:
        state.reblock_position(client, position)
    _note(state, event)


def day_settled(state: OmsState, event: m.DaySettled, at_ns: int) -> None:
    """Settle every account with what it has on the exchange."""
    closes = dict(event.closes)
    expired = {key for key in closes if has_expired(state.instruments[key], event.day)}
    waits = False
    for client in state.clients.values():
        released = _release(state, client, expired) if expired else {}
        settle_client(client, state.instruments, closes, event.day, released)
        for position in client.positions:
            if position.instrument in closes:
                state.reblock_position(client, position)
                waits = waits or not position.empty
        client.positions = [position for position in client.positions if not position.empty]
        waits = waits or any(
            holding.t1_quantity and holding.instrument in closes for holding in client.holdings
        )
    state.settled_days[event.exchange.value] = event.day
    state.begin_day(event.exchange, at_ns, waits=waits)
    _note(state, event)


def _release(
    state: OmsState, client: Client, expired: set[InstrumentKey]
) -> dict[tuple[InstrumentKey, Product], int]:
    """Take what orders that have ended hold of contracts that end from them, and return it.

    What regular orders opened is the client's already.
    """
    released: dict[tuple[InstrumentKey, Product], int] = {}
    for order in state.orders_of(client.client_id):
        if isinstance(order, RegularOrder):
            continue
        if order.instrument in expired and order.over and order.position:
            key = (order.instrument, order.product)
            released[key] = released.get(key, 0) + _signed(order)
            order.settled_quantity += order.position
            order.settled_serial = state.events
            state.reblock(order)
    return released


def _signed(order: ParentOrder) -> int:
    return order.position if order.side is Side.BUY else -order.position


def intraday_carried(state: OmsState, event: m.IntradayCarried, at_ns: int) -> None:
    """Change nothing: the event is an alarm."""


def _note(state: OmsState, event: m.PositionConverted | m.HoldingGranted | m.DaySettled) -> None:
    state.ledger.append(m.LedgerLine(state.events, event))


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    m.PositionConverted: position_converted,
    m.HoldingGranted: holding_granted,
    m.DaySettled: day_settled,
    m.IntradayCarried: intraday_carried,
}
