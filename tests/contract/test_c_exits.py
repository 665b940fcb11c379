"""
Exits in thin books, on the next day, and after a price that trails (C1, C2, C8).

One client's exits on opposite sides would trade with each other; the exchange takes one of them
out instead. Nobody else is in the book unless a test says so.
"""

from random import Random
from typing import Final

import pytest

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.model.orders.life import Life
from kavach.core.refusals import Answer
from kavach.units import OrderType, Product, Side
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.contract.exit_stage import Stage, pips
from tests.simulation.pace_auditor import OF_LOST_SLICE_MAX, OF_SLICE_MAX
from tests.unit.core.stocks import stock

BUY, SELL = Side
# INV-26: new orders, changes and cancels of one slice of a leg, in a minute in which nobody else
# quotes, trades or asks; and where the venue loses them, so that each is doubted after a second.
REQUESTS_MAX: Final = OF_SLICE_MAX
LOST_MAX: Final = OF_LOST_SLICE_MAX
SQUARE_OFFS_MAX: Final = 8
TURN_S: Final = 30  # How long one side may work while the other waits.


def both_leave(long: int = 100, short: int = 40) -> tuple[Stage, CoverOrder, CoverOrder]:
    """Return a long and a short cover order of one client, told to leave in this order."""
    stage = Stage()
    one = stage.held(BUY, long, 12.0)
    other = stage.held(SELL, short, 14.0)
    for cover in (one, other):
        assert isinstance(stage.leave(cover), Answer)
    return stage, one, other


def state(cover: CoverOrder) -> State:
    """Return where a cover order stands now."""
    return cover.state


def exits_of(stage: Stage, cover: CoverOrder) -> list[tuple[int, int]]:
    """Return quantity and price of each fill of the cover order's exits."""
    entries = {order.tag for order in cover.entries}
    return [(t.quantity, t.price_pips) for t in cover.trades or () if t.tag not in entries]


# --- C1: exits that would meet ----------------------------------------------------------------


def test_c1_the_later_exit_keeps_its_stop_while_the_earlier_works() -> None:
    """One order works, the other's stop waits as it was; neither is taken out of the book."""
    stage, one, other = both_leave()
    stage.run(TURN_S - 1)
    assert [order.life for order in one.exits] == [Life.WORKING]
    assert [order.life for order in other.exits] == [Life.WAITING]
    assert other.exits[0].trigger_price_pips == pips(14.0)
    stage.check()


def test_c1_after_half_a_minute_the_smaller_goes_first() -> None:
    """The larger steps aside, so that the smaller order's exit works and cannot meet it."""
    stage, one, other = both_leave()
    stage.run(TURN_S + 2)
    (smaller,) = [order for order in other.exits if order.live]
    (larger,) = [order for order in one.exits if order.live]
    assert smaller.order_type is OrderType.LIMIT
    assert smaller.price_pips >= pips(13.0)
    assert larger.price_pips > smaller.price_pips, "they would trade with each other"
    stage.check()


@pytest.mark.parametrize("order", ["long first", "short first"])
@pytest.mark.parametrize("sizes", [(100, 40), (40, 100), (50, 50)])
def test_c1_requests_of_a_quiet_minute_are_bounded(order: str, sizes: tuple[int, int]) -> None:
    """Ten minutes without a quote cost few requests, and no order is taken out by the exchange."""
    stage = Stage()
    covers = [stage.held(BUY, sizes[0], 12.0), stage.held(SELL, sizes[1], 14.0)]
    since_ns = stage.clock.at_ns
    for cover in covers if order == "long first" else reversed(covers):
        stage.leave(cover)
    stage.run(600, step_ms=250)
    assert stage.per_minute(since_ns) <= REQUESTS_MAX
    removed = [
        event
        for _, event in stage.happened(since_ns)
        if isinstance(event, e.OrderClosed) and event.closing is e.Closing.REMOVED
    ]
    assert not removed, "self-trade prevention took an exit out"
    stage.check()


