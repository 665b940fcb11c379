"""Linked orders: what one trades counts against all, and together they never trade too much."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.exchange import messages as m
from kavach.exchange.exchange import Exchange
from kavach.units import OrderType, Pips, Quantity, Side, TimestampNs, Validity
from tests.unit.exchange.scenario import DEFAULT, Floor, check

BRACKET = """
    quote 500@99.90 0@0                    -> nothing
    A sell 100 @ 100.10 link 7             -> #1 accepted
    A sell 100 stop 99.80 link 7           -> #2 accepted
"""


def test_a_trade_shrinks_the_other() -> None:
    """What the target trades leaves less of the stop, which trades just the rest."""
    floor = check(
        BRACKET
        + """
        house buy 30 @ 100.10     -> #1 traded 30 @ 100.1
        print 1 @ 99.80           -> printed 1 @ 99.8, #2 triggered, #2 traded 70 @ 99.9,
                                     #1 removed 17901, #2 removed 17901
        """
    )
    assert floor.book() == "430/1@99.9 | none"


def test_a_full_trade_removes_the_other() -> None:
    """A stop that its target has left nothing is removed in the step of the trade."""
    floor = check(
        BRACKET
        + """
        B buy 150 @ 100.10        -> #3 accepted, #3 traded 100 @ 100.1, #1 traded 100 @ 100.1,
                                     #2 removed 17901
        print 1 @ 99.80           -> printed 1 @ 99.8
        """
    )
    assert floor.book() == "50/1@100.1 500/1@99.9 | none"


def test_a_stop_that_the_same_trades_touch_and_exhaust() -> None:
    """A stop does not fire when the trade that touches its trigger leaves nothing of it."""
    check("""
        A sell 10 @ 100.00 link 1      -> #1 accepted
        A sell 10 stop 99.95 link 1    -> #2 accepted
        B sell 5 @ 99.95               -> #3 accepted
        house buy 15                   -> #3 traded 5 @ 99.95, #1 traded 10 @ 100,
                                          #2 removed 17901
    """)
    assert check("A sell 10 stop 99.95 link 1 -> #1 accepted").book() == "none | none"


def test_an_amend_that_crosses_a_trade() -> None:
    """A total that was decided before the sibling's trade means the same after it."""
    floor = check(
        BRACKET
        + """
        house buy 60 @ 100.10             -> #1 traded 60 @ 100.1
        amend #2 150 stop 99.80           -> #2 amended
        amend #1 150 @ 100.10             -> #1 amended
        amend #2 60 stop 99.80            -> #2 amend refused 17902
        amend #2 61 stop 99.80            -> #2 amended
        print 1 @ 99.80                   -> printed 1 @ 99.8, #2 triggered, #2 traded 1 @ 99.9,
                                             #2 removed 17901
        amend #1 61 @ 100.10              -> #1 amend refused 17902
        house buy 500 @ 100.10            -> #1 traded 89 @ 100.1, #1 removed 17901
        """
    )
    assert floor.book() == "411/1@100.1 499/1@99.9 | none"


def test_a_converted_stop_that_crosses_a_trade() -> None:
    """A stop changed into the exit trades what the target has left, and no share more."""
    check(
        BRACKET
        + """
        house buy 99 @ 100.10      -> #1 traded 99 @ 100.1
        amend #2 100 @ 99.90       -> #2 amended, #2 traded 1 @ 99.9,
                                     #1 removed 17901, #2 removed 17901
        amend #2 101 @ 99.90       -> #0 amend refused 16346
        """
    )
    assert check("A sell 1 @ 100 link 1 -> #1 accepted").book() == "none | 1/1@100"


def test_what_was_traded_is_remembered() -> None:
    """An order that comes when its link has traded and died may trade only what is left."""
    floor = check("""
        A sell 10 @ 100.10 link 1      -> #1 accepted
        house buy 4 @ 100.10           -> #1 traded 4 @ 100.1
        cancel #1                      -> #1 cancelled
        A sell 4 @ 100.10 link 1       -> #2 rejected 17902
        A sell 10 @ 100.10 link 1      -> #3 accepted
        A sell 4 @ 100.20 link 2       -> #4 accepted
        B sell 4 @ 100.20 link 1       -> #5 accepted
        A buy 4 @ 99.90 link 1         -> #6 accepted
    """)
    assert floor.book() == "4/1@99.9 | 6/1@100.1 8/2@100.2"


