"""Lines of the broker's table: what they mean, and what is said of those that mean nothing."""

from typing import Any

import pytest

from kavach.contracts.rows import BadRow, Row, read_row
from kavach.units import Exchange

SHARE = {
    "exchange": "NSE",
    "exchange_token": "3045",
    "trading_symbol": "SBIN-EQ",
    "company_name": "STATE BANK OF INDIA",
    "instrument_name": "EQ",
    "lot_size": "1",
    "tick_size": "0.05",
    "expiry": "",
    "strike": "",
    "option_type": "",
    "segment": "Capital",
}
OPTION = SHARE | {
    "exchange": "NFO",
    "exchange_token": "41337",
    "trading_symbol": "BANKNIFTY24MAR46400CE",
    "company_name": "BANKNIFTY",
    "instrument_name": "IO",
    "lot_size": "15",
    "expiry": "2024-03-20",
    "strike": "46400.0",
    "option_type": "CE",
    "segment": "FutOpt",
}


def row(base: dict[str, str], **changes: str) -> Row:
    """Return what a line says that differs from a plain one."""
    return read_row(base | changes, "NSECompactScrip.csv")


MEANINGS: list[tuple[dict[str, str], dict[str, str], dict[str, Any]]] = [
    (SHARE, {}, {"symbol": "SBIN", "series": "EQ", "instrument_name": "EQ", "tick_pips": 500}),
    (SHARE, {"exchange": " nse "}, {"exchange": Exchange.NSE}),
    (SHARE, {"exchange": ""}, {"exchange": Exchange.NSE}),
    (SHARE, {"lot_size": "1.0", "exchange_token": "3045.0"}, {"lot": 1, "token": 3045}),
    (SHARE, {"tick_size": "0.0025"}, {"tick_pips": 25}),
    (SHARE, {"tick_size": "5"}, {"tick_pips": 50_000}),
    (SHARE, {"trading_symbol": "BAJAJ-AUTO-EQ"}, {"symbol": "BAJAJ-AUTO", "series": "EQ"}),
    (SHARE, {"trading_symbol": "M&M-EQ"}, {"symbol": "M&M"}),
    (SHARE, {"trading_symbol": "SBIN"}, {"symbol": "SBIN", "series": ""}),
    (SHARE, {"symbol": "STATEBANK"}, {"symbol": "STATEBANK"}),
    (SHARE, {"expiry": "0", "strike": "-0.01"}, {"expiry": "", "strike_pips": 0}),
    (SHARE, {"close_price": "740.05"}, {"close_pips": 7_400_500}),
    (SHARE, {"close_price": "n/a"}, {"close_pips": 0}),
    (
        SHARE,
        {"trading_symbol": "Nifty Bank", "segment": "INDICES", "tick_size": ""},
        {"instrument_name": "INDEX", "symbol": "BANKNIFTY", "series": "", "tick_pips": 500},
    ),
    (
        SHARE,
        {"exchange": "BSE", "trading_symbol": "BSE 100", "segment": "IDX"},
        {"instrument_name": "INDEX", "symbol": "BSE100"},
    ),
    (OPTION, {}, {"symbol": "BANKNIFTY", "instrument_name": "OPTIDX", "strike_pips": 464_000_000}),
    (OPTION, {"instrument_name": "SO"}, {"instrument_name": "OPTSTK"}),
    (OPTION, {"instrument_name": ""}, {"instrument_name": "OPTSTK"}),
    (OPTION, {"option_type": "pe"}, {"option_type": "PE"}),
    (OPTION, {"strike": "462.5"}, {"strike_pips": 4_625_000}),
    (OPTION, {"option_type": "XX", "instrument_name": "IF"}, {"instrument_name": "FUTIDX"}),
    (OPTION, {"option_type": "", "instrument_name": "SF"}, {"option_type": "XX"}),
    (OPTION, {"expiry": "20-Mar-2024"}, {"expiry": "2024-03-20"}),
    (OPTION, {"expiry": "20MAR2024"}, {"expiry": "2024-03-20"}),
    (OPTION, {"expiry": "2024-03-20 14:30:00"}, {"expiry": "2024-03-20"}),
    (OPTION, {"expiry": "20240320"}, {"expiry": "2024-03-20"}),
    (
        OPTION,
        {"exchange": "MCX", "instrument_name": "OPTFUT", "company_name": "Silver Mini",
         "trading_symbol": "SILVERM26MAR131500CE"},
        {"symbol": "SILVERM", "instrument_name": "OPTFUT", "company": "Silver Mini"},
    ),
    (
        OPTION,
        {"exchange": "CDS", "instrument_name": "", "option_type": "XX", "strike": "0"},
        {"instrument_name": "FUTCUR", "strike_pips": 0},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("base", "changes", "expected"), MEANINGS)
def test_what_a_line_means(
    base: dict[str, str], changes: dict[str, str], expected: dict[str, Any]
) -> None:
    """Each column is read as the broker means it, in every way in which it is written."""
    read = row(base, **changes)
    assert {name: getattr(read, name) for name in expected} == expected


NONSENSE: list[tuple[dict[str, str], str, str]] = [
    *[(SHARE, "exchange_token", text) for text in ("", "0", "-1", "x", "1.5", "2147483648", "१")],
    *[(SHARE, "lot_size", text) for text in ("", "0", "1e3", "1000001", "NaN")],
    *[(SHARE, "tick_size", text) for text in ("", "0", "0.00001", "-0.05", "inf", "0,05")],
    *[(SHARE, "trading_symbol", text) for text in ("", "  ", "A" * 129, "SBIN\x00-EQ")],
    *[(SHARE, "exchange", text) for text in ("NCDEX", "XX")],
    (SHARE, "instrument_name", "COM"),
    *[(OPTION, "strike", text) for text in ("", "0", "-1", "x", "99999999")],
    *[(OPTION, "expiry", text) for text in ("", "0", "tomorrow", "2024-02-30")],
    *[(OPTION, "option_type", text) for text in ("CALL", "XE")],
]


@pytest.mark.parametrize(("base", "column", "text"), NONSENSE)
def test_what_means_nothing_is_named(base: dict[str, str], column: str, text: str) -> None:
    """A value that can't be is refused under the name of its column, whatever else is right."""
    with pytest.raises(BadRow, match=f"^{column}: "):
        row(base, **{column: text})