@pytest.mark.parametrize("wait_s", [1, 5, 29, 31, 60, 600])
@pytest.mark.parametrize("order", ["long first", "short first"])
def test_c1_a_later_quote_fills_both_near_the_market(wait_s: int, order: str) -> None:
    """When 12.99/13.01 is quoted, both are flat soon, and nobody pays the edge of the band."""
    stage = Stage()
    covers = [stage.held(BUY, 100, 12.0), stage.held(SELL, 40, 14.0)]
    for cover in covers if order == "long first" else reversed(covers):
        stage.leave(cover)
    stage.run(wait_s, step_ms=250)
    assert not exits_of(stage, covers[0]), "a fill, and nobody was there"
    stage.quote(12.99, 13.01)
    stage.run(3)
    long, short = covers
    assert (long.state, short.state) == (State.EXITED, State.EXITED)
    assert all(price >= pips(12.61) for _, price in exits_of(stage, long))
    assert all(price <= pips(13.39) for _, price in exits_of(stage, short))
    stage.check()


def test_c1_bids_alone_let_out_who_sells_though_it_is_not_first() -> None:
    """Where only one side finds takers, its turn comes: none waits for the other without an end."""
    stage, one, other = both_leave(long=100, short=40)  # The long one is first, and the larger.
    stage.quote(0, 13.01)  # Nobody buys; whoever buys finds a seller.
    stage.run(2 * TURN_S + 2)
    assert state(other) is State.EXITED
    stage.quote(12.99, 0)
    stage.run(3)
    assert state(one) is State.EXITED
    stage.check()


def test_c1_a_wide_market_lets_both_out() -> None:
    """Bids and asks beyond the first protection are reached, each side in its turn."""
    stage, one, other = both_leave()
    stage.quote(12.0, 14.0)
    stage.run(4 * TURN_S)
    assert (one.state, other.state) == (State.EXITED, State.EXITED)
    stage.check()


def test_c1_a_regular_square_off_beside_a_cover_order_is_one_row() -> None:
    """A regular MIS short and a long cover order, squared off together: no row a half-second."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.0)
    stage.trade(BUY, 12.9, 30)
    stage.regular(SELL, 30, 12.9)
    assert stage.engine.state.clients["C"].positions
    since_ns = stage.clock.at_ns
    before = len(stage.engine.state.regulars)
    stage.square_off()
    stage.run(600, step_ms=250)
    assert len(stage.engine.state.regulars) - before == 1
    assert stage.per_minute(since_ns) <= REQUESTS_MAX
    stage.quote(12.99, 13.01)
    stage.run(3)
    assert state(cover) is State.EXITED
    assert sum(p.plain_net for p in stage.engine.state.clients["C"].positions) == 0
    stage.check()


def test_c1_square_offs_that_are_refused_grow_rare() -> None:
    """Each is a row; where the venue refuses all of them the first minute has at most 8."""
    stage = Stage()
    stage.trade(BUY, 12.9, 30)
    stage.regular(SELL, 30, 12.9)
    before = len(stage.engine.state.regulars)
    refusal = Fault(
        fault_id="F1",
        on=FaultOn.NEW,
        leg=None,
        client_id=None,
        effect=FaultEffect.REJECT,
        code=17070,
        reason="no",
        times=10**6,
    )
    stage.venue.faults.add(refusal)
    stage.square_off()
    stage.run(60, step_ms=250)
    assert 1 < len(stage.engine.state.regulars) - before <= SQUARE_OFFS_MAX


def test_c1_stops_of_both_sides_that_fire_come_to_an_end() -> None:
    """A price that runs through both stops: whatever meets, requests stay bounded and both end."""
    stage = Stage()
    one, other = stage.held(BUY, 100, 12.0), stage.held(SELL, 40, 14.0)
    since_ns = stage.clock.at_ns
    stage.price(14.0)
    stage.price(12.0)
    stage.price(13.0)
    stage.run(120, step_ms=250)
    assert stage.per_minute(since_ns) <= REQUESTS_MAX
    stage.quote(12.99, 13.01)
    stage.run(TURN_S + 3)
    assert (one.state, other.state) == (State.EXITED, State.EXITED)
    stage.check()


def test_c1_a_restart_in_the_middle_goes_on_with_the_same_turn() -> None:
    """Whose turn it is follows from the journal alone."""
    stage, one, other = both_leave()
    stage.run(12)
    stage.start()
    stage.engine.restore_link()
    one = stage.engine.state.covers[one.order_id]
    other = stage.engine.state.covers[other.order_id]
    stage.run(TURN_S - 14)
    assert other.exits[0].life is Life.WAITING
    stage.run(4)
    assert [order.order_type for order in other.exits if order.live] == [OrderType.LIMIT]
    stage.check()


@pytest.mark.parametrize("effect", list(FaultEffect))
@pytest.mark.parametrize("on", list(FaultOn))
def test_c1_a_venue_that_always_refuses_is_asked_a_bounded_number_of_times(
    on: FaultOn, effect: FaultEffect
) -> None:
    """Stops, exits, changes or cancels refused for ever: the pauses grow."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.0)
    open_one = stage.cover(BUY, 100, 12.0, price=12.9)
    stage.trade(SELL, 12.9, 30)
    stage.venue.faults.add(
        Fault(
            fault_id="F1",
            on=on,
            leg=None,
            client_id=None,
            effect=effect,
            code=17070,
            reason="no",
            times=10**6,
        )
    )
    since_ns = stage.clock.at_ns
    stage.leave(cover)
    stage.leave(open_one)
    stage.run(180, step_ms=250)
    lost = effect is FaultEffect.DROP_REQUEST
    assert stage.per_minute(since_ns) <= (LOST_MAX if lost else REQUESTS_MAX)


