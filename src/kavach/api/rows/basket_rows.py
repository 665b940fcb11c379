"""
Rows of saved baskets, made of what the core keeps.

Source: docs/wire/baskets.md.
"""

from kavach.api.gateway.view import View
from kavach.core.model.baskets.basket import SavedBasket
from kavach.core.model.orders.terms import OrderTerms
from kavach.instruments import Instrument
from kavach.wire import baskets as wire
from kavach.wire.money import number, percentage


def basket_rows(view: View, client_id: str) -> list[wire.BasketRow]:
    """Return a client's baskets, oldest first."""
    return [basket_row(view, basket) for basket in view.engine.state.shelf.of(client_id)]


def basket_row(view: View, basket: SavedBasket) -> wire.BasketRow:
    """Return a basket as it stands."""
    return wire.BasketRow(
        basket_id=basket.basket_id,
        basket_type=basket.basket_type.value,
        is_executed=basket.executed,
        login_id=basket.client_id,
        name=basket.name,
        order_type=basket.order_type,
        orders=line_rows(view, basket),
        product_type=basket.product_type,
        sip_eligible=False,
        sip_enabled=False,
    )


def line_rows(view: View, basket: SavedBasket) -> list[wire.LineRow]:
    """Return the orders of a basket."""
    instruments = view.engine.instruments
    return [
        wire.LineRow(
            order_id=order.line_id,
            order_info=_info(basket, order.terms, instruments[order.terms.instrument]),
        )
        for order in basket.orders
    ]


def _info(basket: SavedBasket, terms: OrderTerms, instrument: Instrument) -> wire.LineInfo:
    """Return the keys of an order row; what only a placed order has is empty."""
    return wire.LineInfo(
        login_id=None,
        order_status=None,
        rejection_code=0,
        exchange=instrument.exchange.value,
        sl_trigger_price=0,
        client_id=basket.client_id,
        mode="NEW",
        product=terms.product.value,
        rejection_reason="",
        order_side=terms.side.value,
        market_protection_percentage=percentage(terms.protection_bp),
        nnf_id=0,
        validity=terms.validity.value,
        trading_symbol=instrument.trading_symbol,
        trigger_price=number(terms.trigger_price_pips),
        is_trailing=False,
        series=instrument.series,
        lot_size=instrument.lot,
        leg_order_indicator=None,
        disclosed_quantity=terms.disclosed_quantity,
        order_entry_time=0,
        sl_order_quantity=0,
        order_type=terms.order_type.value,
        average_price=0,
        deposit=0,
        contract_description={},
        average_trade_price=0,
        oms_order_id="",
        filled_quantity=0,
        order_status_info="",
        trailing_stop_loss=None,
        price=number(terms.price_pips),
        segment="",
        underlying_token=str(instrument.underlying_token or instrument.token),
        sl_order_price=0,
        instrument_token=instrument.token,
        trade_price=0,
        symbol=instrument.symbol,
        target_price_type="absolute",
        execution_type="AMO" if terms.amo else "REGULAR",
        quantity=terms.quantity,
        order_tag="",
        spread_token=None,
        isin=instrument.isin,
        pro_cli="CLIENT",
        tags=[],
        last_activity_reference=0,
        square_off_value=None,
        remaining_quantity=0,
        square_off=False,
        stop_loss_value=None,
        exchange_order_id="",
        exchange_time=0,
        device=terms.device or None,
        user_order_id=terms.user_order_id,
        source=None,
    )
