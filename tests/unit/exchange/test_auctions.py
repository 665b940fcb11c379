"""Auctions in words: what a phase takes, one price, who trades, and what becomes of the rest."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.exchange import messages as m
from kavach.exchange.phases import AUCTIONS, TAKEN, Request
from kavach.units import Exchange as Segment
from kavach.units import OrderType, Phase, Pips, Quantity, Side, Validity
from tests.unit.exchange.scenario import check
from tests.unit.exchange.schedules import KEYS, REACH, Action, SideBySide, instrument, rupees

WIDE = instrument(Segment.NSE, 1, freeze=1000, reach=200)  # 90 to 110.


def test_the_most_that_can_trade_makes_the_price() -> None:
    """Of the prices at which orders rest it is the one that trades most, whatever came first."""
    check("""
        phase pre_open        -> NSE pre_open
        A buy 10 @ 100.10     -> #1 accepted
        B buy 20 @ 100        -> #2 accepted
        C sell 15 @ 99.90     -> #3 accepted
        D sell 30 @ 100.05    -> #4 accepted
        phase buffer          -> #1 traded 10 @ 100, #3 traded 10 @ 100,
            # #2 traded 5 @ 100, #3 traded 5 @ 100, matched 15 @ 100, NSE buffer
        open                  -> NSE open
        E buy 1               -> #5 accepted, #5 traded 1 @ 100.05, #4 traded 1 @ 100.05
    """)


def test_of_two_prices_that_trade_as_much_the_one_that_leaves_less() -> None:
    """100.10 and 99.90 trade 10; at 99.90 no order that would trade is left over."""
    check("""
        phase pre_open        -> NSE pre_open
        A buy 10 @ 100.10     -> #1 accepted
        B sell 10 @ 99.90     -> #2 accepted
        C sell 5 @ 100.10     -> #3 accepted
        phase buffer          -> #1 traded 10 @ 99.9, #2 traded 10 @ 99.9, matched 10 @ 99.9,
            # NSE buffer
    """)


@pytest.mark.parametrize(
    ("last", "price"), [("100.20", "100.15"), ("99.80", "99.9"), ("100.05", "100.15")]
)
def test_of_equal_prices_the_one_nearest_to_the_reference(last: str, price: str) -> None:
    """The reference of the opening auction is where the day before ended."""
    check(f"""
        print 1 @ {last}      -> printed 1 @ {last.rstrip("0")}
        phase pre_open        -> NSE pre_open
        A buy 10 @ 100.15     -> #1 accepted
        B sell 10 @ 99.90     -> #2 accepted
        phase buffer          -> #1 traded 10 @ {price}, #2 traded 10 @ {price},
            # matched 10 @ {price}, NSE buffer
    """)


def test_halfway_between_two_prices_it_is_the_reference_itself() -> None:
    """No order rests at 100, and it is the price."""
    check("""
        phase pre_open        -> NSE pre_open
        A buy 10 @ 100.10     -> #1 accepted
        B sell 10 @ 99.90     -> #2 accepted
        phase open            -> #1 traded 10 @ 100, #2 traded 10 @ 100, matched 10 @ 100,
            # NSE open
    """)


def test_market_orders_trade_first_and_alone_at_the_reference() -> None:
    """They come before better limits; where there is no limit the reference is the price."""
    check("""
        phase closing_reference -> NSE closing_reference
        phase closing_auction -> NSE closing_auction
        A buy 10 @ 100.40     -> #1 accepted
        B buy 10              -> #2 accepted
        C sell 15             -> #3 accepted
        phase closing_auction_limit -> NSE closing_auction_limit
        phase buffer          -> #2 traded 10 @ 100.4, #3 traded 10 @ 100.4,
            # #1 traded 5 @ 100.4, #3 traded 5 @ 100.4,
            # matched 15 @ 100.4, #1 expired, NSE buffer
        phase closing_auction -> reference 100.4, NSE closing_auction
        D buy 4               -> #4 accepted
        E sell 6              -> #5 accepted
        phase buffer          -> #4 traded 4 @ 100.4, #5 traded 4 @ 100.4, matched 4 @ 100.4,
            # #5 expired, NSE buffer
    """)


def test_what_the_opening_auction_leaves_goes_on() -> None:
    """Market orders rest at the price found, or the reference if there was none, in their order."""
    floor = check("""
        phase pre_open        -> NSE pre_open
        A buy 10              -> #1 accepted
        B buy 10              -> #2 accepted
        C sell 5 @ 100.10     -> #3 accepted
        phase open            -> #1 traded 5 @ 100.1, #3 traded 5 @ 100.1, matched 5 @ 100.1,
            # #1 rests @ 100.1, #2 rests @ 100.1, NSE open
        D sell 6              -> #4 accepted, #4 traded 5 @ 100.1, #1 traded 5 @ 100.1,
            # #4 traded 1 @ 100.1, #2 traded 1 @ 100.1
        phase pre_open        -> NSE pre_open
        E sell 3 @ 100.30     -> #5 accepted
        phase buffer          -> matched 0 @ 100.1, NSE buffer
    """)
    assert floor.book() == "9/1@100.1 | 3/1@100.3"


def test_the_house_in_an_auction() -> None:
    """Its orders wait and trade like a client's; what of them is left of the closing goes."""
    floor = check("""
        phase closing_auction -> NSE closing_auction
        house sell 10 @ 100   -> nothing
        house sell 5          -> nothing
        house buy 7 @ 100     -> nothing
        A buy 4 @ 100.10      -> #1 accepted
        phase buffer          -> #1 traded 4 @ 100, printed 1 @ 100, printed 6 @ 100,
            # matched 11 @ 100, NSE buffer
    """)
    assert floor.book() == "none | none"


