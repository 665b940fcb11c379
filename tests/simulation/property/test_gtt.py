"""
GTT rules against a naive model: any order of prices, jumps, changes, days, cuts and restarts.

The model knows no watch, no grid and no events: it goes through all its rules at every price and
counts days by adding one. After every deed each rule must stand where the model's does, each rule
that fired has one order, with the price and the quantity of the trigger that the model saw
reached, and no order is there that no rule placed.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish, ModifyGtt
from kavach.core.model.gtt.rule import GttAction
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Refusal
from kavach.units import OrderType, Pips, Product, Quantity, Side, Validity
from kavach.venues.scripted import Told
from tests.unit.core.gtt_scene import TODAY, GttScene
from tests.unit.core.scenario import CLOSE

TICK: Final = 100
WHICH: Final = st.integers(0, 9)
STEPS: Final = st.integers(-25, 25)  # Where a price goes, in ticks around the last close.
IN_BAND, OUT_OF_BAND = 130_000, 160_000
LAST_DAY: Final = 20_261_128  # Days are numbers here, so a run stays within the month.


@dataclass
class NaiveRule:
    """A rule as the model has it."""

    triggers: list[tuple[int, bool, int, int]]  # Price, whether above, order price, quantity.
    last_day: int
    state: str = "ACTIVE"
    fired: int = -1

    def reached(self, price: int) -> int | None:
        """Return the trigger that a price reaches."""
        for number, (at, above, _, _) in enumerate(self.triggers):
            if (price >= at) if above else (price <= at):
                return number
        return None


@dataclass
class NaiveDesk:
    """All rules, the price, the day, and whether anything can be sent."""

    price: int = CLOSE
    traded: bool = False
    day: int = TODAY
    link: bool = True
    session: bool = True
    rules: list[NaiveRule] = field(default_factory=list)

    def look(self) -> None:
        """Fire whatever the last price reaches, if orders can be sent."""
        for one in self.rules:
            if one.state == "ACTIVE" and self.link and self.session and self.traded:
                which = one.reached(self.price)
                if which is not None:
                    one.fired = which
                    in_band = one.triggers[which][2] in (0, IN_BAND)
                    one.state = "TRIGGERED" if in_band else "REJECTED"

    def expire(self, through: int) -> None:
        """Let rules expire whose last day is this or an earlier one."""
        for one in self.rules:
            if one.state == "ACTIVE" and one.last_day <= through:
                one.state = "EXPIRED"


class GttRules(RuleBasedStateMachine):
    """A client, a price, a calendar, and a program that is killed at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = GttScene(cash_paise=10**15)
        self.naive = NaiveDesk()
        self.answered = 0

    # --- Deeds --------------------------------------------------------------------------------

    @rule(by=STEPS, second=st.none() | STEPS, days=st.integers(0, 2), size=st.integers(1, 5))
    def create(self, by: int, second: int | None, days: int, size: int) -> None:
        wishes, naive = self._wish(by, second, days, size)
        command = CreateGtt(client_id="C", **wishes)
        outcome = self.scene.engine.execute(command)
        if naive is None:
            assert isinstance(outcome, Refusal)
        else:
            assert not isinstance(outcome, Refusal), outcome
            self.scene.ids.append(outcome.subject)
            self.naive.rules.append(naive)
        self._compare()

    @precondition(lambda self: self.naive.rules)
    @rule(which=WHICH, by=STEPS, second=st.none() | STEPS, days=st.integers(0, 2))
    def modify(self, which: int, by: int, second: int | None, days: int) -> None:
        which %= len(self.naive.rules)
        wishes, naive = self._wish(by, second, days, 7)
        command = ModifyGtt(client_id="C", rule_id=self.scene.ids[which], **wishes)
        outcome = self.scene.engine.execute(command)
        may = naive is not None and self.naive.rules[which].state == "ACTIVE"
        assert may is not isinstance(outcome, Refusal), outcome
        if naive is not None and may:
            self.naive.rules[which] = naive
        self._compare()

    @precondition(lambda self: self.naive.rules)
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        which %= len(self.naive.rules)
        one = self.naive.rules[which]
        command = CancelGtt(client_id="C", rule_id=self.scene.ids[which])
        outcome = self.scene.engine.execute(command)
        assert isinstance(outcome, Refusal) is (one.state not in ("ACTIVE", "CANCELLED"))
        if one.state == "ACTIVE":
            one.state = "CANCELLED"
        self._compare()

    @rule(to=STEPS)
    def price(self, to: int) -> None:
        last = CLOSE + to * TICK
        self.naive.price, self.naive.traded = last, True
        self.naive.look()
        self.scene.priced.last[self.scene.item.key] = last
        self.scene.engine.receive(Told(moved={self.scene.item.key: last}))
        self._compare()

    @precondition(lambda self: self.naive.day < LAST_DAY)
    @rule()
    def midnight(self) -> None:
        self.naive.expire(self.naive.day)
        self.naive.day += 1
        self.scene.tell("midnight")
        self._compare()

    @rule()
    def session(self) -> None:
        self.naive.session = not self.naive.session
        if self.naive.session:
            self.naive.look()
            self.scene.tell("open")
        else:
            self.naive.expire(self.naive.day)
            self.scene.tell("end")
        self._compare()

    @rule()
    def link(self) -> None:
        self.naive.link = not self.naive.link
        self.scene.tell("link back" if self.naive.link else "link down")
        self.naive.look()
        self._compare()

    @rule(snapshot=st.booleans())
    def restart(self, snapshot: bool) -> None:
        if snapshot:
            self.scene.engine.save_snapshot()
        self.scene.restart()
        self._compare()

    def teardown(self) -> None:
        """Whatever happened, the journal tells the same once more."""
        self.scene.restart()
        self._compare()

    # --- What is asked, and what must be ------------------------------------------------------

    def _wish(
        self, by: int, second: int | None, days: int, size: int
    ) -> tuple[dict[str, Any], NaiveRule | None]:
        """Return the fields of a command, and the rule that it makes, if it may be made."""
        price = (0, IN_BAND, OUT_OF_BAND)[size % 3]
        prices = [CLOSE + by * TICK] + ([] if second is None else [CLOSE + second * TICK])
        terms = OrderTerms(
            instrument=self.scene.item.key,
            side=Side.BUY,
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            quantity=Quantity(size),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(price),
            trigger_price_pips=Pips(0),
            validity=Validity.DAY,
            product=Product.MIS,
            user_order_id=1,
        )
        wishes = tuple(
            GttWish(Pips(at), Pips(price), Quantity(size + number))
            for number, at in enumerate(prices)
        )
        fields = {
            "action": GttAction.SINGLE if second is None else GttAction.OCO,
            "terms": terms,
            "wishes": wishes,
            "expiry_day": self.naive.day + days,
        }
        last = self.naive.price
        around = [at > last for at in prices]
        if last in prices or (len(prices) > 1 and around[0] == around[1]):
            return fields, None
        triggers = [
            (at, above, price, size + number)
            for number, (at, above) in enumerate(zip(prices, around, strict=True))
        ]
        return fields, NaiveRule(triggers, self.naive.day + days)

    def _compare(self) -> None:
        self._answer()
        state = self.scene.engine.state
        rules = self.scene.rules
        assert [rule.state.value for rule in rules] == [one.state for one in self.naive.rules]
        placed = {rule.order_id for rule in rules if rule.order_id}
        assert placed == set(state.regulars), "an order that no rule placed, or one of two rules"
        for one, kept in zip(self.naive.rules, rules, strict=True):
            assert kept.fired == one.fired
            assert (one.fired >= 0) is bool(kept.order_id)
            if one.fired >= 0:
                _, _, price, quantity = one.triggers[one.fired]
                order = state.regulars[kept.order_id]
                assert (order.quantity, order.price_pips) == (quantity, price)
                assert order.over, "an order was not carried out, or rejected"
            assert kept.state.value != "ACTIVE" or kept.expiry_day >= self.naive.day
        watched = any(one.state == "ACTIVE" for one in self.naive.rules)
        assert self.scene.engine.core.watches(self.scene.item.key) is watched

    def _answer(self) -> None:
        """Let the venue fill every order at once, so that time owes nothing to any."""
        venue, engine = self.scene.venue, self.scene.engine
        for tag in range(self.answered + 1, engine.state.next_tag):
            engine.receive(Told([venue.accept(tag)]))
            quantity = venue.orders[tag].open_quantity
            engine.receive(Told([venue.trade(tag, quantity, CLOSE)]))
            self.answered = tag


TestGttRules = GttRules.TestCase


def test_the_comparison_bites() -> None:
    """A model that believes something else disagrees: so agreement means something."""
    machine = GttRules()
    machine.create(by=5, second=-5, days=1, size=1)
    machine.price(to=5)
    one = machine.naive.rules[0]
    assert (one.state, one.fired) == ("TRIGGERED", 0)
    for wrong in (replace(one, state="EXPIRED"), replace(one, fired=1), replace(one, fired=-1)):
        machine.naive.rules[0] = wrong
        with pytest.raises(AssertionError):
            machine._compare()
