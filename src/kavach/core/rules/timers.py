"""
Who is to be called again, and for what: at a time, or when a price moves.

Nothing here is state: it is computed anew from the orders after a restart. An order has at most
one time at which it wants to be called; a later wish replaces an earlier one.

Times are nanoseconds.
"""

from heapq import heappop, heappush

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.units import InstrumentKey


class Timers:
    """Timers and price watches of orders."""

    def __init__(self) -> None:
        self.known: set[int] = set()  # Who may have a timer or a price watch.
        self._watching: dict[InstrumentKey, dict[int, ParentOrder]] = {}
        self._heap: list[tuple[int, int]] = []
        self._wake_of: dict[int, int] = {}

    def watch(self, parent: ParentOrder, *, wants: bool) -> None:
        """Call the order when its instrument's price moves, or no longer."""
        if wants:
            self.known.add(parent.order_id)
            self._watching.setdefault(parent.instrument, {})[parent.order_id] = parent
        elif self._watching:
            watching = self._watching.get(parent.instrument)
            if watching:
                watching.pop(parent.order_id, None)

    def wake(self, order_id: int, at_ns: int) -> None:
        """Call the order at this time; 0: at none."""
        if at_ns == 0:
            if self._wake_of:
                self._wake_of.pop(order_id, None)
        elif self._wake_of.get(order_id) != at_ns:
            self.known.add(order_id)
            self._wake_of[order_id] = at_ns
            heappush(self._heap, (at_ns, order_id))

    def wake_by(self, order_id: int, at_ns: int) -> None:
        """Call the order at this time, unless it is to be called before."""
        if self._wake_of.get(order_id, at_ns) >= at_ns:
            self.wake(order_id, at_ns)

    def watchers(self, instrument: InstrumentKey) -> list[ParentOrder]:
        """Return who wants to know this instrument's price."""
        watching = self._watching.get(instrument)
        return list(watching.values()) if watching else []

    def next_due_ns(self) -> int | None:
        """Return when the next order is to be called, if any is."""
        while self._heap:
            at_ns, order_id = self._heap[0]
            if self._wake_of.get(order_id) == at_ns:
                return at_ns
            heappop(self._heap)  # Replaced since.
        return None

    def take_due(self, now_ns: int) -> int | None:
        """Return the next order that is due by now, and forget that it is."""
        due_ns = self.next_due_ns()
        if due_ns is None or due_ns > now_ns:
            return None
        _, order_id = heappop(self._heap)
        del self._wake_of[order_id]
        return order_id
