"""
Square-off of what regular orders hold intraday: at the exchange's time, at market, once.

At T1 the open MIS orders of an exchange are cancelled; what MIS positions then hold is given back
by orders of the system's own. Such an order is sent only when nothing else of the position is
open, so that a cancel which loses its race cannot turn the position round: whenever the last open
order of a position ends, this looks again. Cover orders get out by themselves.

Source: cover-order 5.6 (auto square-off); wire Part 8 (17).
"""

from typing import Final

from kavach.core.desk import Desk
from kavach.core.regular.events import RegularOrderPlaced
from kavach.core.regular.order import RegularOrder
from kavach.core.regular.tables import NEW
from kavach.core.settle import settle
from kavach.units import Exchange, InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity

DEVICE: Final = "SQUARE_OFF"  # What the row of such an order says it came from.
_ZERO: Final = Pips(0)


def square_off_exchange(desk: Desk, exchange: Exchange) -> None:
    """Give back every intraday position on an exchange of which nothing is open."""
    instruments = desk.state.instruments
    for client in list(desk.state.clients.values()):
        for position in list(client.positions):
            if instruments[position.instrument].exchange is exchange:
                _square_off(desk, client.client_id, position.instrument)


def square_off_rest(desk: Desk, order: RegularOrder) -> None:
    """Give back what is left of a position, if this order of it ended after the square-off time."""
    state = desk.state
    if not order.over or order.product is not Product.MIS:
        return
    if state.instruments[order.instrument].exchange in state.entries_stopped:
        _square_off(desk, order.client_id, order.instrument)


def _square_off(desk: Desk, client_id: str, key: InstrumentKey) -> None:
    state = desk.state
    instrument = state.instruments[key]
    position = state.clients[client_id].position(key, Product.MIS)
    if position is None or state.link_down or state.session_closed(instrument):
        return
    if position.open_buy.quantity or position.open_sell.quantity:
        return
    left = abs(position.plain_net)
    side = Side.SELL if position.plain_net > 0 else Side.BUY
    while left > 0:
        part = min(left, instrument.slice_max)
        order_id = desk.next_order_id()
        desk.emit(
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
                Pips(desk.last_price(instrument)),
                0,
                DEVICE,
            )
        )
        settle(desk, state.regulars[order_id], NEW)
        left -= part
