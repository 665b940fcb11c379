"""
A bookkeeper outside, who shares no code with the core and sees only what goes over the wire.

It hears requests as the core hands them over, reports as they are delivered, what clients ask and
are answered, prices, and the time. From that it computes the quantities of every cover order, and
after every event it holds them against the invariants, and against what the order book shows to
clients (``Row``).

F_e and F_x are what entries and exits have filled, R = F_e - F_x the position, W the most that
the exits could still fill, P what the venue has confirmed. An unanswered request counts at its
most. All that it has seen is a list with the number of the journal record to which each thing
belongs; when a process dies with its last records, the list is cut there and read again.

Times are nanoseconds, prices pips.

Source: docs/spec/cover_order.md (INV-1 to INV-20).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    EndSession,
    KeyedCommand,
    Kill,
    Leg,
    ModifyCoverOrder,
    OpenSession,
    PlaceCoverOrder,
    SquareOff,
)
from kavach.core.refusals import Answer, Outcome, Reason
from kavach.instruments import Instrument
from kavach.units import NS_PER_MS, InstrumentKey, OrderType, Phase, Product, Side
from tests.proofs import proves
from tests.simulation.network import Price, Query, ToEngine, ToVenue

ENDS: Final = frozenset({"REJECTED", "CANCELLED", "EXPIRED", "EXITED", "CARRIED"})
FLAT_ENDS: Final = frozenset({"REJECTED", "CANCELLED", "EXPIRED"})
MAY_BE_BARE: Final = frozenset({"COVERING", "TRIGGERED", "EXITING", "UNPROTECTED"})
ON_PLAN: Final = frozenset({"COVERING", "COVERED_OPEN", "COVERED"})
STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
# The longest that each of these may last, with a link, a session and a living process: the
# timers of the specification, and half a second for the event that fires them to come.
SLACK_NS: Final = 500 * NS_PER_MS
SECOND_NS: Final = 1_000 * NS_PER_MS
REQUESTS_MAX: Final = 10  # To the exchange, in any second, for one client and segment (INV-18);
ENTRIES_MAX: Final = 6  # and of these for what could open a position.
BARE_NS: Final = 3_000 * NS_PER_MS + SLACK_NS  # T_naked.
SILENT_NS: Final = 2_000 * NS_PER_MS + SLACK_NS  # The longest pause between two questions.
UNCONVERTED_NS: Final = 500 * NS_PER_MS + SLACK_NS  # T_cx, T_rp.
REFUSED_NS: Final = 3_000 * NS_PER_MS + SLACK_NS  # The longest pause after a refused cancel.
# While the other side goes first, twice, and then stands aside.
TURNS_NS: Final = 2 * 30_000 * NS_PER_MS + REFUSED_NS
FIRED_NS: Final = 1_000 * NS_PER_MS + SLACK_NS  # T_chase.


class Row(NamedTuple):
    """A cover order as the order book shows it."""

    cover_id: int
    client_id: str
    state: str
    entry_filled: int
    exits_filled: int


class Asking(NamedTuple):
    """What a client is about to be answered."""

    command: KeyedCommand


class Asked(NamedTuple):
    """What somebody asked, and was answered."""

    command: Command
    outcome: Outcome


class Entered(NamedTuple):
    """A phase has begun at the exchange, and the engine knows; what follows belongs to it."""

    phase: Phase


Thing = ToVenue | ToEngine | Asking | Asked | Entered


class Seen(NamedTuple):
    """One thing on the wire."""

    sequence: int  # Of the journal record that it belongs to.
    at_ns: int
    thing: Thing


class Paper:
    """One order at the venue, by what was asked and told."""

    def __init__(self, asked: e.OrderSubmitted, at_ns: int, plan: int) -> None:
        self.asked = asked
        self.entry = asked.purpose is e.Purpose.ENTRY
        self.target = asked.purpose is e.Purpose.TARGET
        self.link = asked.link
        self.code = 0  # With which it was closed or refused.
        self.kind = asked.order_type
        self.total = self.largest = int(asked.quantity)
        self.price = int(asked.price_pips)
        self.trigger = int(asked.trigger_price_pips)
        self.plan = self.amend_plan = plan  # To which plan of the stop the trigger belongs.
        self.filled = 0
        self.named = False
        self.fired = False
        self.final: int | None = None
        self.amend: e.OrderAmendSent | None = None
        self.cancel: e.OrderCancelSent | None = None
        self.stays = False  # The venue has refused to cancel it.
        self.sent_ns = at_ns
        self.asked_ns = at_ns  # When the last request was made.
        self.spoken_ns = at_ns  # When something was last sent about it, or heard.

    @property
    def at_most(self) -> int:
        """The most that it may still fill."""
        if self.final is not None:
            return max(0, self.final - self.filled)
        return max(0, max(self.total, self.amend.quantity if self.amend else 0) - self.filled)

    @property
    def meant(self) -> int:
        """Its total as it will be."""
        return max(self.total, self.amend.quantity if self.amend else 0)

    @property
    def in_flight(self) -> bool:
        """Whether the venue owes an answer."""
        waits = not self.named or self.amend is not None or self.cancel is not None
        return self.final is None and waits

    @property
    def dead(self) -> bool:
        """Whether it is closed and all its trades were told."""
        return self.final == self.filled


class Together:
    """Exits that share one quantity: what one trades counts against all. One alone is the same."""

    def __init__(self, papers: list[Paper]) -> None:
        self.papers = papers
        self.filled = sum(paper.filled for paper in papers)
        self.stops = [paper for paper in papers if not paper.target]

    @property
    def at_most(self) -> int:
        """What they may still fill together.

        A trade is never beyond the total of its order. Which trade was the last, nobody knows: it
        may be of any order that has traded, or still could.
        """
        if all(paper.dead for paper in self.papers):
            return 0
        owed = sum(paper.at_most for paper in self.papers if paper.final is not None)
        if not self.papers[0].link:
            return sum(paper.at_most for paper in self.papers)
        last = max(paper.largest for paper in self.papers if paper.filled or not paper.dead)
        return max(last - self.filled, owed)

    @property
    def wants(self) -> int:
        """For how much stops and exits are, as they will be."""
        lives = [p for p in self.stops if p.final is None]
        owed = [p.final - p.filled for p in self.stops if p.final is not None]
        return max([0, *(p.meant - self.filled for p in lives), *owed])

    @property
    def confirmed(self) -> int:
        """What the venue has confirmed of stops and exits, and not closed."""
        lives = [p for p in self.stops if p.named and p.final is None]
        return max([0, *(p.total - self.filled for p in lives)])

    @property
    def untold(self) -> bool:
        """Whether something has happened to them that was not told: by their own ends."""
        for paper in self.papers:
            exhausted = paper.link and paper.final is None and paper.meant <= self.filled
            traded = paper.code in (17901, 17902) and paper.total > self.filled
            if exhausted or traded:
                return True
        return False


def together(papers: Iterable[Paper]) -> list[Together]:
    """Return the exits among these orders, those that are linked together."""
    found: dict[tuple[int, int], list[Paper]] = defaultdict(list)
    for paper in papers:
        if not paper.entry:
            found[paper.link, 0 if paper.link else paper.asked.tag].append(paper)
    return [Together(linked) for linked in found.values()]


class Auditor:
    """Everything that went out and came in, and what it adds up to."""

    def __init__(
        self, instruments: Iterable[Instrument], t_absent_ns: int, *, prompt: bool
    ) -> None:
        self._instruments = {instrument.key: instrument for instrument in instruments}
        self._t_absent_ns = t_absent_ns
        self._prompt = prompt  # Whether a request may meet an order that has just gone.
        self._seen: list[Seen] = []
        self.now_ns = 0
        self.grace_ns = 0  # Before this time nobody could act.
        self.wakes_carried = False  # Whether a carried order has to be protected again.
        self.bounded = False  # Whether the house rules bound what may go to the exchange.
        self.touched: set[int] = set()  # Covers of which something was seen since the last look.
        self._forget()

    def _forget(self) -> None:
        self.papers: dict[int, Paper] = {}
        self.sent: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
        self.of_cover: dict[int, list[Paper]] = defaultdict(list)
        self.trades: dict[tuple[str, int], e.OrderTraded] = {}
        self.sums: dict[int, list[int]] = {}  # By cover: bought, paid, sold, got.
        self.keys: dict[tuple[str, str], int] = {}  # Cover orders by the client's key.
        self.placing: PlaceCoverOrder | None = None
        self.orders: dict[int, PlaceCoverOrder] = {}  # What a client wanted, by cover.
        self.wanted: dict[int, int] = {}  # The largest quantity asked for.
        self.cancelled: set[int] = set()  # Covers whose C1 stands.
        self.leaving: set[int] = set()  # Covers whose exit was accepted.
        self.night: set[int] = set()  # Those of them whose session has ended since.
        self.closed = False  # Whether a session has ended and none has begun.
        self.phase = Phase.OPEN
        self.plans: dict[int, int] = defaultdict(int)  # How often a client moved the stop.
        self.tightest: dict[int, int] = {}  # The best trigger confirmed since.
        self.trailing: dict[int, int] = {}
        self.last: dict[InstrumentKey, int] = {}
        self.opened_ns = 0  # When the session was opened last.
        self.bare_ns: dict[int, int] = {}
        self.fired_ns: dict[int, int] = {}
        self.met_ns: dict[int, int] = defaultdict(int)  # When its turn was last another's,
        self.late_ns: dict[int, int] = defaultdict(int)  # and an answer to that was late.
        self.out_ns: dict[int, int] = {}  # Since when a cover has been on its way out.

    # --- What it sees -------------------------------------------------------------------------

    def see(self, sequence: int, at_ns: int, thing: Thing) -> None:
        """Write down one thing, having looked whether it may be."""
        self._seen.append(Seen(sequence, at_ns, thing))
        self._note(at_ns, thing)

    def forget_after(self, sequence: int) -> int:
        """Unsee what the dead process did not write to disk; return how many things that was."""
        kept = [seen for seen in self._seen if seen.sequence <= sequence]
        gone = len(self._seen) - len(kept)
        if gone:
            self._seen = kept
            self._forget()
            for seen in kept:
                self._note(seen.at_ns, seen.thing)
        return gone

    def _note(self, at_ns: int, thing: Thing) -> None:
        self.now_ns = at_ns
        match thing:
            case Asking():
                self._asking(thing.command)
            case Asked():
                self._asked(thing)
            case Entered():
                self.phase = thing.phase
            case Price():
                self.last[thing.instrument] = thing.price_pips
            case Query():
                self.papers[thing.tag].spoken_ns = at_ns
            case e.OrderSubmitted():
                self._submitted(thing)
            case e.OrderAmendSent() | e.OrderCancelSent():
                self._change_sent(thing)
            case e.OrderQuerySent() | e.StrayCancelSent():
                raise AssertionError(f"INV-5: {thing} has no business on the wire")
            case _:
                self._told(thing)

    # --- Clients ------------------------------------------------------------------------------

    def _asking(self, command: KeyedCommand) -> None:
        if isinstance(command, PlaceCoverOrder):
            self.placing = command
        elif isinstance(command, ModifyCoverOrder):
            # It may loosen the stop and enlarge the order.
            who = command.order_id
            if who not in self.orders:
                return  # Of another kind, or of nobody: it is refused.
            self.plans[who] += 1
            self.tightest.pop(who, None)
            self.wanted[who] = max(self.wanted[who], command.quantity or 0)
            if command.trailing_step_pips is not None:
                self.trailing[who] = command.trailing_step_pips

    def _asked(self, asked: Asked) -> None:
        command, outcome = asked
        if not isinstance(outcome, Answer):
            return
        if isinstance(command, OpenSession):
            self.opened_ns = self.now_ns
        if isinstance(command, EndSession):
            self.closed = True
        if isinstance(command, OpenSession):
            self.closed = False
        if isinstance(command, EndSession | OpenSession):
            self.night |= self.leaving
        if isinstance(command, SquareOff | Kill):
            self._everybody(command)
            return
        who = outcome.order_id
        if isinstance(command, PlaceCoverOrder):
            self._own(who, command)
            known = self.keys.setdefault((command.client_id, command.idempotency_key), who)
            assert known == who, f"INV-6: key {command.idempotency_key} has two orders"
        elif isinstance(command, CancelCoverOrder) and outcome.state not in ENDS:
            if command.leg is not Leg.ENTRY:
                self.leaving.add(who)
            elif any(p.entry and not p.dead for p in self.of_cover[who]):
                self.cancelled.add(who)

    def _everybody(self, command: SquareOff | Kill) -> None:
        """Take notice of who has to leave, and of whose entries have to go."""
        for who, papers in self.of_cover.items():
            if isinstance(command, SquareOff):
                if all(paper.dead for paper in papers):
                    continue
                if self.orders[who].product is Product.MIS:
                    self.leaving.add(who)
                elif any(paper.entry and not paper.dead for paper in papers):
                    self.cancelled.add(who)
            elif self.orders[who].client_id == command.client_id and any(
                paper.entry and not paper.dead for paper in papers
            ):
                self.cancelled.add(who)

    def _own(self, cover_id: int, command: PlaceCoverOrder) -> None:
        if cover_id not in self.orders:
            self.orders[cover_id] = command
            self.wanted[cover_id] = int(command.quantity)
            self.trailing[cover_id] = command.trailing_step_pips

    # --- Requests -----------------------------------------------------------------------------

    def _submitted(self, request: e.OrderSubmitted) -> None:
        assert request.tag not in self.papers, "INV-6: one tag, two orders"
        self._phase_takes(request)
        who = request.parent_id
        if request.purpose is e.Purpose.ENTRY:
            if self.placing is not None:
                self._own(who, self.placing)
            assert who not in self.cancelled, f"INV-13: {who} bought more after the cancel"
            assert who not in self.leaving, f"INV-15: {who} bought more on the way out"
        else:
            if request.purpose is e.Purpose.TARGET:
                self._target_may_be(who)
            else:
                self.bare_ns.pop(who, None)  # An attempt; the next is owed in time again.
            assert self.filled(who, entry=True), f"INV-1: {who} has an exit before the first fill"
            if request.purpose is e.Purpose.STOP:
                self._lives_on(who)
                assert who not in self.leaving, f"INV-15: {who} has a new stop on the way out"
                self._trigger_may_be(request, request.trigger_price_pips)
                if not self._prompt:  # There a price may move while a request waits its turn.
                    self._trigger_is_ahead(request)
        paper = Paper(request, self.now_ns, self.plans[who])
        self.papers[request.tag] = paper
        self._on_wire(paper, entry=paper.entry)
        self.of_cover[who].append(paper)

    def _phase_takes(self, request: e.OrderSubmitted | e.OrderAmendSent) -> None:
        """INV-16: a raw market order is sent where an auction takes one, and nowhere else."""
        raw = request.order_type is OrderType.MARKET
        taken = self.phase in (Phase.PRE_OPEN, Phase.CLOSING_AUCTION)
        assert not raw or taken, f"INV-16: {request} is at market in {self.phase}"

    def _lives_on(self, who: int) -> None:
        """Take it that a carried order is protected again: a wish to leave ends with its session.

        Not of an intraday one, which nobody may hold, nor while an order of that session may live.
        """
        dead = all(paper.dead for paper in self.of_cover[who])
        over = who in self.night or self.closed
        if over and dead and self.orders[who].product is not Product.MIS:
            self.leaving.discard(who)
            self.night.discard(who)

    def _target_may_be(self, who: int) -> None:
        """The stop goes first, and on the way out no target is sent."""
        assert who not in self.leaving, f"INV-15: {who} has a new target on the way out"
        held = self.filled(who, entry=True) - self.filled(who, entry=False)
        behind = sum(exits.confirmed for exits in together(self.of_cover[who]))
        # In one step a stop may be taken and taken out again before its target leaves.
        assert self._prompt or behind == held, f"INV-1: {who} has a target before its stop"

    def _change_sent(self, request: e.OrderAmendSent | e.OrderCancelSent) -> None:
        paper = self.papers[request.tag]
        who = paper.asked.parent_id
        assert paper.final is None or self._prompt, f"INV-6: {request} is about what is over"
        assert paper.amend is None and paper.cancel is None, f"INV-6: {request} is one too many"
        paper.asked_ns = paper.spoken_ns = self.now_ns
        self._on_wire(paper, entry=paper.entry and isinstance(request, e.OrderAmendSent))
        if isinstance(request, e.OrderCancelSent):
            paper.cancel = request
            return
        if paper.entry:
            if request.quantity > paper.total:
                assert who not in self.cancelled, f"INV-13: {who} grew after the cancel"
                assert who not in self.leaving, f"INV-13: {who} grew on the way out"
        elif request.order_type in STOPS:
            assert who not in self.leaving, f"INV-15: {who} tends a stop on the way out"
            self._trigger_may_be(paper.asked, request.trigger_price_pips)
        self._phase_takes(request)
        paper.amend = request
        paper.largest = max(paper.largest, int(request.quantity))
        paper.amend_plan = self.plans[who]

    def _on_wire(self, paper: Paper, *, entry: bool) -> None:
        """INV-18: what could open a position leaves room for what protects; that is never late."""
        key = (paper.asked.client_id, paper.asked.instrument.partition(":")[0])
        sent = self.sent[key]
        sent.append((self.now_ns, entry))
        if self.bounded and entry:
            lately = [of_entry for at_ns, of_entry in sent if at_ns > self.now_ns - SECOND_NS]
            assert len(lately) <= REQUESTS_MAX, f"INV-18: {key} has sent {len(lately)} in a second"
            assert sum(lately) <= ENTRIES_MAX, f"INV-18: {key} has sent {sum(lately)} entries"

    def _trigger_may_be(self, asked: e.OrderSubmitted, trigger: int) -> None:
        """INV-16: on tick, and never looser than what a trailing stop had reached."""
        tick = self._instruments[asked.instrument].tick_pips
        assert trigger % tick == 0, f"INV-16: {asked.parent_id} has a stop off tick"
        best = self.tightest.get(asked.parent_id)
        if best is not None:
            ahead = trigger >= best if asked.side is Side.SELL else trigger <= best
            assert ahead, f"INV-16: the stop of {asked.parent_id} went from {best} to {trigger}"

    def _trigger_is_ahead(self, asked: e.OrderSubmitted) -> None:
        """INV-16: a new stop does not stand on the wrong side of the last price."""
        last, trigger = self.last.get(asked.instrument), asked.trigger_price_pips
        if last is not None:
            ahead = trigger < last if asked.side is Side.SELL else trigger > last
            assert ahead, f"INV-16: {asked.parent_id} has a stop on {trigger}, the price is {last}"

    # --- Reports ------------------------------------------------------------------------------

    def _told(self, said: e.ExecutionReport) -> None:
        """Write down what the core was told; a thing told twice is one thing."""
        paper = self.papers[said.tag]
        self.touched.add(paper.asked.parent_id)
        match said:
            case e.OrderAccepted():
                paper.named = True
                self._confirmed(paper)
            case e.OrderTriggered():
                paper.fired = True
            case e.OrderTraded():
                self._traded(paper, said)
            case e.OrderAmended() | e.OrderAmendRefused():
                if paper.amend is not None and said.serial in (0, paper.amend.serial):
                    self._amend_is_over(paper, done=isinstance(said, e.OrderAmended))
            case e.OrderCancelRefused():
                if paper.cancel is not None and said.serial in (0, paper.cancel.serial):
                    paper.stays = True
                    paper.cancel = None
                    if paper.entry:
                        self.cancelled.discard(paper.asked.parent_id)
            case e.OrderRejected():
                self._over(paper, paper.filled, int(said.code))
            case e.OrderClosed():
                self._over(paper, int(said.filled_quantity), int(said.code))
            case e.OrderStatus():
                self._status(paper, said)
            case e.OrderAbsent():
                if self._is_settled(paper, said):
                    self._over(paper, paper.filled)
        if not paper.in_flight:
            paper.spoken_ns = self.now_ns

    def _traded(self, paper: Paper, trade: e.OrderTraded) -> None:
        # Both halves of a trade between our own clients carry its id.
        if (trade.trade_id, trade.tag) in self.trades:
            return
        self.trades[trade.trade_id, trade.tag] = trade
        if paper.amend is not None:
            family = self.of_cover[paper.asked.parent_id]
            linked = [p for p in family if p.link == paper.link != 0] or [paper]
            counted = sum(p.filled for p in linked) + int(trade.quantity)
            stood = (paper.kind, paper.total, paper.price)
            if proves(paper.asked.side, stood, paper.amend, counted, int(trade.price_pips)):
                self._amend_is_over(paper, done=True)
        paper.filled += trade.quantity
        if paper.final is None and paper.at_most == 0:
            paper.final = paper.filled
        asked = paper.asked
        row = self.sums.setdefault(asked.parent_id, [0, 0, 0, 0])
        at = 0 if asked.side is Side.BUY else 2
        row[at] += trade.quantity
        row[at + 1] += trade.quantity * trade.price_pips

    def _amend_is_over(self, paper: Paper, *, done: bool) -> None:
        assert paper.amend is not None
        amend, paper.amend = paper.amend, None
        if done:
            paper.total, paper.kind = int(amend.quantity), amend.order_type
            paper.price, paper.trigger = int(amend.price_pips), int(amend.trigger_price_pips)
            paper.plan = paper.amend_plan
            self._confirmed(paper)
        if paper.final is None and paper.filled >= paper.total:
            paper.final = paper.filled

    def _over(self, paper: Paper, filled: int, code: int = 0) -> None:
        if paper.final is None:
            paper.final, paper.code = max(filled, paper.filled), code
            paper.amend = paper.cancel = None

    def _is_settled(self, paper: Paper, said: e.OrderStatus | e.OrderAbsent) -> bool:
        """Whether no request of ours could be on its way when this was asked."""
        return said.settled or said.queried_at_ns - paper.asked_ns >= self._t_absent_ns

    def _status(self, paper: Paper, status: e.OrderStatus) -> None:
        """Take all that the venue knows of an order for told."""
        paper.named = True
        paper.fired = paper.fired or (paper.kind in STOPS and status.standing is e.Standing.WORKING)
        settled = self._is_settled(paper, status)
        amend, cancel = paper.amend, paper.cancel
        if amend is not None and status.serial == amend.serial:
            # What is left of a fired stop is priced by the venue; quantities are ours alone.
            priced = amend.order_type is OrderType.SLM and status.standing is e.Standing.WORKING
            same_price = priced or status.price_pips == amend.price_pips
            same = same_price and status.trigger_price_pips == amend.trigger_price_pips
            resized = amend.quantity != paper.total
            done = status.quantity == amend.quantity and (same or resized)
            if done or settled:
                self._amend_is_over(paper, done=done)
        for trade in status.trades:
            self._traded(paper, trade)
        if status.standing is e.Standing.CLOSED:
            self._over(paper, int(status.filled_quantity), int(status.code))
        elif cancel is not None and status.serial == cancel.serial and settled:
            paper.cancel = None  # It never arrived, and is owed still.
        self._confirmed(paper)

    def _confirmed(self, paper: Paper) -> None:
        who, trigger = paper.asked.parent_id, paper.trigger
        if paper.entry or paper.kind not in STOPS or paper.plan != self.plans[who]:
            return
        best = self.tightest.get(who)
        if best is not None:
            self.tightest[who] = (max if paper.asked.side is Side.SELL else min)(best, trigger)
        elif self.trailing.get(who):
            self.tightest[who] = trigger

    # --- What it adds up ----------------------------------------------------------------------

    def filled(self, cover_id: int, *, entry: bool) -> int:
        """Return F_e or F_x."""
        return sum(paper.filled for paper in self.of_cover[cover_id] if paper.entry is entry)

    # --- What it demands ----------------------------------------------------------------------

    def excuse(self, now_ns: int) -> None:
        """Begin all clocks anew: until now nobody could act."""
        self.grace_ns = now_ns
        self.bare_ns.clear()
        self.fired_ns.clear()

    def check(self, rows: Iterable[Row], now_ns: int, *, able: bool) -> None:
        """Assert what must hold of every row now; ``able``: something can be sent and traded."""
        self.now_ns = now_ns
        if not able:
            self.excuse(now_ns)
        for row in rows:
            self._check_quantities(row, able=able)
            if row.state not in ENDS and able:
                self._check_clocks(row)
            if self.wakes_carried and row.state == "CARRIED":
                self._check_carried(row, able=able)

    def _check_quantities(self, row: Row, *, able: bool) -> None:
        who, state = row.cover_id, row.state
        bought = sold = buys = 0
        busy = entry_dead = exits_dead = False
        papers = self.of_cover[who]
        groups = together(papers)
        at_most = sum(exits.at_most for exits in groups)
        wants = sum(exits.wants for exits in groups)
        confirmed = sum(exits.confirmed for exits in groups)
        for paper in papers:
            if paper.entry:
                bought += paper.filled
                buys += paper.at_most
            else:
                sold += paper.filled
                busy = busy or (paper.in_flight and not paper.target)
        busy = busy or any(exits.untold for exits in groups)
        # A link ends with its session: of what was linked before, each could still trade alone,
        # and beside a target that is not known to be dead a fresh stop could reverse.
        loose = self._old_target(papers)
        busy = busy or loose
        entry_dead = all(paper.dead for paper in papers if paper.entry)
        exits_dead = all(paper.dead for paper in papers if not paper.entry)
        position = bought - sold
        counted = (row.entry_filled, row.exits_filled)
        assert counted == (bought, sold), f"INV-11: {who} counts {counted}, not {(bought, sold)}"
        assert sold + at_most <= bought, (
            f"INV-3: {who} could be reversed: {sold}+{at_most}>{bought}"
        )
        assert confirmed <= position, f"INV-1: {who} is protected beyond its position"
        assert bought + buys <= self.wanted[who], f"INV-6: {who} could buy more than was ordered"
        if able and state in ON_PLAN and not busy:
            assert wants == position, f"INV-1: {who} {state} wants {wants} for {position}"
        if state in ENDS:
            assert entry_dead and exits_dead, f"INV-4: {who} {state} with a living order"
            assert position == 0 or state == "CARRIED", f"INV-4: {who} {state} with {position}"
            assert state not in FLAT_ENDS or bought == 0, f"INV-4: {who} {state}, and {bought}"
        elif position > confirmed:
            assert state in MAY_BE_BARE, f"INV-2: {who} is bare in {state}"
        if able and state == "UNPROTECTED" and wants < position and not loose:
            stops = sum(paper.asked.purpose is e.Purpose.STOP for paper in papers)
            assert stops > 1, f"INV-2: {who} has lost its stop, and nobody tries another"
        fired = state == "TRIGGERED" or any(p.target and p.filled for p in papers)
        if able and state not in ENDS and (fired or who in self.cancelled):
            left = [p for p in papers if p.entry and p.final is None and not p.stays]
            assert all(p.in_flight for p in left), f"INV-8: {who} {state} still buys"
        if state in ("COVERED", "EXITED"):
            assert entry_dead, f"INV-4: {who} {state}, and its entry is not over"
        if who in self.leaving and bought and state not in (*ENDS, "EXITING"):
            self._lives_on(who)
        if who in self.leaving and bought and state not in ENDS:
            assert state == "EXITING", f"INV-15: {who} shall leave and is {state}"

    def _old_target(self, papers: Iterable[Paper]) -> bool:
        """Whether a target of an earlier session is not known to be gone."""
        return any(p.target and not p.dead and p.sent_ns < self.opened_ns for p in papers)

    def _check_clocks(self, row: Row) -> None:
        """INV-2, 8, 9: whatever is owed is paid in time."""
        who, now_ns = row.cover_id, self.now_ns
        papers = self.of_cover[who]
        out = row.state == "EXITING"
        out_ns = self.out_ns.setdefault(who, now_ns) if out else 0
        bare = row.entry_filled - row.exits_filled
        # One stop operation at a time: what is missing follows its answer.
        busy = self._old_target(papers)
        for exits in together(papers):
            bare -= exits.wants
            busy = busy or exits.untold
        for paper in papers:
            if not paper.entry and not paper.target:
                busy = busy or paper.in_flight
            if paper.dead:
                continue
            idle_ns = now_ns - max(paper.spoken_ns, self.grace_ns, out_ns)
            if paper.in_flight:
                assert idle_ns <= SILENT_NS, f"INV-8: {who} asks no more about {paper.asked.tag}"
            elif paper.final is not None:
                pass  # It is over, and a trade is still on its way; the end of the run looks.
            elif paper.entry:
                overdue = idle_ns > (REFUSED_NS if paper.stays else UNCONVERTED_NS)
                assert not (out and overdue), f"INV-8: {who} leaves its entry alive"
            elif paper.target:
                patience_ns = REFUSED_NS if paper.stays else UNCONVERTED_NS
                overdue = idle_ns > patience_ns and paper.meant > paper.filled
                untold = any(exits.untold for exits in together(papers))
                assert not (out and overdue) or untold, f"INV-9: {who} leaves its target alive"
            elif out and paper.kind in STOPS and not paper.fired:
                self._is_converted(who, paper, idle_ns, out_ns)
        owed = bare > 0 and not busy
        self._lasts(self.bare_ns, who, BARE_NS, f"INV-2: {who} is bare too long", now=owed)
        untold = any(exits.untold for exits in together(papers))
        held = row.entry_filled > row.exits_filled  # Of nothing there is nothing to chase.
        idle = not any(paper.in_flight for paper in papers) and not untold
        fired = row.state == "TRIGGERED" and held and idle
        self._lasts(self.fired_ns, who, FIRED_NS, f"INV-9: {who} is not chased", now=fired)

    def _is_converted(self, who: int, paper: Paper, idle_ns: int, out_ns: int) -> None:
        """INV-9: a stop on its way out works soon, or once the other side's turns are over.

        A question about a stop is no attempt: what is waited for its turn counts from the last
        request. Once the other side has gone the pause before a first attempt begins. A turn may
        pass unused while the other side's answer is late: until then nothing may be sent.
        """
        patience_ns = REFUSED_NS if paper.stays else UNCONVERTED_NS
        if self._meets_its_own(who):
            self.met_ns[who] = self.now_ns
            if self._answer_is_late(who):
                self.late_ns[who] = self.now_ns
        unmet_ns = self.now_ns - self.met_ns[who]
        in_time = min(idle_ns, unmet_ns) <= patience_ns
        assert in_time, f"INV-9: {who} leaves its stop waiting"
        since_ns = max(paper.asked_ns, self.grace_ns, out_ns, self.late_ns[who])
        in_turn = unmet_ns or self.now_ns - since_ns <= TURNS_NS
        assert in_turn, f"INV-9: {who} waits beyond its turn"

    def _meets_its_own(self, who: int) -> bool:
        """Whether another order of its client leaves on the other side, and holds something."""
        return any(self._rivals(who))

    def _answer_is_late(self, who: int) -> bool:
        """Whether the other side has asked for something, and waits long for the answer."""
        before_ns = self.now_ns - UNCONVERTED_NS
        exits = (p for rival in self._rivals(who) for p in self.of_cover[rival] if not p.entry)
        return any(exit_.in_flight and exit_.asked_ns < before_ns for exit_ in exits)

    def _rivals(self, who: int) -> Iterator[int]:
        """Yield its client's orders that leave on the other side, and hold something."""
        mine = self.orders[who]
        for other in self.out_ns:
            order = self.orders[other]
            same = (order.client_id, order.instrument) == (mine.client_id, mine.instrument)
            held = self.filled(other, entry=True) - self.filled(other, entry=False)
            if same and order.side is not mine.side and held:
                yield other

    def _check_carried(self, row: Row, *, able: bool) -> None:
        """INV-2: soon after the opening a stop or an exit lives for what was carried."""
        who = row.cover_id
        bare = row.entry_filled - row.exits_filled
        bare -= sum(exits.wants for exits in together(self.of_cover[who]))
        broken = f"INV-2: {who} is carried, and bare after the opening"
        self._lasts(self.bare_ns, who, BARE_NS, broken, now=able and bare > 0)

    def _lasts(
        self, since: dict[int, int], who: int, limit_ns: int, broken: str, *, now: bool
    ) -> None:
        if not now:
            since.pop(who, None)
            return
        assert self.now_ns - since.setdefault(who, self.now_ns) <= limit_ns, broken

    # --- Answers ------------------------------------------------------------------------------

    def refused(self, command: object, reason: Reason, row: Row | None, *, able: bool) -> None:
        """INV-12: an exit of what is held is never refused, but at the end of the day."""
        leaves = isinstance(command, CancelCoverOrder) and command.leg is not Leg.ENTRY
        if not leaves or row is None or row.entry_filled == row.exits_filled:
            return
        over = row.state == "CARRIED" and not able
        assert over, f"INV-12: {row.cover_id} {row.state} may not leave: {reason}"

    # --- Money --------------------------------------------------------------------------------

    def ledger(self) -> dict[tuple[str, InstrumentKey, Product], list[int]]:
        """Return what everybody bought, paid, sold and got, as the told trades add up to."""
        total: dict[tuple[str, InstrumentKey, Product], list[int]] = {}
        for cover_id, sums in self.sums.items():
            order = self.orders[cover_id]
            row = total.setdefault((order.client_id, order.instrument, order.product), [0] * 4)
            for index, number in enumerate(sums):
                row[index] += number
        return total

    def profit_paise(self) -> dict[str, Fraction]:
        """Return what every client made, at average prices."""
        profit: dict[str, Fraction] = defaultdict(Fraction)
        for (client_id, key, _), (bought, paid, sold, got) in self.ledger().items():
            if bought and sold:
                gain = Fraction(got, sold) - Fraction(paid, bought)
                gain *= min(bought, sold) * self._instruments[key].multiplier
                profit[client_id] += gain / 100
        return profit
