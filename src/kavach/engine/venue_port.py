"""
What the engine asks of a venue: to take requests, and to say what comes of them.

A venue that is inside (the embedded exchange) answers within the call and keeps its own state;
what happens to that state is journaled in the same record as what the core decided, so that
after a crash the two cannot disagree. A venue that is far away returns no report from ``send``
and tells the engine later.

Source: docs/spec/cover_order.md, "What the system owes"; ARCHITECTURE.md, "One order's journey".
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from kavach.core.events import Event as CoreEvent
from kavach.core.events import ExecutionReport as Said
from kavach.core.events import Request
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.units import InstrumentKey


class ExecutionReport(Protocol):
    """What a venue said in answer to something."""

    @property
    def reports(self) -> Sequence[Said]:
        """What happened to our orders, in order."""

    @property
    def moved(self) -> dict[InstrumentKey, int]:
        """Instruments that traded, with their last price in pips."""

    @property
    def journaled(self) -> list[ExchangeEvent]:
        """What happened inside the venue, for the step's record; empty if it is far away."""


class Venue(Protocol):
    """Where orders go."""

    @property
    def links_orders(self) -> bool:
        """Whether orders can share one quantity there; without that there are no brackets."""

    def send(
        self, request: Request, order: VenueOrder, parent: ParentOrder, at_ns: int
    ) -> ExecutionReport:
        """Return what the venue says at once to a request for one order of a cover order."""

    def statuses(self, orders: Iterable[VenueOrder]) -> ExecutionReport:
        """Return what the venue knows of these orders, or nothing if it tells later."""

    def replay(self, events: Sequence[ExchangeEvent], told: Iterable[CoreEvent]) -> None:
        """Let a record have happened inside the venue again; used at start only.

        ``told`` is what happened to the core in the same step, reports of the venue among it.
        """

    def prices(self) -> dict[InstrumentKey, int]:
        """Return the last traded prices the venue knows, in pips."""

    def snapshot(self) -> bytes:
        """Return the venue's own state; empty if it is far away."""

    def restore(self, snapshot: bytes) -> None:
        """Become the state of a snapshot; used at start only."""

    def state_hash(self) -> str:
        """Return the hash of the venue's own state; empty if it is far away."""


@runtime_checkable
class SparesPrices(Protocol):
    """A venue inside, whose prices are in a record only if a rule may have looked at them."""

    def spare(self, events: Sequence[ExchangeEvent]) -> bool:
        """Return whether a step of these events needs no record; such prices are told later."""

    def record(
        self, keys: Callable[[], set[InstrumentKey]], events: Sequence[ExchangeEvent]
    ) -> Sequence[ExchangeEvent]:
        """Return what a record about these instruments holds of the venue, these events last."""
