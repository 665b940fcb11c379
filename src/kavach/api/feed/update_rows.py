"""
Updates made of what the core knows: the rows of the books in the words of the feed.

An update of a step on the way has that step's status, quantities and prices; everything else is
the row's. ``mode`` tells what was asked for last, in the feed's words: NEW, MODIFY, CANCEL or,
of an exit, SQUAREOFF.

Source: docs/wire/README.md, "Rows"; docs/wire/feeds.md, "Order updates".
"""

from typing import Any, Final

from kavach.api.rows.history import Step
from kavach.api.rows.legs import LegView
from kavach.api.rows.order_rows import order_row
from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.parent_order import ParentOrder, Trade
from kavach.units import NS_PER_SECOND, PIPS_PER_RUPEE
from kavach.wire.activity import reference_of
from kavach.wire.feed.updates import OrderUpdate, TradeUpdate
from kavach.wire.money import average, number
from kavach.wire.orders.rows import OrderRow
from kavach.wire.orders.statuses import OrderStatus

NO_REJECTION: Final = "NONE"
_MODIFIED: Final = frozenset({"MODIFY_PENDING", "MODIFY_CONFIRMED", "MODIFY_REJECTED"})
_CANCELLED: Final = frozenset({"CANCEL_PENDING", "CANCEL_CONFIRMED", "CANCEL_REJECTED"})


def order_update(view: LegView) -> OrderUpdate:
    """Return the leg's row as an update."""
    return _update(view, order_row(view), {})


def step_update(view: LegView, step: Step) -> OrderUpdate:
    """Return a step of the leg's life as an update."""
    over = str(step.status) in (OrderStatus.COMPLETE, OrderStatus.CANCEL_CONFIRMED)
    changes = {
        "order_type": str(step.order_type),
        "order_status": str(step.status),
        "quantity": step.quantity,
        "filled_quantity": step.filled,
        "remaining_quantity": 0 if over else step.remaining,
        "price": number(step.prices[0]),
        "trigger_price": number(step.prices[1]),
        "average_price": average(step.value, step.filled),
        "exchange_order_id": step.exchange_order_id,
        "rejection_reason": step.reason or NO_REJECTION,
        "exchange_time": step.at_ns // NS_PER_SECOND,
        "last_activity_reference": reference_of(step.at_ns),
    }
    return _update(view, order_row(view), changes)


def _update(view: LegView, row: OrderRow, changes: dict[str, Any]) -> OrderUpdate:
    shared = {name: getattr(row, name) for name in _SHARED} | changes
    return OrderUpdate(
        mode=_mode(view, str(shared["order_status"])),
        rejection_code=str(row.rejection_code) if row.rejection_code else NO_REJECTION,
        rejection_reason=shared.pop("rejection_reason") or NO_REJECTION,
        transaction_type=row.order_type,
        nest_request_id="",
        lotsize=row.lot_size,
        nnfid=row.nnf_id,
        spread_token="",
        leg_order_indicator=row.leg_order_indicator or "",
        basket_id=_basket_id(view.parent),
        deposit=0,
        **shared,
    )


_SHARED: Final = tuple(
    name
    for name in OrderUpdate.__struct_fields__
    if name in OrderRow.__struct_fields__
    and name not in {"mode", "rejection_code", "spread_token", "leg_order_indicator", "deposit"}
)


def _mode(view: LegView, status: str) -> str:
    if view.leg is not Leg.ENTRY and _squares_off(view.parent):
        return "SQUAREOFF"
    if status in _CANCELLED:
        return "CANCEL"
    return "MODIFY" if status in _MODIFIED else "NEW"


def _squares_off(parent: ParentOrder) -> bool:
    """Return whether the position of an order is being closed."""
    return isinstance(parent, CoverOrder) and parent.exit_source is not None


def _basket_id(parent: ParentOrder) -> str:
    """Return the id under which an order was placed together with what protects it."""
    return str(parent.basket_id) if isinstance(parent, CoverOrder) else ""


def trade_update(view: LegView, trade: Trade, filled: int, remaining: int) -> TradeUpdate:
    """Return one trade; ``filled`` is what the leg has traded with it, ``remaining`` what not."""
    parent, instrument = view.parent, view.instrument
    rupees, rest = divmod(instrument.strike_pips, PIPS_PER_RUPEE)
    return TradeUpdate(
        client_id=parent.client_id,
        exchange=instrument.exchange.value,
        exchange_order_id=trade.exchange_order_id,
        exchange_time=trade.at_ns // NS_PER_SECOND,
        filled_quantity=trade.quantity,
        instrument_token=instrument.token,
        login_id=parent.client_id,
        oms_order_id=str(view.order_id),
        order_side=view.side.value,
        pro_cli="CLIENT",
        product=parent.product.value,
        trade_id=trade.trade_id,
        trade_price=number(trade.price_pips),
        trading_symbol=instrument.trading_symbol,
        transaction_type=None,
        user_order_id=str(parent.user_order_id),
        v_login_id=None,
        volume_filled_today=filled,
        symbol=instrument.symbol,
        strike=f"{rupees}.{rest:04d}".rstrip("0").rstrip(".") if instrument.strike_pips else "",
        series=instrument.series,
        segment=instrument.segment,
        remaining_quantity=remaining,
        option_type=instrument.option_type,
        instrument_name=instrument.instrument_name,
        expiry=instrument.expiry,
    )
