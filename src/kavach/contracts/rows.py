"""
One line of the broker's table, read: what it says of a contract, and nothing that it does not.

Column names may have blanks and capitals, and come in any order. Numbers are decimal text, read
digit by digit; whole numbers may have a point and zeros behind it. ``company_name`` of a
derivative is the symbol of its underlying. Words of the broker that mean the same become one:
IF and SF are index and stock futures, IO and SO their options, XX is a future.

Prices are pips, dates ISO text. A line that can't be a contract raises ``BadRow`` with the column
and what is wrong.

Source: docs/wire/contracts.md.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final

import msgspec

from kavach.units import PIPS_PER_RUPEE, Exchange, Pips

TOKEN_MAX: Final = 2**31 - 1  # What the feed's packets can carry.
LOT_MAX: Final = 1_000_000
STRIKE_PIPS_MAX: Final = 10_000_000 * PIPS_PER_RUPEE
TEXT_LENGTH_MAX: Final = 128
INDEX: Final = "INDEX"
NO_EXPIRY: Final = "01-Jan-0001"  # What stands for no date in the table of all exchanges.
CALL_OR_PUT: Final = ("CE", "PE")
CASH: Final = frozenset({Exchange.NSE, Exchange.BSE})
INDEX_TICK: Final = "0.05"

# The names under which derivatives know an index, by the name of the index itself.
INDEX_SYMBOLS: Final = {
    "NIFTY 50": "NIFTY",
    "NIFTY BANK": "BANKNIFTY",
    "NIFTY FIN SERVICE": "FINNIFTY",
    "NIFTY MID SELECT": "MIDCPNIFTY",
    "NIFTY NEXT 50": "NIFTYNXT50",
    "INDIA VIX": "INDIAVIX",
    "SNSX50": "SENSEX50",
}
_INDEX_SEGMENTS: Final = frozenset({"INDICES", "IDX", "INDEX"})
_NAMES: Final = {"IF": "FUTIDX", "SF": "FUTSTK", "IO": "OPTIDX", "SO": "OPTSTK"}
_FUTURES: Final = frozenset({"FUTIDX", "FUTSTK", "FUTCOM", "FUTCUR", "FUTIRC", "FUT"})
_SPOT: Final = frozenset({"COM", "UNDCUR", "UNDIRC"})  # What MCX and CDS list but nobody trades.
_DEFAULT_NAMES: Final = {
    (Exchange.MCX, False): "FUTCOM",
    (Exchange.MCX, True): "OPTFUT",
    (Exchange.CDS, False): "FUTCUR",
    (Exchange.CDS, True): "OPTCUR",
}
_DECIMAL: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{0,12}))?")
_BASE: Final = re.compile(r"[A-Z][A-Z&-]*")
_WEEKLY_MONTHS: Final = "123456789OND"  # How a weekly expiry writes its month.
_DATES: Final = ("%Y-%m-%d", "%d-%b-%Y", "%d%b%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y%m%d", "%d-%b-%y")


class BadRow(ValueError):
    """The line is no contract; the text names the column."""


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a line says."""

    exchange: Exchange
    token: int
    trading_symbol: str
    symbol: str
    company: str
    isin: str
    series: str
    instrument_name: str
    lot: int
    tick_pips: Pips
    expiry: str
    strike_pips: Pips
    option_type: str
    close_pips: Pips  # 0: the table does not tell.


def read_row(cells: Mapping[str, str], table_name: str) -> Row:
    """Return what a line says; raises ``BadRow``."""
    exchange = _exchange(cells.get("exchange", ""), table_name)
    trading_symbol = _text(cells, "trading_symbol", required=True)
    word = _text(cells, "instrument_name").upper()
    is_index = _text(cells, "segment").upper() in _INDEX_SEGMENTS or word == INDEX
    if word in _SPOT:
        raise BadRow(f"instrument_name: {word} is a price of reference, nobody trades it")
    option_type = _option_type(cells, word, exchange, is_index)
    expiry = _date(cells.get("expiry", ""), required=bool(option_type))
    return Row(
        exchange=exchange,
        token=_whole(cells, "exchange_token", TOKEN_MAX),
        trading_symbol=trading_symbol,
        symbol=_symbol(cells, trading_symbol, option_type, expiry, is_index=is_index),
        company=_text(cells, "company_name") or trading_symbol,
        isin=_text(cells, "isin"),
        series=_series(cells, trading_symbol, option_type, is_index),
        instrument_name=_name(word, exchange, option_type, is_index),
        lot=1 if is_index else _whole(cells, "lot_size", LOT_MAX),
        tick_pips=_tick(cells, is_index=is_index),
        expiry=expiry if option_type else "",
        strike_pips=_strike(cells) if option_type in CALL_OR_PUT else Pips(0),
        option_type=option_type,
        close_pips=_close(cells),
    )


def _text(cells: Mapping[str, str], column: str, *, required: bool = False) -> str:
    text = cells.get(column, "").strip()
    if required and not text:
        raise BadRow(f"{column}: it is blank")
    if len(text) > TEXT_LENGTH_MAX or not text.isprintable():
        raise BadRow(f"{column}: {text[:20]!r} is longer than a name or can't be printed")
    return text