def test_the_session_ends() -> None:
    """A link that traded is over with its session, and every lower one; a higher one begins."""
    floor = check("""
        A sell 10 @ 100.10 link 5      -> #1 accepted
        A sell 10 @ 100.20 link 7      -> #2 accepted
        house buy 4 @ 100.10           -> #1 traded 4 @ 100.1
        close                          -> #1 expired, #2 expired, NSE closed
        open                           -> NSE open
        A sell 10 @ 100.10 link 5      -> #3 rejected 17903
        A sell 10 @ 100.10 link 3      -> #4 rejected 17903
        B sell 10 @ 100.10 link 3      -> #5 accepted
        A sell 10 @ 100.10 link 7      -> #6 accepted
    """)
    assert floor.book() == "none | 20/2@100.1"
    restored = Floor()
    restored.exchange.restore(floor.exchange.snapshot())
    assert restored.exchange.state_hash() == floor.exchange.state_hash()
    assert restored.say(restored.ask("A sell 10 @ 100.10 link 5")[0]) == "#1 rejected 17903"


def test_only_trades_are_shared() -> None:
    """A cancel, an IOC's rest, a self-trade and the exchange's own removal end one order alone."""
    floor = check("""
        A sell 10 @ 100.10 link 1             -> #1 accepted
        A sell 10 @ 100.15 link 1             -> #2 accepted
        A sell 10 @ 100.20 link 1             -> #3 accepted
        A sell 10 @ 100.20 ioc link 1         -> #4 accepted, #4 expired 16388
        cancel #1                             -> #1 cancelled
        remove #2                             -> #2 removed 17070
        A buy 5 @ 100.20 passive              -> #5 accepted, #3 removed 17080
        A sell 10 @ 100.20 link 1             -> #6 accepted, #6 removed 17080
    """)
    assert floor.book() == "5/1@100.2 | none"


def test_places_and_icebergs() -> None:
    """A shrunk order keeps its place; an iceberg shows no more than is left of it."""
    floor = check("""
        A sell 10 show 4 @ 100.20 link 1    -> #1 accepted
        B sell 5 @ 100.20                   -> #2 accepted
        A sell 10 @ 100.10 link 1           -> #3 accepted
        house buy 7 @ 100.10                -> #3 traded 7 @ 100.1
    """)
    assert floor.book() == "none | 3/1@100.1 8/2@100.2"
    floor.check("""
        cancel #3                           -> #3 cancelled
        house buy 8 @ 100.20                -> #1 traded 3 @ 100.2, #1 removed 17901,
                                               #2 traded 5 @ 100.2
    """)


def test_a_smaller_total_after_a_trade() -> None:
    """A total that falls leaves what the link has not traded, shown in the old place."""
    floor = check("""
        A sell 10 @ 100.20 link 1           -> #1 accepted
        B sell 5 @ 100.20                   -> #2 accepted
        A sell 10 @ 100.10 link 1           -> #3 accepted
        house buy 4 @ 100.10                -> #3 traded 4 @ 100.1
        amend #1 8 @ 100.20                 -> #1 amended
    """)
    assert floor.book() == "none | 6/1@100.1 9/2@100.2"
    floor.check("""
        cancel #3                           -> #3 cancelled
        house buy 5 @ 100.20                -> #1 traded 4 @ 100.2, #1 removed 17901,
                                               #2 traded 1 @ 100.2
    """)


def test_different_quantities() -> None:
    """A sibling with a smaller quantity goes first, and the larger one trades on."""
    floor = check("""
        A sell 4 @ 100.20 link 1            -> #1 accepted
        A sell 10 stop 99.80 link 1         -> #2 accepted
        A sell 9 @ 100.10 link 1            -> #3 accepted
        house buy 5 @ 100.10                -> #3 traded 5 @ 100.1, #1 removed 17901
        house buy 4 @ 100.10                -> #3 traded 4 @ 100.1
        quote 50@99.90 0@0                  -> nothing
        print 1 @ 99.80                     -> printed 1 @ 99.8, #2 triggered, #2 traded 1 @ 99.9,
                                               #2 removed 17901
    """)
    assert floor.book() == "49/1@99.9 | none"


