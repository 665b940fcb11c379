"""
A market in the shape in which the broker publishes it: a ZIP of one table an exchange.

``market`` makes as many contracts as are wanted, of every kind, always the same ones. Column names
have blanks and capitals, as published ones do; company names of derivatives are their symbols.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import count, islice, product
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    *("Exchange", " Exchange_Token", "Trading_Symbol ", "company_name", "instrument_name"),
    *("lot_size", "tick_size", "Expiry", "strike", "option_type", "segment"),
)
FIRST_EXPIRY: Final = date(2026, 12, 29)
EXCHANGES: Final = ("NSE", "BSE", "NFO", "BFO", "MCX")
FAMILIES: Final = (
    "TATA",
    "BAJAJ",
    "ADANI",
    "MAHINDRA",
    "GODREJ",
    "BIRLA",
    "KIRLOSKAR",
    "MURUGAPPA",
)
TRADES: Final = ("STEEL", "MOTORS", "POWER", "FINANCE", "CHEMICALS", "CEMENT", "PAPER", "SUGAR")

Cells = tuple[object, ...]


def share(exchange: str, token: int, symbol: str, company: str, series: str = "EQ") -> Cells:
    """Return the line of a share."""
    name = f"{symbol}-{series}"
    return (exchange, token, name, company, "EQ", 1, "0.05", "", "", "", "Capital")


def index(exchange: str, token: int, name: str) -> Cells:
    """Return the line of an index, which nobody trades."""
    segment = "INDICES" if exchange == "NSE" else "IDX"
    return (exchange, token, name, name, "", 1, "0.05", "", "", "", segment)


def future(
    exchange: str, token: int, symbol: str, expiry: date, word: str = "SF", lot: int = 50
) -> Cells:
    """Return the line of a future."""
    name = f"{symbol}{expiry:%y%b}FUT".upper()
    cells = (exchange, token, name, symbol, word, lot, "0.05")
    return (*cells, expiry.isoformat(), "0.0", "XX", "FutOpt")


def option(
    exchange: str, token: int, symbol: str, expiry: date, strike: int, kind: str, word: str = "SO"
) -> Cells:
    """Return the line of a call or put."""
    name = f"{symbol}{expiry:%d%b%y}{strike}{kind}".upper()
    cells = (exchange, token, name, symbol, word, 50, "0.05")
    return (*cells, expiry.isoformat(), f"{strike}.0", kind, "FutOpt")


def company(number: int) -> tuple[str, str]:
    """Return a symbol and a name, another one for each number."""
    family, trade = FAMILIES[number % 8], TRADES[number // 8 % 8]
    tail = f"{number // 64}" if number >= 64 else ""
    return f"{family[:4]}{trade[:5]}{tail}", f"{family.title()} {trade.title()} {tail} Limited"


def every_line() -> Iterator[Cells]:
    """Yield lines without end: indices and shares first, then ever more derivatives."""
    yield index("NSE", 26000, "Nifty 50")
    yield index("NSE", 26009, "Nifty Bank")
    yield index("BSE", 1, "SENSEX")
    tokens = count(100_000)
    for number in range(2_500):
        symbol, name = company(number)
        yield share("NSE", next(tokens), symbol, name, "BE" if number % 50 == 7 else "EQ")
    for number in range(3_500):
        symbol, name = company(number)
        yield share("BSE", next(tokens), symbol, name, "A")
    for month in range(3):
        expiry = FIRST_EXPIRY + timedelta(days=30 * month)
        yield future("MCX", next(tokens), "CRUDEOIL", expiry, "FUTCOM", 100)
        yield future("NFO", next(tokens), "BANKNIFTY", expiry, "IF", 30)
        for number in range(200):
            yield future("NFO", next(tokens), company(number)[0], expiry)
    for step, week, kind in product(range(60), range(6), ("CE", "PE")):
        expiry = FIRST_EXPIRY + timedelta(days=7 * week)
        yield option("NFO", next(tokens), "BANKNIFTY", expiry, 52_000 + 100 * step, kind, "IO")
        yield option("BFO", next(tokens), "SENSEX", expiry, 82_000 + 100 * step, kind, "IO")
        yield option("MCX", next(tokens), "CRUDEOIL", expiry, 5_000 + 50 * step, kind, "OPTFUT")
    for step in count():
        for number, month, kind in product(range(200), range(3), ("CE", "PE")):
            expiry = FIRST_EXPIRY + timedelta(days=30 * month)
            yield option("NFO", next(tokens), company(number)[0], expiry, 500 + 10 * step, kind)


def market(size: int) -> list[Cells]:
    """Return so many contracts."""
    return list(islice(every_line(), size))


def table(lines: Iterable[Cells], columns: Iterable[str] = COLUMNS) -> str:
    """Return lines as CSV under a header."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()


def packed(path: Path, lines: Iterable[Cells]) -> Path:
    """Return the path, at which a ZIP of these lines lies now: a table for each exchange."""
    by_exchange: dict[str, list[Cells]] = {name: [] for name in EXCHANGES}
    for line in lines:
        by_exchange.setdefault(str(line[0]), []).append(line)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for exchange, own in by_exchange.items():
            archive.writestr(f"{exchange}CompactScrip.csv", table(own))
    return path