def test_c1_a_market_entry_that_finds_nobody_is_left_alone() -> None:
    """It rests at its protection; as long as no price moves nothing more is sent."""
    stage = Stage()
    stage.regular(BUY, 100, 0.0)
    since_ns = stage.clock.at_ns
    stage.run(180, step_ms=250)
    assert stage.per_minute(since_ns) <= REQUESTS_MAX
    assert not stage.sent(since_ns + 1_000_000_000)


def test_c1_an_exit_alone_in_an_empty_book_stops_at_the_edge_of_the_band() -> None:
    """It reaches the edge by steps, tells an operator, and sends nothing more."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.0)
    since_ns = stage.clock.at_ns
    stage.leave(cover)
    stage.run(300, step_ms=250)
    assert stage.per_minute(since_ns) <= REQUESTS_MAX
    assert e.Alarm.CIRCUIT_LOCKED in cover.alarms
    assert not stage.sent(stage.clock.at_ns - 240 * 10**9)
    stage.check()


@pytest.mark.parametrize("seed", range(20))
def test_c1_any_crowd_of_exits_is_bounded_and_ends(seed: int) -> None:
    """Longs and shorts, brackets among them, leave at random; quotes come, and all are flat."""
    chance = Random(seed)
    item = stock(slm_allowed=seed % 3 > 0, freeze=1_000_000 if seed % 2 else 50)
    stage = Stage(item)
    covers = []
    for _ in range(chance.randrange(2, 6)):
        side = chance.choice((BUY, SELL))
        away = 1.0 if side is BUY else -1.0
        if chance.randrange(3) or item.freeze_quantity < 1000:
            covers.append(stage.held(side, chance.randrange(1, 120), 13 - away))
        else:
            covers.append(stage.held(side, chance.randrange(1, 120), 1.0, target_offset=0.5))
    quiet_ns = stage.clock.at_ns
    for cover in chance.sample(covers, len(covers)):
        stage.leave(cover)
        stage.run(chance.choice((0, 0.3, 2, 40)), step_ms=100)
        stage.check()
    stage.run(chance.choice((10, 70, 200)), step_ms=250)
    stage.check()
    slices = -(-120 // item.slice_max)
    assert stage.per_minute(quiet_ns) <= REQUESTS_MAX * slices
    stage.quote(12.99, 13.01)
    stage.run(3)
    assert [state(cover) for cover in covers] == [State.EXITED] * len(covers)
    if len({cover.side for cover in covers}) == 2:  # Alone, it waits at the edge of the band.
        prices = [price for cover in covers for _, price in exits_of(stage, cover)]
        assert all(pips(12.61) <= price <= pips(13.39) for price in prices)
    stage.check()


# --- C2: the day after ------------------------------------------------------------------------


def test_c2_an_intraday_order_left_over_is_squared_off_at_the_next_opening() -> None:
    """No bids at the close; with 1 000 bid the next day it is flat within a second, and told."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.0)
    stage.square_off()
    stage.run(60, step_ms=500)
    stage.end_day()
    assert state(cover) is State.CARRIED
    stage.check()
    stage.next_day()
    assert cover.exit_source is e.Source.SQUARE_OFF
    stage.quote(12.99, 13.01, 1000)
    stage.run(1)
    assert state(cover) is State.EXITED
    ((quantity, price),) = exits_of(stage, cover)
    assert quantity == 100
    assert pips(12.61) <= price <= pips(12.99)  # At the protection of a market order, or better.
    stage.check()


