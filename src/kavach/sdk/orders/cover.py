"""
A cover or bracket order as the order book shows it, and what became of a request to end it.

Such an order has no row of its own: it is the ENTRY row, the THIRD rows (the protective stop) and
of a bracket the SECOND rows (the target) that share a user order id. What really happened is read
from these rows alone. The answer to a cancel says only that the request was taken.

    leg    entry row               exits' rows                outcome
    ENTRY  cancelled               any                        CANCELLED
    ENTRY  complete or rejected    any                        TOO_LATE
    THIRD  cancelled, none traded  any                        CANCELLED
    THIRD  rejected                any                        TOO_LATE
    THIRD  closed, some traded     closed, as much traded     EXITED
    any    anything else           anything else              not known yet

SECOND means the same as THIRD: get me out.

Source: docs/spec/cover_order.md; docs/wire/README.md, "Cancelling and getting out";
docs/wire/README.md, "Rows".
"""

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from kavach.sdk.errors import Attempt, Kind
from kavach.sdk.requests.changes import CancelOutcome
from kavach.sdk.rows import Order

Ended = TypeVar("Ended")


class Leg(StrEnum):
    """Which part of an order is meant: THIRD is the stop, SECOND a bracket's target."""

    ENTRY = "ENTRY"
    SECOND = "SECOND"
    THIRD = "THIRD"


class CoverOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An entry and its protective stops, as the order book showed them at one moment."""

    entry: Order
    stops: tuple[Order, ...] = ()  # None before the entry's first fill.
    basket_id: str = ""  # Known only to whoever placed the order: rows do not carry it.
    shares_user_order_id: bool = False  # Another cover order has the same one.

    def __repr__(self) -> str:
        """Return its rows and whether it is protected, in a line."""
        rows = [f"{row.oms_order_id} {row.summary}" for row in (self.entry, *self.exits)]
        held = "over" if self.is_over else f"{self.quantity_held} held"
        bare = "" if self.is_protected else ", NOT PROTECTED"
        return f"<{type(self).__name__} {'; '.join(rows)}; {held}{bare}>"

    @property
    def kind(self) -> Kind:
        """Whether it is a cover or a bracket order."""
        return Kind.COVER

    @property
    def client_id(self) -> str:
        """Whose order it is."""
        return self.entry.client_id

    @property
    def oms_order_id(self) -> str:
        """The id of the entry."""
        return self.entry.oms_order_id

    @property
    def exchange_order_id(self) -> str:
        """The exchange's id of the entry; empty until it has acknowledged."""
        return self.entry.exchange_order_id

    @property
    def user_order_id(self) -> str:
        """The id given by whoever placed the order, as the order book spells it."""
        return self.entry.user_order_id

    @property
    def status(self) -> str:
        """The entry's status."""
        return self.entry.order_status

    @property
    def is_rejected(self) -> bool:
        """Whether the entry was refused after it had been accepted; the entry says why."""
        return self.entry.is_rejected

    @property
    def stop(self) -> Order | None:
        """The stop that protects, or the last one that did; ``None`` before the first fill."""
        return _latest(self.stops)

    @property
    def exits(self) -> tuple[Order, ...]:
        """Every row that sells what the entry has bought, or the reverse."""
        return self.stops

    def row_of(self, leg: Leg) -> Order | None:
        """Return the row of a leg, ``None`` while there is none."""
        return self.entry if leg == Leg.ENTRY else self.stop

    @property
    def quantity_held(self) -> int:
        """How much of the position this cover order opened is still there."""
        return self.entry.quantity_traded - sum(row.quantity_traded for row in self.exits)

    @property
    def is_protected(self) -> bool:
        """
        Whether everything that is held has a living stop, or exit, which the exchange confirmed.

        True when nothing is held. False while a stop is on its way, after the session's end (the
        exchange removes stops then), and when the stop can't be told from another order's.
        """
        waiting = sum(row.open_quantity for row in self.stops if row.is_working)
        return self.quantity_held <= 0 or self.quantity_held <= waiting

    @property
    def is_over(self) -> bool:
        """Whether nothing is working and nothing is held any more."""
        closed = all(row.is_closed for row in (self.entry, *self.exits))
        return closed and self.quantity_held <= 0


class BracketOrder(CoverOrder, frozen=True, kw_only=True):
    """A cover order that has a target as well; stop and target share what the entry has filled."""

    targets: tuple[Order, ...] = ()  # None before the entry's first fill.

    @property
    def kind(self) -> Kind:
        """Whether it is a cover or a bracket order."""
        return Kind.BRACKET

    @property
    def target(self) -> Order | None:
        """The target that waits, or the last one that did; ``None`` before the first fill."""
        return _latest(self.targets)

    @property
    def exits(self) -> tuple[Order, ...]:
        """Every row that sells what the entry has bought, or the reverse."""
        return (*self.stops, *self.targets)

    def row_of(self, leg: Leg) -> Order | None:
        """Return the row of a leg, ``None`` while there is none."""
        return self.target if leg == Leg.SECOND else super().row_of(leg)


def _latest(rows: tuple[Order, ...]) -> Order | None:
    """Return the row that lives, or the last one that did."""
    alive = [row for row in rows if not row.is_closed] or rows
    return alive[-1] if alive else None


class CancelResult(
    msgspec.Struct, Generic[Ended], frozen=True, kw_only=True, repr_omit_defaults=True
):
    """What became of a request to cancel or to exit, and the order as last seen."""

    outcome: CancelOutcome
    order: Ended
    attempt: Attempt | None = None  # For ``resolve``, while the outcome is not final.
    message: str = ""  # The server's own words, a refusal's included.
    reason: str = ""  # The server's stable word, where it sends one.
    request_id: str = ""

    @property
    def is_final(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.outcome not in (CancelOutcome.PENDING, CancelOutcome.UNKNOWN)


def judge(order: CoverOrder, leg: Leg) -> CancelOutcome | None:
    """Return what the rows say became of cancelling ``leg``; ``None`` when they do not yet."""
    entry = order.entry
    if not entry.is_closed:
        return None
    if leg is Leg.ENTRY or entry.quantity_traded == 0:
        return CancelOutcome.CANCELLED if entry.is_cancelled else CancelOutcome.TOO_LATE
    return CancelOutcome.EXITED if order.is_over else None
