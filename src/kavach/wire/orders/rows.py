"""
Rows of the books: keys in published order, each with its published JSON type.

``Number`` keys print as 13 or 15.4, float keys always with a decimal point. Ids are text,
because they exceed what a double holds; ``user_order_id`` is a number in requests and text
in rows. Times are Unix seconds, 0 when there is none.

Source: docs/wire/README.md, "Rows"; docs/wire/portfolio.md, "Positions"; docs/wire/login.md,
"Profile, trading_info, logout".
"""

from typing import Any

import msgspec

Number = int | float


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One leg in the order book; 56 keys."""

    mode: str
    exchange: str
    segment: str
    login_id: str
    deposit: Number
    order_status: str
    product: str
    order_type: str
    rejection_reason: str
    order_side: str
    instrument_token: int
    exchange_time: int
    nnf_id: int
    quantity: int
    trading_symbol: str
    client_id: str
    average_trade_price: Number
    underlying_token: None
    oms_order_id: str
    lot_size: int
    isin: str
    disclosed_quantity: int
    execution_type: str
    source: str
    device: str
    exchange_order_id: str
    validity: str
    leg_order_indicator: str | None
    trade_price: Number
    spread_token: None
    market_protection_percentage: Number
    filled_quantity: int
    order_tag: str
    sl_trigger_price: float
    square_off: bool
    order_status_info: str
    square_off_value: float
    tags: None
    order_entry_time: int
    last_activity_reference: int
    trigger_price: Number
    sl_order_price: float
    stop_loss_value: float
    rejection_code: int
    average_price: Number
    trailing_stop_loss: float
    price: Number
    user_order_id: str
    symbol: str
    is_trailing: bool
    pro_cli: str
    remaining_quantity: int
    contract_description: dict[str, Any]
    series: str
    target_price_type: str
    sl_order_quantity: int


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of one leg."""

    book_type: str
    broker_id: str
    client_id: str
    disclosed_vol: int
    disclosed_vol_remaining: int
    exchange: str
    exchange_order_id: str
    exchange_time: int
    fill_number: dict[str, Any]
    filled_quantity: int
    good_till_date: int
    instrument_token: int
    login_id: str
    oms_order_id: str
    order_entry_time: int
    order_price: Number
    order_side: str
    order_type: str
    original_vol: int
    pan: str
    pro_cli: int
    product: str
    remaining_quantity: int
    trade_number: str
    trade_price: Number
    trade_quantity: int
    trade_time: int
    trading_symbol: str
    trigger_price: dict[str, Any]
    v_login_id: dict[str, Any]
    vol_filled_today: int


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the life of one leg; ``last_modified`` is in Unix nanoseconds."""

    avg_price: Number
    client_id: str
    client_order_id: str
    created_at: int
    disclosed_quantity: int
    exchange: str
    exchange_order_id: str
    exchange_time: int
    fill_quantity: int
    last_modified: int
    login_id: str
    modified_at: int
    order_id: str
    order_mode: str
    order_side: str
    order_type: str
    price: Number
    product: str
    quantity: int
    reject_reason: str
    remaining_quantity: int
    segment: str
    status: str
    symbol: str
    token: int
    trigger_price: Number
    underlying_token: int
    validity: str


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a client holds of one instrument in one product; amounts are rupees."""

    average_buy_price: Number
    average_price: Number
    average_sell_price: Number
    buy_amount: Number
    buy_quantity: int
    cf_buy_amount: Number
    cf_buy_quantity: int
    cf_sell_amount: Number
    cf_sell_quantity: int
    client_id: str
    close_price: Number
    exchange: str
    instrument_token: int
    ltp: Number
    multiplier: int
    net_amount: Number
    net_quantity: int
    previous_close: Number
    pro_cli: str
    prod_type: int
    product: str
    realized_mtm: Number
    segment: str
    sell_amount: Number
    sell_quantity: int
    symbol: str
    token: int
    trading_symbol: str
    v_login_id: str


class TradingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token this is; OAuth clients ask because they do not know."""

    bo_id: list[str]
    client_id: str
    email_id: str
    exchanges_subscribed: list[str]
    name: str
    poa_enabled: bool
    products_enabled: list[str]
    status: str