def test_stops_end_where_an_auction_begins_and_limits_carry_over() -> None:
    """With what they do not show, too; the band of the closing auction takes out what is far."""
    check(
        """
        A sell 10 @ 100 stop 100       -> #1 rejected 16408
        A sell 10 @ 98 stop 99         -> #2 accepted
        B buy 10 stop 101 ioc          -> #3 accepted
        C sell 10 @ 101 show 2         -> #4 accepted
        D buy 5 @ 96.95                -> #5 accepted
        E buy 5 @ 97                   -> #6 accepted
        phase closing_reference        -> #3 expired 16445, #2 expired 16445, reference 100,
            # #5 removed 16284, NSE closing_reference
        phase closing_auction          -> NSE closing_auction
        F buy 8 @ 103.05               -> #7 rejected 16284
        F buy 8 @ 103                  -> #8 accepted
        phase buffer                   -> #8 traded 8 @ 101, #4 traded 8 @ 101, matched 8 @ 101,
            # #6 expired, #4 expired, NSE buffer
        """,
        WIDE,
    )


def test_the_reference_of_the_closing_auction() -> None:
    """It is what was paid on average, on tick, and it is the band's middle until the match."""
    floor = check(
        """
        print 3 @ 100                  -> printed 3 @ 100
        print 1 @ 101.10               -> printed 1 @ 101.1
        A buy 1 @ 98                   -> #1 accepted
        phase closing_reference        -> reference 100.3, NSE closing_reference
        """,
        WIDE,
    )
    assert floor.exchange.price_band(WIDE.key) == (973_000, 1_033_000)  # 97.291 to 103.309.
    floor.check("phase post_close -> matched 0 @ 100.3, #1 expired, NSE post_close")
    assert floor.exchange.price_band(WIDE.key) == (1_011_000, 1_011_000)


