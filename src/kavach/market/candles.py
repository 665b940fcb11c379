"""
Minutes of a real market, read from a file: open, high, low and close in rupees.

The file is CSV with the columns ``time_ist``, ``open``, ``high``, ``low``, ``close``; times are
ISO 8601 and increase. Prices become whole pips, read digit by digit.

Source: docs/twin.md (replay).
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import msgspec

from kavach.data import pips
from kavach.units import IST_OFFSET_SECONDS, Pips

COLUMNS: Final = ("time_ist", "open", "high", "low", "close")

_IST: Final = timezone(timedelta(seconds=IST_OFFSET_SECONDS))


class CandleError(ValueError):
    """The file can't be replayed; the text is a sentence for a person."""


class Candle(msgspec.Struct, frozen=True):
    """What one minute traded at, in pips."""

    open: Pips
    high: Pips
    low: Pips
    close: Pips


def load_candles(path: Path) -> list[Candle]:
    """Return the minutes of a file, oldest first; raises ``CandleError``."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return read_candles(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CandleError(f"The file {path} can't be read: {error}.") from error
    except CandleError as error:
        raise CandleError(f"The file {path} can't be replayed: {error}.") from error


def read_candles(lines: Iterable[str]) -> list[Candle]:
    """Return the minutes of CSV lines; raises ``CandleError``, its text without a full stop."""
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise CandleError(f"it has no column {', '.join(missing)}")
    candles: list[Candle] = []
    last: datetime | None = None
    for row in reader:
        try:
            moment, candle = _read_row(row)
        except ValueError as error:
            raise CandleError(f"line {reader.line_num}: {error}") from error
        if last is not None and moment <= last:
            raise CandleError(f"line {reader.line_num}: time_ist: it does not increase")
        last = moment
        candles.append(candle)
    if not candles:
        raise CandleError("it has no minute in it")
    return candles


def _read_row(row: Mapping[str, str | None]) -> tuple[datetime, Candle]:
    """Return when a minute began and what it traded at; ``ValueError`` says what is wrong."""
    moment = datetime.fromisoformat(row["time_ist"] or "")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_IST)
    prices = [pips(row[name] or "") for name in COLUMNS[1:]]
    candle = Candle(*prices)
    if not 0 < candle.low <= min(candle.open, candle.close):
        raise ValueError("low: must be above 0 and below open and close")
    if candle.high < max(candle.open, candle.close):
        raise ValueError("high: must be above open and close")
    return moment, candle
