"""
The rules of the house that a world can be opened under, by name.

``documented`` are the limits that the vendor publishes. ``sebi-2026`` adds what the regulator
asks of retail algorithms from April 2026 on: a budget of requests to the exchange for each client
and segment, protection for every market order, and an algorithm's tag on every order. A profile's
numbers never change: replay applies them by its name, so other numbers are another profile.

Source: docs/wire/limits.md; docs/wire/README.md, "Decisions"; docs/spec/cover_order.md, "What the
system owes"; docs/spec/cover_order.md, "What must hold".
"""

from enum import StrEnum
from typing import Final

import msgspec

from kavach.core.model.limits.windows import Limit, Window
from kavach.units import NS_PER_SECOND

GENERIC_ALGO: Final = "RETAIL"  # The tag of a client who has registered no algorithm.


class Profile(StrEnum):
    """Which rules hold."""

    OFF = "off"
    DOCUMENTED = "documented"
    SEBI_2026 = "sebi-2026"


class LimitClass(StrEnum):
    """What a request counts as."""

    ORDERS = "orders"  # Counted by the core, on command time.
    DATA = "data"
    OTHER = "other"


class Budget(msgspec.Struct, frozen=True):
    """Requests to a venue in any second: for all, and of those for entries."""

    all: Limit
    entries: Limit

    @property
    def entries_most(self) -> int:
        """The most entry requests that one command may need."""
        return self.entries.windows[0].most


class HouseRules(msgspec.Struct, frozen=True):
    """What a profile means."""

    orders: Limit | None = None
    data: Limit | None = None
    other: Limit | None = None
    budget: Budget | None = None
    registered_budget: Budget | None = None  # Of a client with a registered algorithm.
    protects_market_orders: bool = False
    tags_orders: bool = False


def _within(second: int, minute: int = 0, hour: int = 0, day: int = 0) -> Limit:
    spans = (
        Window(second, NS_PER_SECOND, "a second"),
        Window(minute, 60 * NS_PER_SECOND, "a minute"),
        Window(hour, 3600 * NS_PER_SECOND, "an hour"),
    )
    return Limit(tuple(window for window in spans if window.most), day)


_ORDERS: Final = _within(25, 250, 1000, 7000)
_DATA: Final = _within(10, 1000, 5000, 10_000)
_OTHER: Final = _within(20)

RULES: Final[dict[Profile, HouseRules]] = {
    Profile.OFF: HouseRules(),
    Profile.DOCUMENTED: HouseRules(orders=_ORDERS, data=_DATA, other=_OTHER),
    Profile.SEBI_2026: HouseRules(
        orders=_ORDERS,
        data=_DATA,
        other=_OTHER,
        budget=Budget(all=_within(10), entries=_within(6)),  # Four are kept for protection.
        registered_budget=Budget(all=_within(25), entries=_within(15)),
        protects_market_orders=True,
        tags_orders=True,
    ),
}
