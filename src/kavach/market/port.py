"""
What a market needs: an exchange to act at, and a clock to see how far it is behind.

Source: ARCHITECTURE.md, "One order's journey".
"""

from fractions import Fraction
from typing import Protocol

from kavach.engine.venue_port import ExecutionReport
from kavach.exchange.exchange import Exchange
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.units import InstrumentKey


class LiquidityVenue(Protocol):
    """The embedded venue: an exchange, and how the core hears what happens there."""

    @property
    def exchange(self) -> Exchange:
        """The exchange inside."""

    def reports_of(self, events: list[ExchangeEvent], key: InstrumentKey) -> ExecutionReport:
        """Return events of one instrument as the core hears them."""


class Time(Protocol):
    """How time goes."""

    @property
    def heading_ns(self) -> int:
        """The time, or where the clock is just being taken."""

    @property
    def speed(self) -> Fraction:
        """How many seconds pass in one second of the wall."""
