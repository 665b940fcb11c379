"""
Which instruments' prices stand in no record, and what a record must say of them before it goes on.

Theory. Strangers trade all day, and no rule looks at most of what they pay. Such a trade is in no
record. As soon as a record speaks of an instrument, something was decided that may have looked at
its price; so that record begins with where the instrument's day stood, unless a record says so
already. A replay therefore has, whenever anything is decided, the prices it was decided by.

Source: docs/decisions/0028-prices-beside-the-journal.md.
"""

from collections.abc import Callable, Iterable, Sequence

from kavach.exchange import messages as ex
from kavach.instruments import Listing
from kavach.units import InstrumentKey


class DayNotes:
    """Days that no record tells of, as the last unrecorded step left them."""

    def __init__(self, instruments: Listing, note: Callable[[InstrumentKey], ex.DayNoted]) -> None:
        self._instruments = instruments
        self._note = note
        self._unrecorded: dict[InstrumentKey, ex.DayNoted] = {}
        self._in_step: set[InstrumentKey] = set()  # What the step has touched until now.
        self.changes = 0  # How often a price was spared a record.

    def touch(self, key: InstrumentKey) -> None:
        """Know that the running step is about this instrument."""
        self._in_step.add(key)

    def forget(self, events: Iterable[ex.Event]) -> bool:
        """Return whether these events of a step need no record, because they are prices only."""
        if not all(type(event) is ex.Printed for event in events):
            return False
        for key in {event.instrument for event in events if type(event) is ex.Printed}:
            self._unrecorded[key] = self._note(key)
            self.changes += 1
        self._in_step.clear()
        return True

    def remember(self, keys: Iterable[InstrumentKey]) -> None:
        """Take the days of these instruments for told by no record."""
        for key in keys:
            self._unrecorded[key] = self._note(key)

    def owed(
        self, keys: Callable[[], set[InstrumentKey]], events: Sequence[ex.Event]
    ) -> list[ex.DayNoted]:
        """Return what a record about these instruments, with these events, begins with."""
        touched, self._in_step = self._in_step, set()
        if not self._unrecorded:
            return []
        touched |= keys()
        for event in events:
            if type(event) is ex.PhaseChanged:  # The closing prices, or those that open a day.
                touched.update(
                    key
                    for key in self._unrecorded
                    if self._instruments[key].exchange is event.exchange
                    and event.session in ("", self._instruments[key].session)
                )
        told = sorted(touched & self._unrecorded.keys())
        return [self._unrecorded.pop(key) for key in told]
