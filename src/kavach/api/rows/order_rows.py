"""
Rows of the books, made of what the core knows. The only place that turns one into the other.

Source: docs/wire/README.md, "Rows"; docs/wire/portfolio.md; docs/wire/README.md, "Decisions".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kavach.api.rows.legs import LegView, legs_of
from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder, Plan
from kavach.core.model.money.account import Client
from kavach.core.model.money.position import Position
from kavach.core.model.orders.parent_order import LegChange, ParentOrder, Trade
from kavach.core.model.regular.order import RegularOrder
from kavach.instruments import Instrument
from kavach.units import NS_PER_SECOND, InstrumentKey, Paise, Product
from kavach.wire.activity import reference_of
from kavach.wire.fields import ExecutionType
from kavach.wire.money import amount, average, decimal, number, percentage
from kavach.wire.orders.rows import OrderRow, PositionRow, TradeRow
from kavach.wire.orders.statuses import OrderStatus

NNF_ID: Final = 111111111111100
PRO_CLI: Final = "CLIENT"
PRODUCT_NUMBER: Final = {Product.NRML: 0, Product.CNC: 1, Product.MIS: 2, Product.MTF: 16}
PRO_CLI_NUMBER: Final = 0
ANSWERED: Final = "NONE"  # What ``rejection_reason`` says once the exchange has spoken.


def order_row(view: LegView) -> OrderRow:
    """Return the leg's row in the order book."""
    parent, instrument, of_entry = view.parent, view.instrument, view.leg is Leg.ENTRY
    rejected = view.status is OrderStatus.REJECTED
    answered = bool(view.exchange_order_id)
    code, reason = view.rejection if rejected else (0, ANSWERED if answered else "")
    last_activity = view.version_ns if view.orders or not rejected else 0
    stop_pips = target_pips = step_pips = 0
    if isinstance(parent, CoverOrder):
        plan = parent.plan_in(view.leg)
        stop_pips, target_pips = (0, 0) if rejected else _exits_asked(parent, plan)
        step_pips = plan.trailing_step_pips
    return OrderRow(
        mode="NEW",  # Never another word: a client finds its own orders by it.
        exchange=instrument.exchange.value,
        segment="",
        login_id=parent.client_id,
        deposit=0,
        order_status=view.status.value,
        product=parent.product.value,
        order_type=view.order_type.value,
        rejection_reason=reason,
        order_side=view.side.value,
        instrument_token=instrument.token,
        exchange_time=_seconds(view.updated_at_ns) if answered else 0,
        nnf_id=NNF_ID if answered else 0,
        quantity=view.quantity,
        trading_symbol=instrument.trading_symbol,
        client_id=parent.client_id,
        average_trade_price=0,
        underlying_token=None,
        oms_order_id=str(view.order_id),
        lot_size=instrument.lot,
        isin=instrument.isin,
        disclosed_quantity=parent.disclosed_quantity if of_entry else 0,
        execution_type=execution_type(parent),
        source="",
        device=parent.device,
        exchange_order_id=view.exchange_order_id,
        validity=parent.validity.value if of_entry else "DAY",
        leg_order_indicator=None if isinstance(parent, RegularOrder) else view.leg.value,
        trade_price=0,
        spread_token=None,
        market_protection_percentage=percentage(parent.protection_bp if of_entry else 0),
        filled_quantity=view.filled,
        order_tag=parent.algo_tag,
        sl_trigger_price=0.0,
        square_off=False,
        order_status_info="",
        square_off_value=decimal(target_pips),
        tags=None,
        order_entry_time=_seconds(view.entered_at_ns),
        last_activity_reference=reference_of(last_activity),
        trigger_price=number(view.trigger_price_pips),
        sl_order_price=0.0,
        stop_loss_value=decimal(stop_pips),
        rejection_code=code,
        average_price=average(view.value, view.filled),
        trailing_stop_loss=0.0 if rejected else decimal(step_pips),
        price=number(view.price_pips),
        user_order_id=str(parent.user_order_id),
        symbol=instrument.symbol,
        is_trailing=step_pips > 0,
        pro_cli=PRO_CLI,
        remaining_quantity=view.remaining,
        contract_description={},
        series=instrument.series,
        target_price_type="absolute",
        sl_order_quantity=0,
    )


def execution_type(parent: ParentOrder) -> str:
    """Return the word for the kind of order this is."""
    if isinstance(parent, RegularOrder):
        return (ExecutionType.AMO if parent.amo else ExecutionType.REGULAR).value
    assert isinstance(parent, CoverOrder), f"{parent.order_id} is of no known kind"
    return (ExecutionType.BO if parent.is_bracket else ExecutionType.CO).value


