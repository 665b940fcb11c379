"""
What the broker's table does not tell: closes, daily ranges, largest orders, multipliers.

Everything here is made up, once, at the import: from the table and the bundled instruments
alone, so that the same file makes the same market wherever it is imported.

Closes. What a symbol costs is taken from the first of these that there is: a bundled instrument
of that symbol; the table's own close; the middle strike of the options that expire first, since
strikes are listed around the price; a number between 10 and 9 990 rupees drawn from the symbol's
digest. All contracts of a symbol share it. A future costs 7 % a year more. An option costs what
it would pay now, and a time value that is largest at the money and fades with the distance d of
the strike,

    tv(d) = tv(0) w / (w + 3 d),    tv(0) = 0.4 s,  w = 4 s,    s = price * volatility * sqrt(years)

the same for call and put of a strike, so that call - put = price - strike, as it should be; and
0.3 is the steepest that it falls, so that a higher strike never makes a dearer call. How far away
an expiry is, is counted from the first one that its exchange lists, taken to be a week ahead.

All arithmetic is in whole pips, rounded down.

Source: docs/wire/contracts.md, "What is estimated".
"""

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import blake2b
from math import isqrt
from typing import Final

from kavach.contracts.rows import CALL_OR_PUT, CASH, INDEX, Row
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Exchange, InstrumentKey, Pips, Quantity, instrument_key

CARRY_PERCENT: Final = 7  # What a future costs more than its underlying, a year.
DAYS_A_YEAR: Final = 365
MAGNITUDES: Final = (1_000, 10_000, 100_000)  # Of a drawn price of three digits.
FIRST_EXPIRY_DAYS: Final = 7
VOLATILITY_PERCENT: Final = {Exchange.CDS: 6}
VOLATILITY_DEFAULT: Final = 20
FINE: Final = 1_000  # The root of the years is taken in thousandths.

BAND_PERCENT: Final = {Exchange.NSE: 20, Exchange.BSE: 20, Exchange.CDS: 5}
BAND_DEFAULT: Final = 10  # Futures and commodities.
OPTION_BAND_PERCENT: Final = 20  # Of what the underlying costs: so far an option may rise.

FREEZE_VALUE_PIPS: Final = 100_000_000 * PIPS_PER_RUPEE  # Largest order of a share, by value,
FREEZE_MAX: Final = 10_000_000  # and by number.
FREEZE_LOTS: Final = 50  # Of a derivative.
CURRENCY_FREEZE_LOTS: Final = 10_000
CURRENCY_MULTIPLIER: Final = 1_000

STOCK_DERIVATIVES: Final = frozenset({"FUTSTK", "OPTSTK"})
TRADE_TO_TRADE: Final = frozenset({"BE", "BZ", "T", "XT", "Z", "ZP", "TS", "MT"})
UNDERLYING_EXCHANGE: Final = {Exchange.NFO: Exchange.NSE, Exchange.BFO: Exchange.BSE}
SEGMENTS: Final = {
    Exchange.NSE: "Capital",
    Exchange.BSE: "Capital",
    Exchange.NFO: "FutOpt",
    Exchange.BFO: "FutOpt",
    Exchange.MCX: "Commodities",
    Exchange.CDS: "Currency",
}

_Name = tuple[str, str]  # Where a symbol is at home, and the symbol.


def _home(exchange: Exchange) -> str:
    """Return where symbols mean the same: shares and their derivatives do on all exchanges."""
    return exchange.value if exchange in (Exchange.MCX, Exchange.CDS) else ""


