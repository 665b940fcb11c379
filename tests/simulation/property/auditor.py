"""
A bookkeeper who shares no code with the core: it sees requests, reports and answers, and objects.

It keeps, for every order at the venue, what has been asked and what has been told, and computes
from that the quantities of each cover order. After every step it compares them with the
invariants of the specification, and with what the core claims (state, positions, cash).

F_e and F_x are what entries and exits have filled, R = F_e - F_x the position, W the most that
the exits could still fill, P what the venue has confirmed, G = R - P the gap.

Source: docs/spec/cover_order.md (INV-1 to 7, 11 to 16).
"""

from collections import Counter, defaultdict
from fractions import Fraction

from kavach.core import events as e
from kavach.core.model.cover.order import CoverOrder
from kavach.engine.engine import Engine
from kavach.units import InstrumentKey, OrderType, Product, Side
from tests.conservation import check_conservation
from tests.contract.kept_check import check_index, check_rows
from tests.proofs import proves

ENDS = frozenset({"REJECTED", "CANCELLED", "EXPIRED", "EXITED", "CARRIED"})
MAY_BE_BARE = frozenset({"COVERING", "TRIGGERED", "EXITING", "UNPROTECTED"})
STOPS = frozenset({OrderType.SL, OrderType.SLM})


class Paper:
    """One order at the venue, by what was asked and told."""

    def __init__(self, asked: e.OrderSubmitted) -> None:
        self.asked = asked
        self.kind = asked.order_type
        self.total = self.largest = int(asked.quantity)
        self.link = asked.link
        self.code = 0  # With which it was closed or refused.
        self.price = int(asked.price_pips)
        self.trigger = int(asked.trigger_price_pips)
        self.plan = 0  # Which plan of the stop the trigger belongs to.
        self.amend_plan = 0
        self.filled = 0
        self.answered = False
        self.denied = False  # The venue said that it does not know it.
        self.contradicted = False  # The venue said so, or that it is over, and was wrong.
        self.final: int | None = None
        self.amend: e.OrderAmendSent | None = None
        self.cancelling = False

    @property
    def at_most(self) -> int:
        """The most that it may still fill."""
        if self.final is not None:
            return max(0, self.final - self.filled)
        return max(self.total, int(self.amend.quantity) if self.amend else 0) - self.filled

    @property
    def dead(self) -> bool:
        """Whether it is over, and all its trades were told."""
        return self.final == self.filled

    @property
    def meant(self) -> int:
        """Its total as it will be."""
        return max(self.total, int(self.amend.quantity) if self.amend else 0)

    @property
    def in_flight(self) -> bool:
        """Whether the venue owes an answer."""
        return self.final is None and (
            not self.answered or self.amend is not None or self.cancelling
        )


def _by_link(papers: list[Paper]) -> list[list[Paper]]:
    """Return orders that share one quantity together, and all others one by one."""
    linked: dict[tuple[int, int], list[Paper]] = defaultdict(list)
    for paper in papers:
        linked[paper.link, 0 if paper.link else paper.asked.tag].append(paper)
    return list(linked.values())


def _at_most(linked: list[Paper]) -> int:
    """Return what orders that share one quantity may still fill together.

    Their trades are one sum, which never goes beyond the total of the order that traded last; and
    that may be any that has traded, or still could.
    """
    if len(linked) == 1 and not linked[0].link:
        return linked[0].at_most
    if all(paper.dead for paper in linked):
        return 0
    filled = sum(paper.filled for paper in linked)
    owed = sum(paper.at_most for paper in linked if paper.final is not None)
    last = max(paper.largest for paper in linked if paper.filled or not paper.dead)
    return max(last - filled, owed)


def _confirmed(exits: list[Paper]) -> int:
    """Return what stops and exits the venue has confirmed and not closed; a target is none."""
    found = 0
    for linked in _by_link(exits):
        filled = sum(paper.filled for paper in linked)
        stops = [p for p in linked if p.asked.purpose is not e.Purpose.TARGET]
        lives = [p.total - filled for p in stops if p.answered and p.final is None]
        found += max([0, *lives])
    return found


def _wants(stops: list[Paper], exits: list[Paper]) -> int:
    """Return for how much the stops and exits are, as they will be."""
    wanted = 0
    for linked in _by_link(exits):
        filled = sum(paper.filled for paper in linked)
        wanted += max([0, *(p.meant - filled for p in linked if p in stops and p.final is None)])
    return wanted


def _is_behind(linked: list[Paper]) -> bool:
    """Return whether something about linked orders has happened and was not told yet."""
    filled = sum(paper.filled for paper in linked)
    for paper in linked:
        exhausted = paper.link and paper.final is None and paper.meant <= filled
        traded = paper.code in (17901, 17902) and paper.total > filled
        owes = paper.final is not None and paper.final > paper.filled
        if exhausted or traded or owes:
            return True
    return False


