"""
Contracts and quotes as they are shown. The only place that turns one into the other.

What nobody tells is made up, always alike: the year's range reaches 40 % to both sides of the
previous close, or as far as today has gone; the value at risk is how far the day's range reaches.

Source: docs/wire/contracts.md.
"""

from datetime import UTC, date, datetime
from typing import Final

import msgspec

from kavach.contracts.catalogue import Catalogue
from kavach.contracts.chains import Strike
from kavach.contracts.rows import INDEX
from kavach.contracts.search import Hit
from kavach.engine.quote import Quote
from kavach.instruments import Instrument
from kavach.units import (
    IST_OFFSET_SECONDS,
    NS_PER_SECOND,
    PIPS_PER_PAISA,
    PIPS_PER_RUPEE,
    Exchange,
    rupees_text,
)
from kavach.wire.contracts import (
    EXCHANGE_CODES,
    Alternate,
    ExpiryRow,
    OptionRow,
    QuoteRow,
    ScripRow,
    SearchRow,
    StrikeRow,
)
from kavach.wire.money import average, number

YEAR_PERCENT: Final = 40
SPANS: Final = 16
SCORE_DECIMALS: Final = 6
CURRENCY_PRECISION: Final = 4
PRECISION: Final = 2
NO_QUOTE: Final = (0, 0)

_CATEGORIES: Final = {Exchange.MCX: "Commodity", Exchange.CDS: "Currency"}


def display_name(one: Instrument) -> str:
    """Return a contract's name for people: NIFTY 29 DEC 26 25900 CE."""
    if one.instrument_name == INDEX:
        return one.trading_symbol
    if not one.option_type:
        return one.symbol
    day = f"{date.fromisoformat(one.expiry):%d %b %y}".upper()
    tail = f"{number(one.strike_pips)} {one.option_type}" if one.is_option else "FUT"
    return f"{one.symbol} {day} {tail}"


def expiry_words(iso: str) -> str:
    """Return a date as the broker writes expiries, 29DEC26; "" for none."""
    return f"{date.fromisoformat(iso):%d%b%y}".upper() if iso else ""


def search_row(hit: Hit, catalogue: Catalogue) -> SearchRow:
    """Return a contract that was found."""
    one = hit.instrument
    return SearchRow(
        token=str(one.token),
        exchange=one.exchange.value,
        company=one.company,
        symbol=one.symbol,
        trading_symbol=one.trading_symbol,
        display_name=display_name(one),
        score=round(hit.score, SCORE_DECIMALS),
        isin=one.isin or msgspec.UNSET,
        close_price=rupees_text(one.previous_close_pips),
        is_tradable=one.tradable,
        segment=_category(one),
        tag="",
        expiry=expiry_words(one.expiry),
        alternate=_alternate(catalogue.alternate(one)),
    )


def _alternate(one: Instrument | None) -> Alternate:
    if one is None:
        return Alternate()
    return Alternate(
        token=str(one.token),
        exchange=one.exchange.value,
        company=one.company,
        symbol=one.symbol,
        trading_symbol=one.trading_symbol,
        display_name=display_name(one),
        isin=one.isin,
        close_price=rupees_text(one.previous_close_pips),
        segment=_category(one),
    )


def _category(one: Instrument) -> str:
    if one.instrument_name == INDEX:
        return "Indices"
    if not one.option_type:
        return "Equity"
    return _CATEGORIES.get(one.exchange, "Options" if one.is_option else "Futures")


def expiry_row(expiry: str, strikes: list[Strike]) -> ExpiryRow:
    """Return the strikes of one expiry."""
    return ExpiryRow(
        expiry_date=expiry_words(expiry),
        strikes=[
            StrikeRow(
                strike_price=number(strike.strike_pips),
                call_option=_option_row(strike.call),
                put_option=_option_row(strike.put),
            )
            for strike in strikes
        ],
    )


def _option_row(one: Instrument | None) -> OptionRow | None:
    if one is None:
        return None
    return OptionRow(
        token=str(one.token),
        exchange=one.exchange.value,
        company=one.symbol,
        symbol=one.trading_symbol,
        trading_symbol=one.trading_symbol,
        display_name=display_name(one),
        strike_price=number(one.strike_pips),
        expiry_raw="",
        close_price=_decimals(one.previous_close_pips, 7),
    )


