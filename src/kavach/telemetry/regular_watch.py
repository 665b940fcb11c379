"""
Regular orders by state: the living ones, and how many ended how.

As with cover orders nothing is looked for: a step names whom it touched.

Source: docs/operating.md.
"""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from kavach.core.model.regular.events import RegularOrderEnded
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.regular.tables import TERMINAL, RegularState
from kavach.core.model.state import OmsState
from kavach.telemetry import metrics


class RegularWatch:
    """What is counted of regular orders; what has ended is counted on from engine to engine."""

    def __init__(self) -> None:
        self._ended: Counter[str] = Counter()
        self._living: dict[int, str] = {}
        self._by_state: Counter[str] = Counter()

    def watch(self, state: OmsState) -> None:
        """Begin with the living of this state."""
        living = [order for order in state.regulars.values() if not order.over]
        self._living = {order.order_id: order.state.value for order in living}
        self._by_state = Counter(self._living.values())

    def look(self, order: RegularOrder) -> None:
        """Take a touched order for what it is now."""
        before = self._living.pop(order.order_id, None)
        if before is not None:
            self._by_state[before] -= 1
        if not order.over:
            after = order.state.value
            self._living[order.order_id] = after
            self._by_state[after] += 1

    def end(self, event: RegularOrderEnded) -> None:
        """Count an end."""
        self._ended[event.state] += 1

    def collect(self) -> Iterator[Family]:
        """Yield the figures."""
        living = [((s.value,), self._by_state[s.value]) for s in RegularState if s not in TERMINAL]
        yield metrics.counts(metrics.REGULAR_ORDERS, living)
        ended = [((s.value,), self._ended[s.value]) for s in RegularState if s in TERMINAL]
        yield metrics.counts(metrics.REGULAR_ENDED, ended)