def _exits_asked(cover: CoverOrder, plan: Plan) -> tuple[int, int]:
    """Return stop and target in the words of a request, so that they can be sent back."""
    if cover.is_bracket:
        return plan.stop_offset_pips, plan.target_offset_pips
    return plan.stop_price_pips, 0


def trade_rows(
    parent: ParentOrder, instruments: Mapping[InstrumentKey, Instrument]
) -> Iterator[TradeRow]:
    """Yield the order's trades, oldest first."""
    lines = [change for change in parent.changes or () if change.what == "traded"]
    return rows_of_trades(parent, instruments, parent.trades or (), lines)


def rows_of_trades(
    parent: ParentOrder,
    instruments: Mapping[InstrumentKey, Instrument],
    trades: Sequence[Trade],
    lines: Sequence[LegChange],
) -> Iterator[TradeRow]:
    """Yield the rows of some trades of the order, with the lines that they left in its history."""
    if not trades:
        return
    views = {view.leg: view for view in legs_of(parent, instruments)}
    for trade, line in zip(trades, lines, strict=True):
        yield _trade_row(views[trade.leg], trade, line)


def _trade_row(view: LegView, trade: Trade, line: LegChange) -> TradeRow:
    """Return a trade; all that it says of its order is as it was then."""
    parent, instrument = view.parent, view.instrument
    filled = line.filled_quantity
    return TradeRow(
        book_type="RL",
        broker_id="",
        client_id=parent.client_id,
        disclosed_vol=0,
        disclosed_vol_remaining=0,
        exchange=instrument.exchange.value,
        exchange_order_id=trade.exchange_order_id,
        exchange_time=_seconds(trade.at_ns),
        fill_number={},
        filled_quantity=filled,
        good_till_date=0,
        instrument_token=instrument.token,
        login_id=parent.client_id,
        oms_order_id=str(view.order_id),
        order_entry_time=_seconds(view.entered_at_ns),
        order_price=number(line.price_pips),
        order_side=view.side.value,
        order_type=line.order_type,
        original_vol=line.quantity,
        pan="",
        pro_cli=PRO_CLI_NUMBER,
        product=parent.product.value,
        remaining_quantity=line.quantity - filled,
        trade_number=trade.trade_id,
        trade_price=number(trade.price_pips),
        trade_quantity=trade.quantity,
        trade_time=_seconds(trade.at_ns),
        trading_symbol=instrument.trading_symbol,
        trigger_price={},
        v_login_id={},
        vol_filled_today=filled,
    )


def position_row(
    client: Client, position: Position, instrument: Instrument, last_pips: int
) -> PositionRow:
    """Return what the client holds, earlier days included."""
    net = position.net_quantity
    held = position.bought_value if net > 0 else position.sold_value
    held_quantity = position.bought if net > 0 else position.sold
    close = number(instrument.previous_close_pips)
    multiplier = position.multiplier
    return PositionRow(
        average_buy_price=average(position.bought_value, position.bought),
        average_price=average(held, held_quantity) if net else 0,
        average_sell_price=average(position.sold_value, position.sold),
        buy_amount=number(position.buy_value * multiplier),
        buy_quantity=position.buy_quantity,
        cf_buy_amount=number(position.carried_buy_value * multiplier),
        cf_buy_quantity=position.carried_buy_quantity,
        cf_sell_amount=number(position.carried_sell_value * multiplier),
        cf_sell_quantity=position.carried_sell_quantity,
        client_id=client.client_id,
        close_price=close,
        exchange=instrument.exchange.value,
        instrument_token=instrument.token,
        ltp=number(last_pips),
        multiplier=multiplier,
        net_amount=number((position.sold_value - position.bought_value) * multiplier),
        net_quantity=net,
        previous_close=close,
        pro_cli=PRO_CLI,
        prod_type=PRODUCT_NUMBER[position.product],
        product=position.product.value,
        realized_mtm=amount(Paise(position.realised_paise)),
        segment=instrument.segment,
        sell_amount=number(position.sell_value * multiplier),
        sell_quantity=position.sell_quantity,
        symbol=instrument.symbol,
        token=instrument.token,
        trading_symbol=instrument.trading_symbol,
        v_login_id=client.client_id,
    )


def _seconds(at_ns: int) -> int:
    return at_ns // NS_PER_SECOND