def _exchange(text: str, table_name: str) -> Exchange:
    word = text.strip().upper() or table_name[:3].upper()
    try:
        return Exchange(word)
    except ValueError as error:
        raise BadRow(f"exchange: {word[:20]!r} is none of {', '.join(Exchange)}") from error


def _whole(cells: Mapping[str, str], column: str, largest: int) -> int:
    text = cells.get(column, "").strip()
    match = _DECIMAL.fullmatch(text)
    if match is None or (match[2] or "").strip("0") or not 0 < int(match[1]) <= largest:
        raise BadRow(f"{column}: {text[:20]!r} is not a whole number from 1 to {largest}")
    return int(match[1])


@lru_cache(maxsize=4096)
def _pips(text: str) -> Pips | None:
    """Return a price, or None for what is finer than a pip or no price."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    decimals = (match[2] or "").rstrip("0")
    if len(decimals) > 4:
        return None
    return Pips(int(match[1]) * PIPS_PER_RUPEE + int(decimals.ljust(4, "0")))


def _tick(cells: Mapping[str, str], *, is_index: bool) -> Pips:
    text = cells.get("tick_size", "").strip()
    tick = _pips(text)
    if is_index and not tick:
        tick = _pips(INDEX_TICK)
    if not tick:
        raise BadRow(f"tick_size: {text[:20]!r} is no price above 0 of at most four decimals")
    return tick


def _strike(cells: Mapping[str, str]) -> Pips:
    text = cells.get("strike", "").strip()
    strike = _pips(text)
    if not strike or strike > STRIKE_PIPS_MAX:
        raise BadRow(f"strike: {text[:20]!r} is no price above 0 of at most four decimals")
    return strike


def _close(cells: Mapping[str, str]) -> Pips:
    """Return the close, where there is such a column; what it can't mean is not told."""
    close = _pips(cells.get("close_price", "").strip()) or Pips(0)
    return close if close <= STRIKE_PIPS_MAX else Pips(0)


@lru_cache(maxsize=4096)
def _date(text: str, *, required: bool) -> str:
    """Return a date as ISO text, its time of day dropped; "" for none where none is needed."""
    word = text.strip()
    if not required:
        return ""
    day = re.split(r"[T ]", word, maxsplit=1)[0]
    if day == NO_EXPIRY:
        raise BadRow(f"expiry: {NO_EXPIRY} stands for no date, which a derivative must have")
    for form in _DATES:
        try:
            return datetime.strptime(day, form).date().isoformat()  # noqa: DTZ007  # A date.
        except ValueError:
            continue
    raise BadRow(f"expiry: {word[:20]!r} is no date")


def _option_type(cells: Mapping[str, str], word: str, exchange: Exchange, is_index: bool) -> str:
    text = cells.get("option_type", "").strip().upper()
    if is_index or exchange in CASH:
        return ""
    if text in CALL_OR_PUT:
        return text
    if text in ("XX", "", "FUT") and (text or word in _NAMES or word in _FUTURES):
        return "XX"
    raise BadRow(f"option_type: {text[:20]!r} is none of XX, CE, PE")


def _name(word: str, exchange: Exchange, option_type: str, is_index: bool) -> str:
    if is_index:
        return INDEX
    if exchange in CASH:
        return "EQ"
    word = _NAMES.get(word, word)
    optional = option_type in CALL_OR_PUT
    if word.startswith("OPT" if optional else "FUT") and len(word) > 3:
        return word
    default = "OPTSTK" if optional else "FUTSTK"
    return _DEFAULT_NAMES.get((exchange, optional), default)


def _symbol(
    cells: Mapping[str, str], trading_symbol: str, option_type: str, expiry: str, *, is_index: bool
) -> str:
    """Return the bare symbol: the table's own, or what the trading symbol begins with."""
    given = _text(cells, "symbol")
    if given:
        return given
    upper = trading_symbol.upper()
    if is_index:
        return INDEX_SYMBOLS.get(upper, upper.replace(" ", ""))
    if not option_type:
        return trading_symbol.rpartition("-")[0] or trading_symbol
    strike = cells.get("strike", "").strip()
    whole = strike.rstrip("0").rstrip(".") if "." in strike else strike
    tail = "FUT" if option_type == "XX" else whole + option_type
    underlying = _before_expiry(upper, tail, date.fromisoformat(expiry))
    if underlying:
        return underlying
    company = _text(cells, "company_name").upper()
    if company and upper.startswith(company):
        return company
    match = _BASE.match(upper)
    return match[0] if match else company or upper


def _before_expiry(trading_symbol: str, tail: str, expiry: date) -> str:
    """Return what stands before expiry and ``tail`` in a trading symbol; "" where neither does.

    A month is written ``26DEC``, a week ``26D29`` or ``26729``: year, month, day. A symbol may
    itself end in digits, as ``SENSEX50`` does, so the expiry is compared and not guessed.
    """
    month = f"{expiry:%y%b}".upper()
    week = f"{expiry:%y}{_WEEKLY_MONTHS[expiry.month - 1]}{expiry:%d}"
    for suffix in (month + tail, week + tail):
        if trading_symbol.endswith(suffix):
            return trading_symbol.removesuffix(suffix)
    return ""


def _series(cells: Mapping[str, str], trading_symbol: str, option_type: str, is_index: bool) -> str:
    if option_type or is_index:
        return ""
    head, _, tail = trading_symbol.rpartition("-")
    return _text(cells, "series") or (tail if head else "")
