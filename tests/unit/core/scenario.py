"""
Cover orders in words: one event a line, everything it must cause, and the state it leads to.

    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok      | ENTRY_SENT
    E1 acked               -> nothing                  | ENTRY_OPEN
    E1 traded 40           -> S1 sell 40 on 12         | COVERING
    S1 acked               -> nothing                  | COVERED_OPEN
    C1                     -> cancel E1, ok CANCEL_PENDING | COVERED_OPEN

On the left is what a client asks, what the venue says or what the clock shows; on the right are
all requests, alarms and decisions to get out, in order, with the answer to the client last.
A bracket is placed with ``stopoff 1 targetoff 2``, rupees from the entry's price; its target is
T, and ``S1 unlinked`` tells that S1 has ended because its link left it nothing.
``nothing`` is written out. Orders are named by their purpose (E entry, S stop, X exit) and their
number on that side. ``on`` is a trigger price. ``market`` stands for a protected market price at
the first attempt, ``market+1`` at the second, ``edge`` for the end of the band, ``limit`` for the
limit of a stop. A line that begins with ``:`` goes on with the one above.

Every table is played twice: as it is written and mirrored, as a short position. The mirror stands
at the last close, 13.00 rupees. Afterwards the journal is replayed, and the state must be equal.
"""

import re
from typing import Final

from kavach.core import events as e
from kavach.core.commands import (
    BeginPhase,
    CancelCoverOrder,
    EndSession,
    KeyedCommand,
    Kill,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    OpenSession,
    PlaceCoverOrder,
    SquareOff,
    StopCovers,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.refusals import Outcome, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.engine.record import decode_record
from kavach.instruments import Instrument
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    NS_PER_MS,
    OrderType,
    Paise,
    Phase,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
    opposite,
)
from kavach.venues.scripted import ScriptedVenue, Told
from tests.unit.core.stocks import stock

START_NS: Final = 1_795_400_000_000_000_000  # A Monday morning in November 2026.
CLOSE: Final = 130_000


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at_ns = START_NS

    def now_ns(self) -> int:
        """Return where the hand put it."""
        return self.at_ns


