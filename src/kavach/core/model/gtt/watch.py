"""
Which rules wait for which price, and until when.

Nothing here is state: it is computed anew from the rules after a restart. Triggers of an instrument
stand in two sorted lists, those above the price and those below it, so that a price that reaches
none of them costs two comparisons, however many rules wait; an instrument that no rule waits for is
not in the table at all.

Prices are pips, times nanoseconds.

Source: docs/wire/gtt.md.
"""

from bisect import bisect_left, bisect_right, insort
from typing import Final

from kavach.core.model.gtt.rule import GttRule
from kavach.units import InstrumentKey

_LAST: Final = 2**63  # Above every rule's number.

Waiting = tuple[list[tuple[int, int]], list[tuple[int, int]]]  # (price, number): above, below.


class GttWatch:
    """Price watches and last days of the active rules."""

    def __init__(self) -> None:
        self._waiting: dict[InstrumentKey, Waiting] = {}
        self.ends: list[tuple[int, int]] = []  # When last days are over, and whose; sorted.
        self._rules: dict[int, GttRule] = {}

    def watches(self, instrument: InstrumentKey) -> bool:
        """Return whether some rule waits for a price of this instrument."""
        return instrument in self._waiting

    def instruments(self) -> list[InstrumentKey]:
        """Return every instrument that some rule waits for."""
        return list(self._waiting)

    def arm(self, rule: GttRule) -> None:
        """Wait for the rule's prices and its last day."""
        assert rule.number not in self._rules, f"{rule.rule_id} is armed already"
        self._rules[rule.number] = rule
        above, below = self._waiting.setdefault(rule.terms.instrument, ([], []))
        for trigger in rule.triggers:
            insort(above if trigger.rises else below, (trigger.at_pips, rule.number))
        insort(self.ends, (rule.ends_ns, rule.number))

    def disarm(self, rule: GttRule) -> None:
        """Wait no longer; called before the rule changes, because its prices are looked up."""
        del self._rules[rule.number]
        instrument = rule.terms.instrument
        above, below = self._waiting[instrument]
        for trigger in rule.triggers:
            _take(above if trigger.rises else below, (trigger.at_pips, rule.number))
        if not above and not below:
            del self._waiting[instrument]
        _take(self.ends, (rule.ends_ns, rule.number))

    def reached(self, instrument: InstrumentKey, last_pips: int) -> list[GttRule]:
        """Return the rules that a last price has reached, oldest first."""
        waiting = self._waiting.get(instrument)
        if waiting is None:
            return []
        above, below = waiting
        if (not above or above[0][0] > last_pips) and (not below or below[-1][0] < last_pips):
            return []
        numbers = {number for _, number in above[: bisect_right(above, (last_pips, _LAST))]}
        numbers.update(number for _, number in below[bisect_left(below, (last_pips, 0)) :])
        return [self._rules[number] for number in sorted(numbers)]

    def due(self, now_ns: int) -> list[GttRule]:
        """Return the rules whose last day is over by now, the first to end first."""
        over = self.ends[: bisect_right(self.ends, (now_ns, _LAST))]
        return [self._rules[number] for _, number in over]


def _take(waiting: list[tuple[int, int]], entry: tuple[int, int]) -> None:
    place = bisect_left(waiting, entry)
    assert waiting[place] == entry, f"{entry} is not waited for"
    del waiting[place]
