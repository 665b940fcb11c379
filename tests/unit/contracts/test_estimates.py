"""What the table does not tell is made up so that a market can be made of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.contracts.estimates import Estimates, drawn_price_pips, option_pips, priced
from kavach.contracts.importing import read_contracts
from kavach.contracts.rows import Row
from kavach.data import load_instruments
from kavach.instruments import Instrument
from kavach.units import Exchange, InstrumentKey, Pips
from tests.unit.contracts.published import market, packed

BUNDLED = load_instruments()


def a_row(**changes: object) -> Row:
    """Return a row of a share, or of what the changes make of it."""
    fields: dict[str, object] = {
        "exchange": Exchange.NSE,
        "token": 900_001,
        "trading_symbol": "NEW-EQ",
        "symbol": "NEW",
        "company": "New Limited",
        "isin": "",
        "series": "EQ",
        "instrument_name": "EQ",
        "lot": 1,
        "tick_pips": Pips(500),
        "expiry": "",
        "strike_pips": Pips(0),
        "option_type": "",
        "close_pips": Pips(0),
    }
    return Row(**(fields | changes))  # type: ignore[arg-type]


def a_strike(kind: str, strike: int, **changes: object) -> Row:
    """Return an option."""
    fields: dict[str, object] = {
        "exchange": Exchange.NFO,
        "instrument_name": "OPTSTK",
        "expiry": "2026-12-29",
        "option_type": kind,
        "strike_pips": Pips(strike),
        "series": "",
        "lot": 50,
        "token": 1_000_000 + 2 * strike + (kind == "PE"),
    }
    return a_row(**(fields | changes))


def alone(row: Row) -> Instrument:
    """Return what becomes of a row in a table of its own."""
    return Estimates([row], BUNDLED).instrument(row)


@pytest.fixture(scope="module")
def instruments(tmp_path_factory: pytest.TempPathFactory) -> list[Instrument]:
    """Ten thousand contracts of every kind."""
    path = packed(tmp_path_factory.mktemp("published") / "Compact.zip", market(10_000))
    return read_contracts(path, BUNDLED).current


def test_everything_can_be_quoted(instruments: list[Instrument]) -> None:
    """Close and range lie on tick, the close inside with room; orders are whole lots."""
    assert len(instruments) == 10_000
    for one in instruments:
        tick = one.tick_pips
        low, close, high = one.band_low_pips, one.previous_close_pips, one.band_high_pips
        assert low % tick == close % tick == high % tick == 0, one
        assert 0 < low <= close < high, one
        assert one.freeze_quantity % one.lot == 0
        assert one.tradable == (one.instrument_name != "INDEX")
        assert one.imported


def test_derivatives_know_what_they_are_on(instruments: list[Instrument]) -> None:
    """Futures and options name the token of their share or index, and its company."""
    by_key = {one.key: one for one in instruments}
    derived = [one for one in instruments if one.exchange is Exchange.NFO]
    assert derived
    for one in derived:
        underlying = by_key[InstrumentKey(f"NSE:{one.underlying_token}")]
        assert (underlying.symbol, underlying.company) == (one.symbol, one.company)


def test_one_symbol_has_one_price(instruments: list[Instrument]) -> None:
    """A share costs the same on both exchanges, and as much as its options are listed around."""
    by_symbol: dict[str, set[int]] = {}
    for one in instruments:
        if one.instrument_name == "EQ":
            by_symbol.setdefault(one.symbol, set()).add(one.previous_close_pips)
    assert sum(1 for prices in by_symbol.values() if len(prices) > 1) == 0
    strikes = sorted(o.strike_pips for o in instruments if o.is_option and o.symbol == "TATASTEEL")
    assert by_symbol["TATASTEEL"] <= set(strikes)


def test_the_same_table_makes_the_same_market() -> None:
    """Nothing but the table decides, and not the order of its lines."""
    rows = [a_strike(kind, strike) for strike in (9_000, 10_000, 11_000) for kind in ("CE", "PE")]
    there, back = priced(rows, BUNDLED), priced(rows[::-1], BUNDLED)
    assert there == back
    assert len(there) == 6


def test_bundled_instruments_keep_their_own_data() -> None:
    """A line about a bundled instrument is left out; its price is taken for its derivatives."""
    sbin = next(one for one in BUNDLED if one.symbol == "SBIN")
    row = a_row(token=sbin.token, symbol="SBIN", close_pips=Pips(10_000))
    future = a_strike("XX", 0, symbol="SBIN", instrument_name="FUTSTK", tick_pips=Pips(500))
    made = priced([row, future], BUNDLED)
    assert [one.symbol for one in made.values()] == ["SBIN"]
    only = next(iter(made.values()))
    assert sbin.previous_close_pips < only.previous_close_pips < sbin.previous_close_pips * 11 // 10
    assert only.underlying_token == sbin.token


def test_a_share_with_derivatives_closes_by_an_auction() -> None:
    """It does if stock derivatives are listed on it, on either exchange; an index one is none."""
    rows = [
        a_row(token=1, symbol="WITH"),
        a_row(token=2, symbol="WITH", trading_symbol="WITH-N1", series="N1"),
        a_row(token=3, symbol="WITH", exchange=Exchange.BSE, series="A"),
        a_row(token=4, symbol="WITHOUT"),
        a_row(token=5, symbol="INDEX"),
        a_strike("CE", 10_000, symbol="WITH"),
        a_strike("CE", 20_000, symbol="INDEX", instrument_name="OPTIDX"),
    ]
    made = priced(rows, BUNDLED).values()
    assert [one.token for one in made if one.closing_auction] == [1, 3]
    assert [one.session for one in made] == [
        "NSE-CAS",
        "NSE",
        "BSE-CAS",
        "NSE",
        "NSE",
        "NFO",
        "NFO",
    ]


def test_the_table_s_own_close_is_taken() -> None:
    """Where the table tells a close, it is that."""
    assert alone(a_row(close_pips=Pips(123_500))).previous_close_pips == 123_500


CLOSES = [a_row(close_pips=Pips(123_500)), a_row(token=900_002, close_pips=Pips(99_000))]
STRIKES = [a_strike("CE", strike) for strike in (9_000, 10_000, 11_000)]
LATER = [a_strike("CE", strike, expiry="2027-01-26") for strike in (50_000, 60_000)]


@pytest.mark.parametrize(
    ("symbol", "told", "costs"),
    [
        ("NEW", [*LATER, *STRIKES, *CLOSES], 123_500),
        ("NEW", [*CLOSES, *STRIKES], 123_500),
        ("NEW", [*LATER, *STRIKES], 10_000),
        ("NEW", [*STRIKES, *LATER], 10_000),
        ("NEW", [], drawn_price_pips("NEW")),
        ("SBIN", [a_row(symbol="SBIN", close_pips=Pips(123_500))], 7_400_000),
    ],
)
def test_what_a_symbol_costs(symbol: str, told: list[Row], costs: int) -> None:
    """A bundled price, else the first close of the table, else the middle strike, else a drawn one.

    It is seen where a row of the same symbol tells no price: at the share on the other exchange.
    """
    other = a_row(token=900_003, symbol=symbol, exchange=Exchange.BSE, tick_pips=Pips(100))
    made = Estimates([*told, other], BUNDLED).instrument(other)
    assert made.previous_close_pips == costs


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"series": "BE"}, {"intraday_allowed": False}),
        ({"series": "EQ"}, {"intraday_allowed": True, "slm_allowed": True}),
        ({"exchange": Exchange.BSE, "series": "T"}, {"intraday_allowed": False}),
        ({"exchange": Exchange.BSE, "series": "A"}, {"slm_allowed": False}),
        (
            {"exchange": Exchange.CDS, "symbol": "EURINR", "option_type": "XX",
             "expiry": "2026-12-29"},
            {"multiplier": 1_000, "segment": "Currency"},
        ),
        (
            {"exchange": Exchange.MCX, "symbol": "CRUDEOILM", "option_type": "XX",
             "expiry": "2026-12-18"},
            {"multiplier": 10, "segment": "Commodities"},
        ),
        (
            {"exchange": Exchange.MCX, "symbol": "GOLD", "lot": 100, "option_type": "XX",
             "expiry": "2026-12-18"},
            {"multiplier": 1},
        ),
    ],
)  # fmt: skip
def test_the_rules_of_each_kind(changes: dict[str, object], expected: dict[str, object]) -> None:
    """Trade-to-trade series, stops without limit and multipliers are as documented."""
    made = alone(a_row(**changes))
    assert {name: getattr(made, name) for name in expected} == expected


@given(
    price=st.integers(10_000, 1_000_000_000),
    days=st.integers(1, 2_000),
    steps=st.lists(st.integers(1, 200), min_size=2, max_size=12, unique=True),
)
def test_options_are_worth_what_they_should_be(price: int, days: int, steps: list[int]) -> None:
    """Call less put is price less strike; a higher strike never makes a dearer call."""
    calls = []
    for step in sorted(steps):
        strike = max(1, price * step // 100)
        call = option_pips(a_strike("CE", strike), price, days)
        put = option_pips(a_strike("PE", strike), price, days)
        assert call - put == price - strike
        assert call >= max(0, price - strike)
        calls.append(call)
    assert all(dearer >= cheaper for dearer, cheaper in pairwise(calls))


@given(st.text(max_size=12))
def test_a_drawn_price_is_one_of_a_share(symbol: str) -> None:
    """Whatever the symbol: ten rupees to ten thousand, the same each time."""
    assert 100_000 <= drawn_price_pips(symbol) < 100_000_000
    assert drawn_price_pips(symbol) == drawn_price_pips(symbol)
