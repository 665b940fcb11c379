"""
The post between the core and the embedded exchange: it may be late, twice, lost, or cut off.

The exchange always knows; what the core has been told is another matter. Reports that it should
have had and has not are kept here, an order at a time, until they are delivered or asked for. So
the truth is never lost, only late: a query or a snapshot is answered with it, also after a crash,
because what is undelivered is found again by comparing the exchange's events with the core's.

Times are nanoseconds.

Source: docs/twin.md (faults, link); docs/spec/cover_order.md.
"""

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from kavach.core.events import OrderTraded, Report


class DelayedReports:
    """Reports on their way, and reports that never arrived."""

    def __init__(self) -> None:
        self.up = True
        self._undelivered: dict[int, list[Report]] = {}
        self._late: list[tuple[int, int, Report]] = []  # Due, a counter that keeps order, what.
        self._sent = 0

    def hold(self, report: Report) -> None:
        """Keep a report that the core has not been told."""
        self._undelivered.setdefault(report.tag, []).append(report)

    def delay(self, report: Report, due_ns: int) -> None:
        """Tell the core later; until then it counts as untold."""
        self.hold(report)
        self._sent += 1
        heappush(self._late, (due_ns, self._sent, report))

    def next_due_ns(self) -> int | None:
        """Return when the next late report arrives."""
        return self._late[0][0] if self._late else None

    def take_due(self, now_ns: int) -> list[Report]:
        """Return the late reports that have arrived by now; none while the link is down."""
        arrived = []
        while self._late and self._late[0][0] <= now_ns:
            report = heappop(self._late)[2]
            if self.up and self.delivered(report):
                arrived.append(report)
        return arrived

    def delivered(self, report: Report) -> bool:
        """Return whether a report was untold until now, and count it as told."""
        held = self._undelivered.get(report.tag, [])
        for index, other in enumerate(held):
            if same(other, report):
                del held[index]
                if not held:
                    del self._undelivered[report.tag]
                return True
        return False

    def take(self, tag: int) -> list[Report]:
        """Return what the core was never told of an order, and count it as told."""
        return self._undelivered.pop(tag, [])

    def undelivered(self) -> list[int]:
        """Return the orders of which something is untold."""
        return list(self._undelivered)

    def every_undelivered(self) -> list[Report]:
        """Return every report that the core was never told, an order's in their order."""
        return [report for reports in self._undelivered.values() for report in reports]

    def reconcile(self, told: Iterable[Report], happened: Iterable[Report]) -> None:
        """Learn from a record what happened and what the core was told of it."""
        pending = list(told)
        for report in happened:
            match = next((other for other in pending if same(other, report)), None)
            if match is None:
                self.hold(report)
            else:
                pending.remove(match)
        for report in pending:
            self.delivered(report)


def same(one: Report, other: Report) -> bool:
    """Return whether two reports tell the same thing; which request they answer aside."""
    if type(one) is not type(other) or one.tag != other.tag:
        return False
    if isinstance(one, OrderTraded) and isinstance(other, OrderTraded):
        return one.trade_id == other.trade_id
    return True


def all_same(some: Sequence[Report], others: Sequence[Report]) -> bool:
    """Return whether two lists tell the same things in the same order."""
    return len(some) == len(others) and all(map(same, some, others))
