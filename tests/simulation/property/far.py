"""
A world whose venue is far away and does anything a venue may do, in any order.

What the venue decides is put into the mail, one queue an order; mail is delivered in order
within a queue and in any order between queues. After every deed the auditor looks, and what
really stands at the venue is looked at too, told of or not.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from kavach.core import events as e
from kavach.core.commands import EndSession, OpenSession
from kavach.engine.engine import accepted
from kavach.units import Exchange
from kavach.venues.scripted import ScriptedOrder, ScriptedVenue, Told
from tests.simulation.property.auditor import ENDS
from tests.simulation.property.clients import SHARES, Clients


class FarWorld(Clients):
    """Clients, a scripted venue, and the mail between them."""

    far = True

    def __init__(self) -> None:
        self.venue = self.fresh_venue()
        self.mail: dict[int, deque[e.Report]] = {}
        self.seen = 0  # Requests that the auditor has seen.
        super().__init__(self.venue)

    def requests(self) -> Sequence[e.Request]:
        """Return everything that was ever sent."""
        return self.venue.requests

    def fresh_venue(self) -> ScriptedVenue:
        """Return a venue without orders: replay sends nothing."""
        return ScriptedVenue()

    def look(self) -> None:
        """Let the auditor see what went out, and judge."""
        for request in self.venue.requests[self.seen :]:
            self.auditor.sent(request)
        self.seen = len(self.venue.requests)
        for cover in self.engine.state.every_cover():
            if cover.exit_source is not None:
                self.auditor.leaving.add(cover.order_id)
        self._check_truth()
        super().look()

    def _check_truth(self) -> None:
        """INV-3 and INV-5 by what really stands at the venue, told of or not."""
        bought: dict[int, int] = {}
        sold: dict[int, int] = {}
        linked: dict[tuple[int, int], list[ScriptedOrder]] = {}
        for order in self.venue.orders.values():
            cover_id = order.asked.parent_id
            if order.asked.purpose is e.Purpose.ENTRY:
                bought[cover_id] = bought.get(cover_id, 0) + order.filled
            elif order.asked.link:
                linked.setdefault((cover_id, order.asked.link), []).append(order)
            else:
                left = order.quantity - order.filled if order.alive else 0
                sold[cover_id] = sold.get(cover_id, 0) + order.filled + left
            denied = order.tag in self.auditor.papers and self.auditor.papers[order.tag].denied
            if order.alive and not denied:
                state = self.engine.state.covers[cover_id].state
                assert state.value not in ENDS, f"INV-5: order {order.tag} outlived {cover_id}"
        for (cover_id, _), orders in linked.items():
            # What they trade is one sum, and no living one goes beyond its own quantity.
            traded = sum(order.filled for order in orders)
            most = max([traded, *(order.quantity for order in orders if order.alive)])
            sold[cover_id] = sold.get(cover_id, 0) + most
        for cover_id, quantity in sold.items():
            assert quantity <= bought.get(cover_id, 0), f"INV-3: {cover_id} can be reversed"

    # --- Deeds of the day ---------------------------------------------------------------------

    def price(self, which: int, by: int) -> None:
        """Let a share trade elsewhere."""
        share = SHARES[which % 2]
        last = self.prices[share.key] + 100 * (by % 41 - 20)
        last = min(max(last, share.band_low_pips), share.band_high_pips)
        self.prices[share.key] = last
        self.engine.receive(Told(moved={share.key: last}))
        self.look()

    def session(self) -> None:
        """T2: the core hears of the end, the venue expires what rests; or the next day begins."""
        self.open = not self.open
        if self.open:
            self.auditor.session_over()  # What was wanted in the night ends with it, too.
            accepted(self._execute(OpenSession(Exchange.NSE)))
            return
        self.auditor.session_over()
        accepted(self._execute(EndSession(Exchange.NSE)))
        for order in self.venue.alive():
            self._post(self.venue.expire(order.tag))
        self.venue.end_session()

    # --- Deeds of the venue -------------------------------------------------------------------

    def _post(self, report: e.Report) -> None:
        self.mail.setdefault(report.tag, deque()).append(report)
        for ended in self.venue.ended_by_link:
            self.mail.setdefault(ended.tag, deque()).append(ended)
        self.venue.ended_by_link.clear()

    def decide(self, which: int, what: int, size: int) -> None:
        """Let the venue do one thing with one of its orders."""
        orders = list(self.venue.orders.values())[-12:]
        if not orders:
            return
        order = orders[which % len(orders)]
        deeds = self._lawful(order, size)
        if deeds:
            self._post(deeds[what % len(deeds)]())

    def _lawful(self, order: ScriptedOrder, size: int) -> list[Callable[[], e.Report]]:
        """Return what the venue may do now; what is likely stands there more than once."""
        venue, tag = self.venue, order.tag
        deeds: list[Callable[[], e.Report]] = []
        if isinstance(order.pending, e.OrderAmendSent):
            fits = order.alive and order.pending.quantity > order.counted
            if fits and not (order.triggered and order.pending.trigger_price_pips):
                deeds += [lambda: venue.amend(tag)] * 4
            deeds += [lambda: venue.refuse_amend(tag)]
        elif order.pending is not None:
            deeds += [lambda: venue.cancel(tag)] * 4 if order.alive else []
            deeds += [lambda: venue.refuse_cancel(tag)]
        if not order.alive:
            room = 0 if order.lost else order.quantity - order.filled
            if room > 0 and order.asked.purpose is e.Purpose.ENTRY and size % 16 == 0:
                price = self.prices[order.asked.instrument]
                deeds.append(lambda: venue.trade_late(tag, 1 + size % room, price))
            return deeds
        if not order.accepted and venue.link_code(tag):
            return [lambda: venue.reject(tag, venue.link_code(tag))]
        if not order.accepted:
            return [lambda: venue.accept(tag)] * 5 + [lambda: venue.reject(tag)]
        if order.waits:
            deeds += [lambda: venue.trigger(tag)] * 2
        else:
            price = self.prices[order.asked.instrument]
            some = 1 + size % order.open_quantity
            deeds += [lambda: venue.trade(tag, some, price)] * 4
            deeds += [lambda: venue.trade(tag, order.open_quantity, price)] * 2
        return [*deeds, lambda: venue.remove(tag)]

    def deliver(self, which: int, twice: int) -> None:
        """Bring one letter; a trade perhaps twice, a closing perhaps before the trade ahead."""
        full = [tag for tag in sorted(self.mail) if self.mail[tag]]
        if not full:
            return
        letters = self.mail[full[which % len(full)]]
        if twice % 8 == 7 and [type(x) for x in letters][:2] == [e.OrderTraded, e.OrderClosed]:
            letters[0], letters[1] = letters[1], letters[0]
        letter = letters.popleft()
        self._hand_over(letter)
        if isinstance(letter, e.OrderTraded) and twice % 8 == 6:
            self._hand_over(letter)

    def _hand_over(self, letter: e.ExecutionReport) -> None:
        self.clock.at_ns += 1_000
        self.engine.catch_up(self.clock.at_ns)
        self.look()
        self.auditor.told(letter)
        self.engine.receive(Told([letter]))
        self.look()

    # --- The end ------------------------------------------------------------------------------

    def wind_up(self) -> None:
        """Let everybody out at a venue that answers at once; nothing may be left."""
        self._deliver_all()
        if not self.open:
            self.session()
        self.everybody_out()
        for _ in range(40):
            for order in list(self.venue.orders.values()):
                self._settle(order)
            self._deliver_all()
            self.wait(3)
        self.nobody_left()

    def _settle(self, order: ScriptedOrder) -> None:
        """Answer what was asked; fill what gets out."""
        venue, tag = self.venue, order.tag
        if not order.alive:
            if isinstance(order.pending, e.OrderCancelSent):
                self._post(venue.refuse_cancel(tag))
            elif order.pending is not None:
                self._post(venue.refuse_amend(tag))
            return
        if not order.accepted and venue.link_code(tag):
            self._post(venue.reject(tag, venue.link_code(tag)))
            return
        if not order.accepted:
            self._post(venue.accept(tag))
        if isinstance(order.pending, e.OrderCancelSent):
            self._post(venue.cancel(tag))
        elif order.pending is not None:
            deeds = self._lawful(order, 1)
            self._post(deeds[0]())
        elif order.asked.purpose is not e.Purpose.ENTRY and not order.waits:
            price = self.prices[order.asked.instrument]
            self._post(venue.trade(tag, order.open_quantity, price))

    def _deliver_all(self) -> None:
        while any(self.mail.values()):
            self.deliver(0, 0)


DEEDS: Final[tuple[tuple[str, int, int], ...]] = (
    # Name, how many numbers it takes, how often it happens.
    ("place", 4, 6),
    ("cancel_entry", 1, 3),
    ("exit", 1, 3),
    ("modify", 4, 5),
    ("snoop", 1, 1),
    ("wait", 1, 8),
    ("price", 2, 6),
    ("square_off", 0, 1),
    ("kill", 1, 1),
    ("session", 0, 1),
    ("decide", 3, 40),
    ("deliver", 2, 40),
)
