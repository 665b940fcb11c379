"""What everybody sees: depth, last price, the day's statistics, an order as it stands."""

import msgspec

from kavach.exchange.exchange import Exchange
from kavach.exchange.messages import Accepted, Event, ExchangeEvent
from kavach.exchange.snapshot import Snapshot
from kavach.units import InstrumentKey
from tests.unit.exchange.scenario import DEFAULT, check

KEY: InstrumentKey = DEFAULT.key


def test_depth_is_cut_and_sorted() -> None:
    """Depth gives the best levels of each side, best first, with sums and counts."""
    floor = check("""
        A buy 5 @ 99.80    -> #1 accepted
        A buy 5 @ 99.90    -> #2 accepted
        A buy 7 @ 99.90    -> #3 accepted
        A sell 5 @ 100.20  -> #4 accepted
        A sell 5 @ 100.10  -> #5 accepted
    """)
    assert floor.book() == "12/2@99.9 5/1@99.8 | 5/1@100.1 5/1@100.2"
    assert floor.exchange.depth(KEY, 1) == ([(999_000, 12, 2)], [(1_001_000, 5, 1)])


def test_statistics_of_the_day() -> None:
    """Open, high, low and volume follow the trades; opening the segment begins a new day."""
    floor = check("""
        print 5 @ 100.05  -> printed 5 @ 100.05
        print 5 @ 99.90   -> printed 5 @ 99.9
        A buy 3 @ 100.20  -> #1 accepted
        house sell 2      -> #1 traded 2 @ 100.2
        B sell 1          -> #2 accepted, #2 traded 1 @ 100.2, #1 traded 1 @ 100.2
    """)
    ticker = floor.exchange.ticker(KEY)
    assert msgspec.structs.astuple(ticker) == (
        *(1_002_000, 1_000_500, 1_002_000, 999_000, 13, 1),
        5 * 1_000_500 + 5 * 999_000 + 3 * 1_002_000,
        1,
    )
    floor.check("close -> NSE closed\n open -> NSE open")
    ticker = floor.exchange.ticker(KEY)
    assert msgspec.structs.astuple(ticker) == (1_002_000, 0, 0, 0, 0, 1, 0, 1)


def test_an_order_as_it_stands() -> None:
    """A live order can be looked at; a closed one is nothing."""
    floor = check("""
        A buy 10 @ 100 show 4  -> #1 accepted
        house sell 3           -> #1 traded 3 @ 100
    """)
    order = floor.exchange.order(floor.ids[1])
    assert order is not None
    assert (order.filled_quantity, order.visible_quantity, order.order_ref) == (3, 1, 1)
    floor.check("cancel #1 -> #1 cancelled")
    assert floor.exchange.order(floor.ids[1]) is None


def test_events_survive_the_journal() -> None:
    """Encoded and decoded events are the same events, and rebuild the same exchange."""
    floor = check("A buy 10 @ 100 -> #1 accepted")
    events: list[Event] = []
    for words in ("quote 5@99.95 5@100.05", "house sell 3", "amend #1 9 @ 99.95", "A buy 20"):
        events += floor.ask(words)
    first = floor.replayed.snapshot()
    data = msgspec.msgpack.encode(events)
    decoded = msgspec.msgpack.decode(data, type=list[ExchangeEvent])
    assert decoded == events
    rebuilt = Exchange([DEFAULT])
    rebuilt.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=Snapshot))
    for event in decoded:
        rebuilt.apply(event)
    assert rebuilt.state_hash() == floor.exchange.state_hash()
    accepted = [event.order_ref for event in decoded if isinstance(event, Accepted)]
    assert accepted == [2]


def test_hash_sees_what_matters() -> None:
    """The hash differs by order, place, price and phase, and not by the house's liquidity."""
    start = check("A buy 5 @ 100 -> #1 accepted\n B buy 5 @ 100 -> #2 accepted")
    seen = {start.exchange.state_hash()}
    start.check("quote 9@99.95 9@100.05 -> nothing")
    assert start.exchange.state_hash() in seen
    for words in ("amend #1 4 @ 100", "amend #1 5 @ 100", "print 1 @ 100.10", "cancel #1", "close"):
        start.ask(words)
        assert start.exchange.state_hash() not in seen, words
        seen.add(start.exchange.state_hash())
