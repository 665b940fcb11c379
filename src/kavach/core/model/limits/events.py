"""
What has happened under the rules of the house.

None of these is written while no limits are chosen.

Source: docs/wire/limits.md.
"""

from kavach.core.events import Event


class LimitsChosen(Event, frozen=True):
    """These rules hold from now on."""

    profile: str  # A Profile.


class AlgoRegistered(Event, frozen=True):
    """A client trades by a registered algorithm."""

    client_id: str
    algo_id: str


class RequestCounted(Event, frozen=True):
    """A request of this client was accepted, and counts."""

    client_id: str


class OrderMarked(Event, frozen=True):
    """What goes with every request about an order: its own market protection, and a tag."""

    order_id: int
    protection_bp: int  # Hundredths of a percent; 0: the instrument's own protection.
    algo_tag: str
