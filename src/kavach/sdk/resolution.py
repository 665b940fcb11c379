"""
What an ``OutcomeUnknown`` turned out to be.

Source: docs/decisions/0031-what-a-client-may-claim.md.
"""

import msgspec

from kavach.sdk.baskets import Basket
from kavach.sdk.gtt import GttRule
from kavach.sdk.orders.cover import CoverOrder
from kavach.sdk.requests.changes import CancelOutcome, Settled
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
