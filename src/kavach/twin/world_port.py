"""
What the control room asks of the world it controls: its engine, its clock and its exchange.

A reset replaces clock and exchange, so they are asked for each time and never kept.

Source: docs/twin.md.
"""

from typing import Protocol

from kavach.core.commands import Leg
from kavach.engine.service import Service
from kavach.engine.venue_port import ExecutionReport
from kavach.exchange.exchange import Exchange
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.twin.clock import TwinClock
from kavach.units import Exchange as Segment
from kavach.units import InstrumentKey, Phase


class LiquidityVenue(Protocol):
    """The embedded venue: an exchange, and how the core hears what happens there."""

    @property
    def exchange(self) -> Exchange:
        """The exchange inside."""

    def reports_of(self, events: list[ExchangeEvent], key: InstrumentKey) -> ExecutionReport:
        """Return events of one instrument as the core hears them."""

    def set_phase(
        self, exchange: Segment, phase: Phase, at_ns: int, session: str = ""
    ) -> ExecutionReport:
        """Bring a session, or all of an exchange, into a phase, and return what that did."""


class World(Protocol):
    """Everything that the control room controls."""

    @property
    def service(self) -> Service:
        """The engine in its event loop."""

    @property
    def clock(self) -> TwinClock:
        """The clock that the engine reads."""

    @property
    def venue(self) -> LiquidityVenue:
        """The venue that the engine sends to."""

    @property
    def in_cluster(self) -> bool:
        """Whether other machines may go on with it, so that its time and past are not its own."""

    def reset(self) -> None:
        """Become a fresh world with the same seed, demo client and tokens."""

    def add_fault(
        self,
        *,
        fault_id: str,
        on: str,
        leg: Leg | None,
        client_id: str | None,
        effect: str,
        code: int,
        reason: str,
        times: int,
        delay_ns: int,
    ) -> None:
        """Let the next ``times`` matching requests to the venue suffer this effect."""

    def set_link(self, *, up: bool) -> None:
        """Cut the link to the venue, or mend it and let a snapshot reconcile."""

    def audited(self, violations: int) -> None:
        """Hear how much an audit found wrong."""

    def clear_faults(self) -> None:
        """Let no request suffer any more."""
