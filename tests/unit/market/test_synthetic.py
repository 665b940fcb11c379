"""The synthetic market: alive, inside the band, the same for the same seed, and cheap to skip."""

import pytest
from msgspec.structs import replace

from kavach.instruments import Instrument
from kavach.market.synthetic import STEP_NS, SyntheticMarket, Walk
from kavach.units import Exchange, InstrumentKey, Phase, Pips, Quantity, TimestampNs
from tests.unit.market.stage import IDEA, SECOND, Street

HOUR = 3_600
OPENING = [Phase.CLOSED, Phase.PRE_OPEN, Phase.PRE_OPEN_LIMIT, Phase.BUFFER]
CLOSING = [
    Phase.CLOSING_REFERENCE,
    Phase.CLOSING_AUCTION,
    Phase.CLOSING_AUCTION_LIMIT,
    Phase.BUFFER,
]


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
    bids, asks = walk.quoter.around(
        walk.price_pips, instrument.band_low_pips, instrument.band_high_pips
    )
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
        lambda at_ns: street.venue.reports_of(
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


def other(number: int) -> Instrument:
    """Return an imported share."""
    base = Street().instrument()
    return replace(base, key=InstrumentKey(f"NSE:{number}"), token=number, imported=True)


def crowded(count: int) -> Street:
    """Return a street with so many imported shares beside the bundled instruments."""
    street = Street()
    for number in range(900_000, 900_000 + count):
        share = other(number)
        street.engine.instruments[share.key] = share
    return street


def quoted(street: Street) -> set[InstrumentKey]:
    """Return the imported shares that have quotes."""
    exchange = street.venue.exchange
    return {key for key in exchange.opened() if key.startswith("NSE:9") and exchange.depth(key)[0]}


def test_only_what_is_looked_at_is_quoted() -> None:
    """Of many contracts the given ones are quoted, and those that somebody attends to, at once."""
    street = crowded(50)
    market = make_market(street)
    street.pass_time(5)
    assert quoted(street) == set()
    looked_at = InstrumentKey("NSE:900007")
    assert market.attend(looked_at)
    assert not market.attend(looked_at)
    street.engine.catch_up(street.engine.now_ns())
    assert quoted(street) == {looked_at}
    street.pass_time(180)
    ticker = street.venue.exchange.ticker(looked_at)
    assert ticker.volume > 0 and ticker.low_pips < ticker.high_pips
    assert quoted(street) == {looked_at}


@pytest.mark.parametrize("key", ["NSE:14366", "NSE:1", "", "NSE:900000x", "XXX"])
def test_what_is_quoted_or_unknown_needs_no_attention(key: str) -> None:
    """A given instrument is quoted anyway, an unknown one can't be."""
    street = crowded(1)
    market = make_market(street)
    assert not market.attend(InstrumentKey(key))


def test_an_index_is_not_quoted() -> None:
    """What nobody can order has no quotes, however often somebody looks."""
    street = Street()
    index = replace(other(26000), freeze_quantity=Quantity(0))
    street.engine.instruments[index.key] = index
    market = make_market(street)
    assert not market.attend(index.key)
    street.pass_time(2)
    assert street.venue.exchange.depth(index.key) == ([], [])


def test_attention_does_not_disturb_the_others() -> None:
    """Prices of what is quoted anyway are the same, whoever looks at something else."""
    tapes = []
    for attended in (0, 30):
        street = crowded(40)
        market = make_market(street)
        for number in range(attended):
            market.attend(InstrumentKey(f"NSE:{900_000 + number}"))
        street.pass_time(30)
        tapes.append(street.tape())
    assert tapes[0] == tapes[1]


def test_the_longest_unseen_is_left() -> None:
    """Beyond the limit the one that was looked at longest ago loses quotes and book."""
    street = crowded(6)
    market = SyntheticMarket(
        street.engine, street.venue, street.instruments, 7, street.clock, walks_max=3
    )
    street.engine.add_source(market)
    keys = [InstrumentKey(f"NSE:{900_000 + number}") for number in range(6)]
    for key in keys[:3]:
        market.attend(key)
    street.engine.catch_up(street.engine.now_ns())
    market.attend(keys[0])
    market.attend(keys[3])
    street.engine.catch_up(street.engine.now_ns())
    assert quoted(street) == {keys[0], keys[2], keys[3]}
    assert keys[1] not in street.venue.exchange.opened()
    street.pass_time(10)
    assert quoted(street) == {keys[0], keys[2], keys[3]}


def test_where_a_client_s_order_rests_the_market_stays() -> None:
    """An instrument with a client's order in its book is not left: then nobody else joins."""
    street = crowded(3)
    market = SyntheticMarket(
        street.engine, street.venue, street.instruments, 7, street.clock, walks_max=1
    )
    first, second = InstrumentKey("NSE:900000"), InstrumentKey("NSE:900001")
    market.attend(first)
    street.place(instrument=first, price_pips=Pips(110_000), stop_price_pips=Pips(105_000))
    assert not market.attend(second)
    cover = street.place(price_pips=Pips(110_000), stop_price_pips=Pips(105_000))
    assert cover.instrument == IDEA


def test_a_crowd_is_no_more_work() -> None:
    """Ten times as many instruments take steps ten times as long."""
    steps = []
    for attended in (78, 978):
        street = crowded(attended)
        market = make_market(street)
        for number in range(attended):
            assert market.attend(InstrumentKey(f"NSE:{900_000 + number}"))
        street.engine.catch_up(street.engine.now_ns())
        moves = Moves(market)
        street.pass_time(20)
        steps.append(moves.count)
    assert 0.5 < steps[1] / steps[0] < 1.5


class Moves:
    """Counts how often a market moves an instrument."""

    def __init__(self, market: SyntheticMarket) -> None:
        self.count = 0
        self._move = market._move
        market._move = self._counted  # type: ignore[method-assign]

    def _counted(self, walk: Walk, steps: int, at_ns: int) -> None:
        self.count += 1
        self._move(walk, steps, at_ns)


def test_after_a_restart_what_traded_is_looked_at() -> None:
    """What had traded or is in a book is quoted again without anybody looking."""
    street = crowded(2)
    key = InstrumentKey("NSE:900001")
    exchange = street.venue.exchange
    street.engine.market(
        lambda at_ns: street.venue.reports_of(
            exchange.print_trade(key, Pips(131_000), Quantity(10), TimestampNs(at_ns)), key
        )
    )
    market = SyntheticMarket(
        street.engine,
        street.venue,
        street.instruments,
        7,
        street.clock,
        attended=street.venue.exchange.opened(),
    )
    street.engine.add_source(market)
    street.engine.catch_up(street.engine.now_ns())
    assert quoted(street) == {key}
    assert abs(exchange.depth(key)[0][0][0] - 131_000) < 1_000


@pytest.mark.parametrize("phases", [OPENING, CLOSING], ids=["opening", "closing"])
def test_it_is_there_in_an_auction(phases: list[Phase]) -> None:
    """Its orders wait for the match, which makes one price; then those of the closing go."""
    street = Street()
    make_market(street)
    street.pass_time(60)
    exchange = street.venue.exchange
    street.session(phases[0])
    traded_at = exchange.ticker(IDEA).at_ns
    for phase in phases[1:-1]:
        street.session(phase)
        street.pass_time(30)
    before = exchange.ticker(IDEA)
    assert before.at_ns == traded_at
    low, high = exchange.price_band(IDEA)
    for side in exchange.depth(IDEA):
        assert side
        assert all(low <= price <= high for price, _, _ in side)
    street.session(phases[-1])
    after = exchange.ticker(IDEA)
    assert after.at_ns == street.engine.now_ns()
    assert after.value_pips - before.value_pips == after.last_price_pips * (
        after.volume - before.volume
    )
    assert any(exchange.depth(IDEA)) is (phases is OPENING)
    street.pass_time(5)
    assert exchange.ticker(IDEA) == after
