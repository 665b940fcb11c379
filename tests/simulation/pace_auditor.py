"""
Who counts what goes to the exchange while nobody asks for anything.

A minute is quiet for an order when its client asks nothing, nothing of the client trades, its
instrument's price stands, no session changes and the link holds. What the system sends of itself
in such a minute has a bound, whatever the book looks like: so many requests for each slice of a
leg, by how many of its slices lived at once, more where some were not answered in time; and so
many about all that a client has in an instrument. Questions are not counted: they are bounded by
their pauses.

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
OF_SLICE_MAX: Final = 30  # Requests about one slice of a leg in a quiet minute,
OF_LOST_SLICE_MAX: Final = 75  # where the exchange does not answer them,
OF_CLIENT_MAX: Final = 120  # and about all of a client in an instrument, or those of its slices.
ANSWERED_NS: Final = NS_PER_SECOND  # An answer that comes later is lost, or as good as that.
TAKEN_OUT_CODE: Final = 17080
TAKEN_OUT_MAX: Final = 6  # How often an order's exits may be removed to prevent a self-trade.
LEG_OF: Final = {e.Purpose.ENTRY: "ENTRY", e.Purpose.TARGET: "SECOND"}
Holding = tuple[str, InstrumentKey]
OneLeg = tuple[int, str]


def leg_of(order: e.OrderSubmitted) -> OneLeg:
    """Return of which leg of which parent order a request is."""
    return order.parent_id, LEG_OF.get(order.purpose, "THIRD")


def holding_of(order: e.OrderSubmitted) -> Holding:
    """Return of which client, and in which instrument, a request is."""
    return order.client_id, order.instrument


class Paced:
    """What was sent since something last happened that concerns it."""

    __slots__ = ("living", "lost_ns", "sent", "since")

    def __init__(self) -> None:
        self.sent: deque[tuple[int, int]] = deque()  # When, and how many slices lived then.
        self.since = 0
        self.living = 0
        self.lost_ns = -MINUTE_NS  # When an answer was last found to be late or lost.

    def count(self, at_ns: int, news: int) -> int:
        """Return how many were sent in this minute, ``news`` being when something happened."""
        if news > self.since:
            self.sent.clear()
            self.since = news
        self.sent.append((at_ns, self.living))
        while self.sent[0][0] <= at_ns - MINUTE_NS:
            self.sent.popleft()
        return len(self.sent)

    def most(self, at_ns: int) -> int:
        """Return how many may be, by the slices that lived at once in this minute."""
        of_slice = OF_LOST_SLICE_MAX if at_ns - self.lost_ns < MINUTE_NS else OF_SLICE_MAX
        return of_slice * max(1, *(living for _, living in self.sent))


class PaceAuditor:
    """What was sent since something last happened, by leg and by client and instrument."""

    def __init__(self) -> None:
        self._of_leg: dict[OneLeg, Paced] = defaultdict(Paced)
        self._of_client: dict[Holding, Paced] = defaultdict(Paced)
        self._orders: dict[int, e.OrderSubmitted] = {}
        self._left: dict[int, int] = {}  # By slice that lives: what it may still trade.
        self._unanswered: dict[int, int] = {}  # By order: when it was last asked for.
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
        if isinstance(thing, e.ExecutionReport) and thing.tag in self._orders:
            self._answered(thing, at_ns)
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
        for paced in self._paced(order):
            paced.living += 1

    def _ends(self, tag: int) -> None:
        """Count it no more."""
        if self._left.pop(tag, None) is not None:
            for paced in self._paced(self._orders[tag]):
                paced.living -= 1

    def _paced(self, order: e.OrderSubmitted) -> tuple[Paced, Paced]:
        """Return what is counted of its leg, and of its client and instrument."""
        return self._of_leg[leg_of(order)], self._of_client[holding_of(order)]

    def _answered(self, said: e.ExecutionReport, at_ns: int) -> None:
        """Note that a request is answered; what a status tells in time is no answer to it."""
        asked_ns = self._unanswered.get(said.tag, at_ns)
        late = at_ns - asked_ns >= ANSWERED_NS
        if late:
            self._lose(self._orders[said.tag], at_ns)
        if late or not isinstance(said, e.OrderStatus | e.OrderAbsent):
            self._unanswered.pop(said.tag, None)

    def _lose(self, order: e.OrderSubmitted, at_ns: int) -> None:
        for paced in self._paced(order):
            paced.lost_ns = at_ns

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
        if at_ns - self._unanswered.get(order.tag, at_ns) >= ANSWERED_NS:
            self._lose(order, at_ns)
        self._unanswered[order.tag] = at_ns
        client, key = holding_of(order)
        news = max(self._news[""], self._news[client], self._news[key])
        of_leg, of_client = self._paced(order)
        mine, ours = of_leg.count(at_ns, news), of_client.count(at_ns, news)
        self.most, self.most_of_client = max(self.most, mine), max(self.most_of_client, ours)
        who = f"{order.parent_id} {leg_of(order)[1]} of {client}"
        assert mine <= of_leg.most(at_ns), f"INV-26: {who} has sent {mine} in a quiet minute"
        most = max(OF_CLIENT_MAX, of_client.most(at_ns))
        assert ours <= most, f"INV-26: {client} has sent {ours} in {key} in one"
