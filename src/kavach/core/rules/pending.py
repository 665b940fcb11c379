"""
A request under way: from the moment the core has taken it until the venue has spoken.

Source: docs/wire/README.md, "Cancelling and getting out".
"""

from enum import StrEnum, auto
from typing import Final

import msgspec

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Answer

UNKNOWN: Final = "UNKNOWN"  # The venue cannot be asked, or does not say.


class Doing(StrEnum):
    """What a ticket is for."""

    NOTHING = auto()
    PLACE = auto()
    CANCEL = auto()
    EXIT = auto()
    MODIFY = auto()


class PendingRequest(msgspec.Struct, frozen=True):
    """A request under way: what to look at when the venue has spoken."""

    doing: Doing = Doing.NOTHING
    parent: ParentOrder | None = None
    answer: Answer | None = None  # Known already.
    client_id: str = ""
    key: str = ""
    fingerprint: str = ""

    @property
    def waits(self) -> bool:
        """Whether the venue has still to say what becomes of it."""
        return self.parent is not None and self.answer is None and self.parent.waits
