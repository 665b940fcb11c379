"""Waiting stops: when they fire, in which order, and what they become."""

import msgspec

from kavach.exchange.messages import Triggered
from kavach.units import PIPS_PER_RUPEE, Pips
from tests.unit.exchange.scenario import DEFAULT, Floor, check
from tests.unit.exchange.schedules import TICK


def test_stop_fires_when_the_price_touches_it() -> None:
    """A sell stop fires at its trigger and not above it; SLM becomes a market order."""
    check("""
        quote 50@99.90 50@100.10  -> nothing
        A sell 10 stop 99.80      -> #1 accepted
        print 1 @ 99.85      -> printed 1 @ 99.85
        print 1 @ 99.80      -> printed 1 @ 99.8, #1 triggered, #1 traded 10 @ 99.9
    """)
    assert check("A buy 5 stop 100.05 -> #1 accepted").book() == "none | none"


def test_stop_limit_becomes_a_limit() -> None:
    """A triggered SL rests at its limit when it can't trade there."""
    floor = check("""
        quote 50@99.70 0@0               -> nothing
        A sell 10 stop 99.80 @ 99.75     -> #1 accepted
        print 1 @ 99.80                  -> printed 1 @ 99.8, #1 triggered
    """)
    assert floor.book() == "50/1@99.7 | 10/1@99.75"


def test_stops_fire_by_trigger_then_time() -> None:
    """Of several touched stops the nearest trigger goes first, and of one trigger the earliest."""
    check("""
        quote 50@99.60 0@0     -> nothing
        A sell 1 stop 99.80    -> #1 accepted
        B sell 2 stop 99.90    -> #2 accepted
        C sell 3 stop 99.90    -> #3 accepted
        print 1 @ 99.80        -> printed 1 @ 99.8, #2 triggered, #2 traded 2 @ 99.6,
                                  #3 triggered, #3 traded 3 @ 99.6, #1 triggered,
                                  #1 traded 1 @ 99.6
    """)
    assert check("B buy 2 stop 100.05 -> #1 accepted").book() == "none | none"


def test_cascade() -> None:
    """A fired stop's trade fires the next one, and so on down the book."""
    check("""
        B buy 5 @ 99.90        -> #1 accepted
        B buy 5 @ 99.80        -> #2 accepted
        B buy 5 @ 99.70        -> #3 accepted
        A sell 5 stop 99.95    -> #4 accepted
        A sell 5 stop 99.90    -> #5 accepted
        A sell 5 stop 99.80    -> #6 accepted
        print 1 @ 99.95        -> printed 1 @ 99.95, #4 triggered, #4 traded 5 @ 99.9,
                                  #1 traded 5 @ 99.9, #5 triggered, #5 traded 5 @ 99.8,
                                  #2 traded 5 @ 99.8, #6 triggered, #6 traded 5 @ 99.7,
                                  #3 traded 5 @ 99.7
    """)
    assert check("A sell 5 stop 99.95 -> #1 accepted").book() == "none | none"


def test_a_long_cascade_is_a_loop() -> None:
    """Fifteen hundred stops, each fired by the one before, need no depth of the call stack."""
    steps = 1_500
    low = Pips(DEFAULT.previous_close_pips - (steps + 1) * TICK)
    floor = Floor(msgspec.structs.replace(DEFAULT, band_low_pips=low))
    for step in range(1, steps + 1):
        price = f"{(DEFAULT.previous_close_pips - step * TICK) / PIPS_PER_RUPEE:.2f}"
        floor.ask(f"A sell 1 stop {price}")
        floor.ask(f"B buy 1 @ {price}")
    events = floor.ask("house sell 1")
    fired = [event.order_ref for event in events if isinstance(event, Triggered)]
    assert fired == list(range(1, 2 * steps, 2))
    assert floor.exchange.last_price_pips(DEFAULT.key) == low + TICK


def test_a_price_only_passed_through_fires_too() -> None:
    """One order trades down and up again: stops on both ways fire, the longest waiting first."""
    check("""
        B sell 5 @ 99.80            -> #1 accepted
        B sell 5 @ 100.20           -> #2 accepted
        C buy 1 stop 100.10 @ 100.10  -> #3 accepted
        D sell 1 stop 99.90         -> #4 accepted
        A buy 10 @ 100.20           -> #5 accepted, #5 traded 5 @ 99.8, #1 traded 5 @ 99.8,
                                       #5 traded 5 @ 100.2, #2 traded 5 @ 100.2, #3 triggered,
                                       #4 triggered, #4 traded 1 @ 100.1, #3 traded 1 @ 100.1
    """)
    floor = check("""
        B sell 5 @ 99.80            -> #1 accepted
        B sell 5 @ 100.20           -> #2 accepted
        D sell 1 stop 99.90 @ 99.90 -> #3 accepted
        C buy 1 stop 100.10         -> #4 accepted
        A buy 10 @ 100.20           -> #5 accepted, #5 traded 5 @ 99.8, #1 traded 5 @ 99.8,
                                       #5 traded 5 @ 100.2, #2 traded 5 @ 100.2, #3 triggered,
                                       #4 triggered, #4 traded 1 @ 99.9, #3 traded 1 @ 99.9
    """)
    assert floor.book() == "none | none"


def test_stop_with_ioc() -> None:
    """An IOC stop waits like any other; what it can't trade when it fires is removed."""
    floor = check("""
        A sell 5 stop 99.80 ioc  -> #1 accepted
        print 1 @ 99.75          -> printed 1 @ 99.75, #1 triggered, #1 expired 16388
    """)
    assert floor.book() == "none | none"


def test_a_fired_stop_meets_its_own_account() -> None:
    """A stop that fires into an order of its own account obeys its own wish."""
    floor = check("""
        A buy 5 @ 99.70                  -> #1 accepted
        B buy 5 @ 99.65                  -> #2 accepted
        A sell 5 stop 99.80 passive      -> #3 accepted
        print 1 @ 99.80                  -> printed 1 @ 99.8, #3 triggered, #1 removed 17080,
                                            #3 traded 5 @ 99.65, #2 traded 5 @ 99.65
    """)
    assert floor.book() == "none | none"