def quote_row(one: Instrument, quote: Quote, now_ns: int) -> QuoteRow:
    """Return a quote: paise where published samples are in paise, else rupees."""
    bid_pips, bid_quantity = quote.bids[0][:2] if quote.bids else NO_QUOTE
    ask_pips, ask_quantity = quote.asks[0][:2] if quote.asks else NO_QUOTE
    high_pips, low_pips = year_range(one, quote)
    return QuoteRow(
        ask_price=_paise(ask_pips),
        ask_qty=ask_quantity,
        average_trade_price=average(quote.value_pips, quote.volume),
        bid_price=_paise(bid_pips),
        bid_qty=bid_quantity,
        close_price=number(one.previous_close_pips),
        exchange=one.exchange.value,
        exchange_timestamp=now_ns // NS_PER_SECOND,
        high_price=number(quote.high_pips),
        instrument_token=one.token,
        last_trade_price=number(quote.last_price_pips),
        last_trade_qty=quote.last_quantity,
        last_trade_time=quote.traded_at_ns // NS_PER_SECOND,
        low_price=number(quote.low_pips),
        open_price=number(quote.open_pips),
        segment=one.segment,
        total_buy_qty=quote.bid_total,
        total_sell_qty=quote.ask_total,
        trade_volume=quote.volume,
        yearly_high=_paise(high_pips),
        yearly_low=_paise(low_pips),
    )


def scrip_row(one: Instrument, quote: Quote, catalogue: Catalogue) -> ScripRow:
    """Return everything about one contract."""
    other = catalogue.alternate(one)
    precision = CURRENCY_PRECISION if one.exchange is Exchange.CDS else PRECISION
    low, high = one.band_low_pips, one.band_high_pips
    high_pips, low_pips = year_range(one, quote)
    expiry = _expiry_seconds(one.expiry)
    return ScripRow(
        alternate_exchange=other.exchange.value if other else "",
        alternate_token=other.token if other else 0,
        alternate_trading_symbol=other.trading_symbol if other else "",
        board_lot_quantity=one.lot,
        close_price=rupees_text(one.previous_close_pips),
        company_name=one.company,
        display_name=display_name(one),
        dpr=f"{_decimals(low, 4)} - {_decimals(high, 4)}",
        exchange=EXCHANGE_CODES[one.exchange],
        expiry=expiry,
        expiry_string=expiry_words(one.expiry),
        have_futures=catalogue.has_futures(one),
        have_options=catalogue.has_options(one),
        higher_circuit_limit=number(high),
        instrument_name=one.instrument_name,
        instrument_token=one.token,
        is_index=one.instrument_name == INDEX,
        isin=one.isin,
        lower_circuit_limit=number(low),
        max_order_size=one.freeze_quantity,
        max_single_qty=one.freeze_quantity,
        multiplier=one.multiplier,
        option_type=one.option_type,
        precision=precision,
        raw_expiry=expiry,
        raw_tick_size=one.tick_pips * 10**precision // PIPS_PER_RUPEE,
        series=one.series,
        span=[0] * SPANS,
        strike=number(one.strike_pips),
        symbol=one.symbol,
        tick_size=number(one.tick_pips),
        tradable=one.tradable,
        trade_to_trade=not one.intraday_allowed,
        trading_symbol=one.trading_symbol,
        underlying_token=one.underlying_token or one.token,
        var=_decimals((high - one.previous_close_pips) * 1_000_000 // one.previous_close_pips, 2),
        yearly_high_price=rupees_text(high_pips),
        yearly_low_price=rupees_text(low_pips),
    )


def year_range(one: Instrument, quote: Quote) -> tuple[int, int]:
    """Return the year's high and low in pips, on tick."""
    close, tick = one.previous_close_pips, one.tick_pips
    reach = close * YEAR_PERCENT // 100 // tick * tick
    high = max(close + reach, quote.high_pips, quote.last_price_pips)
    low = min(close - reach, quote.low_pips or close, quote.last_price_pips)
    return high, max(tick, low)


def _paise(pips: int) -> int:
    """Return a price in whole paise; of currencies the rest is cut off."""
    return pips // PIPS_PER_PAISA


def _decimals(pips: int, decimals: int) -> str:
    """Return a number of ten-thousandths with so many decimals."""
    whole, rest = divmod(pips, PIPS_PER_RUPEE)
    return f"{whole}.{f'{rest:04d}'.ljust(decimals, '0')[:decimals]}"


def _expiry_seconds(iso: str) -> int:
    """Return when the day of an expiry begins in India, in Unix seconds; 0 for none."""
    if not iso:
        return 0
    midnight = datetime.fromisoformat(iso).replace(tzinfo=UTC)
    return int(midnight.timestamp()) - IST_OFFSET_SECONDS
