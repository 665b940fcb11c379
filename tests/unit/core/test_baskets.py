"""
Executing saved baskets: every order in one step, each on its own feet; and what survives.

What clients may keep, and how it is refused, is tested over the wire in ``tests/unit/api``.

Source: docs/wire/baskets.md.
"""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from kavach.core.commands import KeyedCommand, OpenClient
from kavach.core.model.baskets.basket import BasketOutcome, BasketType
from kavach.core.model.baskets.commands import (
    AddBasketOrder,
    CreateBasket,
    DeleteBasket,
    ExecuteBasket,
    RemoveBasketOrder,
)
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.engine.record import decode_record
from kavach.journal.memory import MemoryJournal
from kavach.units import OrderType, Paise, Pips, Product, Quantity, Side, Validity
from kavach.venues.scripted import ScriptedVenue
from tests.unit.core.scenario import HandClock
from tests.unit.core.stocks import stock

SHARES: Final = [stock(token=token) for token in (1, 2, 3)]
WIRED: Final = frozenset(  # Brought about over the wire, in tests/api.
    {
        Reason.BASKET_TO_DELETE_MUST_EXIST,
        Reason.BASKET_NAME_MUST_BE_SHORT,
        Reason.BASKET_NAME_MUST_BE_NEW,
        Reason.BASKETS_MUST_BE_FEWER,
        Reason.BASKET_ORDER_MUST_EXIST,
        Reason.BASKET_PRICE_MUST_NOT_BE_ZERO,
        Reason.BASKET_PRODUCT_MUST_MATCH,
        Reason.BASKET_ORDER_TYPE_MUST_MATCH,
        Reason.HEDGED_UNDERLYING_MUST_BE_AN_INDEX,
        Reason.BASKET_INSTRUMENT_MUST_BE_NEW,
        Reason.BASKET_ORDERS_MUST_BE_FEWER,
    }
)
TOLD: Final = WIRED | {
    Reason.BASKET_MUST_EXIST,
    Reason.BASKET_MUST_HOLD_ORDERS,
    Reason.HEDGED_INSTRUMENT_MUST_BE_DERIVATIVE,
}


class Desk:
    """A client, three shares, and a venue that says nothing."""

    def __init__(self, cash_paise: int = 10_000_000_00) -> None:
        self.clock = HandClock()
        self.journal = MemoryJournal()
        self.engine = self.begun()
        for client in ("C", "OTHER"):
            accepted(
                self.engine.execute(OpenClient(client_id=client, cash_paise=Paise(cash_paise)))
            )

    def begun(self) -> Engine:
        """Return an engine that has read the journal."""
        engine = Engine(SHARES, Settings(), self.journal, ScriptedVenue(), self.clock)
        engine.recover()
        return engine

    def ask(self, command: KeyedCommand) -> Outcome:
        """Return what becomes of a command; whatever it is, a replay must agree."""
        self.clock.at_ns += 1_000
        outcome = self.engine.execute(command)
        assert self.begun().state_hash() == self.engine.state_hash()
        return outcome

    def basket(self, *orders: OrderTerms, kind: BasketType = BasketType.NORMAL) -> str:
        """Return the id of a basket with these orders."""
        name = f"B{self.engine.state.uuids_given}"
        made = self.ask(CreateBasket(client_id="C", name=name, basket_type=kind))
        assert isinstance(made, Answer)
        for terms in orders:
            added = self.ask(AddBasketOrder(client_id="C", basket_id=made.subject, terms=terms))
            assert isinstance(added, Answer), added
        return made.subject

    def execute(self, basket_id: str, **changes: Any) -> Outcome:
        """Return the answer to an execution."""
        return self.ask(ExecuteBasket(client_id="C", basket_id=basket_id, **changes))

    def rows(self) -> list[tuple[str, str, int, str]]:
        """Return side, instrument, quantity and state of every order, oldest first."""
        orders = self.engine.state.regulars.values()
        return [(o.side.value, o.instrument, o.quantity, o.state.value) for o in orders]