def test_a_snapshot_between() -> None:
    """An exchange restored in the middle of a link's life goes on as the first one does."""
    floor = check(BRACKET + "house buy 60 @ 100.10 -> #1 traded 60 @ 100.1")
    restored = Floor()
    restored.exchange.restore(floor.exchange.snapshot())
    restored.replayed.restore(floor.exchange.snapshot())
    restored.ids = floor.ids
    assert restored.exchange.state_hash() == floor.exchange.state_hash()
    restored.check("""
        quote 39@99.90 0@0         -> nothing
        amend #2 60 stop 99.80     -> #2 amend refused 17902
        print 1 @ 99.80            -> printed 1 @ 99.8, #2 triggered, #2 traded 39 @ 99.9,
                                      #2 rests @ 99.9
        house buy 5 @ 99.90        -> #2 traded 1 @ 99.9,
                                     #1 removed 17901, #2 removed 17901
    """)


@given(st.lists(st.tuples(st.sampled_from("natcmhhp"), st.integers(0, 20), st.integers(-3, 3))))
def test_the_theorem(schedule: list[tuple[str, int, int]]) -> None:
    """Whatever is sent and traded, a link trades at most the largest quantity it was given."""
    exchange, at, key = Exchange([DEFAULT]), TimestampNs(1), DEFAULT.key
    largest = filled = sent = 0
    ids = [""]
    for word, quantity, ticks in schedule:
        price = Pips(1_000_000 + 500 * ticks)
        total, events = Quantity(max(quantity, 1)), list[m.Event]()
        order_id = ids[quantity % len(ids)]
        stop = OrderType.SLM if ticks < 0 else OrderType.LIMIT
        limit, trigger = (Pips(0), price) if ticks < 0 else (price, Pips(0))
        if word == "n":
            sent += 1
            new = m.NewOrder(
                sent,
                "A",
                key,
                Side.SELL,
                stop,
                total,
                Quantity(0),
                limit,
                trigger,
                Validity.DAY,
                m.SelfTrade.CANCEL_PASSIVE,
                7,
            )
            events = exchange.submit(new, at)
        elif word == "a":
            amend = m.AmendOrder(order_id, stop, total, Quantity(0), limit, trigger)
            events = exchange.amend(amend, at)
        elif word == "c":
            events = exchange.cancel(m.CancelOrder(order_id))
        elif word == "h":
            events = exchange.liquidity_order(key, Side.BUY, price, total, at)[2]
        elif word == "m":
            events = exchange.liquidity_order(key, Side.SELL, price, total, at)[2]
        elif word == "t":
            events = exchange.liquidity_order(key, Side.BUY, None, total, at)[2]
        else:
            events = exchange.print_trade(key, price, total, at)
        for event in events:
            match event:
                case m.Accepted():
                    ids.append(event.exchange_order_id)
                    largest = max(largest, event.order.quantity)
                case m.Amended():
                    largest = max(largest, event.quantity)
                case m.Traded():
                    filled += event.quantity
                case _:
                    pass
            assert filled <= largest, (event, largest)


@pytest.mark.parametrize("seed", range(20))
def test_siblings_are_one_order(seed: int) -> None:
    """Two linked orders at one price trade as much, in all, as one order would."""
    chance = random.Random(seed)
    pair, one = Floor(), Floor()
    pair.ask("A sell 50 @ 100.10 link 1")
    pair.ask("A sell 50 @ 100.10 link 1")
    one.ask("A sell 50 @ 100.10")
    traded = [0, 0]
    while sum(traded) < 100:
        asked = f"house buy {chance.randrange(1, 9)} @ 100.10"
        for number, floor in enumerate((pair, one)):
            events = floor.ask(asked)
            traded[number] += sum(e.quantity for e in events if isinstance(e, m.Traded))
        assert traded[0] == traded[1]
    assert traded == [50, 50]
    assert pair.exchange.snapshot().orders == []