@pytest.mark.parametrize("side", list(Side))
def test_c2_a_delivery_order_gets_its_stop_again(side: Side) -> None:
    """The next day its stop stands where it stood, and it can be modified, fire and be left."""
    stage = Stage()
    stop = 12.0 if side is BUY else 14.0
    cover = stage.held(side, 100, stop, product=Product.NRML if side is SELL else Product.CNC)
    stage.end_day()
    assert state(cover) is State.CARRIED
    stage.next_day()
    assert state(cover) is State.COVERED
    assert cover.orders_of(Leg.THIRD)[-1].life is Life.WAITING
    assert cover.orders_of(Leg.THIRD)[-1].trigger_price_pips == pips(stop)
    stage.check()
    stage.plan_stop(cover, stop=12.5 if side is BUY else 13.5)
    stage.run(1)
    assert cover.exits[-1].trigger_price_pips == pips(12.5 if side is BUY else 13.5)
    stage.quote(12.99, 13.01)
    assert isinstance(stage.leave(cover), Answer)
    stage.run(1)
    assert state(cover) is State.EXITED
    stage.check()


def test_c2_a_bracket_gets_stop_and_target_again() -> None:
    """Both live the next day, linked anew, and the target takes the profit."""
    stage = Stage()
    cover = stage.held(BUY, 100, 1.0, product=Product.CNC, target_offset=0.5)
    stage.end_day()
    stage.next_day()
    stage.run(1)
    live = [order for order in cover.exits if order.live]
    assert sorted(order.purpose for order in live) == [e.Purpose.STOP, e.Purpose.TARGET]
    stage.check()
    stage.trade(BUY, 13.5, 100)
    stage.run(1)
    assert state(cover) is State.EXITED
    stage.check()


@pytest.mark.parametrize("product", [Product.MIS, Product.CNC])
def test_c2_sessions_without_bids_follow_each_other(product: Product) -> None:
    """Carried three times, tried or protected each day, told each day; then it gets out."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.0, product=product)
    for _ in range(3):
        stage.square_off()
        stage.run(5)
        stage.end_day()
        assert state(cover) is State.CARRIED
        stage.check()
        stage.next_day()
        wanted = State.EXITING if product is Product.MIS else State.COVERED
        assert state(cover) is wanted
        stage.run(1)
        stage.check()
    told = [x for _, x in stage.happened() if isinstance(x, e.AlarmRaised)]
    assert sum(x.alarm is e.Alarm.CARRIED for x in told) == 3
    assert sum(x.alarm == "resumed" for x in told) == 3
    stage.quote(12.99, 13.01)
    if product is Product.CNC:
        stage.leave(cover)  # The square-off is for what is intraday.
    stage.run(1)
    assert state(cover) is State.EXITED
    stage.check()


def test_c2_what_is_left_after_a_partial_exit_is_protected_for_its_size() -> None:
    """60 of 100 got out before the close: the next day the stop is for 40."""
    stage = Stage()
    cover = stage.cover(BUY, 150, 12.0, product=Product.CNC)
    stage.trade(SELL, 13.0, 100)  # 50 of the entry expire.
    stage.leave(cover)
    stage.trade(BUY, 12.61, 60)
    assert cover.position == 40
    stage.end_day()
    stage.next_day()
    stage.run(1)
    assert state(cover) is State.COVERED
    assert [order.confirmed_leaves for order in cover.exits if order.live] == [40]
    stage.check()


def test_c2_a_stop_that_the_night_has_passed_is_an_exit_at_the_opening() -> None:
    """The price is through the stop when the session opens: no stop is sent, it gets out."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.9, product=Product.CNC)
    stage.end_day()
    cover_last = stage.engine.core.prices
    cover_last[stage.item.key] = pips(12.0)
    stage.next_day()
    assert cover.exit_source is e.Source.BREACHED_ON_ARRIVAL
    stage.check()


