"""
What the API asks of the engine: to run a command, to say when it is durable, and to be read.

Source: ARCHITECTURE.md, "One order's journey".
"""

from collections.abc import Mapping
from typing import Protocol

from kavach.core.commands import Command
from kavach.core.model.state import OmsState
from kavach.core.refusals import Outcome
from kavach.core.rules.pending import PendingRequest
from kavach.engine.quote import Quote
from kavach.instruments import Instrument
from kavach.units import InstrumentKey


class EngineView(Protocol):
    """An engine for reading."""

    @property
    def state(self) -> OmsState:
        """The state as it is now."""

    @property
    def instruments(self) -> Mapping[InstrumentKey, Instrument]:
        """Everything that can be traded."""

    def now_ns(self) -> int:
        """Return the engine's time."""

    def quote(self, key: InstrumentKey) -> Quote:
        """Return an instrument as everybody sees it."""

    def last_price_pips(self, key: InstrumentKey) -> int:
        """Return what an instrument last traded at; before it has, the previous close."""


class Backend(EngineView, Protocol):
    """An engine, as the gateway uses it."""

    def execute(self, command: Command) -> Outcome:
        """Return what the core made of a command; not durable yet."""

    def pending(self) -> PendingRequest | None:
        """Return the command just executed, if the venue has still to say what becomes of it."""

    async def decided(self, ticket: PendingRequest, seconds: float) -> Outcome:
        """Return what became of a command once the venue has said so, or after this long."""

    def may_answer(self) -> bool:
        """Return whether anything may be told now, of what is durable or to be done."""

    async def until_durable(self) -> None:
        """Return when everything executed so far is durable; raises ``JournalError``."""

    def real_ns(self) -> int:
        """Return real nanoseconds since some moment, whatever an operator does to the clock.

        What guards against strangers goes by it: a clock that runs 3 600 times as fast would
        forgive their guesses in a quarter of a second, and one that stands would never end a code.
        """

    def attend(self, key: InstrumentKey) -> None:
        """Have a market made in an instrument that a client looks at; cheap to repeat."""

    def seconds_until(self, at_ns: int) -> float | None:
        """Return how many real seconds until the engine's time is this; None while it stands."""
