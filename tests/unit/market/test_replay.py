"""The replay: a file's minutes become prices, and what is no such file is told in a sentence."""

from pathlib import Path

import pytest

from kavach.market.candles import Candle, CandleError, load_candles, read_candles
from kavach.market.replay import ReplayMarket, path
from kavach.units import Exchange, InstrumentKey, OrderType, Pips, Quantity
from tests.unit.market.stage import START_NS, Street

FUTURE = InstrumentKey("NFO:35001")
HEADER = "time_ist,open,high,low,close"
MINUTES = """time_ist,open,high,low,close
2026-11-19T09:15:00+05:30,26050.00,26100.00,26000.00,26080.05
2026-11-19T09:16:00+05:30,26080.00,26090.00,25900.00,25950.00
"""


def candle(*rupees: int) -> Candle:
    """Return a minute of these prices."""
    return Candle(*(Pips(price * 10_000) for price in rupees))


def play(street: Street, candles: list[Candle]) -> ReplayMarket:
    """Return a replay in the index future."""
    instrument = street.instrument(FUTURE)
    market = ReplayMarket(street.engine, street.venue, instrument, candles, 7)
    street.engine.add_source(market)
    return market


def test_a_file_is_read_exactly() -> None:
    """Prices become whole pips; each row is a minute."""
    candles = read_candles(MINUTES.splitlines())
    assert candles[0] == Candle(
        Pips(260_500_000), Pips(261_000_000), Pips(260_000_000), Pips(260_800_500)
    )
    assert len(candles) == 2


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "it has no column time_ist, open, high, low, close"),
        ("time_ist,open,high,low\n", "it has no column close"),
        (HEADER, "it has no minute in it"),
        (f"{HEADER}\n9:15,1,1,1,1", "line 2: Invalid isoformat string: '9:15'"),
        (f"{HEADER}\n2026-11-19T09:15,1,1,1", "line 2: rupees: '' is not a price"),
        (f"{HEADER}\n2026-11-19T09:15,1,1,1,NaN", "line 2: rupees: 'NaN' is not a price"),
        (f"{HEADER}\n2026-11-19T09:15,1,1,1,-1", "line 2: rupees: '-1' is not a price"),
        (f"{HEADER}\n2026-11-19T09:15,1,1,1,1e9", "line 2: rupees: '1e9' is not a price"),
        (f"{HEADER}\n2026-11-19T09:15,0,0,0,0", "line 2: low: must be above 0"),
        (f"{HEADER}\n2026-11-19T09:15,5,6,5,4", "line 2: low: must be above 0 and below"),
        (f"{HEADER}\n2026-11-19T09:15,5,5,4,6", "line 2: high: must be above"),
        (
            f"{HEADER}\n2026-11-19T09:15,5,5,5,5\n2026-11-19T09:15:00+05:30,5,5,5,5",
            "line 3: time_ist: it does not increase",
        ),
    ],
)
def test_what_is_no_such_file_is_told(tmp_path: Path, text: str, wrong: str) -> None:
    """A bad file is one sentence with the line and what is wrong in it."""
    file = tmp_path / "minutes.csv"
    file.write_text(text)
    with pytest.raises(CandleError) as caught:
        load_candles(file)
    assert str(caught.value).startswith(f"The file {file} can't be replayed: {wrong}")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"a\x00b"])
def test_what_can_not_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    """No file, or one that is no text, is one sentence as well."""
    file = tmp_path / "minutes.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CandleError, match="can't be"):
        load_candles(file)


def test_a_minute_reaches_what_it_reached() -> None:
    """The path goes from open to high to low to close in twelve even steps."""
    prices = list(path(candle(100, 104, 96, 99)))
    rupees = [price / 10_000 for price in prices]
    assert rupees == [100, 101, 102, 103, 104, 102, 100, 98, 96, 97, 98, 99]


def test_the_day_is_played_in_its_own_time() -> None:
    """Each price comes at its time; high, low and close are traded; then the market stands."""
    street = Street()
    market = play(street, read_candles(MINUTES.splitlines()))
    exchange = street.venue.exchange
    street.engine.catch_up(START_NS)
    assert exchange.last_price_pips(FUTURE) == 260_500_000
    street.pass_time(20)
    assert exchange.last_price_pips(FUTURE) == 261_000_000
    street.pass_time(20)
    assert exchange.last_price_pips(FUTURE) == 260_000_000
    street.pass_time(15)
    assert exchange.last_price_pips(FUTURE) == 260_800_000  # On tick.
    street.pass_time(120)
    ticker = exchange.ticker(FUTURE)
    assert (ticker.high_pips, ticker.low_pips) == (261_000_000, 259_000_000)
    assert ticker.last_price_pips == 259_500_000
    assert market.next_due_ns() is None
    bids, asks = exchange.depth(FUTURE)
    assert len(bids) == len(asks) == 5


def test_an_old_index_is_played_in_proportion() -> None:
    """A file outside the band begins at the previous close and keeps its shape, up to the edge."""
    street = Street()
    play(street, [candle(10_000, 10_200, 9_800, 10_100), candle(10_100, 20_000, 5_000, 10_000)])
    exchange = street.venue.exchange
    street.engine.catch_up(START_NS)
    assert exchange.last_price_pips(FUTURE) == 260_500_000
    street.pass_time(20)
    assert exchange.last_price_pips(FUTURE) == 265_710_000
    street.pass_time(100)
    instrument = street.instrument(FUTURE)
    ticker = exchange.ticker(FUTURE)
    assert ticker.high_pips == instrument.band_high_pips
    assert ticker.low_pips == instrument.band_low_pips
    assert ticker.last_price_pips == 260_500_000


def test_a_falling_market_fires_the_stop() -> None:
    """A position whose stop lies in the day's way is stopped out, never naked."""
    street = Street()
    play(street, [candle(26_050, 26_050, 25_000, 25_000)])
    street.engine.catch_up(START_NS)
    cover = street.place(
        instrument=FUTURE,
        order_type=OrderType.MARKET,
        price_pips=Pips(0),
        quantity=Quantity(65),
        stop_price_pips=Pips(255_000_000),
    )
    assert cover.state.value == "COVERED"
    street.pass_time(60)
    assert cover.state.value == "EXITED"
    assert street.violations() == []
    assert street.engine.state.naked_ns_max == 0


def test_a_closed_segment_is_left_alone() -> None:
    """While the session is closed the day goes on unseen."""
    street = Street()
    market = play(street, [candle(26_050, 26_100, 26_000, 26_050)])
    street.close(Exchange.NFO)
    street.pass_time(120)
    assert street.venue.exchange.ticker(FUTURE).volume == 0
    assert market.next_due_ns() is None


def test_a_leap_reaches_every_price() -> None:
    """Taking the clock over a minute prints its high and its low all the same."""
    street = Street()
    play(street, [candle(26_050, 26_100, 26_000, 26_050)])
    street.leap(3_600)
    ticker = street.venue.exchange.ticker(FUTURE)
    assert (ticker.high_pips, ticker.low_pips) == (261_000_000, 260_000_000)
