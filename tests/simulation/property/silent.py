"""
A far world that is worse: requests and reports get lost, the link breaks, the engine restarts.

The venue keeps one promise: before it answers a question about an order it has made up its mind
about every request that reached it, so nothing is on its way any more. What it told before may
still be in the mail, and arrive after the answer.
"""

from collections.abc import Iterable
from typing import Final

from kavach.core import events as e
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.venues.scripted import ScriptedOrder, ScriptedVenue, Told
from tests.simulation.property import far
from tests.simulation.property.auditor import Auditor
from tests.simulation.property.far import FarWorld


class OverheardVenue(ScriptedVenue):
    """A scripted venue with an auditor who hears what it answers."""

    auditor: Auditor | None = None

    def statuses(self, orders: Iterable[VenueOrder]) -> Told:
        """Return the answers, after the auditor heard them."""
        told = super().statuses(orders)
        for said in told.reports:
            assert self.auditor is not None
            self.auditor.told(said)
        return told


class SilentWorld(FarWorld):
    """Clients and a venue between which things get lost."""

    def __init__(self) -> None:
        super().__init__()
        self.linked = True
        self.auditor.prompt = True

    def fresh_venue(self) -> ScriptedVenue:
        """Return a venue without orders, overheard."""
        return OverheardVenue()

    def look(self) -> None:
        """Let the auditor judge; while the link is down nothing may be sent."""
        if not self.linked:
            assert self.seen == len(self.venue.requests), "sent into a broken link"
        self.auditor.unlinked = not self.linked
        super().look()

    # --- What gets lost -----------------------------------------------------------------------

    def lose(self, which: int) -> None:
        """Let a request never have arrived."""
        doubtful = [order for order in self.venue.orders.values() if self._undecided(order)]
        if doubtful:
            self.venue.lose(doubtful[which % len(doubtful)].tag)

    def _undecided(self, order: ScriptedOrder) -> bool:
        return order.pending is not None or (not order.accepted and order.alive)

    def drop(self, which: int) -> None:
        """Let a letter never arrive."""
        full = [tag for tag in sorted(self.mail) if self.mail[tag]]
        if full:
            self.mail[full[which % len(full)]].popleft()

    def deliver(self, which: int, twice: int) -> None:
        """Bring a letter, if there is a link: any letter of an order, and perhaps twice."""
        if not self.linked and which % 5 == 0:
            self.link(twice)  # A link is not down for long.
        full = [tag for tag in sorted(self.mail) if self.mail[tag]]
        if not full or not self.linked:
            return
        letters = self.mail[full[which % len(full)]]
        if twice % 4 == 3:
            letters.rotate(-(twice // 4 % len(letters)))
        letter = letters.popleft()
        self._hand_over(letter)
        if twice % 5 == 4:
            self._hand_over(letter)

    def resurface(self, which: int) -> None:
        """Let an entry live that was denied: what a venue should not do."""
        lost = [
            order
            for order in self.venue.orders.values()
            if order.lost and order.asked.purpose is e.Purpose.ENTRY
        ]
        if lost and which % 4 == 0:
            self._post(self.venue.accept(lost[which // 4 % len(lost)].tag))

    # --- What is found again ------------------------------------------------------------------

    def answer(self, which: int, what: int) -> None:
        """Answer a question that the engine asked, or tell it unasked."""
        orders = list(self.venue.orders)
        if not orders or not self.linked:
            return
        asked = self.venue.asked or orders
        tag = asked[which % len(asked)]
        self._decide_all(what, [tag])
        self._hand_over(self.venue.status(tag))
        self.venue.asked = [other for other in self.venue.asked if other != tag]

    def _decide_all(self, what: int, tags: Iterable[int]) -> None:
        """Let the venue make up its mind about every request for these orders."""
        for tag in tags:
            order = self.venue.orders[tag]
            if self._undecided(order):
                if what % 3 == 0:
                    self.venue.lose(tag)
                else:
                    self._post(self._lawful(order, 1)[what % len(self._lawful(order, 1))]())
            if self._undecided(order):  # It did something else first.
                self.venue.lose(tag)

    def link(self, what: int) -> None:
        """Lose the link, or bring it back with a snapshot."""
        self.linked = not self.linked
        self.clock.at_ns += 1_000
        if not self.linked:
            self.engine.catch_up(self.clock.at_ns)
            self.auditor.unlinked = True
            self.linked = True  # What was due before goes out before.
            self.look()
            self.linked = False
            self.engine.lose_link()
        else:
            self._decide_all(what, list(self.venue.orders))
            self.venue.answers_at_once = True
            assert isinstance(self.venue, OverheardVenue)
            self.venue.auditor = self.auditor
            self.engine.restore_link()
            self.venue.answers_at_once = False
        self.look()

    def restart(self, what: int) -> None:
        """Begin again from the journal; what was sent last may have been lost with the process."""
        if what % 2:
            self.lose(what // 2)
        before = self.engine.state_hash()
        self.engine = self.engine_of(self.journal, self.venue)
        assert self.engine.state_hash() == before, "INV-19: a restart changed something"
        self.auditor.engine = self.engine
        self.engine.receive(Told(moved=dict(self.prices)))
        self.look()

    # --- The end ------------------------------------------------------------------------------

    def _everything_told(self) -> None:
        """Let the engine learn all there is to know: lose the link and mend it."""
        if self.linked:
            self.link(1)
        self.link(1)
        for letters in self.mail.values():
            letters.clear()
        for order in self.venue.alive():
            if self.auditor.papers[order.tag].denied:  # No snapshot speaks of it.
                self._hand_over(self.venue.status(order.tag))

    def wind_up(self) -> None:
        """Let the venue speak again, and everybody out."""
        self._everything_told()
        if not self.open:
            self.session()
            self._everything_told()
        for turn in range(60):
            if turn % 30 == 0:  # A fill that was never told may have opened one again.
                self.everybody_out()
            for order in list(self.venue.orders.values()):
                self._settle(order)
            self._deliver_all()
            for tag in self.venue.asked:
                self._hand_over(self.venue.status(tag))
            self.venue.asked = []
            self.wait(3)
        self.nobody_left()


DEEDS: Final[tuple[tuple[str, int, int], ...]] = (
    *far.DEEDS,
    ("lose", 1, 3),
    ("drop", 1, 3),
    ("resurface", 1, 1),
    ("answer", 2, 8),
    ("link", 1, 3),
    ("restart", 1, 1),
)
