"""
How a contract stands in a published table: the one table of all exchanges, and one an exchange.

The vendor's family publishes both, and their words differ. In the one table dates are
``29-Dec-2026``, a contract without an expiry has ``01-Jan-0001``, a future has the strike
``-0.01``, and a share of BSE has its group as its segment. In the tables of single exchanges dates
are ISO text, a future has the strike 0, so that a column of whole strikes is one of whole numbers
(clients take the points out of it), and index and stock derivatives are IF, SF, IO and SO.

``rows.read_row`` reads the same contract from either.

Source: docs/wire/contracts.md, "Download".
"""

from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from kavach.contracts.rows import INDEX, NO_EXPIRY
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Exchange, rupees_text

Cells = tuple[object, ...]

_SHORT_NAMES: Final = {"FUTIDX": "IF", "FUTSTK": "SF", "OPTIDX": "IO", "OPTSTK": "SO"}
_RENAMING: Final = (Exchange.NFO, Exchange.BFO)
_INDEX_SEGMENT: Final = {Exchange.NSE: "INDICES", Exchange.BSE: "IDX"}
_FUTURE_STRIKE: Final = "-0.01"
# Instrument types of the exchanges' common file format (UDiFF), by the names above.
_PRODUCT_CODES: Final = {
    "EQ": "STK",
    "INDEX": "IDX",
    "FUTIDX": "IDF",
    "FUTSTK": "STF",
    "OPTIDX": "IDO",
    "OPTSTK": "STO",
}


class Layout(NamedTuple):
    """The columns of a table, and the cells of a contract in their order."""

    columns: tuple[str, ...]
    cells: Callable[[Instrument], Cells]


def _cells_of_one_exchange(one: Instrument) -> Cells:
    name = one.instrument_name
    return (
        one.token,
        one.trading_symbol,
        _company(one),
        rupees_text(one.previous_close_pips),
        one.expiry,
        _strike(one) if one.option_type else "",
        rupees_text(one.tick_pips),
        one.exchange.value,
        _SHORT_NAMES.get(name, name) if one.exchange in _RENAMING else name,
        one.lot,
        one.option_type,
        _INDEX_SEGMENT.get(one.exchange, INDEX) if name == INDEX else one.segment,
        one.symbol,
        one.series,
        one.isin,
    )


def _cells_of_all(one: Instrument) -> Cells:
    name = one.instrument_name
    return (
        one.token,
        one.trading_symbol,
        _company(one),
        rupees_text(one.previous_close_pips),
        f"{date.fromisoformat(one.expiry):%d-%b-%Y}" if one.expiry else NO_EXPIRY,
        _FUTURE_STRIKE if one.option_type == "XX" else _strike(one),
        rupees_text(one.tick_pips),
        one.lot,
        name,
        one.option_type,
        _segment(one),
        one.exchange.value,
        _PRODUCT_CODES.get(name, name),
        one.symbol,
        "",
        one.isin,
        one.series,
    )


def _company(one: Instrument) -> str:
    """Return a company; of a derivative its symbol, since clients build names of it."""
    return one.symbol if one.option_type else one.company


def _segment(one: Instrument) -> str:
    if one.instrument_name == INDEX:
        return _INDEX_SEGMENT.get(one.exchange, INDEX)
    return one.series if one.exchange is Exchange.BSE else one.segment


def _strike(one: Instrument) -> str:
    """Return a strike in rupees without needless decimals, 0 where there is none."""
    whole, rest = divmod(one.strike_pips, PIPS_PER_RUPEE)
    return f"{whole}.{rest:04d}".rstrip("0") if rest else str(whole)


OF_ALL: Final = Layout(
    (
        *("exchange_token", "trading_symbol", "company_name", "close_price", "expiry", "strike"),
        *("tick_size", "lot_size", "instrument_name", "option_type", "segment", "exchange"),
        *("fin_instrm_pdct_tp_cd", "asset_code", "settlement_type", "isin", "series"),
    ),
    _cells_of_all,
)
OF_ONE_EXCHANGE: Final = Layout(
    (
        *("exchange_token", "trading_symbol", "company_name", "close_price", "expiry", "strike"),
        *("tick_size", "exchange", "instrument_name", "lot_size", "option_type", "segment"),
        *("symbol", "series", "isin"),
    ),
    _cells_of_one_exchange,
)
