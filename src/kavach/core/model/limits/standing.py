"""
What each client has used of the limits: a part of the state, and of its snapshot.

Bounded for each client: the ring of one tally for its requests, and two for each exchange segment
that it sends orders to.

Source: docs/wire/limits.md.
"""

import msgspec

from kavach.core.model.limits.profiles import GENERIC_ALGO, RULES, Budget, HouseRules, Profile
from kavach.core.model.limits.windows import Tally, count
from kavach.units import InstrumentKey


class Wire(msgspec.Struct, array_like=True):
    """What went to the venue for one client and one exchange segment."""

    all: Tally
    entries: Tally


class LimitsStanding(msgspec.Struct, array_like=True):
    """Which rules hold, and what was counted under them."""

    profile: Profile = Profile.OFF
    requests: dict[str, Tally] = {}  # By client.
    wires: dict[str, dict[str, Wire]] = {}  # By client and exchange segment.
    algos: dict[str, str] = {}  # Registered ids by client; they outlive a change of profile.

    @property
    def rules(self) -> HouseRules:
        """What the profile means."""
        return RULES[self.profile]

    def budget(self, client_id: str) -> Budget | None:
        """Return how much may go to a venue for a client; None: anything."""
        rules = self.rules
        return rules.registered_budget if client_id in self.algos else rules.budget

    def algo_tag(self, client_id: str) -> str:
        """Return the tag that a client's new orders carry; empty where none is asked for."""
        return self.algos.get(client_id, GENERIC_ALGO) if self.rules.tags_orders else ""

    def seen(self, client_id: str, instrument: InstrumentKey) -> Wire | None:
        """Return what went to the venue for a client in an instrument's segment, if anything."""
        of_client = self.wires.get(client_id)
        return None if of_client is None else of_client.get(segment_of(instrument))

    def sent(self, client_id: str, instrument: InstrumentKey, at_ns: int, *, entry: bool) -> None:
        """Count a request to the venue, if the rules want it counted."""
        budget = self.budget(client_id)
        if budget is None:
            return
        of_client = self.wires.setdefault(client_id, {})
        segment = segment_of(instrument)
        wire = of_client.get(segment)
        if wire is None:
            wire = of_client[segment] = Wire(Tally(), Tally())
        count(wire.all, budget.all, at_ns)
        if entry:
            count(wire.entries, budget.entries, at_ns)


def segment_of(instrument: InstrumentKey) -> str:
    """Return the exchange segment of an instrument, the first half of its key."""
    return instrument.partition(":")[0]