def terms(token: int = 1, quantity: int = 10, price: int = 130_000, **more: Any) -> OrderTerms:
    """Return an order to be kept."""
    fields: dict[str, Any] = {
        "instrument": SHARES[token - 1].key,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Quantity(quantity),
        "disclosed_quantity": Quantity(0),
        "price_pips": Pips(price),
        "trigger_price_pips": Pips(0),
        "validity": Validity.DAY,
        "product": Product.MIS,
        "user_order_id": 7,
    }
    return OrderTerms(**fields | more)


def test_all_orders_are_placed_in_one_record() -> None:
    """One step, one record: a crash leaves all of them or none."""
    desk = Desk()
    basket_id = desk.basket(terms(1), terms(2, 20), terms(3, 30, side=Side.SELL))
    before = desk.journal.durable_sequence
    answer = desk.execute(basket_id)
    assert isinstance(answer, Answer)
    assert desk.journal.durable_sequence == before + 1
    [(_, body)] = desk.journal.records(before)
    assert decode_record(body).cause == "ExecuteBasket"
    assert desk.rows() == [
        ("BUY", "NSE:1", 10, "SENT"),
        ("BUY", "NSE:2", 20, "SENT"),
        ("SELL", "NSE:3", 30, "SENT"),
    ]
    shelf = desk.engine.state.shelf
    assert shelf.baskets[basket_id].executed
    execution = shelf.executions[answer.basket_id]
    kept = [order.line_id for order in shelf.baskets[basket_id].orders]
    placed = list(desk.engine.state.regulars)
    assert execution.outcomes == [
        BasketOutcome(line, order) for line, order in zip(kept, placed, strict=True)
    ]


def stop(price: int, trigger: int, **more: Any) -> OrderTerms:
    """Return a stop order to be kept, one without a limit at price 0."""
    kind = OrderType.SL if price else OrderType.SLM
    return terms(price=price, trigger_price_pips=Pips(trigger), order_type=kind, **more)


OUTSIDE: Final = "must be in band: outside 10.40 to 15.60"
BEYOND: Final = "Trigger price must be beyond last price: above the last price 13.00"
PASSED: Final = "Trigger price must not pass price: not below the price 13.00"


@pytest.mark.parametrize(
    ("kept", "code", "text"),
    [
        (terms(price=160_000), 7001, f"Price {OUTSIDE}"),
        (stop(0, 170_000), 7001, f"Trigger price {OUTSIDE}"),
        (stop(0, 129_900), 16315, BEYOND),
        (stop(130_000, 129_900, side=Side.SELL), 1001, PASSED),
    ],
)
def test_what_the_rules_refuse_has_a_code(kept: OrderTerms, code: int, text: str) -> None:
    """Nobody waits for the answer to this order, so its row tells why it was refused."""
    desk = Desk()
    assert isinstance(desk.execute(desk.basket(kept)), Answer)
    [order] = desk.engine.state.regulars.values()
    assert (order.state.value, order.ended_code, order.ended_reason) == ("REJECTED", code, text)


def test_one_refusal_leaves_the_others() -> None:
    """What the rules refuse and what the margin refuses have rows that say so, and why."""
    desk = Desk(cash_paise=700_00)
    basket_id = desk.basket(terms(1, 10, 160_000), terms(2, 10_000), terms(3, 10))
    assert isinstance(desk.execute(basket_id), Answer)
    assert [state for *_, state in desk.rows()] == ["REJECTED", "REJECTED", "SENT"]
    first, second, third = desk.engine.state.regulars.values()
    why = "Price must be in band: outside 10.40 to 15.60"
    assert (first.ended_code, first.ended_reason) == (7001, why)
    assert second.ended_code == 12001
    assert third.ended_code == 0
    client = desk.engine.state.clients["C"]
    assert client.blocked_paise == 26_00  # A fifth of ten at 13, the third order alone.


def test_square_off_is_the_other_side() -> None:
    """Every order on the other side, the basket itself as it was."""
    desk = Desk()
    basket_id = desk.basket(terms(1), terms(2, side=Side.SELL))
    assert isinstance(desk.execute(basket_id, square_off=True), Answer)
    assert [side for side, *_ in desk.rows()] == ["SELL", "BUY"]
    kept = desk.engine.state.shelf.baskets[basket_id].orders
    assert [order.terms.side for order in kept] == [Side.BUY, Side.SELL]


