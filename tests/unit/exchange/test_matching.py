"""How orders meet: price, time, partial fills, market, IOC, icebergs, self-trades."""

from tests.unit.exchange.scenario import check


def test_best_price_first_then_earliest() -> None:
    """The best price trades first, and of one price the order that came first."""
    floor = check("""
        A buy 10 @ 100       -> #1 accepted
        B buy 10 @ 100.05    -> #2 accepted
        C buy 10 @ 100       -> #3 accepted
        D sell 25 @ 100      -> #4 accepted, #4 traded 10 @ 100.05, #2 traded 10 @ 100.05,
                                #4 traded 10 @ 100, #1 traded 10 @ 100, #4 traded 5 @ 100,
                                #3 traded 5 @ 100
    """)
    assert floor.book() == "5/1@100 | none"


def test_an_incoming_limit_gets_the_better_price() -> None:
    """A trade happens at the resting order's price, and what is left rests at its own."""
    floor = check("""
        A sell 5 @ 99.90   -> #1 accepted
        B buy 8 @ 100.10   -> #2 accepted, #2 traded 5 @ 99.9, #1 traded 5 @ 99.9
    """)
    assert floor.book() == "3/1@100.1 | none"


def test_rest_of_a_market_order_rests_at_the_last_price() -> None:
    """A market order takes what is there; its rest becomes a limit at the last traded price."""
    floor = check("""
        A sell 5 @ 100.10  -> #1 accepted
        A sell 5 @ 100.20  -> #2 accepted
        B buy 15           -> #3 accepted, #3 traded 5 @ 100.1, #1 traded 5 @ 100.1,
                              #3 traded 5 @ 100.2, #2 traded 5 @ 100.2, #3 rests @ 100.2
        C sell 5           -> #4 accepted, #4 traded 5 @ 100.2, #3 traded 5 @ 100.2
    """)
    assert floor.book() == "none | none"


def test_market_order_in_an_empty_book() -> None:
    """With nothing to trade and nothing traded, a market order rests at the previous close."""
    floor = check("A buy 10 -> #1 accepted, #1 rests @ 100")
    assert floor.book() == "10/1@100 | none"


def test_rest_of_an_ioc_goes() -> None:
    """An IOC order trades what it can at once; the rest is removed with 16388."""
    floor = check("""
        A sell 5 @ 100        -> #1 accepted
        B buy 8 @ 100 ioc     -> #2 accepted, #2 traded 5 @ 100, #1 traded 5 @ 100,
                                 #2 expired 16388
        B buy 8 ioc           -> #3 accepted, #3 expired 16388
    """)
    assert floor.book() == "none | none"


def test_iceberg_shows_a_part_and_queues_anew() -> None:
    """A disclosed part is traded, then the next part goes behind everybody at that price."""
    floor = check("""
        A sell 25 @ 100 show 10  -> #1 accepted
        B sell 10 @ 100          -> #2 accepted
    """)
    assert floor.book() == "none | 20/2@100"
    floor.check("""
        C buy 12 @ 100  -> #3 accepted, #3 traded 10 @ 100, #1 traded 10 @ 100,
                           #3 traded 2 @ 100, #2 traded 2 @ 100
        C buy 10 @ 100  -> #4 accepted, #4 traded 8 @ 100, #2 traded 8 @ 100, #4 traded 2 @ 100,
                           #1 traded 2 @ 100
        C buy 13 @ 100  -> #5 accepted, #5 traded 8 @ 100, #1 traded 8 @ 100, #5 traded 5 @ 100,
                           #1 traded 5 @ 100
    """)
    assert floor.book() == "none | none"


def test_self_trade_cancels_the_active_order() -> None:
    """Cancel-active: the incoming rest goes, the resting order stays, whatever came before."""
    floor = check("""
        B sell 5 @ 100   -> #1 accepted
        A sell 5 @ 100   -> #2 accepted
        A buy 10 @ 100   -> #3 accepted, #3 traded 5 @ 100, #1 traded 5 @ 100, #3 removed 17080
    """)
    assert floor.book() == "none | 5/1@100"


def test_self_trade_cancels_the_passive_order() -> None:
    """Cancel-passive: the resting order goes and the incoming one trades on with others."""
    floor = check("""
        A sell 5 @ 100           -> #1 accepted
        B sell 5 @ 100           -> #2 accepted
        A buy 8 @ 100 passive    -> #3 accepted, #1 removed 17080, #3 traded 5 @ 100,
                                    #2 traded 5 @ 100
    """)
    assert floor.book() == "3/1@100 | none"


def test_self_trade_follows_the_incoming_wish() -> None:
    """The resting order's own wish does not matter."""
    check("""
        A sell 5 @ 100 passive  -> #1 accepted
        A buy 5 @ 100           -> #2 accepted, #2 removed 17080
    """)
    assert check("A buy 5 @ 99.95 -> #1 accepted").book() == "5/1@99.95 | none"


def test_cancel_and_remove() -> None:
    """A cancelled order is gone; a second cancel is refused; the exchange may remove by itself."""
    floor = check("""
        A buy 5 @ 100  -> #1 accepted
        A buy 5 @ 100  -> #2 accepted
        A buy 5 @ 100  -> #3 accepted
        cancel #2      -> #2 cancelled
        cancel #2      -> cancel refused 16344
        remove #1      -> #1 removed 17070
        remove #1      -> nothing
    """)
    assert floor.book() == "5/1@100 | none"


def test_house_trades_like_anybody() -> None:
    """House quotes fill clients and say nothing of themselves; house with house is a print."""
    floor = check("""
        quote 10@99.95 10@100.05  -> nothing
        A buy 4 @ 100.10          -> #1 accepted, #1 traded 4 @ 100.05
        A buy 5 @ 100             -> #2 accepted
        house sell 3              -> #2 traded 3 @ 100
        house sell 5 @ 99.95      -> #2 traded 2 @ 100, printed 3 @ 99.95
    """)
    assert floor.book() == "7/1@99.95 | 6/1@100.05"
    floor.check("quote 0@0 0@0 -> nothing")
    assert floor.book() == "none | none"


def test_a_quote_that_crosses_trades() -> None:
    """A new quote takes the orders it crosses, and only its rest is quoted."""
    floor = check("""
        A sell 5 @ 100            -> #1 accepted
        quote 8@100.05 8@100.10   -> #1 traded 5 @ 100
        quote 4@100.10 8@100.15   -> nothing
    """)
    assert floor.book() == "4/1@100.1 | 8/1@100.15"


def test_rest_of_a_house_order_stays() -> None:
    """A priced house order outlives the quotes; a house market order leaves nothing behind."""
    floor = check("""
        house buy 5 @ 99.90      -> nothing
        quote 5@99.95 5@100.05   -> nothing
        quote 0@0 0@0            -> nothing
        house buy 5              -> nothing
    """)
    assert floor.book() == "5/1@99.9 | none"


def test_closing_ends_everything() -> None:
    """Closing expires clients' orders, the house vanishes, and nothing enters until opening."""
    floor = check("""
        A buy 5 @ 99.90            -> #1 accepted
        A buy 5 stop 100.10        -> #2 accepted
        quote 5@99.95 5@100.05     -> nothing
        close                      -> #1 expired, #2 expired, NSE closed
        close                      -> nothing
        A buy 5 @ 99.90            -> #3 rejected 16000
        amend #1 6 @ 99.90         -> #0 amend refused 16346
        cancel #1                  -> cancel refused 16344
        open                       -> NSE open
        A buy 5 @ 99.90            -> #4 accepted
    """)
    assert floor.book() == "5/1@99.9 | none"
