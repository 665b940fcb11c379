"""
Rows of a day's positions and of holdings, each key from what the account keeps.

A position has two rows. The day's counts what was traded today and nothing else. The net one
(``rows.position_row``) counts what was carried in as well, at the close it was carried at;
averages and profit are of both together, so it is the one that agrees with the funds.

Source: docs/wire/portfolio.md.
"""

from typing import Final

from kavach.api.rows.order_rows import position_row
from kavach.core.model.money.account import Client
from kavach.core.model.money.holding import Holding
from kavach.core.model.money.position import Position
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_PAISA, Exchange, Paise, Product
from kavach.wire.money import amount, average, number
from kavach.wire.orders.rows import PositionRow
from kavach.wire.portfolio import HoldingRow, InstrumentDetails

EXCHANGE_NUMBER: Final = {
    Exchange.NSE: 1,
    Exchange.NFO: 2,
    Exchange.CDS: 3,
    Exchange.MCX: 4,
    Exchange.BSE: 6,
    Exchange.BFO: 7,
}


def day_row(
    client: Client, position: Position, instrument: Instrument, last_pips: int
) -> PositionRow:
    """Return what the client traded today."""
    return position_row(client, position.of_today(), instrument, last_pips)


def holding_row(
    client: Client, holding: Holding, instrument: Instrument, last_pips: int
) -> HoldingRow:
    """Return what the client owns of one instrument."""
    position = client.position(holding.instrument, Product.CNC)
    traded = position.plain_net if position is not None else 0
    bought, bought_value, selling = 0, 0, 0
    if position is not None:
        bought, bought_value = position.buy_quantity, position.buy_value
        selling = position.open_sell.quantity
    used = min(max(0, -traded), holding.quantity)
    profit_pips = holding.quantity * last_pips - holding.cost_value
    price = average(holding.cost_value, holding.quantity)
    return HoldingRow(
        branch_code="",
        buy_avg=price,
        buy_avg_mtm=amount(Paise(profit_pips * instrument.multiplier // PIPS_PER_PAISA)),
        client_id=client.client_id,
        exchange=instrument.exchange.value,
        free_quantity=max(0, holding.free_quantity - used - selling),
        instrument_details=InstrumentDetails(
            exchange=EXCHANGE_NUMBER[instrument.exchange],
            instrument_name=instrument.instrument_name,
            instrument_token=instrument.token,
            trading_symbol=instrument.trading_symbol,
        ),
        isin=instrument.isin,
        ltp=number(last_pips),
        pending_quantity=selling,
        pledge_quantity=0,
        previous_close=number(instrument.previous_close_pips),
        quantity=holding.quantity,
        symbol=instrument.symbol,
        t0_price=average(bought_value, bought) if traded > 0 else 0,
        t0_quantity=max(0, traded),
        t1_price=price if holding.t1_quantity else 0,
        t1_quantity=holding.t1_quantity,
        t2_price=0,
        t2_quantity=0,
        today_pledge_quantity=0,
        token=instrument.token,
        trading_symbol=instrument.symbol,
        transaction_type="",
        used_quantity=used,
    )
