"""
The bookkeeper outside, for all that a client can ask beside cover orders.

Regular orders, those that baskets, rules and the square-off place, rules themselves, and
accounts. Like ``Auditor`` it sees requests, reports, answers, prices and the books as clients see
them, and shares no code with the core.

What is demanded of an order: it has one cause, goes to the venue once, as it was asked for, and
never for more; parked, it is at no venue, and at the opening it is not parked any more; when its
cancel stands, it neither goes out nor grows, and is cancelled in time; when it has ended, nothing
of it lives; its row shows its fills. Of the square-off: what it gives back is there, and what is
left with nothing open is given back.

Times are nanoseconds, prices pips.

Source: docs/reliability.md; docs/wire/README.md, "Regular and after-market orders";
docs/wire/baskets.md; docs/wire/gtt.md; docs/spec/cover_order.md, "What the system owes";
docs/spec/cover_order.md, "What must hold".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from kavach.core import events as e
from kavach.core.commands import (
    EndSession,
    KeyedCommand,
    Kill,
    OpenClient,
    OpenSession,
    SquareOff,
)
from kavach.core.model.baskets.commands import AddBasketOrder, CreateBasket, ExecuteBasket
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, ModifyGtt
from kavach.core.model.money.commands import ConvertPosition, GrantHoldings
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.refusals import Answer
from kavach.units import InstrumentKey, OrderType, Product, Side, opposite
from tests.simulation.accounts import Accounts, Shown
from tests.simulation.auditor import (
    SILENT_NS,
    STOPS,
    TURNS_NS,
    Asked,
    Auditor,
    Paper,
    Seen,
    Thing,
)
from tests.simulation.network import Price
from tests.simulation.rules_kept import ACTIVE, FIRED, Kept, RuleRow, day_in_india

OVER: Final = frozenset({"FILLED", "CANCELLED", "REJECTED", "EXPIRED"})
SQUARE_OFF: Final = "SQUARE_OFF"
ANY_PRICE: Final = 1 << 62
PIPS_PER_PAISA: Final = 100


class OrderRow(NamedTuple):
    """A regular order as the order book shows it."""

    order_id: int
    client_id: str
    instrument: InstrumentKey
    side: Side
    product: Product
    order_type: OrderType
    quantity: int
    price: int
    trigger: int
    state: str
    filled: int
    amo: bool
    device: str


class Book(NamedTuple):
    """What clients see."""

    orders: Sequence[OrderRow]  # Those that live, or of which the auditor has heard.
    rules: Sequence[RuleRow]
    executions: Mapping[int, Sequence[int]]  # Of baskets: the orders, in their order.
    accounts: Sequence[Shown]


class Placed(NamedTuple):
    """A regular order that is seen for the first time, in the book."""

    row: OrderRow


class Wish:
    """What an order is for, by the requests about it."""

    def __init__(self, row: OrderRow, opening: int, at_ns: int) -> None:
        self.since_ns = at_ns
        self.row = row  # As it was first seen.
        self.most = row.quantity
        self.prices = {row.price}
        self.triggers = {row.trigger}
        self.opening = opening  # How many openings there had been.
        self.paper: Paper | None = None


class DeskAuditor(Auditor):
    """Everything that ``Auditor`` demands, and the rest of the API."""

    def look_up(self, order_id: int) -> OrderRow | None:
        """Return a regular order's row, None if it is no regular order."""
        raise NotImplementedError

    def _forget(self) -> None:
        super()._forget()
        self.wishes: dict[int, Wish] = {}
        self.placed: set[int] = set()  # Answered to who asked for one order.
        self.caused: set[int] = set()  # Whose cause is known.
        self.going: set[int] = set()  # Whose cancel stands, or whom a moment takes out.
        self.withdrawn: set[int] = set()  # Of these, by a client alone: a refusal ends it.
        self.gone: set[int] = set()  # Answered: cancelled, and that is all.
        self.checked: set[int] = set()  # Over, looked at, and nothing heard since.
        self.parked: set[int] = set()
        self.waking: set[int] = set()  # Parked when the session opened.
        self.loosest: dict[int, int] = {}  # The worst price ever asked for, by tag.
        self.openings = 0
        self.stopped = False  # The square-off time has come, and no opening since.
        self.rules: dict[str, Kept] = {}
        self.fired_by: dict[int, str] = {}  # Rules, by their order.
        self.passed: dict[InstrumentKey, list[int]] = {}  # Prices since the last look.
        self.baskets: dict[str, list[OrderTerms]] = {}
        self.executed: dict[int, list[OrderTerms]] = {}
        self.of_baskets: set[int] = set()  # Orders that executions have placed.
        self.known: dict[tuple[str, str], tuple[int, int, str]] = {}
        self.accounts = Accounts()
        self.converting: ConvertPosition | None = None  # Asked, and not answered.
        self.relearns = True  # What has fired before is not news.

    # --- What it sees -------------------------------------------------------------------------

    def see(self, sequence: int, at_ns: int, thing: Thing | Placed) -> None:
        """Write down one thing; an order that is sent is looked up in the book first."""
        if isinstance(thing, e.OrderSubmitted) and thing.parent_id not in self.wishes:
            row = self.look_up(thing.parent_id)
            if row is not None:
                self._write(sequence, at_ns, Placed(row))
        self._write(sequence, at_ns, thing)

    def _write(self, sequence: int, at_ns: int, thing: Thing | Placed) -> None:
        self._seen.append(Seen(sequence, at_ns, thing))  # type: ignore[arg-type]
        self._note(at_ns, thing)

    def _note(self, at_ns: int, thing: Thing | Placed) -> None:
        if isinstance(thing, Placed):
            self.wishes[thing.row.order_id] = Wish(thing.row, self.openings, at_ns)
            return
        super()._note(at_ns, thing)
        if isinstance(thing, Price):
            self.passed.setdefault(thing.instrument, []).append(thing.price_pips)

    def last_price(self, key: InstrumentKey) -> int:
        """Return the last price that was seen, or the previous close."""
        return self.last.get(key, int(self._instruments[key].previous_close_pips))

    def _asking(self, command: KeyedCommand) -> None:
        super()._asking(command)
        self.converting = command if isinstance(command, ConvertPosition) else None
        if isinstance(command, ModifyOrder) and command.order_id in self.wishes:
            wish = self.wishes[command.order_id]  # It may be granted before the answer is seen.
            wish.most = max(wish.most, command.quantity or 0)
            wish.prices.add(int(command.price_pips or 0))
            wish.triggers.add(int(command.trigger_price_pips or 0))

    def _asked(self, asked: Asked) -> None:
        super()._asked(asked)
        self.converting = None
        command, outcome = asked
        if not isinstance(outcome, Answer):
            return
        if isinstance(command, KeyedCommand) and command.idempotency_key:
            key = (command.client_id, command.idempotency_key)
            about = (outcome.order_id, outcome.basket_id, outcome.subject)
            first = self.known.setdefault(key, about)
            assert first == about, f"INV-6: key {key} has two effects"
        match command:
            case PlaceOrder():
                self.placed.add(outcome.order_id)
            case CancelOrder():
                if command.order_id not in self.going:
                    self.withdrawn.add(command.order_id)
                self.going.add(command.order_id)
                if outcome.state == "CANCELLED":
                    self.gone.add(command.order_id)
            case EndSession():
                self._day_over()
            case OpenSession():
                self.openings += 1
                self.stopped = False
                self.waking |= self.parked
            case OpenClient():
                account = self.accounts.of[command.client_id]
                account.cash_pips = int(command.cash_paise) * PIPS_PER_PAISA
            case GrantHoldings():
                for shares in command.holdings:
                    owned = self.accounts.of[command.client_id].holdings
                    owned[shares.instrument] += shares.quantity
            case _ if not outcome.replayed:
                self._kept(command, outcome)

    def _kept(self, command: object, outcome: Answer) -> None:
        """Write down what outlives its answer: rules, baskets, conversions."""
        match command:
            case CreateGtt():
                last = self.last_price(command.terms.instrument)
                self.rules[outcome.subject] = Kept(command, last)
            case ModifyGtt():
                self.rules[command.rule_id].arm(command, self.last_price(command.terms.instrument))
            case CancelGtt():
                self.rules[command.rule_id].over = "CANCELLED"
            case CreateBasket():
                self.baskets[outcome.subject] = []
            case AddBasketOrder():
                self.baskets[command.basket_id].append(command.terms)
            case ExecuteBasket():
                orders = self.baskets[command.basket_id]
                if command.square_off:
                    orders = [replace(terms, side=opposite(terms.side)) for terms in orders]
                self.executed[outcome.basket_id] = list(orders)
            case ConvertPosition():
                self.accounts.of[command.client_id].convert(
                    (command.instrument, command.product),
                    command.new_product,
                    command.side,
                    command.quantity,
                )

    def _day_over(self) -> None:
        today = day_in_india(self.now_ns)
        for kept in self.rules.values():
            if kept.state == ACTIVE and not kept.over and kept.expiry_day <= today:
                kept.over = "EXPIRED"
        waits = any(
            who not in self.checked and (wish.paper is None or not wish.paper.dead)
            for who, wish in self.wishes.items()
        )
        self.accounts.settle(today, self.last_price, waits=waits)

    def _everybody(self, command: SquareOff | Kill) -> None:
        mine = self.of_cover
        self.of_cover = defaultdict(
            list, {who: papers for who, papers in mine.items() if who not in self.wishes}
        )
        super()._everybody(command)
        self.of_cover = mine
        self.stopped = self.stopped or isinstance(command, SquareOff)
        for who, wish in self.wishes.items():
            if who in self.checked or who not in self.caused:
                continue  # Over, or placed in this very step.
            if isinstance(command, Kill):
                concerned = wish.row.client_id == command.client_id
            else:
                concerned = wish.row.product is Product.MIS and who not in self.parked
            if concerned and wish.row.device != SQUARE_OFF:
                self.going.add(who)
                self.withdrawn.discard(who)

    # --- Requests and reports -----------------------------------------------------------------

    def _submitted(self, request: e.OrderSubmitted) -> None:
        who = request.parent_id
        wish = self.wishes.get(who)
        if wish is None:
            super()._submitted(request)
            return
        row = wish.row
        assert request.tag not in self.papers, "INV-6: one tag, two orders"
        assert wish.paper is None, f"INV-6: {who} is sent twice"
        assert who not in self.going, f"INV-13: {who} is sent after its cancel"
        sent = (request.client_id, request.instrument, request.side)
        asked = (row.client_id, row.instrument, row.side)
        assert sent == asked, f"INV-20: {who} is sent for {sent}"
        assert request.quantity <= wish.most, f"INV-6: {who} is sent for {request.quantity}"
        assert request.purpose is e.Purpose.ENTRY, f"INV-3: {who} has an exit"
        if row.order_type in (OrderType.LIMIT, OrderType.SL):
            assert request.price_pips in wish.prices, f"INV-16: {who} is sent at another price"
        if row.order_type in STOPS:
            trigger = request.trigger_price_pips
            assert trigger in wish.triggers, f"INV-16: {who} is sent with another trigger"
        paper = Paper(request, self.now_ns, 0)
        wish.paper = self.papers[request.tag] = paper
        self.of_cover[who].append(paper)
        self.loosest[request.tag] = _worst(request, request.side)
        self._on_wire(paper, entry=True)
        if row.device == SQUARE_OFF:
            self._gives_back(row, paper)

    def _on_wire(self, paper: Paper, *, entry: bool) -> None:
        """What only gives back is bounded as little as an exit."""
        wish = self.wishes.get(paper.asked.parent_id)
        gives_back = wish and (wish.row.device == SQUARE_OFF or self._reduces(wish.row))
        super()._on_wire(paper, entry=entry and not gives_back)

    def _reduces(self, row: OrderRow) -> bool:
        held = self.accounts.of[row.client_id].plain[row.instrument, row.product]
        open_quantity = sum(
            wish.most if wish.paper is None else wish.paper.at_most
            for who, wish in self.wishes.items()
            if who not in self.checked
            and (wish.row.client_id, wish.row.instrument) == (row.client_id, row.instrument)
            and (wish.row.product, wish.row.side) == (row.product, row.side)
        )
        return open_quantity <= (held if row.side is Side.SELL else -held)

    def _open_of(self, client_id: str, key: InstrumentKey) -> list[Wish]:
        """Return the intraday orders of a position that may still trade, by what was told."""
        return [
            wish
            for who, wish in self.wishes.items()
            if who not in self.checked
            and (wish.row.client_id, wish.row.instrument) == (client_id, key)
            and wish.row.product is Product.MIS
            and who not in self.parked
            and (wish.paper is None or not wish.paper.dead)
        ]

    def _gives_back(self, row: OrderRow, paper: Paper) -> None:
        """The square-off never turns a position round: all that is open gives back at most it."""
        held = self.accounts.of[row.client_id].plain[row.instrument, Product.MIS]
        held += self._becoming_intraday(row)
        name = f"the square-off {row.order_id}"
        assert self.stopped or self._prompt, f"INV-15: {name} comes before its time"
        assert held * (1 if row.side is Side.SELL else -1) > 0, f"INV-3: {name} opens a position"
        others = [
            wish.paper.at_most
            for wish in self._open_of(row.client_id, row.instrument)
            if wish.paper is not None and wish.row.side is row.side
        ]
        assert sum(others) <= abs(held), f"INV-3: {name} could reverse: {others} for {held}"
        assert paper.at_most > 0, f"INV-3: {name} is for nothing"

    def _becoming_intraday(self, row: OrderRow) -> int:
        """Return what the conversion at hand adds: inside, its answer comes after what follows."""
        asked = self.converting
        if asked is None or asked.new_product is not Product.MIS:
            return 0
        if (asked.client_id, asked.instrument) != (row.client_id, row.instrument):
            return 0
        return asked.quantity if asked.side is Side.BUY else -asked.quantity

    def _change_sent(self, request: e.OrderAmendSent | e.OrderCancelSent) -> None:
        paper = self.papers[request.tag]
        who = paper.asked.parent_id
        if who in self.wishes and isinstance(request, e.OrderAmendSent):
            grows = request.quantity > paper.total
            assert not grows or who not in self.going, f"INV-13: {who} grows after its cancel"
            prices = (self.loosest[request.tag], _worst(request, paper.asked.side))
            self.loosest[request.tag] = (max if paper.asked.side is Side.BUY else min)(prices)
        super()._change_sent(request)

    def _told(self, said: e.ExecutionReport) -> None:
        refused = isinstance(said, e.OrderCancelRefused) and self.papers[said.tag].cancel
        super()._told(said)
        who = self.papers[said.tag].asked.parent_id
        if refused and self.papers[said.tag].cancel is None and who in self.withdrawn:
            # The client was told CANCEL_PENDING, and its row says that it was refused: from now
            # on the order is as it was, and may be changed again.
            self.withdrawn.discard(who)
            self.going.discard(who)
        self.checked.discard(self.papers[said.tag].asked.parent_id)

    def _traded(self, paper: Paper, trade: e.OrderTraded) -> None:
        known = (trade.trade_id, trade.tag) in self.trades
        super()._traded(paper, trade)
        if known:
            return
        who, side = paper.asked.parent_id, paper.asked.side
        wish = self.wishes.get(who)
        if wish is not None:
            worst = self.loosest[trade.tag]
            fair = trade.price_pips <= worst if side is Side.BUY else trade.price_pips >= worst
            assert fair, f"INV-16: {who} trades at {trade.price_pips}, beyond {worst}"
        self.accounts.unsettled = True
        product = self.orders[who].product if wish is None else wish.row.product
        self.accounts.of[paper.asked.client_id].trade(
            (paper.asked.instrument, product),
            side,
            trade.quantity,
            trade.price_pips,
            plain=wish is not None,
        )

    # --- What it demands ----------------------------------------------------------------------

    def read(self, book: Book, sequence: int, now_ns: int, *, able: bool) -> None:
        """Hold what clients see against what was asked and told."""
        for row in book.orders:
            if row.order_id not in self.wishes:
                self._write(sequence, now_ns, Placed(row))
        self._check_rules(book.rules, now_ns, able=able)
        self._check_executions(book.executions)
        for row in book.orders:
            self._check_order(row, able=able)
        if able and self.stopped:
            self._check_square_off()
        self.accounts.check(book.accounts)
        self.passed = {key: [price] for key, price in self.last.items()}
        self.relearns = False

    def _check_rules(self, rows: Iterable[RuleRow], now_ns: int, *, able: bool) -> None:
        seen = set()
        for row in rows:
            kept = self.rules.get(row.rule_id)
            assert kept is not None, f"GTT: nobody made rule {row.rule_id}"
            seen.add(row.rule_id)
            key = kept.terms.instrument
            if self.relearns and row.state in FIRED:
                kept.state, kept.order_id, kept.over = row.state, row.order_id, ""
            news = row.order_id and row.order_id not in self.fired_by
            kept.check(row, self.passed.get(key, ()), self.last.get(key), now_ns, able=able)
            if news:
                self.fired_by[row.order_id] = row.rule_id
                self._placed_as(row.order_id, kept, self.passed.get(key, ()))
        assert seen == self.rules.keys(), f"promise 1: rules are lost: {self.rules.keys() - seen}"

    def _placed_as(self, order_id: int, kept: Kept, seen: Iterable[int]) -> None:
        """A rule's order is what the rule says."""
        row = self.look_up(order_id)
        assert row is not None, f"GTT: there is no order {order_id}"
        terms = kept.terms
        whose = (row.client_id, row.instrument, row.side, row.product)
        asked = (kept.client_id, terms.instrument, terms.side, terms.product)
        assert whose == asked, f"GTT: {order_id} is for {whose}, not {asked}"
        if not self.relearns:
            placed = (row.order_type, row.quantity, row.price)
            assert placed in kept.asks_for(seen), f"GTT: {order_id} is {placed}"

    def _check_executions(self, executions: Mapping[int, Sequence[int]]) -> None:
        assert executions.keys() == self.executed.keys(), "promise 1: an execution is lost or new"
        for execution_id, order_ids in executions.items():
            lines = self.executed[execution_id]
            assert len(lines) == len(order_ids), f"INV-6: {execution_id} has placed {order_ids}"
            if self.of_baskets.issuperset(order_ids):
                continue
            self.of_baskets.update(order_ids)
            assert len(set(order_ids)) == len(order_ids), f"INV-6: {execution_id} repeats itself"
            for order_id, terms in zip(order_ids, lines, strict=True):
                row = self.look_up(order_id)
                assert row is not None, f"truth: {execution_id} has no order {order_id}"
                placed = (row.instrument, row.side, row.product)
                asked = (terms.instrument, terms.side, terms.product)
                assert placed == asked, f"INV-6: {execution_id} has placed {placed}, not {asked}"

    def _check_cause(self, row: OrderRow) -> None:
        causes = [
            row.order_id in self.placed,
            row.order_id in self.fired_by,
            row.device == SQUARE_OFF,
            row.order_id in self.of_baskets,
        ]
        assert sum(causes) == 1, f"INV-6: {row.order_id} has the causes {causes}"
        self.caused.add(row.order_id)

    def _check_order(self, row: OrderRow, *, able: bool) -> None:
        who, state, wish = row.order_id, row.state, self.wishes[row.order_id]
        paper = wish.paper
        if who not in self.caused:
            self._check_cause(row)
        filled = 0 if paper is None else paper.filled
        assert row.filled == filled, f"INV-11: {who} counts {row.filled}, not {filled}"
        if paper is not None:
            could = filled + paper.at_most
            assert could <= wish.most, f"INV-6: {who} could trade {could} of {wish.most}"
            asleep = row.amo and wish.opening == self.openings
            assert not asleep, f"AMO: {who} went out before the session opened"
        self.parked.discard(who)
        if state == "PARKED":
            self.parked.add(who)
            assert paper is None and row.amo, f"AMO: {who} is parked and at the venue"
            assert who not in self.waking, f"AMO: {who} slept through the opening"
        self.waking.discard(who)
        if state in OVER:
            self._check_ended(row, paper)
            self.checked.add(who)
            return
        assert who not in self.gone, f"INV-7: {who} was cancelled and is {state}"
        if able:
            self._check_in_time(row, paper)

    def _check_ended(self, row: OrderRow, paper: Paper | None) -> None:
        who, state = row.order_id, row.state
        if paper is None:
            unsent = state in ("REJECTED", "CANCELLED")
            assert unsent, f"INV-4: {who} is {state}, and was never sent"
            return
        assert paper.dead, f"INV-4: {who} is {state} with a living order"
        assert (state == "FILLED") is (row.filled >= row.quantity), f"INV-11: {who} is {state}"
        assert state != "REJECTED" or not row.filled, f"INV-4: {who} is rejected and has traded"

    def _check_in_time(self, row: OrderRow, paper: Paper | None) -> None:
        """INV-8: silence is asked about, and what shall go is told to go."""
        who = row.order_id
        if paper is None:
            # A square-off that came to nothing is followed by the next after a while, and one that
            # would meet an exit of its client waits for its turn.
            pause_ns = TURNS_NS if row.device == SQUARE_OFF else 0
            idle_ns = self.now_ns - max(self.wishes[who].since_ns, self.grace_ns)
            late = row.state == "NEW" and not self.bounded
            assert not late or idle_ns < pause_ns, f"INV-8: {who} is not sent"
            return
        if paper.dead:
            return
        idle_ns = self.now_ns - max(paper.spoken_ns, self.grace_ns)
        if paper.in_flight:
            assert idle_ns <= SILENT_NS, f"INV-8: {who} asks no more about {paper.asked.tag}"
        elif who in self.going and paper.final is None:
            assert paper.stays, f"INV-8: {who} shall go and is left alone"

    def _meets_its_own(self, who: int) -> bool:
        """Whether its exit would meet another way out of its client, square-offs included."""
        return self._meets_a_square_off(who) or super()._meets_its_own(who)

    def _answer_is_late(self, who: int) -> bool:
        """Whether the other side's answer is late; a square-off is one order after another."""
        return self._meets_a_square_off(who) or super()._answer_is_late(who)

    def _meets_a_square_off(self, who: int) -> bool:
        mine = self.orders[who]
        return any(
            wish.row.device == SQUARE_OFF and wish.row.side is mine.side
            for wish in self._open_of(mine.client_id, mine.instrument)
        )

    def _check_square_off(self) -> None:
        """INV-9: an intraday position of which nothing is open is given back."""
        for client_id, account in self.accounts.of.items():
            for (key, product), held in account.plain.items():
                if held and product is Product.MIS and not self._open_of(client_id, key):
                    raise AssertionError(f"INV-9: {client_id} keeps {held} of {key}")

    def ledger(self) -> dict[tuple[str, InstrumentKey, Product], list[int]]:
        """Return what everybody bought, paid, sold and got, by orders of every kind."""
        total: dict[tuple[str, InstrumentKey, Product], list[int]] = {}
        for who, sums in self.sums.items():
            wish = self.wishes.get(who)
            owner = self.orders[who] if wish is None else wish.row
            row = total.setdefault((owner.client_id, owner.instrument, owner.product), [0] * 4)
            for index, number in enumerate(sums):
                row[index] += number
        return total


def _worst(request: e.OrderSubmitted | e.OrderAmendSent, side: Side) -> int:
    """Return the worst price that a request accepts; of a market order, in an auction, any."""
    anything = side is Side.BUY and request.order_type is OrderType.MARKET
    return ANY_PRICE if anything else int(request.price_pips)