def test_after_the_close_orders_trade_at_the_closing_price() -> None:
    """At market or at that limit, as they come; at no other price."""
    check("""
        print 1 @ 100.10      -> printed 1 @ 100.1
        A buy 5 @ 100         -> #1 accepted
        phase post_close      -> #1 expired, NSE post_close
        B buy 5 @ 100.05      -> #2 rejected 16284
        B buy 5 @ 100.10      -> #3 accepted
        C sell 7              -> #4 accepted, #4 traded 5 @ 100.1, #3 traded 5 @ 100.1,
            # #4 rests @ 100.1
        close                 -> #4 expired, NSE closed
    """)


def test_orders_of_one_account_may_meet_in_an_auction() -> None:
    """There is no incoming order that could give way."""
    check("""
        phase closing_auction -> NSE closing_auction
        A buy 10 @ 100        -> #1 accepted
        A sell 10 @ 100       -> #2 accepted
        phase buffer          -> #1 traded 10 @ 100, #2 traded 10 @ 100, matched 10 @ 100,
            # NSE buffer
    """)


def test_linked_orders_count_once() -> None:
    """Target and exit of one link want ten together: at 100.10 more would trade if they did not."""
    check("""
        phase closing_auction          -> NSE closing_auction
        A sell 10 @ 100.10 link 1      -> #1 accepted
        A sell 10 link 1               -> #2 accepted
        B buy 12 @ 100.10              -> #3 accepted
        C buy 3 @ 100.20               -> #4 accepted
        phase buffer                   -> #4 traded 3 @ 100.1, #2 traded 3 @ 100.1,
            # #3 traded 7 @ 100.1, #2 traded 7 @ 100.1, #1 removed 17901,
            # matched 10 @ 100.1, #3 expired, NSE buffer
    """)


def test_what_each_phase_refuses() -> None:
    """The codes of the table, for a new order, a change and a cancel."""
    check("""
        phase closing_auction          -> NSE closing_auction
        A buy 10 @ 100                 -> #1 accepted
        A buy 10                       -> #2 accepted
        A buy 10 @ 100 stop 100.10     -> #3 rejected 16445
        A buy 10 @ 100 ioc             -> #4 rejected 16442
        A buy 10 @ 100 show 5          -> #5 rejected 16441
        amend #1 10 @ 100 show 5       -> #1 amend refused 16441
        amend #2 5                     -> #2 amended
        phase closing_auction_limit    -> NSE closing_auction_limit
        A buy 10                       -> #6 rejected 16197
        amend #1 10                    -> #1 amend refused 16197
        amend #2 4                     -> #2 amend refused 16346
        cancel #2                      -> cancel refused 16344
        amend #1 20 @ 100.05           -> #1 amended
        cancel #1                      -> #1 cancelled
        phase closing_reference        -> NSE closing_reference
        A buy 10 @ 100                 -> #7 rejected 16197
        amend #2 4                     -> #2 amend refused 16197
        cancel #2                      -> cancel refused 16344
        phase buffer                   -> matched 0 @ 100, #2 expired, NSE buffer
        A buy 10 @ 100                 -> #8 rejected 16197
        close                          -> NSE closed
        A buy 10 @ 100                 -> #9 rejected 16000
    """)


def test_the_table_is_whole() -> None:
    """Every phase answers every kind of request, and an auction takes no stop."""
    assert set(TAKEN) == set(Phase)
    assert all(set(row) == set(Request) for row in TAKEN.values())
    assert all(TAKEN[phase][Request.STOP] for phase in AUCTIONS)


# --- Beside the naive auction -----------------------------------------------------------------

AUCTION_PHASES = [Phase.PRE_OPEN, Phase.CLOSING_AUCTION]


