"""The exchange against the naive exchange and against its own replay, event by event."""

import random
from collections import Counter

import pytest
from hypothesis import given

from kavach.exchange import messages as m
from kavach.exchange.codes import Code
from kavach.exchange.exchange import Exchange
from kavach.units import Exchange as Segment
from kavach.units import Phase, TimestampNs
from tests.unit.exchange.schedules import (
    INSTRUMENTS,
    Action,
    SideBySide,
    actions,
    calm_action,
    linked_action,
    random_action,
)

Link = tuple[str, str, str, int | str]


@given(actions())
def test_any_schedule(schedule: list[Action]) -> None:
    """Events, depth and state hash equal the naive exchange's and the replay's at every step."""
    world = SideBySide()
    for action in schedule:
        world.step(action)
    assert audit(world.events) == live_orders(world.real)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_day(seed: int) -> None:
    """A long seeded day agrees at every step, and every kind of event happens in it."""
    chance = random.Random(seed)
    world = SideBySide()
    for _ in range(2_000):
        world.step(random_action(chance))
    assert audit(world.events) == live_orders(world.real)
    kinds = Counter(type(event) for event in world.events)
    assert all(kinds[kind] >= 5 for kind in m.Event.__subclasses__()), kinds


@pytest.mark.parametrize("seed", range(2))
def test_a_calm_day(seed: int) -> None:
    """Long queues, cancelled and amended in their middle, keep every order in its place."""
    chance = random.Random(seed)
    world = SideBySide()
    longest = 0
    for _ in range(1_000):
        world.step(calm_action(chance))
        bids, asks = world.real.depth(INSTRUMENTS[0].key)
        longest = max([longest, *(count for _, _, count in bids + asks)])
    assert audit(world.events) == live_orders(world.real)
    assert longest >= 20


@pytest.mark.parametrize("seed", range(3))
def test_a_day_of_links(seed: int) -> None:
    """Targets and stops that share quantities agree at every step and take each other out."""
    chance = random.Random(seed)
    world = SideBySide()
    for _ in range(1_000):
        world.step(linked_action(chance))
    assert audit(world.events) == live_orders(world.real)
    codes = Counter(getattr(event, "code", 0) for event in world.events)
    assert min(codes[Code.GROUP_FILLED], codes[Code.QUANTITY_TRADED_BY_GROUP]) >= 5, codes


def test_a_snapshot_of_links() -> None:
    """An exchange restored among half-traded links goes on as the one it was taken from."""
    chance = random.Random(5)
    world = SideBySide()
    world.step(("phase", Segment.NSE, "", Phase.OPEN))
    for _ in range(400):
        action = linked_action(chance)
        if action[0] not in ("phase", "liquidity_order"):
            world.step(action)
        elif action[0] == "liquidity_order":
            world.step(("liquidity_order", action[1], action[2], None, action[4]))
    taken = world.real.snapshot()
    traded = {(group.account, group.group) for group in taken.groups}
    assert traded & {(order.account, order.group) for order in taken.orders}
    restored, replayed = Exchange(INSTRUMENTS), Exchange(INSTRUMENTS)
    restored.restore(taken)
    replayed.restore(taken)
    for _ in range(100):
        action = linked_action(chance)
        if action[0] == "submit":
            expected = world.step(action)
            assert restored.submit(action[1], TimestampNs(world.now)) == expected
            for event in expected:
                replayed.apply(event)
        assert restored.state_hash() == world.real.state_hash() == replayed.state_hash()


def test_snapshot_anywhere() -> None:
    """An exchange restored from a snapshot goes on exactly as the one it was taken from."""
    chance = random.Random(11)
    world = SideBySide()
    for _ in range(600):
        world.step(random_action(chance))
    assert world.real.snapshot().orders, "the snapshot should hold orders"
    # The house's orders do not survive, so both go on without them.
    for segment in {item.exchange for item in INSTRUMENTS}:
        world.step(("phase", segment, "", Phase.OPEN))
    for item in INSTRUMENTS:
        world.step(("liquidity_quotes", item.key, [], []))
    liquidity_free = Exchange(INSTRUMENTS)
    liquidity_free.restore(world.real.snapshot())
    assert liquidity_free.state_hash() == world.real.state_hash()
    replay = Exchange(INSTRUMENTS)
    replay.restore(world.real.snapshot())
    for _ in range(300):
        for event in world.step(random_action(chance)):
            replay.apply(event)
        assert replay.state_hash() == world.real.state_hash()


def audit(events: list[m.Event]) -> dict[str, int]:
    """
    What is left of each order that lives, by the events alone; asserts that they add up.

    What linked orders trade is summed for the link, and never exceeds the largest quantity that
    one of them was given in the session.
    """
    living: dict[str, m.NewOrder] = {}
    total: dict[str, int] = {}
    filled: Counter[str] = Counter()
    shared: Counter[Link] = Counter()
    given: dict[Link, int] = {}
    halves: dict[str, list[m.Traded]] = {}

    def give(order_id: str, quantity: int) -> None:
        group = _group(order_id, living[order_id])
        total[order_id] = quantity
        given[group] = max(quantity, given.get(group, 0))
        assert left(order_id) > 0

    def left(order_id: str) -> int:
        return total[order_id] - shared[_group(order_id, living[order_id])]

    for event in events:
        match event:
            case m.Accepted():
                living[event.exchange_order_id] = event.order
                give(event.exchange_order_id, event.order.quantity)
            case m.Amended():
                give(event.exchange_order_id, event.quantity)
            case m.Traded():
                order_id = event.exchange_order_id
                group = _group(order_id, living[order_id])
                filled[order_id] += event.quantity
                shared[group] += event.quantity
                assert shared[group] <= given[group]
                assert left(order_id) >= 0
                halves.setdefault(event.trade_id, []).append(event)
                if filled[order_id] == total[order_id]:
                    del living[order_id]
            case m.Removed():
                assert event.filled_quantity == filled[event.exchange_order_id]
                assert (left(event.exchange_order_id) > 0) == (event.code != Code.GROUP_FILLED)
                del living[event.exchange_order_id]
            case m.PhaseChanged(phase=Phase.CLOSED):
                ended = {
                    i.key
                    for i in INSTRUMENTS
                    if i.exchange is event.exchange and event.session in ("", i.session)
                }
                for group in [group for group in given if group[0] in ended]:
                    del given[group], shared[group]
            case _:
                pass
    for trade in halves.values():
        assert len({(half.quantity, half.price_pips) for half in trade}) == 1
        assert sorted(half.active for half in trade) in (
            [False],
            [True],
            [False, True],
            [True, True],
        )
    assert all(left(order_id) > 0 for order_id in living)
    return {order_id: left(order_id) for order_id in living}


def _group(order_id: str, order: m.NewOrder) -> Link:
    """What an order shares its quantity with: itself alone, or all of its link."""
    number = order.group or order_id
    return order.instrument, order.account, order.side, number


def live_orders(exchange: Exchange) -> dict[str, int]:
    """What is left of each order that lives, by the exchange itself."""
    taken = exchange.snapshot()
    shared = {(i.instrument, i.account, i.side, i.group): i.filled_quantity for i in taken.groups}
    return {
        o.exchange_order_id: o.quantity
        - (
            shared.get((o.instrument, o.account, o.side, o.group), 0)
            if o.group
            else o.filled_quantity
        )
        for o in taken.orders
    }
