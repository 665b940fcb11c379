"""
GTT rules in words: one event a line, everything it causes, and where every rule then stands.

    rule 10 @ 13.10 on 13.20   -> ok                              | ACTIVE
    price 13.25                -> R1 fires, E1 buy 10 @ 13.1      | TRIGGERED
    rule 10 on 12 or 14        -> ...

``on`` is a trigger, ``or`` the second one of an OCO, ``@`` the price of the order (none: MARKET),
``last`` the days from today to its last day. Rules are R1, R2, ... in the order of their making,
and the states stand in that order, too. E1 is the venue's order of whatever rule placed last.

Every table is played twice, as it is and mirrored; the mirror stands at the last close, 13.00.
Afterwards the journal is replayed, and the state must be equal.
"""

from collections.abc import Sequence
from typing import Final, cast

from kavach.core import events as e
from kavach.core.commands import OpenClient
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish, ModifyGtt
from kavach.core.model.gtt.events import (
    GttExpired,
    GttOrderPlaced,
    GttOrderRefused,
    GttRuleEvent,
    GttTriggered,
)
from kavach.core.model.gtt.rule import GttAction, GttRule
from kavach.core.model.gtt.tables import GttEvent, GttState
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Outcome, Refusal
from kavach.engine.engine import accepted
from kavach.engine.record import decode_record
from kavach.instruments import Instrument
from kavach.units import (
    NS_PER_SECOND,
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from kavach.venues.scripted import ScriptedVenue
from tests.unit.core.scenario import Scene

DAY_NS: Final = 86_400 * NS_PER_SECOND
TODAY: Final = 20_261_123  # The day on which a scene begins.
Cell = tuple[GttState, GttEvent]


class PricedVenue(ScriptedVenue):
    """A venue that remembers what was last traded, also over a restart of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[InstrumentKey, int] = {}

    def prices(self) -> dict[InstrumentKey, int]:
        """Return the last prices."""
        return dict(self.last)


class GttScene(Scene):
    """A client with rules on one share, at a venue that says what it is told to say."""

    def __init__(
        self,
        side: Side = Side.BUY,
        item: Instrument | None = None,
        cash_paise: int = 10_000_000_00,
    ) -> None:
        self.priced = PricedVenue()
        super().__init__(side, item, cash_paise=cash_paise, venue=self.priced)
        self.cells: set[Cell] = set()
        self.ids: list[str] = []
        accepted(self.engine.execute(OpenClient(client_id="OTHER", cash_paise=Paise(0))))

    @property
    def rules(self) -> list[GttRule]:
        """Every rule, oldest first."""
        return [self.engine.state.gtts.rules[rule_id] for rule_id in self.ids]

    def tell(self, words: str) -> str:
        """Let something happen; return everything it caused, in words."""
        self.clock.at_ns += 1_000
        before = {rule.rule_id: rule.state for rule in self.rules}
        self._visit_ask(words)
        written = self.journal.durable_sequence
        outcome = self._act(words)
        events = [x for _, b in self.journal.records(written) for x in decode_record(b).events]
        self._visit_events(before, events)
        said = [text for event in events if (text := self._say(event))]
        if isinstance(outcome, Refusal):
            said.append(f"no: {outcome.reason}")
        elif outcome is not None:
            said.append("again" if outcome.replayed else "ok")
        states = " ".join(rule.state for rule in self.rules) or "none"
        return f"{', '.join(said) or 'nothing'} | {states}"

    def restart(self) -> None:
        """Let the engine begin anew from its journal, at the same venue."""
        before = self.engine.state_hash()
        self.engine = self._engine(self.venue)
        self.engine.recover()
        assert self.engine.state_hash() == before, "a restart changed something"

    # --- What can happen ----------------------------------------------------------------------

    def _act(self, words: str) -> Outcome | None:
        first, _, rest = words.partition(" ")
        match first:
            case "rule":
                outcome = self.engine.execute(self._create(words))
                if not isinstance(outcome, Refusal):
                    self.ids.append(outcome.subject)
                return outcome
            case "modify":
                return self.engine.execute(self._change(words))
            case "cancel":
                who = "OTHER" if "other" in rest else "C"
                rule_id = self._id(rest.split()[0])
                return self.engine.execute(CancelGtt(client_id=who, rule_id=rule_id))
            case "restart":
                self.restart()
            case "days":
                self.clock.at_ns += int(rest) * DAY_NS
                self.engine.catch_up(self.clock.at_ns)
            case "midnight":
                at_ns = self.clock.at_ns
                self.clock.at_ns = at_ns - (at_ns + 19_800 * NS_PER_SECOND) % DAY_NS + DAY_NS
                self.engine.catch_up(self.clock.at_ns)
            case "price":
                super()._act(words)
                self.priced.last[self.item.key] = self.last
            case _:
                return super()._act(words)
        return None

    def _create(self, words: str) -> CreateGtt:
        wishes = self._wishes(words)
        return CreateGtt(
            client_id="C",
            action=GttAction.OCO if len(wishes) > 1 else GttAction.SINGLE,
            terms=self._kept(words, wishes[0]),
            wishes=wishes,
            expiry_day=_day(_after("last", words) or "1"),
        )

    def _change(self, words: str) -> ModifyGtt:
        wishes = self._wishes(words)
        return ModifyGtt(
            client_id="OTHER" if "other" in words.split() else "C",
            rule_id=self._id(words.split()[1]),
            action=GttAction.OCO if len(wishes) > 1 else GttAction.SINGLE,
            terms=self._kept(words, wishes[0]),
            wishes=wishes,
            expiry_day=_day(_after("last", words) or "1"),
        )

    def _id(self, name: str) -> str:
        number = int(name[1:]) - 1
        return self.ids[number] if number < len(self.ids) else "no such rule"

    def _wishes(self, words: str) -> tuple[GttWish, ...]:
        quantity = Quantity(next((int(w) for w in words.split() if w.isdecimal()), 0))
        price = self._price("@", words) or Pips(0)
        triggers = [self._price(word, words) for word in ("on", "or")]
        return tuple(GttWish(at, price, quantity) for at in triggers if at is not None)

    def _kept(self, words: str, wish: GttWish) -> OrderTerms:
        waits, priced = "sl" in words.split(), bool(wish.price_pips)
        kinds = (OrderType.SL, OrderType.SLM) if waits else (OrderType.LIMIT, OrderType.MARKET)
        return OrderTerms(
            instrument=self.item.key if "elsewhere" not in words else InstrumentKey("NSE:0"),
            side=self.side,
            order_type=kinds[0] if priced else kinds[1],
            quantity=wish.quantity,
            disclosed_quantity=Quantity(0),
            price_pips=wish.price_pips,
            trigger_price_pips=Pips(0),
            validity=Validity.DAY,
            product=Product.MIS,
            user_order_id=7,
        )

    # --- What was seen ------------------------------------------------------------------------

    def _visit_ask(self, words: str) -> None:
        kind = {"modify": GttEvent.MODIFY, "cancel": GttEvent.CANCEL}.get(words.split()[0])
        if kind is not None and (name := words.split()[1]) and self._id(name) in self.ids:
            self.cells.add((self.rules[int(name[1:]) - 1].state, kind))

    def _visit_events(self, before: dict[str, GttState], events: Sequence[e.Event]) -> None:
        for event in events:
            match event:
                case GttTriggered():
                    self.cells.add((before[event.rule_id], GttEvent.REACHED))
                case GttOrderRefused():
                    self.cells.add((GttState.TRIGGERED, GttEvent.REFUSED))
                case GttExpired():
                    self.cells.add((before[event.rule_id], GttEvent.DAY_OVER))
                case _:
                    pass

    def _say(self, event: e.Event) -> str:
        if isinstance(event, GttRuleEvent):
            return self._say_rule(event)
        if isinstance(event, e.OrderSubmitted):
            self.cover = cast(CoverOrder, self.engine.state.parents[event.parent_id])
        return super()._say(event)

    def _say_rule(self, event: GttRuleEvent) -> str:
        name = f"R{1 + self.ids.index(event.rule_id)}" if event.rule_id in self.ids else ""
        match event:
            case GttTriggered():
                return f"{name} fires"
            case GttExpired():
                return f"{name} expires"
            case GttOrderRefused():
                return f"{name} refused {event.code}"
            case GttOrderPlaced():
                order = self.engine.state.regulars[event.order_id]
                assert order.client_id == "C"
                return ""
            case _:
                return ""


def check_scene(table: str, cash_paise: int = 10_000_000_00) -> set[Cell]:
    """Play a table as it is and mirrored; return the cells of the grid that it entered."""
    cells: set[Cell] = set()
    for side in Side:
        scene = GttScene(side, cash_paise=cash_paise)
        scene.play(table)
        cells |= scene.cells
    return cells


def _after(word: str, words: str) -> str:
    parts = words.split()
    return parts[parts.index(word) + 1] if word in parts else ""


def _day(ahead: str) -> int:
    """Return a day from today on; the tests stay within the month."""
    return TODAY + int(ahead)
