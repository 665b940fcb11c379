"""
Under which words a contract is found: its names, and everything else that people type.

Names say which contract is meant: symbol, trading symbol, ISIN. Words describe it: the parts of
its names, its company, its exchange, and of a derivative its kind, expiry and strike. All are in
capitals; a name that has more in it than letters and digits is also known without that.

Source: docs/wire/contracts.md, "Search".
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Exchange

_PLACES: Final = {exchange: place for place, exchange in enumerate(Exchange)}  # NSE before BSE.
_WORD: Final = re.compile(r"[A-Z0-9]+")
_KINDS: Final = {
    "CE": ("CE", "CALL", "OPTION"),
    "PE": ("PE", "PUT", "OPTION"),
    "XX": ("FUT", "FUTURE"),
}


@lru_cache(maxsize=1 << 16)
def split(text: str) -> tuple[str, ...]:
    """Return the words of a text, in capitals."""
    return tuple(_WORD.findall(text.upper()))


def compact(text: str) -> str:
    """Return the letters and digits of a text, in capitals."""
    return "".join(split(text))


def names_of(instrument: Instrument) -> tuple[str, ...]:
    """Return what a contract is called; a derivative has its code beside these."""
    if instrument.option_type:
        return _named(instrument.symbol)
    names = _named(instrument.symbol) + _named(instrument.trading_symbol)
    return (*names, instrument.isin) if instrument.isin else names


def code_of(instrument: Instrument) -> str:
    """Return the trading symbol of a derivative, which no other has; "" of anything else."""
    return instrument.trading_symbol.upper() if instrument.option_type else ""


def words_of(instrument: Instrument) -> tuple[str, ...]:
    """Return what describes a contract."""
    words = split(instrument.symbol) + split(instrument.company) + (instrument.exchange.value,)
    if not instrument.option_type:
        # Who writes a company in one word means it, too.
        return (*words, *split(instrument.trading_symbol), compact(instrument.company))
    words += _KINDS[instrument.option_type] + _of_date(instrument.expiry)
    if instrument.strike_pips:
        words += (str(instrument.strike_pips // PIPS_PER_RUPEE),)
    return words


@lru_cache(maxsize=1 << 16)
def _named(name: str) -> tuple[str, ...]:
    upper, bare = name.upper(), compact(name)
    return (upper,) if upper == bare else (upper, bare)


@lru_cache(maxsize=4096)
def _of_date(iso: str) -> tuple[str, ...]:
    day = date.fromisoformat(iso)
    month, year = f"{day:%b}".upper(), f"{day:%y}"
    return (
        f"{day.day}",
        month,
        year,
        f"{day.year}",
        f"{day.day:02}{month}{year}",
        f"{month}{year}",
    )


def order_of(instruments: Iterable[Instrument]) -> list[Instrument]:
    """Return contracts as they are shown where nothing else decides: what is plain comes first."""
    return sorted(instruments, key=_plainness)


def _plainness(instrument: Instrument) -> tuple[int, str, int, str, int, str]:
    kind = 0 if not instrument.option_type else 1 if instrument.option_type == "XX" else 2
    symbol, place = instrument.symbol, _PLACES[instrument.exchange]
    return kind, instrument.expiry, len(symbol), symbol, place, instrument.trading_symbol
