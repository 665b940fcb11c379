"""
Contracts on the wire: scrip info, search, option chain, quotes, and the two envelopes beside A.

Contracts, search and option chains travel in envelope B, quotes in an envelope of their own: a
success like everywhere, an error (C) without a code. Keys stand in published order, each with its
published type; what nobody knows here has the value that published answers show for it.

Prices: numbers in rupees, but for the keys whose published samples are in paise (``bid_price``,
``ask_price``, ``yearly_high``, ``yearly_low`` of a quote); closes and yearly prices of a contract
are text.

Source: docs/wire/README.md, "Envelopes"; docs/wire/contracts.md.
"""

from typing import Any, Final, Generic, TypeVar

import msgspec

from kavach.units import Exchange
from kavach.wire.orders.answers import Success

T = TypeVar("T")

EXCHANGE_CODES: Final = {
    Exchange.NSE: 1,
    Exchange.NFO: 2,
    Exchange.CDS: 3,
    Exchange.MCX: 4,
    Exchange.BSE: 6,
    Exchange.BFO: 7,
}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong; of a success, nothing."""

    code: int = 0
    message: str = ""


class Found(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Envelope B of a success."""

    error: Fault = Fault()
    result: T


class NotFound(msgspec.Struct, frozen=True):
    """Envelope B of an error."""

    error: Fault
    result: str = ""


class BadQuote(msgspec.Struct, frozen=True):
    """Envelope C: the error of a quote."""

    data: dict[str, Any]
    message: str = "Invalid parameters"
    status: str = "error"


class Alternate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The same share on the other exchange; nothing in it if there is none."""

    token: str = ""
    exchange: str = ""
    company: str = ""
    symbol: str = ""
    trading_symbol: str = ""
    display_name: str = ""
    isin: str = ""
    close_price: str = ""
    segment: str = ""


class SearchRow(msgspec.Struct, frozen=True):
    """A contract that was found; an ISIN where it has one."""

    token: str
    exchange: str
    company: str
    symbol: str
    trading_symbol: str
    display_name: str
    score: float
    isin: str | msgspec.UnsetType
    close_price: str
    is_tradable: bool
    segment: str
    tag: str
    expiry: str
    alternate: Alternate


class OptionRow(msgspec.Struct, frozen=True, rename={"expiry_raw": "ExpiryRaw"}):
    """A call or a put."""

    token: str
    exchange: str
    company: str
    symbol: str
    trading_symbol: str
    display_name: str
    strike_price: int | float
    expiry_raw: str
    close_price: str


class StrikeRow(msgspec.Struct, frozen=True):
    """Both options of one strike; null where one is not listed."""

    strike_price: int | float
    call_option: OptionRow | None
    put_option: OptionRow | None


class ExpiryRow(msgspec.Struct, frozen=True):
    """The strikes of one expiry."""

    expiry_date: str
    strikes: list[StrikeRow]


class QuoteRow(msgspec.Struct, frozen=True):
    """A quote."""

    ask_price: int
    ask_qty: int
    average_trade_price: int | float
    bid_price: int
    bid_qty: int
    close_price: int | float
    exchange: str
    exchange_timestamp: int
    high_price: int | float
    instrument_token: int
    last_trade_price: int | float
    last_trade_qty: int
    last_trade_time: int
    low_price: int | float
    open_price: int | float
    segment: str
    total_buy_qty: int
    total_sell_qty: int
    trade_volume: int
    yearly_high: int
    yearly_low: int


class ScripRow(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one contract."""

    alternate_exchange: str
    alternate_token: int
    alternate_trading_symbol: str
    asm: str = "-1"
    asset_code: str = ""
    board_lot_quantity: int
    book_closure_end_date: str = ""
    book_closure_start_date: str = ""
    change_in_oi: int = 0
    circuit_rating: str = ""
    close_price: str
    comments: str = ""
    company_name: str
    delivery_end_date: str = ""
    delivery_start_date: str = ""
    delivery_unit_factor: int = 0
    delivery_units: str = ""
    display_name: str
    dpr: str
    exchange: int
    execution: str = "NA"
    expiry: int
    expiry_string: str
    exposure: str = "0.000000"
    face_value: int = 0
    fin_instrm_pdct_tp_cd: str = ""
    freeze: int = 0
    general_denominator: str = ""
    gsm: str = "-1"
    have_futures: bool
    have_options: bool
    higher_circuit_limit: int | float
    instrument_name: str
    instrument_token: int
    instrument_type: str = "0"
    is_index: bool
    is_mtf_eligible: bool = False
    isin: str
    issue_maturity_date: int = 0
    issue_rate: int = 0
    issue_start_date: str = ""
    last_trade_vol: str = ""
    last_trading_date: str = ""
    list_date: str = ""
    local_update_time: str = ""
    lower_circuit_limit: int | float
    market_type: str = ""
    max_order_size: int
    max_single_qty: int
    month_identifier: int = 0
    mtf_margin: int = 0
    multiplier: int
    no_delivery_date_end: str = "0"
    no_delivery_date_start: str = "0"
    open_interest: int = 0
    option_type: str
    partition_id: int = 0
    precision: int
    price_denominator: int = 0
    price_numerator: int = 0
    price_quotation: int = 0
    price_units: str = ""
    product_category: str = ""
    product_id: int = 0
    raw_expiry: int
    raw_tender_period_end_date: str = ""
    raw_tender_period_start_date: str = ""
    raw_tick_size: int
    re_admission_date: str = "0"
    record_date: str = "0"
    series: str
    short_code: str = ""
    span: list[int]
    special_preopen: int = 0
    strike: int | float
    surveillance_indicator: int = 0
    symbol: str
    symbol2: str = ""
    tag: str = ""
    tender_period_end_date: str = ""
    tender_period_start_date: str = ""
    tick_size: int | float
    tradable: bool
    trade_to_trade: bool
    trading_symbol: str
    trading_unit_factor: int = 0
    trading_units: str = ""
    underlying_token: int
    var: str
    warning: str = ""
    yearly_high_price: str
    yearly_low_price: str


class ScripAnswer(Found[ScripRow], frozen=True):
    """The answer to GET contract."""


class SearchAnswer(Found[list[SearchRow]], frozen=True):
    """The answer to GET search."""


class ChainAnswer(Found[list[ExpiryRow]], frozen=True):
    """The answer to GET optionchain."""


class QuoteAnswer(Success[QuoteRow | int | float], frozen=True):
    """The answer to GET marketdata; with ``key`` one number."""
