"""
How often a client may look: the limits on data and all other requests that are no orders.

They are kept in memory only, on the engine's clock: nothing depends on them after a restart, and
looking must not write to the journal. Which rules hold, and how orders are counted, the core knows.

Source: docs/wire/limits.md.
"""

from kavach.core.model.limits.profiles import HouseRules, LimitClass
from kavach.core.model.limits.windows import Tally, count, in_the_way, room_at_ns
from kavach.core.model.state import OmsState
from kavach.core.refusals import Reason, Refusal


class Pacing:
    """What each client has asked, as far as its limits can still ask."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, LimitClass], Tally] = {}
        self._state: OmsState | None = None

    def refuses(
        self, state: OmsState, client_id: str, limit_class: LimitClass, now_ns: int
    ) -> Refusal | None:
        """Return why a request comes too soon, and until when; otherwise count it."""
        if state is not self._state:  # Another world, perhaps with an earlier clock.
            self._tallies.clear()
            self._state = state
        rules: HouseRules = state.limits.rules
        limit = rules.data if limit_class is LimitClass.DATA else rules.other
        if limit is None:
            return None
        tally = self._tallies.setdefault((client_id, limit_class), Tally())
        at_ns = room_at_ns(tally, limit, now_ns)
        if at_ns > now_ns:
            words = in_the_way(tally, limit, now_ns)
            return Refusal(Reason.REQUESTS_MUST_BE_WITHIN_LIMIT, f"at most {words}", at_ns)
        count(tally, limit, now_ns)
        return None
