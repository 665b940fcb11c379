"""The exchange against the naive exchange and against its own replay, event by event."""

import random
from collections import Counter

import pytest
from hypothesis import given

from kavach.exchange import messages as m
from kavach.exchange.exchange import Exchange
from tests.exchange.schedules import (
    INSTRUMENTS,
    Action,
    SideBySide,
    actions,
    calm_action,
    random_action,
)


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


def test_snapshot_anywhere() -> None:
    """An exchange restored from a snapshot goes on exactly as the one it was taken from."""
    chance = random.Random(11)
    world = SideBySide()
    for _ in range(600):
        world.step(random_action(chance))
    assert world.real.snapshot().orders, "the snapshot should hold orders"
    # The house's orders do not survive, so both go on without them.
    for segment in {item.exchange for item in INSTRUMENTS}:
        world.step(("phase", segment, m.Phase.OPEN))
    for item in INSTRUMENTS:
        world.step(("house_quotes", item.key, [], []))
    house_free = Exchange(INSTRUMENTS)
    house_free.restore(world.real.snapshot())
    assert house_free.state_hash() == world.real.state_hash()
    replay = Exchange(INSTRUMENTS)
    replay.restore(world.real.snapshot())
    for _ in range(300):
        for event in world.step(random_action(chance)):
            replay.apply(event)
        assert replay.state_hash() == world.real.state_hash()


def audit(events: list[m.Event]) -> dict[str, int]:
    """What is left of each order that lives, by the events alone; asserts that they add up."""
    left: dict[str, int] = {}
    filled: Counter[str] = Counter()
    halves: dict[str, list[m.Traded]] = {}
    for event in events:
        match event:
            case m.Accepted():
                left[event.exchange_order_id] = event.order.quantity
            case m.Amended():
                order_id = event.exchange_order_id
                left[order_id] = event.quantity - filled[order_id]
                assert left[order_id] > 0
            case m.Traded():
                filled[event.exchange_order_id] += event.quantity
                left[event.exchange_order_id] -= event.quantity
                assert left[event.exchange_order_id] >= 0
                halves.setdefault(event.trade_id, []).append(event)
                if left[event.exchange_order_id] == 0:
                    del left[event.exchange_order_id]
            case m.Removed():
                assert event.filled_quantity == filled[event.exchange_order_id]
                assert left.pop(event.exchange_order_id) > 0
            case _:
                pass
    for trade in halves.values():
        assert len({(half.quantity, half.price_pips) for half in trade}) == 1
        assert sorted(half.active for half in trade) in ([False], [True], [False, True])
    return left


def live_orders(exchange: Exchange) -> dict[str, int]:
    """What is left of each order that lives, by the exchange itself."""
    return {
        order.exchange_order_id: order.quantity - order.filled_quantity
        for order in exchange.snapshot().orders
    }
