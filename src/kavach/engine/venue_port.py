"""
What the engine asks of a venue: to take requests, and to say what comes of them.

A venue that is inside (the embedded exchange) answers within the call and keeps its own state;
what happens to that state is journaled in the same record as what the core decided, so that
after a crash the two cannot disagree. A venue that is far away returns no report from ``send``
and tells the engine later.

Source: cover-order 5.6 (journal before wire); ARCHITECTURE.md, "One order's journey".
"""

from typing import Protocol

from kavach.core.cover_order import CoverOrder
from kavach.core.events import Report, Request
from kavach.core.venue_order import VenueOrder
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.units import InstrumentKey


class Heard(Protocol):
    """What a venue said in answer to something."""

    @property
    def reports(self) -> list[Report]:
        """What happened to our orders, in order."""

    @property
    def moved(self) -> dict[InstrumentKey, int]:
        """Instruments that traded, with their last price in pips."""

    @property
    def journaled(self) -> list[ExchangeEvent]:
        """What happened inside the venue, for the step's record; empty if it is far away."""


class Venue(Protocol):
    """Where orders go."""

    def send(self, request: Request, order: VenueOrder, cover: CoverOrder, at_ns: int) -> Heard:
        """Return what the venue says at once to a request for one order of a cover order."""

    def replay(self, event: ExchangeEvent) -> None:
        """Let something have happened inside the venue again; used at start only."""

    def prices(self) -> dict[InstrumentKey, int]:
        """Return the last traded prices the venue knows, in pips."""

    def snapshot(self) -> bytes:
        """Return the venue's own state; empty if it is far away."""

    def restore(self, snapshot: bytes) -> None:
        """Become the state of a snapshot; used at start only."""

    def state_hash(self) -> str:
        """Return the hash of the venue's own state; empty if it is far away."""
