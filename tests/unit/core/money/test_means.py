"""Whether a client has the means for a regular order: margin, and shares to deliver."""

import pytest

from kavach.core.model.regular.commands import ModifyOrder
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.orders.answers import HOLDING_CODE
from kavach.units import Pips, Product, Quantity, Side
from tests.unit.core.money.counter import RUPEE, Counter

BUY, SELL = Side.BUY, Side.SELL


def test_margin_follows_an_order_from_its_start_to_its_end() -> None:
    """An order blocks while it is open, then its position does, and closing it frees all."""
    counter = Counter()
    order = counter.order(BUY, 100, 13)
    assert counter.client.blocked_paise == 26_000
    counter.house(SELL, 40, 13)
    assert counter.client.blocked_paise == 26_000
    counter.cancel(order)
    assert counter.client.blocked_paise == 10_400
    closing = counter.order(SELL, 40, 14)
    assert counter.client.blocked_paise == 10_400
    counter.house(BUY, 40, 14)
    assert closing.entry_filled == 40
    assert (counter.client.blocked_paise, counter.client.realised_paise) == (0, 4_000)
    counter.again()


def test_a_reduction_needs_no_money_at_all() -> None:
    """A client whose losses exceed the cash still gets out, and opens nothing new."""
    counter = Counter(cash=400)
    counter.trade(BUY, 100, 13)
    counter.trade(SELL, 50, 11)
    counter.trade(BUY, 50, 13)
    counter.trade(SELL, 50, 11)
    counter.trade(BUY, 10, 15)
    assert counter.client.available_paise < 10_000
    assert counter.order(SELL, 60, 15).ended is None
    refused = counter.order(BUY, 100, 15)
    assert (refused.ended_code, refused.ended_reason[:16]) == (12001, "Margin Available")


@pytest.mark.parametrize("quantity", [1, 100])
def test_delivery_is_never_sold_short(quantity: int) -> None:
    """A sale of shares that are not there becomes a REJECTED row with the figures."""
    counter = Counter()
    order = counter.order(SELL, quantity, 13, Product.CNC)
    assert (order.ended_code, order.ended_reason) == (
        HOLDING_CODE,
        f"Holding Available : 0 : Required : {quantity}",
    )


def test_shares_bought_today_can_be_sold_once() -> None:
    """What is being sold cannot be sold again, and a cover order's shares are not the client's."""
    counter = Counter()
    counter.cover(BUY, 100, 13, Product.CNC)
    assert counter.order(SELL, 1, 13, Product.CNC).ended_code == HOLDING_CODE
    counter.trade(BUY, 50, 13, Product.CNC)
    selling = counter.order(SELL, 30, 14, Product.CNC)
    assert selling.ended is None
    assert counter.order(SELL, 21, 14, Product.CNC).ended_code == HOLDING_CODE
    assert counter.order(SELL, 20, 14, Product.CNC).ended is None
    more = ModifyOrder(client_id="C", order_id=selling.order_id, quantity=Quantity(31))
    told = "Holding Available : 30 : Required : 31"
    assert counter.ask(more) == Refusal(Reason.HOLDING_MUST_SUFFICE, told)
    less = ModifyOrder(client_id="C", order_id=selling.order_id, quantity=Quantity(20))
    assert isinstance(counter.ask(less), Answer)
    assert counter.order(SELL, 10, 14, Product.CNC).ended is None


def test_a_change_must_find_what_it_blocks_more() -> None:
    """An open order grows as far as its margin allows, and not a share further."""
    counter = Counter(cash=300)
    order = counter.order(BUY, 100, 13)
    for quantity, outcome in (
        (116, Refusal(Reason.MARGIN_MUST_SUFFICE, "available 40.00, required 41.60")),
        (115, Answer),
    ):
        change = ModifyOrder(client_id="C", order_id=order.order_id, quantity=Quantity(quantity))
        told = counter.ask(change)
        assert told == outcome if isinstance(outcome, Refusal) else isinstance(told, Answer)
    assert counter.client.blocked_paise == 29_900
    dearer = ModifyOrder(client_id="C", order_id=order.order_id, price_pips=Pips(14 * RUPEE))
    refused = counter.ask(dearer)
    assert isinstance(refused, Refusal) and refused.reason is Reason.MARGIN_MUST_SUFFICE
