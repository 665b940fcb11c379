"""
What can happen to a bracket's target, beyond what can happen to any order at a venue.

Source: docs/spec/cover_order.md (brackets).
"""

from kavach.core.events import Event
from kavach.units import Pips


class TargetPlanned(Event, frozen=True):
    """From now on the target shall stand at this price; a new plan is a new attempt."""

    order_id: int
    target_price_pips: Pips
    target_offset_pips: Pips = Pips(0)  # As the client has it; 0: as it was.


class TargetLegNamed(Event, frozen=True):
    """The target has a row and an id of its own from the first fill on."""

    order_id: int
    target_id: int


class TargetLost(Event, frozen=True):
    """The venue refused the target or took it out; it is not sent again before a new plan."""

    order_id: int
