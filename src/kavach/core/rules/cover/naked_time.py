"""
How long positions were not wholly protected, by clocks, once that is over.

Theory. An event is dated to when it was due. That is right for the rules: a stall of the process
moves no timer. But a position that was to be flattened after three seconds and was after thirteen,
because the engine was not called, would then look as if three had been enough. So a gap is also
timed by what clocks showed when a step began it and when a step ended it: the engine's, which an
operator may set, and a real one, which cannot be set. What is longer than all before is an event,
since no replay could find it out.

Kept here is only what a restart may forget: of a gap that was open then the engine's time since the
event that began it counts, and the real time since the restart.

Times are nanoseconds.

Source: docs/spec/cover_order.md; docs/operating.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kavach.core import events as e
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.rules.context import StepContext


@dataclass(frozen=True, slots=True)
class Gap:
    """One that is open: the event's time that began it, and what both clocks showed then."""

    since_ns: int
    clock_ns: int
    real_ns: int


class Gaps:
    """The gaps that are open, by cover order."""

    def __init__(self) -> None:
        self._open: dict[int, Gap] = {}

    def moved(self, changed_orders: Iterable[ParentOrder]) -> bool:
        """Return whether one of these has begun or ended a gap since it was looked at last."""
        known = self._open
        for parent in changed_orders:
            if type(parent) is CoverOrder:
                since_ns = parent.naked_since_ns
                if since_ns or known:
                    unconfirmed = known.get(parent.order_id)
                    if since_ns != (unconfirmed.since_ns if unconfirmed else 0):
                        return True
        return False

    def look(self, context: StepContext, clock_ns: int, real_ns: int) -> None:
        """Time what has begun or ended in this step, and emit the longest so far."""
        for parent in list(context.changed_orders.values()):
            if type(parent) is not CoverOrder:
                continue
            unconfirmed = self._open.get(parent.order_id)
            if unconfirmed is not None and unconfirmed.since_ns != parent.naked_since_ns:
                del self._open[parent.order_id]
                self._tell(
                    context, parent, clock_ns - unconfirmed.clock_ns, real_ns - unconfirmed.real_ns
                )
            if parent.naked_since_ns and parent.order_id not in self._open:
                unconfirmed = Gap(parent.naked_since_ns, clock_ns, real_ns)
                self._open[parent.order_id] = unconfirmed

    def _tell(self, context: StepContext, cover: CoverOrder, took_ns: int, really_ns: int) -> None:
        state = context.state
        if took_ns > state.naked_ns_max or really_ns > state.naked_real_ns_max:
            context.emit(e.NakedTimeMeasured(cover.order_id, took_ns, really_ns))

    def recovered(self, covers: Iterable[CoverOrder], real_ns: int) -> None:
        """Take up the gaps that were open when the process ended."""
        for cover in covers:
            if cover.naked_since_ns:
                unconfirmed = Gap(cover.naked_since_ns, cover.naked_since_ns, real_ns)
                self._open[cover.order_id] = unconfirmed

    def longest_real_ns(self, real_ns: int) -> int:
        """Return how long the oldest open gap has been so, in real time; 0: there is none."""
        return max(
            (real_ns - unconfirmed.real_ns for unconfirmed in self._open.values()), default=0
        )
