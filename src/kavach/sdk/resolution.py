"""
What an ``OutcomeUnknown`` turned out to be.

Source: cover-order F-08 to F-10, table A6.
"""

import msgspec

from kavach.sdk.baskets import Basket
from kavach.sdk.cover import CancelOutcome, CoverOrder, Settled
from kavach.sdk.gtt import GttRule
from kavach.sdk.rows import Order, Position


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What the server shows of a change whose answer was lost; of its things, the one meant."""

    settled: Settled
    explanation: str
    order: CoverOrder | Order | None = None
    rule: GttRule | None = None
    basket: Basket | None = None
    positions: tuple[Position, ...] = ()
    outcome: CancelOutcome | None = None  # For a lost cancel or exit.
