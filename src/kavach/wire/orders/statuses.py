"""
The words of ``order_status``, and which book a row with them belongs to.

Only those that this server emits; clients meet more from other servers of the family.

Source: docs/wire/README.md, "Rows"; docs/wire/README.md, "Decisions".
"""

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """Where a leg stands, in the vendor's words."""

    PENDING = "PENDING"  # Accepted here; the venue has not answered.
    CONFIRMED = "CONFIRMED"
    MODIFY_PENDING = "MODIFY_PENDING"
    MODIFY_CONFIRMED = "MODIFY_CONFIRMED"
    CANCEL_PENDING = "CANCEL_PENDING"
    PARTIAL_TRADE = "PARTIAL_TRADE"
    TRIGGER_PENDING = "TRIGGER_PENDING"  # A stop waiting for its price.
    SL_TRIGGER_CONFIRMED = "SL_TRIGGER_CONFIRMED"  # A stop that has fired and works.
    COMPLETE = "COMPLETE"
    CANCEL_CONFIRMED = "CANCEL_CONFIRMED"
    REJECTED = "REJECTED"
    AMO_REQ_RECEIVED = "AMO_REQ_RECEIVED"  # Kept until the session opens.
    AMO_MODIFY_CONFIRMED = "AMO_MODIFY_CONFIRMED"
    AMO_CANCEL_CONFIRMED = "AMO_CANCEL_CONFIRMED"


COMPLETED: Final = frozenset(
    {
        OrderStatus.COMPLETE,
        OrderStatus.CANCEL_CONFIRMED,
        OrderStatus.REJECTED,
        OrderStatus.AMO_CANCEL_CONFIRMED,
    }
)


def is_completed(status: str) -> bool:
    """Return whether a row belongs to ``type=completed``; every other is pending."""
    return status in COMPLETED
