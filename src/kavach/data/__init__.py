"""
The bundled instruments: enough of each segment for published examples to run as written.

Prices in the file are rupees as strings, so that nothing is rounded on the way to pips. The
closes are examples, not quotations.

Source: instruments.json beside this file; docs/wire/limits.md.
"""

from importlib.resources import files

import msgspec

from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Exchange, Pips, Quantity, instrument_key


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the file; prices are rupees."""

    exchange: Exchange
    token: int
    trading_symbol: str
    symbol: str
    company: str
    isin: str
    series: str
    instrument_name: str
    segment: str
    lot: int
    tick: str
    freeze_quantity: int
    previous_close: str
    band_low: str
    band_high: str
    slm_allowed: bool
    intraday_allowed: bool
    multiplier: int = 1
    expiry: str = ""
    strike: str = "0"
    option_type: str = ""
    underlying_token: int = 0
    closing_auction: bool = False


def load_instruments() -> list[Instrument]:
    """Return the bundled instruments, in the order of the file."""
    content = files(__name__).joinpath("instruments.json").read_bytes()
    return [_instrument(row) for row in msgspec.json.decode(content, type=list[_Row])]


def pips(rupees: str) -> Pips:
    """Return an exact price; ``ValueError`` if it is finer than a pip or not a number."""
    whole, _, decimals = rupees.partition(".")
    digits = whole + decimals
    if len(decimals) > 4 or not (digits.isascii() and digits.isdecimal()):
        raise ValueError(f"rupees: {rupees!r} is not a price of at most four decimals")
    return Pips(int(whole) * PIPS_PER_RUPEE + int(decimals.ljust(4, "0")))


def _instrument(row: _Row) -> Instrument:
    return Instrument(
        key=instrument_key(row.exchange, row.token),
        exchange=row.exchange,
        token=row.token,
        trading_symbol=row.trading_symbol,
        symbol=row.symbol,
        company=row.company,
        isin=row.isin,
        series=row.series,
        instrument_name=row.instrument_name,
        segment=row.segment,
        lot=Quantity(row.lot),
        tick_pips=pips(row.tick),
        freeze_quantity=Quantity(row.freeze_quantity),
        previous_close_pips=pips(row.previous_close),
        band_low_pips=pips(row.band_low),
        band_high_pips=pips(row.band_high),
        slm_allowed=row.slm_allowed,
        intraday_allowed=row.intraday_allowed,
        multiplier=row.multiplier,
        expiry=row.expiry,
        strike_pips=pips(row.strike),
        option_type=row.option_type,
        underlying_token=row.underlying_token,
        closing_auction=row.closing_auction,
    )