def auction_action(chance: random.Random) -> Action:
    """One action of an auction at few prices: many orders, many of them linked or at market."""
    word = chance.choices(["submit", "amend", "cancel", "liquidity_order"], [60, 8, 6, 12])[0]
    kind = chance.choice([OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET])
    price = rupees(chance.randrange(-3, 4)) if kind is OrderType.LIMIT else Pips(0)
    quantity = Quantity(chance.choice([5, 10, 20]))
    if word == "amend":
        return word, chance.randrange(-12, 0), (kind, quantity, Quantity(0), price, Pips(0))
    if word == "cancel":
        return word, chance.randrange(-12, 0)
    side = chance.choice([*Side])
    if word == "liquidity_order":
        return word, KEYS[0], side, price or None, quantity
    return "submit", an_order(chance.randrange(1, 999), side, kind, quantity, price, chance)


def an_order(
    ref: int, side: Side, kind: OrderType, quantity: int, price: int, chance: random.Random
) -> m.NewOrder:
    """Return an order of one of two accounts, linked to another of it every other time."""
    return m.NewOrder(
        ref,
        chance.choice("AB"),
        KEYS[0],
        side,
        kind,
        Quantity(quantity),
        Quantity(0),
        Pips(price),
        Pips(0),
        Validity.DAY,
        m.SelfTrade.CANCEL_ACTIVE,
        chance.choice([0, 0, 1, 2]),
    )


@given(st.randoms(use_true_random=False), st.integers(0, 25), st.sampled_from(AUCTION_PHASES))
def test_any_auction(chance: random.Random, orders: int, phase: Phase) -> None:
    """Price, trades and what is left equal those of the naive auction; and nothing can trade on."""
    world = SideBySide()
    world.step(("print_trade", KEYS[0], rupees(chance.randrange(-REACH, REACH)), 5))
    world.step(("phase", Segment.NSE, "", phase))
    for _ in range(orders):
        world.step(auction_action(chance))
    asked = world.real.snapshot().orders
    said = world.step(("phase", Segment.NSE, "", Phase.BUFFER))
    prices = {event.price_pips for event in said if isinstance(event, m.Traded | m.Printed)}
    found = [event for event in said if isinstance(event, m.Matched) and event.quantity]
    assert prices == {event.price_pips for event in found}
    limits = {order.exchange_order_id: order for order in asked}
    for event in said:
        if isinstance(event, m.Traded):
            order = limits[event.exchange_order_id]
            sign = 1 if order.side is Side.BUY else -1
            assert order.order_type is OrderType.MARKET or (
                (order.price_pips - event.price_pips) * sign >= 0
            )
    bids, asks = world.real.depth(KEYS[0], 99)
    assert not bids or not asks or bids[0][0] < asks[0][0]
    if phase is Phase.CLOSING_AUCTION:
        assert not bids
        assert not asks


def test_a_hundred_auctions_meet_every_case() -> None:
    """The draws hold what makes auctions hard: halfway references, links, leftovers at market."""
    seen = dict.fromkeys(("reference", "linked out", "priced", "own account", "printed"), 0)
    for seed in range(150):
        chance = random.Random(seed)
        world = SideBySide()
        world.step(("phase", Segment.NSE, "", Phase.PRE_OPEN))
        for _ in range(chance.randrange(2, 20)):
            world.step(auction_action(chance))
        limits = {o.price_pips for o in world.real.snapshot().orders}
        accounts = {o.exchange_order_id: o.account for o in world.real.snapshot().orders}
        said = world.step(("phase", Segment.NSE, "", Phase.BUFFER))
        trades = [event for event in said if isinstance(event, m.Traded)]
        seen["reference"] += any(event.price_pips not in limits for event in trades)
        seen["linked out"] += any(isinstance(e, m.Removed) and e.code == 17901 for e in said)
        seen["priced"] += any(isinstance(event, m.Priced) for event in said)
        seen["printed"] += any(isinstance(event, m.Printed) for event in said)
        seen["own account"] += any(
            one.trade_id == two.trade_id
            and accounts[one.exchange_order_id] == accounts[two.exchange_order_id]
            for one, two in pairwise(trades)
        )
    assert all(count >= 3 for count in seen.values()), seen