class Auditor:
    """Everything that went out and came in, and what it adds up to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.prompt = False  # Whether a request may meet an order that has just gone.
        self.unlinked = False  # Whether nothing can be sent for now.
        self.papers: dict[int, Paper] = {}
        self.of_cover: dict[int, list[Paper]] = defaultdict(list)
        self.trades: dict[tuple[str, int], tuple[int, int]] = {}  # Quantity and price.
        self.wanted: dict[int, int] = {}  # The most that the client ever wanted of a cover order.
        self.told_of: Counter[str] = Counter()  # Reports by client.
        self.cancelled: set[int] = set()  # Covers whose C1 stands.
        self.leaving: set[int] = set()  # Covers that want out.
        self.night: set[int] = set()  # Those of them whose session has ended since.
        self.plans: dict[int, int] = defaultdict(int)  # How often a client moved the stop.
        self.tightest: dict[int, int] = {}  # The best trigger confirmed since.

    # --- What it sees -------------------------------------------------------------------------

    def sent(self, request: e.Request) -> None:
        """Write down a request, having looked whether it may be made at all."""
        if isinstance(request, e.OrderSubmitted):
            assert request.tag not in self.papers, "INV-6: one tag, two orders"
            self._may_submit(request)
            paper = Paper(request)
            paper.plan = self.plans[request.parent_id]
            self.papers[request.tag] = paper
            self.of_cover[request.parent_id].append(paper)
            return
        paper = self.papers[request.tag]
        assert paper.final is None or self.prompt, f"a request for what is over: {request}"
        assert paper.amend is None and not paper.cancelling, "two requests in flight"
        if isinstance(request, e.OrderCancelSent):
            paper.cancelling = True
            return
        assert isinstance(request, e.OrderAmendSent), f"{request} is no business of the venue's"
        self._may_amend(paper, request)
        paper.amend = request
        paper.largest = max(paper.largest, int(request.quantity))
        paper.amend_plan = self.plans[paper.asked.parent_id]

    def moved_by_client(self, cover_id: int) -> None:
        """Forget how tight the stop was: a client may loosen it."""
        self.plans[cover_id] += 1
        self.tightest.pop(cover_id, None)

    def _may_submit(self, request: e.OrderSubmitted) -> None:
        cover_id = request.parent_id
        if request.purpose is e.Purpose.ENTRY:
            assert cover_id not in self.cancelled, "INV-13: bought more after the cancel"
            assert cover_id not in self.leaving, "INV-15: bought more on the way out"
            return
        assert self.filled(cover_id, entry=True) > 0, "INV-1: an exit before the first fill"
        if request.purpose is e.Purpose.TARGET:
            assert cover_id not in self.leaving, "INV-15: a new target on the way out"
            held = self.filled(cover_id, entry=True) - self.filled(cover_id, entry=False)
            behind = _confirmed(self._side(cover_id, entry=False))
            assert behind == held or self.prompt, (
                f"INV-1: a target with {behind} of {held} behind a stop"
            )
        if request.purpose is e.Purpose.STOP:
            self._may_live_on(cover_id)
            assert cover_id not in self.leaving, "INV-15: a new stop on the way out"
            self._trigger_may_be(request, request.trigger_price_pips)

    def session_over(self) -> None:
        """Take notice of whose wish to leave ends with its session."""
        self.night |= self.leaving

    def _may_live_on(self, cover_id: int) -> None:
        """Take a carried order for protected again: not an intraday one, nor one that may live."""
        intraday = self.engine.state.covers[cover_id].product is Product.MIS
        dead = all(paper.dead for paper in self.of_cover[cover_id])
        if cover_id in self.night and dead and not intraday:
            self.leaving.discard(cover_id)
            self.night.discard(cover_id)

    def _may_amend(self, paper: Paper, request: e.OrderAmendSent) -> None:
        cover_id = paper.asked.parent_id
        if paper.asked.purpose is e.Purpose.ENTRY:
            if request.quantity > paper.total:
                assert cover_id not in self.cancelled, "INV-13: the entry grew after the cancel"
                assert cover_id not in self.leaving, "INV-13: the entry grew on the way out"
        elif request.order_type in STOPS:
            assert cover_id not in self.leaving, "INV-15: a stop tended on the way out"
            self._trigger_may_be(paper.asked, request.trigger_price_pips)

    def _trigger_may_be(self, asked: e.OrderSubmitted, trigger: int) -> None:
        """INV-16: on tick, on its side of the last price, and never looser than confirmed."""
        instrument = self.engine.state.instruments[asked.instrument]
        assert trigger % instrument.tick_pips == 0, "INV-16: off tick"
        best = self.tightest.get(asked.parent_id)
        if best is not None:
            ahead = trigger >= best if asked.side is Side.SELL else trigger <= best
            assert ahead, f"INV-16: the stop went from {best} back to {trigger}"

    def told(self, said: e.ExecutionReport) -> None:
        """Write down what the core was told; a thing told twice is one thing."""
        paper = self.papers[said.tag]
        self.told_of[paper.asked.client_id] += 1
        match said:
            case e.OrderAccepted():
                if paper.denied:
                    paper.denied, paper.final, paper.contradicted = False, None, True
                paper.answered = True
                self._confirmed(paper)
            case e.OrderTraded():
                self._traded(paper, said)
            case e.OrderAmended() | e.OrderAmendRefused():
                if paper.amend is not None and said.serial in (0, paper.amend.serial):
                    self._amend_is_over(paper, done=isinstance(said, e.OrderAmended))
            case e.OrderCancelRefused():
                self._cancel_is_over(paper)
            case e.OrderRejected():
                self._over(paper, paper.filled, int(said.code))
            case e.OrderClosed():
                self._over(paper, int(said.filled_quantity), int(said.code))
            case e.OrderStatus():
                self._status(paper, said)
            case e.OrderAbsent(settled=True):
                paper.denied = paper.denied or paper.final is None
                self._over(paper, paper.filled)
            case _:
                pass

    def _traded(self, paper: Paper, trade: e.OrderTraded) -> None:
        # Both halves of a trade between our own clients carry its id.
        if (trade.trade_id, trade.tag) in self.trades:
            return
        self.trades[trade.trade_id, trade.tag] = (int(trade.quantity), int(trade.price_pips))
        if paper.amend is not None:
            family = self.of_cover[paper.asked.parent_id]
            linked = [p for p in family if p.link == paper.link != 0] or [paper]
            counted = sum(p.filled for p in linked) + int(trade.quantity)
            stood = (paper.kind, paper.total, paper.price)
            if proves(paper.asked.side, stood, paper.amend, counted, int(trade.price_pips)):
                self._amend_is_over(paper, done=True)
        paper.contradicted |= trade.quantity > paper.at_most
        paper.filled += trade.quantity
        if paper.at_most == 0:
            paper.final = paper.filled

    def _amend_is_over(self, paper: Paper, *, done: bool) -> None:
        assert paper.amend is not None
        amend, paper.amend = paper.amend, None
        if done:
            paper.total, paper.kind = int(amend.quantity), amend.order_type
            paper.price = int(amend.price_pips)
            paper.trigger, paper.plan = int(amend.trigger_price_pips), paper.amend_plan
            self._confirmed(paper)
        if paper.final is None and paper.filled == paper.total:
            paper.final = paper.filled

    def _cancel_is_over(self, paper: Paper) -> None:
        paper.cancelling = False
        if paper.asked.purpose is e.Purpose.ENTRY:
            self.cancelled.discard(paper.asked.parent_id)

    def _over(self, paper: Paper, filled: int, code: int = 0) -> None:
        if paper.final is None:
            paper.final, paper.code = max(filled, paper.filled), code

    def _status(self, paper: Paper, status: e.OrderStatus) -> None:
        """Take all that the venue knows of an order for told."""
        if paper.denied:
            paper.denied, paper.final, paper.contradicted = False, None, True
        paper.answered = True
        for trade in status.trades:
            self._traded(paper, trade)
        amend = paper.amend
        if amend is not None:
            now = (status.quantity, status.price_pips, status.trigger_price_pips)
            done = now == (amend.quantity, amend.price_pips, amend.trigger_price_pips)
            if done or status.settled:
                self._amend_is_over(paper, done=done)
        if status.standing is e.Standing.CLOSED:
            self._over(paper, int(status.filled_quantity), int(status.code))
        elif paper.cancelling and status.settled:
            self._cancel_is_over(paper)
        self._confirmed(paper)

    def _confirmed(self, paper: Paper) -> None:
        cover_id, trigger = paper.asked.parent_id, paper.trigger
        if paper.asked.purpose is e.Purpose.ENTRY or paper.kind not in STOPS:
            return
        if paper.plan != self.plans[cover_id]:
            return
        best = self.tightest.get(cover_id)
        if best is not None:
            pick = max if paper.asked.side is Side.SELL else min
            self.tightest[cover_id] = pick(best, trigger)
        elif self.engine.state.covers[cover_id].trailing_step_pips:
            self.tightest[cover_id] = trigger

    # --- What it adds up ----------------------------------------------------------------------

    def filled(self, cover_id: int, *, entry: bool) -> int:
        """Return F_e or F_x."""
        return sum(p.filled for p in self._side(cover_id, entry=entry))

    def _side(self, cover_id: int, *, entry: bool) -> list[Paper]:
        papers = self.of_cover[cover_id]
        return [p for p in papers if (p.asked.purpose is e.Purpose.ENTRY) is entry]

    # --- What it demands ----------------------------------------------------------------------

    def check(self) -> None:
        """Assert every invariant that can be seen from outside."""
        for cover in self.engine.state.every_cover():
            self._check_cover(cover)
        self._check_ledger()
        check_index(self.engine.state)
        check_rows(self.engine.state)

    def _check_cover(self, cover: CoverOrder) -> None:
        state, who = cover.state.value, cover.order_id
        entries, exits = self._side(who, entry=True), self._side(who, entry=False)
        bought, sold = sum(p.filled for p in entries), sum(p.filled for p in exits)
        position = bought - sold
        at_most = sum(_at_most(linked) for linked in _by_link(exits))
        confirmed = _confirmed(exits)
        assert (cover.entry_filled, cover.exits_filled) == (bought, sold), f"{who}: fills differ"
        assert sold + at_most <= bought, f"INV-3: {who} could be reversed"
        uncovered = bought + sum(p.at_most for p in entries)
        if who in self.wanted and not any(p.contradicted for p in entries):
            assert uncovered <= self.wanted[who], f"INV-6: {who} may buy {uncovered}"
        assert confirmed <= position, f"INV-1: {who} is protected beyond its position"
        stops = [p for p in exits if p.asked.purpose is not e.Purpose.TARGET]
        busy = any(p.in_flight for p in stops) or any(_is_behind(ps) for ps in _by_link(exits))
        exchange = self.engine.state.instruments[cover.instrument].exchange
        closed = exchange in self.engine.state.sessions.closed or self.unlinked
        if state in ("COVERING", "COVERED_OPEN", "COVERED") and not busy and not closed:
            wants = _wants(stops, exits)
            assert wants == position, f"INV-1: {who} wants {wants} for {position}"
        if position > confirmed and state not in ENDS:
            assert state in MAY_BE_BARE, f"INV-2: {who} is bare in {state}"
            waits = self.engine.next_due_ns() is not None
            assert busy or waits or closed, f"INV-2: {who} is bare and nothing is coming"
        if state in ENDS:
            orders = entries + exits
            assert all(p.final == p.filled for p in orders), f"INV-4: {who} ended alive"
            assert position == 0 or state == "CARRIED", f"INV-4: {who} ended with {position}"
            if position == 0 and bought == 0:
                assert state in ("REJECTED", "CANCELLED", "EXPIRED"), f"{who}: {state}"
        if state in ("COVERED", "EXITED"):
            assert all(p.final == p.filled for p in entries), f"{who}: the entry is not over"

    def _check_ledger(self) -> None:
        """INV-11: positions and money are a fold of the distinct trades."""
        state = self.engine.state
        sums: dict[tuple[str, InstrumentKey, Product], list[int]] = defaultdict(lambda: [0] * 4)
        for (_, tag), (quantity, price) in self.trades.items():
            asked = self.papers[tag].asked
            product = state.covers[asked.parent_id].product
            row = sums[asked.client_id, asked.instrument, product]
            at = 0 if asked.side is Side.BUY else 2
            row[at] += quantity
            row[at + 1] += quantity * price
        for client_id in state.clients:
            rows = {(k, p): row for (owner, k, p), row in sums.items() if owner == client_id}
            check_conservation(state, client_id, rows)
        self._check_margin()
        if state.ledger:
            return  # A day was settled: positions begin anew.
        profit: dict[str, int] = defaultdict(int)
        for (client_id, key, product), row in sums.items():
            position = state.clients[client_id].position(key, product)
            assert position is not None, "INV-11: a position is missing"
            kept = [position.buy_quantity, position.buy_value]
            kept += [position.sell_quantity, position.sell_value]
            assert kept == row, f"INV-11: {client_id} {key}: {kept} is not {row}"
            if row[0] and row[2]:
                gain = Fraction(row[3], row[2]) - Fraction(row[1], row[0])
                gain *= min(row[0], row[2]) * state.instruments[key].multiplier
                profit[client_id] += gain // 100
        for client_id, client in state.clients.items():
            assert abs(client.realised_paise - profit[client_id]) <= len(client.positions), (
                f"INV-11: {client_id} made {profit[client_id]}, not {client.realised_paise}"
            )

    def _check_margin(self) -> None:
        """INV-12: blocked is what orders block, and nothing once they are over and flat."""
        state = self.engine.state
        for client_id, client in state.clients.items():
            held = sum(c.blocked_paise for c in state.covers_of(client_id))
            assert client.blocked_paise == held >= 0, "INV-12: margin leaks"
            if all(c.ended and c.position == 0 for c in state.covers_of(client_id)):
                assert client.blocked_paise == 0, "INV-12: margin is kept for nothing"