class Scene:
    """One client, one cover order at a time, a venue that says what the script says."""

    def __init__(
        self,
        side: Side = Side.BUY,
        item: Instrument | None = None,
        settings: Settings | None = None,
        cash_paise: int = 10_000_000_00,
        venue: ScriptedVenue | None = None,
    ) -> None:
        self.side = side
        self.item = item or stock()
        self.settings = settings or Settings()
        self.clock = HandClock()
        self.venue = venue or ScriptedVenue()
        self.journal = MemoryJournal()
        self.engine = self._engine(self.venue)
        self.engine.recover()
        self.last = CLOSE
        self.untold: e.Report  # A trade that is told after its order was closed.
        self.cover: CoverOrder | None = None
        accepted(self.engine.execute(OpenClient(client_id="C", cash_paise=Paise(cash_paise))))

    def _engine(self, venue: ScriptedVenue) -> Engine:
        return Engine([self.item], self.settings, self.journal, venue, self.clock)

    # --- Playing ------------------------------------------------------------------------------

    def play(self, table: str) -> int:
        """Play every line, compare all that it causes, replay the journal; return the lines."""
        joined = re.sub(r"\n\s*:", " ", table.strip())
        lines = [line for line in joined.splitlines() if line.strip()]
        for number, line in enumerate(lines, start=1):
            asked, expected = (part.strip() for part in line.split("->"))
            got = self.tell(asked)
            wanted = " ".join(expected.split())
            assert got == wanted, f"line {number}, {self.side}: {asked} -> {got}"
        self.check_replay()
        return len(lines)

    def check_replay(self) -> None:
        """Assert that an engine which reads the journal is as this one (INV-19)."""
        again = self._engine(ScriptedVenue())
        again.recover()
        assert again.state_hash() == self.engine.state_hash(), "replay differs"

    def tell(self, words: str) -> str:
        """Let something happen; return everything it caused, in words."""
        self.clock.at_ns += 1_000
        written = self.journal.durable_sequence
        outcome = self._act(words)
        events = [x for _, b in self.journal.records(written) for x in decode_record(b).events]
        said = [said for event in events if (said := self._say(event))]
        assert self.cover is not None
        state = self.cover.state
        if isinstance(outcome, Refusal):
            said.append(f"no: {outcome.reason}")
        elif outcome is not None:
            stands = "" if outcome.state == state else f" {outcome.state}"
            said.append(("again" if outcome.replayed else "ok") + stands)
        return f"{', '.join(said) or 'nothing'} | {state}"

    def _act(self, words: str) -> Outcome | None:
        first, _, rest = words.partition(" ")
        engine = self.engine
        match first:
            case "place":
                return self._place(words)
            case "C1" | "C2":
                return engine.execute(self._cancel(first, words))
            case "C3" | "C4":
                return engine.execute(self._modify(first, words))
            case "squareoff":
                accepted(engine.execute(SquareOff(self.item.exchange)))
            case "cutoff":
                accepted(engine.execute(StopCovers(self.item.exchange)))
            case "auction":
                phase = Phase.BUFFER if rest == "match" else Phase(f"closing_{rest}")
                accepted(engine.execute(BeginPhase(self.item.exchange, phase)))
            case "end":
                accepted(engine.execute(EndSession(self.item.exchange)))
                self.venue.end_session()
            case "unheard-end":
                self.venue.end_session()  # And the next one begins; nobody tells us.
            case "open":
                accepted(engine.execute(OpenSession(self.item.exchange)))
            case "kill":
                accepted(engine.execute(Kill("C")))
            case "link":
                self._link(up=rest == "back")
            case "price":
                self.last = self._mirrored(_pips(rest))
                engine.receive(Told(moved={self.item.key: self.last}))
            case "wait":
                self.clock.at_ns += int(rest.removesuffix("ms")) * NS_PER_MS
                engine.catch_up(self.clock.at_ns)
            case _:
                said = self._decide(self._tag(first), *rest.split())
                if said is not None:
                    engine.receive(Told([said]))
        return None

    # --- What a client asks -------------------------------------------------------------------

    def _place(self, words: str) -> Outcome:
        kind, price, trigger = self._terms(words)
        outcome = self.engine.execute(
            PlaceCoverOrder(
                client_id="C",
                idempotency_key=_word("key", words),
                fingerprint=words,
                instrument=self.item.key,
                side=self.side,
                order_type=kind,
                quantity=Quantity(int(words.split()[1])),
                disclosed_quantity=Quantity(int(_word("show", words) or 0)),
                price_pips=price,
                trigger_price_pips=trigger,
                validity=Validity.IOC if "ioc" in words.split() else Validity.DAY,
                product=_product(words),
                stop_price_pips=self._price("stop", words) or Pips(0),
                trailing_step_pips=_step(words) or Pips(0),
                user_order_id=1,
                bracket="targetoff" in words,
                stop_offset_pips=_offset("stopoff", words) or Pips(0),
                target_offset_pips=_offset("targetoff", words) or Pips(0),
            )
        )
        if not isinstance(outcome, Refusal):
            self.cover = self.engine.state.covers[outcome.order_id]
        return outcome

    def _cancel(self, ask: str, words: str) -> KeyedCommand:
        cover = self.cover
        assert cover is not None
        placed = [order.exchange_order_id for order in cover.entries if order.exchange_order_id]
        leg = Leg.ENTRY if ask == "C1" else Leg.SECOND if "target" in words else Leg.THIRD
        if ask == "C2":
            orders = cover.orders_of(leg)
            placed = [o.exchange_order_id for o in orders if o.exchange_order_id] or placed
        return CancelCoverOrder(
            client_id="C",
            idempotency_key=_word("key", words),
            fingerprint=words,
            order_id=cover.order_id,
            leg=leg,
            exchange_order_id=placed[0] if placed else "unknown-yet",
        )

    def _modify(self, ask: str, words: str) -> KeyedCommand:
        cover = self.cover
        assert cover is not None
        leg = Leg.ENTRY if ask == "C3" else Leg.SECOND if "target" in words else Leg.THIRD
        seen = {"": None, "now": cover.leg_updated_at_ns(leg), "once": cover.placed_at_ns - 1_000}
        quantity = _word("quantity", words)
        kind, _, _ = self._terms(words) if "as" in words.split() else (None, None, None)
        return ModifyCoverOrder(
            client_id="C",
            idempotency_key=_word("key", words),
            fingerprint=words,
            order_id=cover.order_id,
            leg=leg,
            last_activity_ns=seen[_word("seen", words)],
            order_type=kind,
            quantity=Quantity(int(quantity)) if quantity else None,
            price_pips=self._price("@", words),
            trigger_price_pips=self._price("on", words),
            stop_price_pips=self._price("stop", words),
            trailing_step_pips=_step(words),
            stop_offset_pips=_offset("stopoff", words),
            target_offset_pips=_offset("targetoff", words),
        )

    def _terms(self, words: str) -> tuple[OrderType, Pips, Pips]:
        price = self._price("@", words) or Pips(0)
        trigger = self._price("on", words) or Pips(0)
        if trigger:
            return (OrderType.SL if price else OrderType.SLM), price, trigger
        return (OrderType.LIMIT if price else OrderType.MARKET), price, trigger

    def _link(self, *, up: bool) -> None:
        self.venue.answers_at_once = up
        if up:
            self.engine.restore_link()
            self.venue.answers_at_once = False
        else:
            self.engine.lose_link()

    # --- What the venue says ------------------------------------------------------------------

    def _decide(self, tag: int, what: str, *more: str) -> e.ExecutionReport | None:
        venue = self.venue
        match what:
            case "silently":
                # It happens at the venue, and nobody hears of it.
                assert self._decide(tag, *more) is not None
                return None
            case "asked":
                return venue.status(tag)
            case "lost":
                venue.lose(tag)
                return None
            case "doubled":
                return e.OrderAccepted(tag, "another id")
            case "acked":
                return venue.accept(tag)
            case "rejected":
                given = int(more[0]) if more else 17070
                return venue.reject(tag, venue.link_code(tag) or given, "out of range")
            case "unlinked":
                ended = next(report for report in venue.ended_by_link if report.tag == tag)
                venue.ended_by_link.remove(ended)
                return ended
            case "traded" | "traded-late":
                price = self._mirrored(_pips(more[2])) if len(more) > 1 else CLOSE
                trade = venue.trade if what == "traded" else venue.trade_late
                return trade(tag, int(more[0]), price)
            case "traded-again":
                last = self.engine.state.covers[self.engine.state.orders[tag].parent_id].trades
                assert last is not None
                told = last[-1]
                return e.OrderTraded(
                    tag, told.trade_id, Quantity(told.quantity), Pips(told.price_pips)
                )
            case "triggered":
                return venue.trigger(tag)
            case "cancelled":
                return venue.cancel(tag)
            case "removed":
                return venue.remove(tag)
            case "expired":
                return venue.expire(tag)
            case "amended":
                return venue.amend(tag)
            case "amend-refused":
                return venue.refuse_amend(tag)
            case "cancel-refused":
                return venue.refuse_cancel(tag)
            case "closed-early":
                # The closing report overtakes a trade: it names more than was told of.
                self.untold = venue.trade(tag, int(more[0]), CLOSE)
                return venue.cancel(tag) if venue.orders[tag].pending else venue.remove(tag)
            case "told":
                return self.untold
            case _:
                raise AssertionError(what)

    def _tag(self, name: str) -> int:
        assert self.cover is not None
        orders = self.cover.entries if name[0] == "E" else self.cover.exits
        order = orders[int(name[1:]) - 1]
        assert self._name(order.tag) == name, f"there is no {name}"
        return order.tag

    # --- What it says in turn -----------------------------------------------------------------

    def _say(self, event: e.Event) -> str:
        match event:
            case e.OrderSubmitted():
                side = event.side if self.side is Side.BUY else opposite(event.side)
                return (
                    f"{self._name(event.tag)} {side.lower()} {event.quantity}"
                    + (f" show {event.disclosed_quantity}" if event.disclosed_quantity else "")
                    + self._say_prices(event, event.side)
                    + (" at market" if event.order_type is OrderType.MARKET else "")
                    + (" ioc" if event.validity is Validity.IOC else "")
                )
            case e.OrderAmendSent():
                side = self.engine.state.orders[event.tag].side
                market = " at market" if event.order_type is OrderType.MARKET else ""
                name = self._name(event.tag)
                return f"{name} to {event.quantity}{self._say_prices(event, side)}{market}"
            case e.OrderQuerySent():
                return f"ask {self._name(event.tag)}"
            case e.StrayCancelSent():
                return f"cancel the stray {self._name(event.tag)}"
            case e.OrderCancelSent():
                return f"cancel {self._name(event.tag)}"
            case e.AlarmRaised():
                return f"alarm {event.alarm}"
            case e.ExitIntended():
                return f"out: {event.source}"
            case _:
                return ""

    def _say_prices(self, event: e.OrderSubmitted | e.OrderAmendSent, side: Side) -> str:
        words = ""
        if event.trigger_price_pips:
            words += f" on {_rupees(self._mirrored(event.trigger_price_pips))}"
        if event.price_pips:
            words += f" @ {self._say_price(event.price_pips, event.trigger_price_pips, side)}"
        return words

    def _say_price(self, price: int, trigger: int, side: Side) -> str:
        if trigger:
            if price == self._protected(side, trigger, 0):
                return "limit"
            return _rupees(self._mirrored(price))
        if price == (self.item.band_high_pips if side is Side.BUY else self.item.band_low_pips):
            return "edge"
        for attempt in range(5):
            if price == self._protected(side, self.last, attempt):
                return f"market+{attempt}" if attempt else "market"
        return _rupees(self._mirrored(price))

    def _protected(self, side: Side, price: int, attempt: int) -> int:
        """Three percent an attempt through a price, outwards to the tick: told anew, not asked."""
        reach = price * 30 * (attempt + 1) // 1000
        if side is Side.BUY:
            return price + reach + -(price + reach) % self.item.tick_pips
        return price - reach - (price - reach) % self.item.tick_pips

    def _name(self, tag: int) -> str:
        order: VenueOrder = self.engine.state.orders[tag]
        cover = self.engine.state.parents[order.parent_id]
        if order.is_entry:
            return f"E{1 + [o.tag for o in cover.entries].index(tag)}"
        letter = {e.Purpose.STOP: "S", e.Purpose.TARGET: "T"}.get(order.purpose, "X")
        return f"{letter}{1 + [o.tag for o in cover.exits].index(tag)}"

    # --- The mirror ---------------------------------------------------------------------------

    def _mirrored(self, pips: int) -> Pips:
        return Pips(pips if self.side is Side.BUY else 2 * CLOSE - pips)

    def _price(self, word: str, words: str) -> Pips | None:
        found = _word(word, words)
        return self._mirrored(_pips(found)) if found else None


def play(table: str, item: Instrument | None = None, settings: Settings | None = None) -> int:
    """Play a table as it is and mirrored; return how many lines were played."""
    return sum(Scene(side, item, settings).play(table) for side in Side)


def _product(words: str) -> Product:
    named = [one for one in Product if one.lower() in words.split()]
    return named[0] if named else Product.MIS


def _step(words: str) -> Pips | None:
    found = _word("trail", words)
    return Pips(_pips(found)) if found else None


def _offset(word: str, words: str) -> Pips | None:
    found = _word(word, words)
    return Pips(_pips(found)) if found else None


def _word(word: str, words: str) -> str:
    found = re.search(rf"(?:^| ){re.escape(word)} (\S+)", words)
    return found[1] if found else ""


def _pips(rupees: str) -> int:
    whole, _, decimals = rupees.partition(".")
    return int(whole) * 10_000 + int(decimals.ljust(4, "0"))


def _rupees(pips: int) -> str:
    whole, rest = divmod(pips, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
