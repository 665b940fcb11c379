"""
Who counts what goes to the exchange while nobody asks for anything.

A minute is quiet for an order when its client asks nothing, nothing of the client trades, its
instrument's price stands, no session changes and the link holds. What the system sends of itself
in such a minute has a bound, whatever the book looks like. Questions are not counted: they are
bounded by their pauses.

Times are nanoseconds.

Source: docs/spec/cover_order.md (INV-26).
"""

from collections import Counter, defaultdict, deque
from typing import Final

from kavach.core import events as e
from kavach.core.commands import EndSession, KeyedCommand, Kill, OpenSession, SquareOff
from kavach.units import NS_PER_SECOND, InstrumentKey
from tests.simulation.auditor import Asked, Asking, Thing
from tests.simulation.network import Price

MINUTE_NS: Final = 60 * NS_PER_SECOND
OF_ORDER_MAX: Final = 40  # Requests about one order in a quiet minute,
OF_CLIENT_MAX: Final = 120  # and about all that a client has in one instrument;
OF_SLICE_MAX: Final = 30  # or so many for each of its slices that lives, where there are several.
TAKEN_OUT_CODE: Final = 17080
TAKEN_OUT_MAX: Final = 6  # How often an order's exits may be removed to prevent a self-trade.
Holding = tuple[str, InstrumentKey]


class Paced:
    """What was sent since something last happened that concerns it."""

    __slots__ = ("sent", "since")

    def __init__(self) -> None:
        self.sent: deque[int] = deque()
        self.since = 0

    def count(self, at_ns: int, news: int) -> int:
        """Return how many were sent in this minute, ``news`` being when something happened."""
        if news > self.since:
            self.sent.clear()
            self.since = news
        self.sent.append(at_ns)
        while self.sent[0] <= at_ns - MINUTE_NS:
            self.sent.popleft()
        return len(self.sent)


class PaceAuditor:
    """What was sent since something last happened, by order and by client and instrument."""

    def __init__(self) -> None:
        self._of_order: dict[int, Paced] = defaultdict(Paced)
        self._of_client: dict[Holding, Paced] = defaultdict(Paced)
        self._orders: dict[int, e.OrderSubmitted] = {}
        self._left: dict[int, int] = {}  # By slice that lives: what it may still trade.
        self._living: Counter[int | Holding] = Counter()  # Slices, by order, client and instrument.
        self._told: set[tuple[int, str]] = set()
        self._things = 0
        self._taken_out: Counter[int] = Counter()
        # By client, by instrument, and for all (the empty key): how many things had been seen when
        # something happened.
        self._news: dict[str, int] = defaultdict(int)
        self.most = self.most_of_client = 0

    def see(self, at_ns: int, thing: Thing) -> None:
        """Count a request, or begin anew where something has happened."""
        self._things += 1
        match thing:
            case Asking(command=command):
                self._news[command.client_id] = self._things
            case Asked(command=SquareOff() | EndSession() | OpenSession() | Kill()):
                self.begin()
            case Asked(command=command) if isinstance(command, KeyedCommand):
                self._news[command.client_id] = self._things
            case Price():
                self._news[thing.instrument] = self._things
            case e.OrderSubmitted():
                self._orders[thing.tag] = thing
                self._begins(thing)
                self._sent(thing, at_ns)
            case e.OrderAmendSent() | e.OrderCancelSent():
                self._sent(self._orders[thing.tag], at_ns)
            case e.OrderTraded():
                self._traded(thing)
            case e.OrderClosed() | e.OrderRejected() if thing.tag in self._orders:
                self._ends(thing.tag)
                if isinstance(thing, e.OrderClosed) and thing.code == TAKEN_OUT_CODE:
                    self._met(self._orders[thing.tag])
            case e.OrderStatus():
                for trade in thing.trades:
                    self._traded(trade)
                if thing.standing is e.Standing.CLOSED:
                    self._ends(thing.tag)
            case _:
                pass

    def _begins(self, order: e.OrderSubmitted) -> None:
        """Count a slice that works beside the others; one of a dead process may count for ever."""
        self._left[order.tag] = int(order.quantity)
        self._living[order.parent_id] += 1
        self._living[order.client_id, order.instrument] += 1

    def _ends(self, tag: int) -> None:
        """Count it no more."""
        if self._left.pop(tag, None) is not None:
            order = self._orders[tag]
            self._living[order.parent_id] -= 1
            self._living[order.client_id, order.instrument] -= 1

    def _met(self, order: e.OrderSubmitted) -> None:
        """An exit was taken out because it would have met another order of its client."""
        if order.purpose is not e.Purpose.ENTRY:
            who = order.parent_id
            self._taken_out[who] += 1
            told = f"exits of {who} were taken out {self._taken_out[who]} times by its client's own"
            assert self._taken_out[who] <= TAKEN_OUT_MAX, f"INV-26: {told}"

    def begin(self) -> None:
        """Begin anew for everybody."""
        self._news[""] = self._things

    def _traded(self, trade: e.OrderTraded) -> None:
        if (trade.tag, trade.trade_id) not in self._told and trade.tag in self._orders:
            self._told.add((trade.tag, trade.trade_id))
            self._news[self._orders[trade.tag].client_id] = self._things
            if trade.tag in self._left:
                self._left[trade.tag] -= trade.quantity
                if self._left[trade.tag] <= 0:
                    self._ends(trade.tag)

    def _sent(self, order: e.OrderSubmitted, at_ns: int) -> None:
        client, key = order.client_id, order.instrument
        news = max(self._news[""], self._news[client], self._news[key])
        mine = self._of_order[order.parent_id].count(at_ns, news)
        ours = self._of_client[client, key].count(at_ns, news)
        self.most, self.most_of_client = max(self.most, mine), max(self.most_of_client, ours)
        who = f"{order.parent_id} of {client}"
        most = max(OF_ORDER_MAX, OF_SLICE_MAX * self._living[order.parent_id])
        of_client = max(OF_CLIENT_MAX, OF_SLICE_MAX * self._living[client, key])
        assert mine <= most, f"INV-26: {who} has sent {mine} in a quiet minute"
        assert ours <= of_client, f"INV-26: {client} has sent {ours} in {key} in one"
