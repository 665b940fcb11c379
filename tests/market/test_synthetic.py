"""The synthetic market: alive, inside the band, the same for the same seed, and cheap to skip."""

import pytest

from kavach.market.synthetic import STEP_NS, SyntheticMarket, Walk
from kavach.units import Exchange, InstrumentKey, Pips, Quantity, TimestampNs
from tests.market.stage import IDEA, SECOND, Street

HOUR = 3_600


class Counted(SyntheticMarket):
    """A market that counts how often it is called."""

    calls = 0

    def fire(self, at_ns: int) -> None:
        """Count, and move."""
        self.calls += 1
        super().fire(at_ns)


def make_market(street: Street, seed: int = 7) -> SyntheticMarket:
    """Return a market in every instrument of a street, running."""
    market = SyntheticMarket(street.engine, street.venue, street.instruments, seed, street.clock)
    street.engine.add_source(market)
    return market


def test_it_quotes_every_instrument_at_once() -> None:
    """As soon as it is there, each instrument has five levels a side, inside the band, on tick."""
    street = Street()
    make_market(street)
    street.engine.catch_up(street.engine.now_ns())
    for instrument in street.instruments:
        bids, asks = street.venue.exchange.depth(instrument.key)
        assert len(bids) == len(asks) == 5
        assert bids[0][0] < asks[0][0]
        for price, quantity, orders in bids + asks:
            assert price % instrument.tick_pips == 0
            assert instrument.band_low_pips <= price <= instrument.band_high_pips
            assert quantity > 0
            assert quantity % instrument.lot == 0
            assert orders == 1


def test_it_trades_and_moves() -> None:
    """Within minutes every instrument has traded, and most at more than one price."""
    street = Street()
    make_market(street)
    street.pass_time(180)
    tickers = [street.venue.exchange.ticker(i.key) for i in street.instruments]
    assert all(ticker.volume > 0 for ticker in tickers)
    moved = [ticker for ticker in tickers if ticker.low_pips < ticker.high_pips]
    assert len(moved) > len(tickers) // 2


def test_the_same_seed_makes_the_same_market() -> None:
    """Same seed and same times: same trades, same books. Another seed makes another market."""
    tapes = []
    for seed in (7, 7, 8):
        street = Street()
        make_market(street, seed)
        street.pass_time(60)
        tapes.append(street.tape())
    assert tapes[0] == tapes[1]
    assert tapes[0] != tapes[2]


def test_resting_orders_fill_in_parts_and_are_protected() -> None:
    """Orders of a client at the touch fill bit by bit, and every share has its stop at once."""
    street = Street()
    make_market(street)
    street.pass_time(10)
    covers = [street.place() for _ in range(5)]
    partly = set()
    for _ in range(600):
        street.pass_time(1)
        partly |= {c.order_id for c in covers if 0 < c.entry_filled < c.quantity}
        assert street.violations() == []
    assert partly, "no order was filled in part"
    assert any(c.exits_filled for c in covers), "no stop fired"
    assert street.engine.state.naked_ns_max == 0


def test_it_stays_alive_and_inside_the_band_for_days() -> None:
    """Neither stuck to the edge nor dead: over days the price keeps moving around its close."""
    street = Street()
    instrument = street.instrument(InstrumentKey("NSE:3045"))
    walk = Walk(instrument, 7, instrument.previous_close_pips)
    low, high = instrument.band_low_pips, instrument.band_high_pips
    prices = []
    for _ in range(200_000):
        walk.take(1)
        assert low <= walk.price_pips <= high
        prices.append(walk.price_pips)
    close = instrument.previous_close_pips
    for part in range(0, len(prices), 50_000):
        span = prices[part : part + 50_000]
        assert max(span) - min(span) > close // 100, "it is dead"
        assert min(abs(price - close) for price in span) < close // 100, "it is stuck"


@pytest.mark.parametrize("edge", ["band_low_pips", "band_high_pips"])
def test_it_comes_back_from_the_edge(edge: str) -> None:
    """A price at the edge of the band is still quoted on the inner side, and comes back."""
    street = Street()
    instrument = street.instrument()
    walk = Walk(instrument, 7, getattr(instrument, edge))
    bids, asks = walk.quoter.around(walk.price_pips)
    for price, _ in bids + asks:
        assert instrument.band_low_pips <= price <= instrument.band_high_pips
    assert bids or asks
    for _ in range(40_000):
        walk.take(1)
        assert instrument.band_low_pips <= walk.price_pips <= instrument.band_high_pips
    away = abs(walk.price_pips - instrument.previous_close_pips)
    assert away < abs(getattr(instrument, edge) - instrument.previous_close_pips) // 2


def test_one_stride_spreads_as_many_steps() -> None:
    """A stride of n steps moves about as far as n steps do, and never out of the band."""
    street = Street()
    instrument = street.instrument(InstrumentKey("NSE:3045"))
    close = instrument.previous_close_pips
    squares = []
    for steps, times in ((1, 100), (100, 1)):
        total = 0
        for seed in range(300):
            walk = Walk(instrument, seed, close)
            for _ in range(times):
                walk.take(steps)
            total += (walk.price_pips - close) ** 2
        squares.append(total)
    assert 0.6 < squares[0] / squares[1] < 1.6


@pytest.mark.parametrize("seconds", [HOUR, 24 * HOUR, 365 * 24 * HOUR])
def test_a_leap_is_a_few_strides(seconds: int) -> None:
    """However far the clock is taken, each instrument moves a few hundred times on the way."""
    street = Street()
    market = make_market(street)
    street.pass_time(1)
    before = street.engine.sequence
    street.leap(seconds)
    due_ns = market.next_due_ns()
    assert due_ns is not None
    assert 0 < due_ns - street.engine.now_ns() <= STEP_NS
    assert street.engine.sequence - before < 1_000 * len(street.instruments)


def test_fast_time_is_no_more_work() -> None:
    """At a hundred times the speed a step is a hundred times as long."""
    calls = []
    for speed in (1, 100):
        street = Street(speed=speed)
        market = Counted(street.engine, street.venue, street.instruments, 7, street.clock)
        street.engine.add_source(market)
        street.pass_time(30, SECOND // 100)
        calls.append(market.calls)
    assert calls[0] > 30 * len(street.instruments)
    assert calls[1] <= calls[0] * 1.2


def test_a_closed_segment_rests() -> None:
    """Nothing is quoted and nothing trades where the session is closed."""
    street = Street()
    make_market(street)
    street.pass_time(2)
    street.close(Exchange.NSE)
    volume = street.venue.exchange.ticker(IDEA).volume
    street.pass_time(60)
    assert street.venue.exchange.depth(IDEA) == ([], [])
    assert street.venue.exchange.ticker(IDEA).volume == volume
    assert street.venue.exchange.depth(InstrumentKey("BSE:532461"))[0]


def test_after_a_restart_it_goes_on_from_the_last_price() -> None:
    """A market on a journal with trades begins where they ended, not at the previous close."""
    street = Street()
    exchange = street.venue.exchange
    street.engine.market(
        lambda at_ns: street.venue.heard(
            exchange.print_trade(IDEA, Pips(112_000), Quantity(10), TimestampNs(at_ns)), IDEA
        )
    )
    again = Street(journal=street.journal)
    make_market(again)
    again.engine.catch_up(again.engine.now_ns())
    bids, asks = again.venue.exchange.depth(IDEA)
    assert bids[0][0] <= 112_100
    assert asks[0][0] >= 111_900
    assert abs(bids[0][0] - 112_000) < 1_000
