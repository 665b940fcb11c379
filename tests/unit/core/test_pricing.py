"""Prices that the system computes itself: on tick, in band, and rounded away from looseness."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kavach.core.rules.orders.pricing import (
    at_band_edge,
    beyond,
    ceil_tick,
    floor_tick,
    marketable,
    protection_permille,
    stop_limit,
)
from kavach.core.settings import Settings
from kavach.units import Side
from tests.unit.core.stocks import stock

SETTINGS = Settings()
TICKS = st.sampled_from([25, 100, 500, 1000, 10_000])


@given(price=st.integers(1, 10**9), tick=TICKS)
def test_ticks_below_and_above(price: int, tick: int) -> None:
    """Floor and ceiling are the nearest prices on tick on either side, and equal on tick."""
    low, high = floor_tick(price, tick), ceil_tick(price, tick)
    assert low % tick == high % tick == 0
    assert low <= price <= high
    assert high - low == (0 if price % tick == 0 else tick)


@given(last=st.integers(104_000, 156_000), attempt=st.integers(0, 40), side=st.sampled_from(Side))
def test_a_protected_price_reaches_outwards(last: int, attempt: int, side: Side) -> None:
    """A market price is on tick and in band, and reaches at least its protection, then no more."""
    item = stock()
    price = marketable(item, SETTINGS, side, last, attempt)
    assert price % item.tick_pips == 0
    assert item.band_low_pips <= price <= item.band_high_pips
    sign = 1 if side is Side.BUY else -1
    reach = Fraction(last * 30 * (attempt + 1), 1000)
    wanted = last + sign * reach
    edge = item.band_high_pips if side is Side.BUY else item.band_low_pips
    if price == edge:
        assert at_band_edge(item, side, price)
        assert sign * (wanted - edge) > -item.tick_pips
    else:
        assert 0 <= sign * (price - wanted) + 1 <= item.tick_pips


def test_prices_of_the_page() -> None:
    """Three percent through 13.00 is 12.61 and 13.39; through 13.01 it is 12.61 and 13.41."""
    item = stock()
    assert marketable(item, SETTINGS, Side.SELL, 130_000) == 126_100
    assert marketable(item, SETTINGS, Side.BUY, 130_000) == 133_900
    assert marketable(item, SETTINGS, Side.SELL, 130_100) == 126_100
    assert marketable(item, SETTINGS, Side.BUY, 130_100) == 134_100
    assert marketable(item, SETTINGS, Side.SELL, 130_000, attempt=9) == item.band_low_pips
    assert stop_limit(item, SETTINGS, Side.SELL, 120_000) == 116_400


def test_protection_is_by_class() -> None:
    """A class that nobody named has the default protection."""
    assert protection_permille(stock(), SETTINGS) == 30
    other = Settings(protection_permille={}, protection_default_permille=7)
    assert protection_permille(stock(), other) == 7


def test_a_stop_waits_beyond_the_last_price() -> None:
    """A stop at the last price would fire at once: it does not wait."""
    assert beyond(Side.SELL, 129_900, 130_000)
    assert not beyond(Side.SELL, 130_000, 130_000)
    assert beyond(Side.BUY, 130_100, 130_000)
    assert not beyond(Side.BUY, 130_000, 130_000)
