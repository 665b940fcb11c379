"""The bundled instruments are what they claim to be."""

import pytest

from kavach.data import load_instruments, pips
from kavach.instruments import SESSIONS, Instrument
from kavach.units import Exchange, instrument_key

BUNDLE = load_instruments()
BY_KEY = {item.key: item for item in BUNDLE}
PUBLISHED = [
    ("NSE", 14366, "IDEA-EQ", "13.00"),
    ("NSE", 11915, "YESBANK-EQ", "18.30"),
    ("NSE", 10666, "PNB-EQ", "77.90"),
    ("NSE", 3045, "SBIN-EQ", "740"),
    ("NSE", 1333, "HDFCBANK-EQ", "1450"),
    ("NSE", 13342, "VAKRANGEE-EQ", "20"),
    ("NSE", 11536, "TCS-EQ", "3610"),
    ("NSE", 2885, "RELIANCE-EQ", "2900"),
    ("NSE", 1594, "INFY-EQ", "1600"),
    ("BSE", 532461, "PNB-A", "125"),
]


def test_keys_are_unique() -> None:
    """No two instruments share a key, and the key is exchange and token."""
    assert len(BY_KEY) == len(BUNDLE)
    assert all(item.key == instrument_key(item.exchange, item.token) for item in BUNDLE)
    assert {item.exchange for item in BUNDLE} == set(Exchange)


@pytest.mark.parametrize(("exchange", "token", "symbol", "close"), PUBLISHED)
def test_published_examples_are_there(exchange: str, token: int, symbol: str, close: str) -> None:
    """The instruments of published examples have their token, symbol and previous close."""
    item = BY_KEY[instrument_key(Exchange(exchange), token)]
    assert (item.trading_symbol, item.previous_close_pips) == (symbol, pips(close))


@pytest.mark.parametrize(
    ("token", "prices"), [(14366, ["13", "12", "15.4", "15.1"]), (3045, ["740.95"])]
)
def test_published_prices_are_valid(token: int, prices: list[str]) -> None:
    """The prices of published examples are on tick and inside the band."""
    item = BY_KEY[instrument_key(Exchange.NSE, token)]
    for price in map(pips, prices):
        assert price % item.tick_pips == 0
        assert item.band_low_pips <= price <= item.band_high_pips


@pytest.mark.parametrize("item", BUNDLE, ids=lambda item: item.trading_symbol)
def test_numbers_fit_together(item: Instrument) -> None:
    """Ticks divide every price, bands are 10 or 20 per cent wide, and a lot fits under freeze."""
    close, tick = item.previous_close_pips, item.tick_pips
    assert close % tick == item.band_low_pips % tick == item.band_high_pips % tick == 0
    assert any(
        0 <= (100 + wide) * close - 100 * item.band_high_pips < 100 * tick
        and 0 <= 100 * item.band_low_pips - (100 - wide) * close < 100 * tick
        for wide in (10, 20)
    )
    assert item.freeze_quantity >= item.slice_max >= item.lot >= 1
    assert item.slice_max % item.lot == 0


@pytest.mark.parametrize("item", BUNDLE, ids=lambda item: item.trading_symbol)
def test_exchange_rules(item: Instrument) -> None:
    """Cash ticks follow the price, SLM is not taken on BSE and in options, BE is delivery only."""
    cash, derivative = item.segment == "Capital", item.expiry != ""
    assert cash != derivative
    if cash:
        close = item.previous_close_pips
        tick = "0.01" if close < pips("250") else "0.05" if close <= pips("1000") else "0.10"
        assert item.tick_pips == pips(tick)
        assert item.lot == 1
    bombay = item.exchange in (Exchange.BSE, Exchange.BFO)
    assert item.slm_allowed == (not bombay and item.option_type not in ("CE", "PE"))
    assert item.intraday_allowed == (item.series != "BE")
    assert (item.strike_pips > 0) == (item.option_type in ("CE", "PE"))


@pytest.mark.parametrize("item", BUNDLE, ids=lambda item: item.trading_symbol)
def test_its_session_is_one_of_its_exchange(item: Instrument) -> None:
    """Liquid shares close by an auction, in a session of their own; nothing else does."""
    assert item.session in SESSIONS[item.exchange]
    liquid = item.segment == "Capital" and item.symbol not in ("VAKRANGEE", "NETWORK18")
    assert item.closing_auction == liquid
    assert item.session == item.exchange.value + ("-CAS" if liquid else "")


@pytest.mark.parametrize("item", BUNDLE, ids=lambda item: item.trading_symbol)
def test_isin_check_digit(item: Instrument) -> None:
    """An ISIN of a share is Indian and its check digit is right; derivatives have none."""
    assert (item.isin != "") == (item.segment == "Capital")
    if item.isin:
        assert item.isin.startswith("IN")
        assert len(item.isin) == 12
        assert luhn(item.isin) == 0


def luhn(isin: str) -> int:
    """The check sum of an ISIN, letters counted as two digits: 0 when it is right."""
    digits = "".join(str(int(letter, 36)) for letter in isin)
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d // 10 + d % 10 for d in doubled) % 10


@pytest.mark.parametrize("text", ["", "1.00001", "-1", "1e3", "nan", "1.2.3", "१"])
def test_a_price_that_is_none(text: str) -> None:
    """A text that is not an exact rupee price is refused, not rounded."""
    with pytest.raises(ValueError, match="rupees"):
        pips(text)