def test_twice_on_purpose_is_twice_and_under_one_key_once() -> None:
    """Without a key each execution places anew; a repetition finds the first one."""
    desk = Desk()
    basket_id = desk.basket(terms(1))
    first, second = desk.execute(basket_id), desk.execute(basket_id)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.basket_id != second.basket_id
    assert len(desk.rows()) == 2
    keyed = {"idempotency_key": "k", "fingerprint": "f"}
    third, fourth = desk.execute(basket_id, **keyed), desk.execute(basket_id, **keyed)
    assert isinstance(third, Answer)
    assert fourth == replace(third, replayed=True)
    assert len(desk.rows()) == 3


def test_an_execution_outlives_its_basket() -> None:
    """The repetition of an execution is answered though the basket is gone; a new one is not."""
    desk = Desk()
    basket_id = desk.basket(terms(1))
    keyed = {"idempotency_key": "k", "fingerprint": "f"}
    first = desk.execute(basket_id, **keyed)
    desk.ask(DeleteBasket(client_id="C", basket_id=basket_id))
    again = desk.execute(basket_id, **keyed)
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert again.basket_id == first.basket_id
    assert desk.execute(basket_id) == Refusal(Reason.BASKET_MUST_EXIST)


@pytest.mark.parametrize("client", ["OTHER", "C"])
def test_nothing_is_executed_that_is_not_there(client: str) -> None:
    """Foreign, unknown, or emptied: nothing happens."""
    desk = Desk()
    basket_id = desk.basket(terms(1))
    if client == "OTHER":
        wanted = Refusal(Reason.BASKET_MUST_EXIST)
    else:
        [order] = desk.engine.state.shelf.baskets[basket_id].orders
        desk.ask(RemoveBasketOrder(client_id="C", basket_id=basket_id, line_id=order.line_id))
        wanted = Refusal(Reason.BASKET_MUST_HOLD_ORDERS)
    before = desk.engine.state_hash()
    assert desk.ask(ExecuteBasket(client_id=client, basket_id=basket_id)) == wanted
    assert desk.engine.state_hash() == before


def test_a_hedge_of_shares_is_refused_as_a_whole() -> None:
    """One share in a hedge basket, and nothing of it is placed."""
    desk = Desk()
    basket_id = desk.basket(terms(1), kind=BasketType.HEDGE)
    refusal = Refusal(Reason.HEDGED_INSTRUMENT_MUST_BE_DERIVATIVE, "IDEA-EQ")
    assert desk.execute(basket_id) == refusal
    assert desk.rows() == []


def test_orders_of_a_basket_may_wait_for_the_session() -> None:
    """An AMO of a basket is parked like any."""
    desk = Desk()
    basket_id = desk.basket(terms(1, amo=True), terms(2))
    assert isinstance(desk.execute(basket_id), Answer)
    assert [state for *_, state in desk.rows()] == ["PARKED", "SENT"]


def test_ids_go_on_where_they_were() -> None:
    """An execution has an id of the day's row of ids, and so have its orders, all different."""
    desk = Desk()
    basket_id = desk.basket(terms(1), terms(2))
    first, second = desk.execute(basket_id), desk.execute(basket_id)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    ids = [first.basket_id, second.basket_id, *desk.engine.state.regulars]
    assert sorted(ids) == [int(f"20261123{n}") for n in range(1, 7)]


def test_a_snapshot_holds_baskets_and_executions() -> None:
    """A start from a snapshot has the same baskets, in the same order, and their history."""
    desk = Desk()
    kept = [desk.basket(terms(1)), desk.basket(terms(2)), desk.basket(terms(3))]
    desk.execute(kept[1])
    desk.ask(DeleteBasket(client_id="C", basket_id=kept[0]))
    desk.engine.save_snapshot()
    again = desk.begun()
    assert again.replayed == 0
    assert again.state_hash() == desk.engine.state_hash()
    assert [basket.basket_id for basket in again.state.shelf.of("C")] == kept[1:]
    assert list(again.state.shelf.executions) == list(desk.engine.state.shelf.executions)
