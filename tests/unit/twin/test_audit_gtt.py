"""
The auditor over rules and baskets: silent about healthy worlds, and able to see what is wrong.

Each case corrupts a healthy state on purpose and names every invariant that is then broken.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec.structs import replace

from kavach.core.commands import EndSession, KeyedCommand
from kavach.core.model.baskets.basket import BasketExecution, BasketOutcome, BasketType, SavedBasket
from kavach.core.model.baskets.commands import (
    AddBasketOrder,
    CreateBasket,
    DeleteBasket,
    ExecuteBasket,
)
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish
from kavach.core.model.gtt.rule import GttAction, GttRule
from kavach.core.model.gtt.tables import GttState
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.regular.commands import ModifyOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Answer
from kavach.twin.audit import audit
from kavach.units import (
    Exchange,
    OrderType,
    Phase,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from tests.unit.twin.stage import ACCOUNTS, IDEA
from tests.unit.twin.test_audit import Books

ME: Final = ACCOUNTS[0].client_id
OTHER: Final = ACCOUNTS[1].client_id
NOBODY: Final = "00000000-0000-8000-8000-000000000000"


class Keeper(Books):
    """Books of a client with rules in every state, and a basket that was executed."""

    def __init__(self) -> None:
        super().__init__()
        self.triggered = self.rule(136_000)
        self.rejected = self.rule(135_000, price=200_000)  # Far out of the band.
        self.print_trade(136_000)
        self.cancelled = self.rule(140_000)
        self.ask(CancelGtt(client_id=ME, rule_id=self.cancelled.rule_id))
        self.active = self.rule(142_000)
        self.oco = self.rule(142_000, second=120_000)
        self.basket = self.kept()

    def ask(self, command: KeyedCommand) -> Answer:
        """Return the answer to a command that is not refused."""
        outcome = self.engine.execute(command)
        assert isinstance(outcome, Answer), outcome
        return outcome

    def terms(self) -> OrderTerms:
        """Return an order to be kept."""
        return OrderTerms(
            instrument=IDEA,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Quantity(10),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(129_000),
            trigger_price_pips=Pips(0),
            validity=Validity.DAY,
            product=Product.MIS,
            user_order_id=7,
        )

    def rule(self, at_pips: int, price: int = 129_000, second: int = 0) -> GttRule:
        """Return a rule that waits for a price."""
        wishes = [GttWish(Pips(at_pips), Pips(price), Quantity(10))]
        if second:
            wishes.append(GttWish(Pips(second), Pips(price), Quantity(10)))
        command = CreateGtt(
            client_id=ME,
            action=GttAction.OCO if second else GttAction.SINGLE,
            terms=self.terms(),
            wishes=tuple(wishes),
            expiry_day=self.engine.core.day(),
        )
        return self.engine.state.gtts.rules[self.ask(command).subject]

    def kept(self) -> SavedBasket:
        """Return a basket that was executed once."""
        name, kind = "B", BasketType.NORMAL
        made = self.ask(CreateBasket(client_id=ME, name=name, basket_type=kind)).subject
        self.ask(AddBasketOrder(client_id=ME, basket_id=made, terms=self.terms()))
        keyed: dict[str, Any] = {"idempotency_key": "k", "fingerprint": "f"}
        self.ask(ExecuteBasket(client_id=ME, basket_id=made, **keyed))
        return self.engine.state.shelf.baskets[made]

    @property
    def execution(self) -> BasketExecution:
        """The one execution."""
        [found] = self.engine.state.shelf.executions.values()
        return found

    def order_of(self, rule: GttRule) -> RegularOrder:
        """Return the order that a rule has placed."""
        return self.engine.state.regulars[rule.order_id]

    def state_of(self, rule: GttRule) -> GttState:
        """Return where a rule stands now."""
        return self.engine.state.gtts.rules[rule.rule_id].state

    def broken(self) -> set[str]:
        """Return the invariants about rules, baskets and owners that the auditor finds broken."""
        report = audit(self.engine.state, self.venue.exchange.snapshot(), self.engine.now_ns())
        found = {violation.invariant for violation in report.violations}
        return {name for name in found if name.startswith(("GTT", "BASKET", "INV-20"))}


@pytest.fixture
def books() -> Keeper:
    """A healthy world."""
    return Keeper()


def test_a_healthy_world_is_silent(books: Keeper) -> None:
    """Rules in every state, a basket and its execution: nothing to complain of."""
    states = {rule.state for rule in books.engine.state.gtts.rules.values()}
    assert {"ACTIVE", "TRIGGERED", "REJECTED", "CANCELLED"} <= states
    assert books.broken() == set()


def test_what_happened_since_is_no_violation(books: Keeper) -> None:
    """The order of a rule may be changed, the basket deleted: the auditor knows that it may."""
    order = books.order_of(books.triggered)
    books.ask(ModifyOrder(client_id=ME, order_id=order.order_id, quantity=Quantity(5)))
    books.ask(DeleteBasket(client_id=ME, basket_id=books.basket.basket_id))
    assert books.broken() == set()


def test_a_rule_waits_rightly_while_nothing_can_be_sent(books: Keeper) -> None:
    """With the link down, or the session closed, a price behind the trigger is no violation."""
    books.venue.set_link(up=False)
    books.engine.lose_link()
    books.print_trade(143_000)
    assert books.state_of(books.active) is GttState.ACTIVE
    assert books.broken() == set()
    books.venue.set_link(up=True)
    books.engine.restore_link()
    assert books.state_of(books.active) is GttState.TRIGGERED
    assert books.broken() == set()


def test_a_session_end_is_no_violation(books: Keeper) -> None:
    """Rules of the day expire with it."""
    books.engine.change_phase(
        EndSession(Exchange.NSE),
        lambda at_ns: books.venue.reports_of(
            books.venue.exchange.set_phase(Exchange.NSE, Phase.CLOSED, TimestampNs(at_ns)), IDEA
        ),
        books.engine.now_ns(),
    )
    assert books.active.state is GttState.EXPIRED
    assert books.broken() == set()


WRONG: Final[dict[str, tuple[Callable[[Keeper], None], set[str]]]] = {
    "an active rule with an order": (
        lambda b: setattr(b.active, "order_id", b.triggered.order_id),
        {"GTT-1"},
    ),
    "two rules with one order": (
        lambda b: setattr(b.rejected, "order_id", b.triggered.order_id),
        {"GTT-1", "GTT-2"},
    ),
    "a rule and a basket with one order": (
        lambda b: b.execution.outcomes.append(BasketOutcome("x", b.triggered.order_id)),
        {"GTT-1", "BASKET-2"},
    ),
    "a triggered rule without an order": (
        lambda b: setattr(b.triggered, "order_id", 0),
        {"GTT-2"},
    ),
    "a rejected rule without an order": (
        lambda b: setattr(b.rejected, "order_id", 0),
        {"GTT-2"},
    ),
    "an order of other terms": (
        lambda b: setattr(b.triggered, "terms", replace(b.triggered.terms, user_order_id=8)),
        {"GTT-2"},
    ),
    "an order of another quantity": (
        lambda b: setattr(
            b.triggered, "triggers", (replace(b.triggered.triggers[0], quantity=Quantity(11)),)
        ),
        {"GTT-2"},
    ),
    "an order that came at another time": (
        lambda b: setattr(b.triggered, "updated_at_ns", b.triggered.updated_at_ns + 1),
        {"GTT-2"},
    ),
    "a rejection that the order does not know": (
        lambda b: setattr(b.rejected, "reject_code", 1),
        {"GTT-2"},
    ),
    "a rule of somebody else": (
        lambda b: setattr(b.triggered, "client_id", OTHER),
        {"GTT-2"},
    ),
    "a rule of nobody": (
        lambda b: setattr(b.cancelled, "client_id", "NOBODY"),
        {"GTT-2"},
    ),
    "an oco with one trigger": (
        lambda b: setattr(b.oco, "triggers", b.oco.triggers[:1]),
        {"GTT-2"},
    ),
    "a rule that is active after its last day": (
        lambda b: setattr(b.active, "expiry_day", b.active.expiry_day - 1),
        {"GTT-3"},
    ),
    "a count of active rules that is wrong": (
        lambda b: b.engine.state.gtts.ended(b.active),
        {"GTT-3"},
    ),
    "a trigger that was passed from below": (
        lambda b: setattr(
            b.active, "triggers", (replace(b.active.triggers[0], at_pips=Pips(136_000)),)
        ),
        {"GTT-4"},
    ),
    "a trigger that was passed from above": (
        lambda b: setattr(
            b.oco,
            "triggers",
            (b.oco.triggers[0], replace(b.oco.triggers[1], at_pips=Pips(136_000))),
        ),
        {"GTT-4"},
    ),
    "a basket of nobody": (
        lambda b: setattr(b.basket, "client_id", "NOBODY"),
        {"BASKET-1", "INV-20"},
    ),
    "an instrument twice in a basket": (
        lambda b: b.basket.orders.append(b.basket.orders[0]),
        {"BASKET-1"},
    ),
    "two baskets of one name": (
        lambda b: b.engine.state.shelf.add(replace(b.basket, basket_id=NOBODY)),
        {"BASKET-1"},
    ),
    "an execution of which nothing is known": (
        lambda b: b.execution.outcomes.clear(),
        {"BASKET-2"},
    ),
    "an execution that placed what is not there": (
        lambda b: b.execution.outcomes.append(BasketOutcome("x", 1)),
        {"BASKET-2"},
    ),
    "an execution of somebody else": (
        lambda b: setattr(b.execution, "client_id", OTHER),
        {"BASKET-2"},
    ),
    "a kept answer about somebody else's basket": (
        lambda b: setattr(b.basket, "client_id", OTHER),
        {"INV-20"},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(books: Keeper, name: str) -> None:
    """Each corruption breaks just the invariants that it should."""
    corrupt, wanted = WRONG[name]
    assert books.broken() == set()
    corrupt(books)
    assert books.broken() == wanted
