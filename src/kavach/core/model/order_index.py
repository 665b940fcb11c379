"""
Where orders are found without a search: those that are open, those of a day, what they block.

Nothing here is state of its own. It follows from the orders, is kept as they are placed, end and
are opened again, and is made anew from a snapshot; so it is in no snapshot and in no hash.

An order belongs to every day on which it was open at some time: to that on which it was placed,
to those it lived through, and to that on which it ended. Most end on the day on which they were
placed; the others are kept apart, so that a day's orders are found without looking at the rest.

Times are nanoseconds.

Source: docs/decisions/0026-what-is-open-and-what-was.md.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from kavach.core.day import next_midnight_ns
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.units import InstrumentKey, Product, Side

Blocked = dict[tuple[str, Product], int]  # By the instrument's segment, and product; paise.


class OrderIndex:
    """Orders of all clients by what is asked for most."""

    def __init__(self) -> None:
        self._all: dict[str, list[ParentOrder]] = {}  # By client, oldest first.
        self._living: dict[str, dict[int, ParentOrder]] = {}  # The same, without those over.
        # By client, those that ended on another day than they were placed, in order of their ends.
        self._overnight: dict[str, list[ParentOrder]] = {}
        self._square_offs: dict[tuple[str, InstrumentKey], list[RegularOrder]] = {}
        self.linked: dict[int, CoverOrder] = {}  # Whose exits shared a quantity in this session.
        # By client, those that sell delivery, unless they are over and hold nothing.
        self._lenders: dict[str, dict[int, CoverOrder]] = {}
        # By client and the client's own id, if it gave one; mostly it is of one order alone.
        self._called: dict[str, dict[int, ParentOrder | list[ParentOrder]]] = {}
        self.blocked: dict[str, Blocked] = {}  # By client, what orders block by themselves.

    def open_client(self, client_id: str) -> None:
        """Begin with no orders."""
        self._all[client_id] = []
        self._living[client_id] = {}
        self._overnight[client_id] = []
        self._called[client_id] = {}
        self._lenders[client_id] = {}
        self.blocked[client_id] = defaultdict(int)

    @property
    def by_client(self) -> dict[str, list[ParentOrder]]:
        """Every order, by client, oldest first."""
        return self._all

    def add(self, parent: ParentOrder) -> None:
        """Take an order that was placed last of all of its client."""
        self._all[parent.client_id].append(parent)
        self._living[parent.client_id][parent.order_id] = parent
        self._lend(parent)
        if parent.user_order_id:
            called = self._called[parent.client_id]
            others = called.setdefault(parent.user_order_id, parent)
            if isinstance(others, list):
                others.append(parent)
            elif others is not parent:
                called[parent.user_order_id] = [others, parent]
        if isinstance(parent, RegularOrder) and parent.squares_off:
            key = parent.client_id, parent.instrument
            self._square_offs.setdefault(key, []).append(parent)

    def end(self, parent: ParentOrder) -> None:
        """Take an order from those that are open."""
        self._living[parent.client_id].pop(parent.order_id, None)
        if not parent.position:
            self._lenders[parent.client_id].pop(parent.order_id, None)
        if parent.ended_at_ns >= next_midnight_ns(parent.placed_at_ns):
            self._overnight[parent.client_id].append(parent)

    def reopen(self, parent: ParentOrder) -> None:
        """Count an order among the open ones again, in the place that is its own."""
        living, overnight = self._living[parent.client_id], self._overnight[parent.client_id]
        living[parent.order_id] = parent
        found = sorted(living.values(), key=_age)
        living.clear()
        living.update((one.order_id, one) for one in found)
        if parent in overnight:
            overnight.remove(parent)
        self._lend(parent)

    def _lend(self, parent: ParentOrder) -> None:
        """Count an order among those that sell delivery, if it does."""
        if not isinstance(parent, CoverOrder):
            return
        if parent.side is Side.SELL and parent.product is Product.CNC:
            self._lenders[parent.client_id][parent.order_id] = parent
        if parent.link:
            self.linked[parent.order_id] = parent

    def lenders(self, client_id: str) -> Iterable[CoverOrder]:
        """Return a client's cover orders that sell delivery and may hold or still trade some."""
        return self._lenders.get(client_id, {}).values()

    def restored(self) -> None:
        """Put those that ended in order: a snapshot has them as they were placed."""
        for orders in self._overnight.values():
            orders.sort(key=_ended_at_ns)

    def living_of(self, client_id: str) -> list[ParentOrder]:
        """Return a client's open orders, oldest first."""
        return list(self._living.get(client_id, {}).values())

    def all_living(self) -> list[ParentOrder]:
        """Return every open order, by client, oldest first."""
        return [parent for living in self._living.values() for parent in living.values()]

    def between(self, client_id: str, start_ns: int, end_ns: int) -> list[ParentOrder]:
        """Return a client's orders that were open at some time from start to before end.

        Oldest first. The start is a midnight.
        """
        every = self._all.get(client_id, [])
        first = bisect_left(every, start_ns, key=_placed_at_ns)
        last = bisect_left(every, end_ns, lo=first, key=_placed_at_ns)
        overnight = self._overnight.get(client_id, [])
        ended = overnight[bisect_left(overnight, start_ns, key=_ended_at_ns) :]
        before = [one for one in ended if one.placed_at_ns < start_ns]
        for one in self._living.get(client_id, {}).values():
            if one.placed_at_ns >= start_ns:
                break
            before.append(one)
        return [*sorted(before, key=_age), *every[first:last]]

    def called(self, client_id: str, user_order_id: int) -> list[ParentOrder]:
        """Return a client's orders to which it gave this id of its own, oldest first."""
        if not user_order_id:
            return [one for one in self._all.get(client_id, ()) if not one.user_order_id]
        found = self._called.get(client_id, {}).get(user_order_id, [])
        return list(found) if isinstance(found, list) else [found]

    def square_offs(self, client_id: str, instrument: InstrumentKey) -> Sequence[RegularOrder]:
        """Return the system's own orders that gave back a position, oldest first."""
        return self._square_offs.get((client_id, instrument), ())

    def every(self) -> Iterable[ParentOrder]:
        """Yield every order of every kind once."""
        for orders in self._all.values():
            yield from orders


def _placed_at_ns(parent: ParentOrder) -> int:
    return parent.placed_at_ns


def _ended_at_ns(parent: ParentOrder) -> int:
    return parent.ended_at_ns


def _age(parent: ParentOrder) -> tuple[int, int]:
    return parent.placed_at_ns, parent.order_id
