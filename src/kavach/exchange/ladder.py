"""
Orders in price-time priority: a ladder of price levels, each level a queue.

One ladder holds one side of a book, or the waiting stops of one side. A level is a doubly
linked list threaded through the orders themselves, so that an order leaves in constant time
however many rest with it. The prices of the levels are a sorted list whose *end* is the best:
the best price is one index away, and a level that comes or goes near it moves little. The list
can't grow past the number of ticks inside the day's band.

Source: docs/spec/exchange.md (the book).
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

from kavach.exchange.messages import SelfTrade
from kavach.units import InstrumentKey, OrderType, Side, Validity

LIQUIDITY: Final = ""  # The account of the anonymous rest of the market.


class Order:
    """
    One live order: a client's, or the house's.

    Plain ints and no checks: it changes only by ``State.apply`` and, for the house, by matching.
    """

    __slots__ = (
        "account",
        "counted",
        "disclosed",
        "doom",
        "exchange_order_id",
        "filled",
        "group",
        "instrument",
        "level",
        "next",
        "order_ref",
        "order_type",
        "prev",
        "price",
        "priority",
        "quantity",
        "self_trade",
        "side",
        "trigger",
        "triggered",
        "validity",
        "visible",
    )

    def __init__(
        self,
        instrument: InstrumentKey,
        order_ref: int,
        exchange_order_id: str,
        account: str,
        side: Side,
        order_type: OrderType,
        quantity: int,
        disclosed: int,
        price: int,
        trigger: int,
        validity: Validity,
        self_trade: SelfTrade,
        priority: int,
        group: int = 0,
    ) -> None:
        self.instrument = instrument
        self.order_ref = order_ref
        self.exchange_order_id = exchange_order_id
        self.account = account
        self.side = side
        self.order_type = order_type  # How it behaves now: a triggered SL is a LIMIT.
        self.quantity = quantity
        self.filled = 0
        self.counted = 0  # What counts against the quantity: ``filled``, and what its link traded.
        self.disclosed = disclosed
        self.visible = disclosed or quantity
        self.price = price
        self.trigger = trigger
        self.triggered = False
        self.validity = validity
        self.self_trade = self_trade
        self.priority = priority
        self.group = group
        self.doom: tuple[int, str] | None = None  # With what it is removed when it fires.
        self.level: Level | None = None
        self.prev: Order | None = None
        self.next: Order | None = None

    @property
    def leaves(self) -> int:
        """What may still trade."""
        return self.quantity - self.counted


class Level:
    """The queue at one price, and its sums."""

    __slots__ = ("count", "head", "ladder", "price", "tail", "visible")

    def __init__(self, ladder: "Ladder", price: int) -> None:
        self.ladder = ladder
        self.price = price
        self.head: Order | None = None
        self.tail: Order | None = None
        self.count = 0
        self.visible = 0


class Ladder:
    """Levels sorted so that the best is last: ``sign`` is 1 where high is best, else -1."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: dict[int, Level] = {}
        self.keys: list[int] = []  # Price times sign, ascending.

    def best(self) -> Level | None:
        """Return the level that trades, or fires, first."""
        keys = self.keys
        return self.levels[keys[-1] * self.sign] if keys else None

    def add(self, order: Order, price: int) -> None:
        """Put the order last in the queue at this price."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level(self, price)
            insort(self.keys, price * self.sign)
        tail = level.tail
        if tail is None:
            level.head = order
        else:
            tail.next = order
            order.prev = tail
        level.tail = order
        level.count += 1
        level.visible += order.visible
        order.level = level

    @property
    def visible(self) -> int:
        """What all levels show together."""
        return sum(level.visible for level in self.levels.values())

    def top(self, levels: int) -> list[Level]:
        """Return the best levels, best first."""
        return [self.levels[key * self.sign] for key in self.keys[: -levels - 1 : -1]]

    def __iter__(self) -> Iterator[Order]:
        """Walk the orders, best price first, then by time."""
        for key in reversed(self.keys):
            order = self.levels[key * self.sign].head
            while order is not None:
                yield order
                order = order.next


def unlink(order: Order) -> None:
    """Take the order out of its ladder."""
    level = order.level
    assert level is not None, order.exchange_order_id
    before, after = order.prev, order.next
    if before is None:
        level.head = after
    else:
        before.next = after
        order.prev = None
    if after is None:
        level.tail = before
    else:
        after.prev = before
        order.next = None
    order.level = None
    level.count -= 1
    level.visible -= order.visible
    if level.count == 0:
        ladder = level.ladder
        del ladder.levels[level.price]
        keys = ladder.keys
        del keys[bisect_left(keys, level.price * ladder.sign)]
