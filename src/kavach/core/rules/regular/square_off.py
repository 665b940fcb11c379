"""
Square-off of what regular orders hold intraday: at the exchange's time, at market, once.

At T1 the open MIS orders of an exchange are cancelled; what MIS positions then hold is given back
by orders of the system's own. Such an order is sent only when nothing else of the position is
open, so that a cancel which loses its race cannot turn the position round: whenever the last open
order of a position ends, this looks again, and so it does when the venue can be reached again or a
conversion has made a position intraday. Cover orders get out by themselves.

One that ends without a trade is followed by the next only after a while, for whatever the
exchange has against it may last.

Source: docs/spec/cover_order.md, "What the system owes".
"""

from collections.abc import Collection
from typing import Final

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.events import RegularOrderPlaced
from kavach.core.model.regular.order import SQUARE_OFF, RegularOrder
from kavach.core.model.regular.tables import NEW
from kavach.core.rules.advance import advance
from kavach.core.rules.context import StepContext
from kavach.units import InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity

_ZERO: Final = Pips(0)


def square_off_sessions(context: StepContext, names: Collection[str]) -> None:
    """Give back every intraday position in these sessions of which nothing is open."""
    instruments = context.state.instruments
    for client in list(context.state.clients.values()):
        for position in list(client.positions):
            if instruments[position.instrument].session in names:
                _square_off(context, client.client_id, position.instrument)


def square_off_rest(context: StepContext, order: RegularOrder) -> None:
    """Give back what is left of a position, if this order of it ended after the square-off time."""
    if order.over and order.product is Product.MIS:
        square_off_position(context, order.client_id, order.instrument)


def square_off_position(context: StepContext, client_id: str, key: InstrumentKey) -> None:
    """Give back what is left of a position, if the square-off time has come."""
    state = context.state
    if state.sessions.squares_off(state.instruments[key]):
        _square_off(context, client_id, key)


def _may_trade(order: ParentOrder, key: InstrumentKey) -> bool:
    """Return whether an order may still trade of an intraday position in this session."""
    if not isinstance(order, RegularOrder) or order.over or order.parked:
        return False
    return order.instrument == key and order.product is Product.MIS


def _square_off(context: StepContext, client_id: str, key: InstrumentKey) -> None:
    state = context.state
    instrument = state.instruments[key]
    position = state.clients[client_id].position(key, Product.MIS)
    if position is None or state.venue_disconnected or state.sessions.is_closed(instrument):
        return
    left = abs(position.plain_net)
    if left == 0:
        return
    # Cancels come home oldest first, so the newest order is the one to find open soonest.
    if any(_may_trade(order, key) for order in reversed(state.living_of(client_id))):
        return
    side = Side.SELL if position.plain_net > 0 else Side.BUY
    while left > 0:
        part = min(left, instrument.slice_max)
        order_id = context.next_order_id()
        context.emit(
            RegularOrderPlaced(
                order_id,
                client_id,
                key,
                side,
                OrderType.MARKET,
                Quantity(part),
                Quantity(0),
                _ZERO,
                _ZERO,
                Validity.DAY,
                Product.MIS,
                Pips(context.last_price(instrument)),
                0,
                SQUARE_OFF,
                amo=False,
                by_system=True,
            )
        )
        advance(context, state.regulars[order_id], NEW)
        left -= part