def test_c2_a_restart_in_the_night_changes_nothing() -> None:
    """Stopped while carried and started before the opening: the opening does the same."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.0, product=Product.CNC)
    stage.end_day()
    stage.start()
    cover = stage.engine.state.covers[cover.order_id]
    assert state(cover) is State.CARRIED
    stage.next_day()
    stage.run(1)
    assert state(cover) is State.COVERED
    stage.check()


def test_c2_a_contract_that_ended_in_the_night_is_left_alone() -> None:
    """Its day of settlement paid it out: the next opening finds nothing to protect."""
    item = stock(segment="FutureOption", expiry="2026-11-23", slm_allowed=True)
    stage = Stage(item)
    cover = stage.held(BUY, 100, 12.0, product=Product.NRML)
    stage.end_day()
    assert cover.position == 0, "it was not paid out"
    stage.next_day()
    stage.run(1)
    assert state(cover) is State.CARRIED
    assert not [order for order in cover.exits if order.live]
    stage.check()


# --- C8: trailing by whole steps --------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
def test_c8_a_stop_trails_by_whole_steps(side: Side) -> None:
    """Step 0.10 from 13.00 with the stop half a rupee behind: never a part of a step."""
    sign = 1 if side is BUY else -1
    stage = Stage()
    cover = stage.held(side, 100, 13 - sign * 0.5, step=0.1)
    stops = []
    for moved in (0.09, 0.10, 0.25, 0.34, 0.44):
        stage.price(13 + sign * moved)
        stops.append(cover.exits[-1].trigger_price_pips)
    assert stops == [pips(13 - sign * behind) for behind in (0.5, 0.4, 0.3, 0.2, 0.1)]
    stage.check()


def test_c8_a_gap_over_many_steps_is_one_move_of_whole_steps() -> None:
    """From 13.00 to 14.37 with step 0.10: thirteen steps at once, one change at the exchange."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.5, step=0.1)
    since_ns = stage.clock.at_ns
    stage.price(14.37)
    assert cover.exits[-1].trigger_price_pips == pips(13.8)
    assert len(stage.sent(since_ns + 1)) <= 1
    stage.price(13.9)  # It never goes back.
    assert cover.stop.price_pips == pips(13.8)
    stage.check()


def test_c8_after_a_change_of_the_stop_steps_count_from_there() -> None:
    """The stop moved to 12.60 while 13.00 trades: the next step is taken at 13.10, to 12.70."""
    stage = Stage()
    cover = stage.held(BUY, 100, 12.5, step=0.1)
    stage.plan_stop(cover, stop=12.6)
    for last, stop in ((13.09, 12.6), (13.15, 12.7), (13.19, 12.7), (13.2, 12.8)):
        stage.price(last)
        assert cover.exits[-1].trigger_price_pips == pips(stop), last
    stage.plan_stop(cover, step=0.3)
    for last, stop in ((13.4, 12.8), (13.55, 13.1)):
        stage.price(last)
        assert cover.exits[-1].trigger_price_pips == pips(stop), last
    stage.check()


def test_c8_a_step_off_the_tick_is_refused() -> None:
    """Steps are whole ticks, at placement and in a change: half a tick names the field."""
    stage = Stage(stock(tick_pips=500))
    cover = stage.held(BUY, 100, 12.5, step=0.1)
    outcome = stage.plan_stop(cover, step=0.07)
    assert not isinstance(outcome, Answer)
    assert outcome.reason == "trailing_step_must_fit"
    assert cover.trailing_step_pips == pips(0.1)
