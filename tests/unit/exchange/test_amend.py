"""Changing a live order: what keeps its place, what loses it, what it may become."""

from tests.unit.exchange.scenario import check

QUEUE = """
    A sell 10 @ 100  -> #1 accepted
    B sell 10 @ 100  -> #2 accepted
"""


def test_less_keeps_the_place() -> None:
    """Reducing the quantity keeps the place in the queue."""
    floor = check(QUEUE)
    floor.check("""
        amend #1 6 @ 100  -> #1 amended
        C buy 7 @ 100     -> #3 accepted, #3 traded 6 @ 100, #1 traded 6 @ 100,
                             #3 traded 1 @ 100, #2 traded 1 @ 100
    """)
    assert floor.book() == "none | 9/1@100"


def test_more_loses_the_place() -> None:
    """Raising the quantity sends the order to the end of the queue."""
    floor = check(QUEUE)
    floor.check("""
        amend #1 11 @ 100  -> #1 amended
        C buy 1 @ 100      -> #3 accepted, #3 traded 1 @ 100, #2 traded 1 @ 100
    """)
    assert floor.book() == "none | 20/2@100"


def test_another_price_loses_the_place() -> None:
    """Going to another price and back loses the place, and another disclosed quantity too."""
    floor = check(QUEUE)
    floor.check("""
        amend #1 10 @ 100.05      -> #1 amended
        amend #1 10 @ 100         -> #1 amended
        C buy 1 @ 100             -> #3 accepted, #3 traded 1 @ 100, #2 traded 1 @ 100
        amend #2 10 @ 100 show 5  -> #2 amended
        C buy 1 @ 100             -> #4 accepted, #4 traded 1 @ 100, #1 traded 1 @ 100
    """)
    assert floor.book() == "none | 14/2@100"


def test_a_price_that_crosses_trades_at_once() -> None:
    """A re-priced order meets the book like a new one."""
    floor = check("""
        A sell 10 @ 100.10     -> #1 accepted
        B buy 4 @ 100          -> #2 accepted
        amend #1 10 @ 99.95    -> #1 amended, #1 traded 4 @ 100, #2 traded 4 @ 100
        amend #1 10            -> #1 amended, #1 rests @ 100
    """)
    assert floor.book() == "none | 6/1@100"


def test_total_must_be_above_what_has_traded() -> None:
    """A new total at or below the traded quantity is refused; just above is fine."""
    floor = check("""
        A sell 10 @ 100    -> #1 accepted
        B buy 4 @ 100      -> #2 accepted, #2 traded 4 @ 100, #1 traded 4 @ 100
        amend #1 3 @ 100   -> #1 amend refused 16346
        amend #1 4 @ 100   -> #1 amend refused 16346
        amend #1 5 @ 100   -> #1 amended
    """)
    assert floor.book() == "none | 1/1@100"


def test_waiting_stop_becomes_the_exit() -> None:
    """A waiting stop changed to LIMIT or MARKET trades at once under its own id."""
    check("""
        quote 5@99.95 5@100.05              -> nothing
        A sell 3 stop 99.80                 -> #1 accepted
        A sell 4 stop 99.80 @ 99.75         -> #2 accepted
        amend #1 3 @ 99.90                  -> #1 amended, #1 traded 3 @ 99.95
        amend #2 4                          -> #2 amended, #2 traded 2 @ 99.95, #2 rests @ 99.95
    """)
    floor = check("""
        A sell 3 stop 99.80         -> #1 accepted
        amend #1 3 @ 100.20         -> #1 amended
        print 1 @ 99.70             -> printed 1 @ 99.7
    """)
    assert floor.book() == "none | 3/1@100.2"


def test_moved_trigger_counts() -> None:
    """A stop waits at its new trigger only, and may not be moved to or through the last price."""
    floor = check("""
        A sell 3 stop 99.80    -> #1 accepted
        amend #1 5 stop 99.70  -> #1 amended
        print 1 @ 99.75        -> printed 1 @ 99.75
        amend #1 5 stop 99.75  -> #1 amend refused 16408
        amend #1 5 stop 99.60  -> #1 amended
        print 1 @ 99.65        -> printed 1 @ 99.65
    """)
    assert floor.book() == "none | none"


def test_triggered_stop_may_only_be_repriced() -> None:
    """Once triggered an order takes a new limit, and is no stop any more."""
    floor = check("""
        A sell 3 stop 99.80 @ 99.75   -> #1 accepted
        print 1 @ 99.80               -> printed 1 @ 99.8, #1 triggered
        amend #1 3 stop 99.70 @ 99.70 -> #1 amend refused 16346
        amend #1 3 @ 99.70            -> #1 amended
        B buy 3                       -> #2 accepted, #2 traded 3 @ 99.7, #1 traded 3 @ 99.7
    """)
    assert floor.book() == "none | none"


def test_resting_limit_may_become_a_stop() -> None:
    """A resting limit order changed to a stop leaves the book and waits."""
    floor = check("""
        A buy 3 @ 99.90         -> #1 accepted
        amend #1 3 stop 100.10  -> #1 amended
    """)
    assert floor.book() == "none | none"
    floor.check("print 1 @ 100.10 -> printed 1 @ 100.1, #1 triggered, #1 rests @ 100.1")


def test_nothing_lives_under_that_id() -> None:
    """A dead order can't be changed (16346), an unknown one is not found (16060)."""
    floor = check("""
        A buy 3 @ 99.90     -> #1 accepted
        cancel #1           -> #1 cancelled
        amend #1 3 @ 99.90  -> #0 amend refused 16346
    """)
    floor.ids |= {7: "1100000000000777", 8: "", 9: "٣", 10: " 1100000000000001"}
    floor.ids |= {11: "01100000000000001", 12: "9" * 5_000}
    floor.check("""
        amend #7 3 @ 99.90  -> #0 amend refused 16060
        cancel #7           -> cancel refused 16060
        cancel #8           -> cancel refused 16060
        cancel #9           -> cancel refused 16060
        cancel #10          -> cancel refused 16060
        cancel #11          -> cancel refused 16060
        cancel #12          -> cancel refused 16060
    """)
    assert floor.exchange.order(floor.ids[7]) is None
