"""
What the engine tells somebody who only watches: each step, once it is over and written.

Source: ARCHITECTURE.md, "One order's journey".
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from kavach.core.events import Event
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Outcome


class Observer(Protocol):
    """Somebody who counts or logs; changes nothing, and holds nobody up."""

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[Event],
        touched: Collection[ParentOrder],
        at_ns: int,
    ) -> None:
        """Hear what a step was caused by, what it answered, what has happened and to whom.

        ``cause`` is the command's name; what others do at the venue has no outcome. A step that
        changed nothing is told as well, with no events. Nothing of it need be durable yet.
        """