class Estimates:
    """Makes instruments of rows."""

    def __init__(self, rows: Iterable[Row], bundled: Sequence[Instrument]) -> None:
        self._prices: dict[_Name, Pips] = {}
        self._companies: dict[_Name, str] = {}
        self._underlying: dict[tuple[Exchange, str], int] = {}
        self._with_derivatives: set[str] = set()
        self._first_day: dict[Exchange, int] = {}
        self._multipliers = {
            (one.exchange, one.symbol): one.multiplier for one in bundled if not one.is_option
        }
        self._learn(rows, bundled)

    def _learn(self, rows: Iterable[Row], bundled: Sequence[Instrument]) -> None:
        given: dict[_Name, Pips] = {}
        strikes: dict[_Name, tuple[str, list[Pips]]] = {}
        for row in rows:
            name = (_home(row.exchange), row.symbol)
            if row.exchange in CASH:
                self._underlying.setdefault((row.exchange, row.symbol), row.token)
                self._companies.setdefault(name, row.company)
                if row.close_pips:
                    given.setdefault(name, row.close_pips)
            if row.instrument_name in STOCK_DERIVATIVES:
                self._with_derivatives.add(row.symbol)
            if row.expiry:
                day = _day(row.expiry)
                self._first_day[row.exchange] = min(day, self._first_day.get(row.exchange, day))
            if row.option_type in CALL_OR_PUT:
                first, found = strikes.setdefault(name, (row.expiry, []))
                if row.expiry < first:
                    strikes[name] = (row.expiry, [row.strike_pips])
                elif row.expiry == first:
                    found.append(row.strike_pips)
        for name, (_, found) in strikes.items():
            self._prices[name] = sorted(found)[len(found) // 2]
        self._prices.update(given)
        for one in reversed(bundled):  # Of several the first counts.
            if not one.is_option:
                self._prices[_home(one.exchange), one.symbol] = one.previous_close_pips
            if one.exchange in CASH:
                self._underlying[one.exchange, one.symbol] = one.token
                self._companies[_home(one.exchange), one.symbol] = one.company

    def instrument(self, row: Row) -> Instrument:
        """Return the row as an instrument, with everything that it does not tell."""
        price = self._price(row)
        close = self._close(row, price)
        low, high = _band(row, close, price)
        home = UNDERLYING_EXCHANGE.get(row.exchange, row.exchange)
        derived = bool(row.option_type)
        company = self._companies.get((_home(row.exchange), row.symbol)) if derived else None
        return Instrument(
            key=instrument_key(row.exchange, row.token),
            exchange=row.exchange,
            token=row.token,
            trading_symbol=row.trading_symbol,
            symbol=row.symbol,
            company=company or row.company,
            isin=row.isin,
            series=row.series,
            instrument_name=row.instrument_name,
            segment=SEGMENTS[row.exchange],
            lot=Quantity(row.lot),
            tick_pips=row.tick_pips,
            freeze_quantity=_freeze(row, close),
            previous_close_pips=close,
            band_low_pips=low,
            band_high_pips=high,
            slm_allowed=row.option_type not in CALL_OR_PUT and row.exchange is not Exchange.BSE,
            intraday_allowed=row.series not in TRADE_TO_TRADE,
            multiplier=self._multiplier(row),
            expiry=row.expiry,
            strike_pips=row.strike_pips,
            option_type=row.option_type,
            underlying_token=self._underlying.get((home, row.symbol), 0) if derived else 0,
            imported=True,
            closing_auction=self._closes_by_auction(row),
        )

    def _closes_by_auction(self, row: Row) -> bool:
        """Return whether stock derivatives are listed on a share, on either exchange."""
        return (
            row.symbol in self._with_derivatives
            and self._underlying.get((row.exchange, row.symbol)) == row.token
        )

    def _price(self, row: Row) -> int:
        """Return what the row's symbol costs: the share, the index, the commodity itself."""
        known = self._prices.get((_home(row.exchange), row.symbol))
        return known or drawn_price_pips(row.symbol)

    def _close(self, row: Row, price: int) -> Pips:
        if row.close_pips and row.close_pips % row.tick_pips == 0:
            return row.close_pips
        if row.option_type == "XX":
            price += price * CARRY_PERCENT * self._days(row) // (DAYS_A_YEAR * 100)
        elif row.option_type:
            price = option_pips(row, price, self._days(row))
        return Pips(max(row.tick_pips, price // row.tick_pips * row.tick_pips))

    def _days(self, row: Row) -> int:
        return FIRST_EXPIRY_DAYS + _day(row.expiry) - self._first_day[row.exchange]

    def _multiplier(self, row: Row) -> int:
        if row.exchange not in (Exchange.MCX, Exchange.CDS) or row.lot != 1:
            return 1
        default = CURRENCY_MULTIPLIER if row.exchange is Exchange.CDS else 1
        return self._multipliers.get((row.exchange, row.symbol), default)


def drawn_price_pips(symbol: str) -> int:
    """Return a price drawn from a symbol: three digits, of tens to thousands of rupees."""
    number = int.from_bytes(blake2b(symbol.encode(), digest_size=8).digest(), "big")
    magnitude, digits = divmod(number, 900)
    return (100 + digits) * MAGNITUDES[magnitude % 3]


def option_pips(row: Row, price: int, days: int) -> int:
    """Return what an option costs: what it would pay now, and its time value."""
    call = row.option_type == "CE"
    intrinsic = max(0, price - row.strike_pips if call else row.strike_pips - price)
    volatility = VOLATILITY_PERCENT.get(row.exchange, VOLATILITY_DEFAULT)
    root = isqrt(days * FINE * FINE // DAYS_A_YEAR)
    deviation = max(1, price * volatility * root // (100 * FINE))
    width = 4 * deviation
    distance = abs(price - row.strike_pips)
    return intrinsic + deviation * 2 // 5 * width // (width + 3 * distance)


def _band(row: Row, close: int, price: int) -> tuple[Pips, Pips]:
    """Return the day's range, both ends on tick, the close inside and room on both sides."""
    tick = row.tick_pips
    if row.option_type in CALL_OR_PUT:
        rise = price * OPTION_BAND_PERCENT // 100 // tick * tick
        return tick, Pips(close + max(tick, rise))
    reach = close * BAND_PERCENT.get(row.exchange, BAND_DEFAULT) // 100 // tick * tick
    reach = max(tick, reach)
    return Pips(max(tick, close - reach)), Pips(close + reach)


def _freeze(row: Row, close: int) -> Quantity:
    """Return the largest order in whole lots; 0 for what nobody trades."""
    if row.instrument_name == INDEX:
        return Quantity(0)
    if row.exchange not in CASH:
        lots = CURRENCY_FREEZE_LOTS if row.exchange is Exchange.CDS else FREEZE_LOTS
        return Quantity(lots * row.lot)
    shares = min(FREEZE_MAX, FREEZE_VALUE_PIPS // close)
    return Quantity(max(row.lot, shares // row.lot * row.lot))


def _day(iso: str) -> int:
    return date.fromisoformat(iso).toordinal()


def priced(rows: Sequence[Row], bundled: Sequence[Instrument]) -> dict[InstrumentKey, Instrument]:
    """Return the rows as instruments; bundled ones keep their own data and are left out."""
    estimates = Estimates(rows, bundled)
    own = {one.key for one in bundled}
    made = map(estimates.instrument, rows)
    return {instrument.key: instrument for instrument in made if instrument.key not in own}
