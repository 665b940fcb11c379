"""Orders that wait for a price carry their protection, and wait for room like any other."""

from typing import Any, Final

from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish
from kavach.core.model.gtt.rule import GttAction
from kavach.core.model.limits.profiles import Profile
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.units import OrderType, Pips, Product, Quantity, Side, Validity
from kavach.venues.scripted import Told
from tests.unit.core.limits.house import SHARE, House, too_many
from tests.unit.core.limits.test_budget import check_wire

LAST_DAY: Final = 20261231


def rule(house: House, protection_bp: int, order_type: OrderType = OrderType.MARKET) -> Outcome:
    """Ask to buy ten at market when the price is 14.00."""
    price = Pips(0) if order_type is OrderType.MARKET else Pips(140_000)
    fields: dict[str, Any] = {
        "instrument": SHARE.key,
        "side": Side.BUY,
        "order_type": order_type,
        "quantity": Quantity(10),
        "disclosed_quantity": Quantity(0),
        "price_pips": price,
        "trigger_price_pips": Pips(0),
        "validity": Validity.DAY,
        "product": Product.MIS,
        "user_order_id": 1,
    }
    terms = OrderTerms(**fields, protection_bp=protection_bp)
    wish = GttWish(Pips(140_000), price, Quantity(10))
    command = CreateGtt(
        client_id="C", action=GttAction.SINGLE, terms=terms, wishes=(wish,), expiry_day=LAST_DAY
    )
    return house.engine.execute(command)


def price_comes(house: House) -> list[RegularOrder]:
    """Let the price be 14.00; return the orders that there are then."""
    house.engine.receive(Told(moved={SHARE.key: 140_000}))
    return list(house.engine.state.regulars.values())


def test_a_rule_at_market_needs_protection() -> None:
    """Under the regulator's rules it is asked for when the rule is made, not when it fires."""
    house = House(Profile.SEBI_2026)
    assert rule(house, 0) == Refusal(Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
    assert isinstance(rule(house, 100), Answer)
    (order,) = price_comes(house)
    assert (order.protection_bp, order.algo_tag) == (100, "RETAIL")
    assert order.entries[0].price_pips == 141_400
    house.check_replay()


def test_rules_that_fire_together_wait_for_room() -> None:
    """Ten rules at one price send six orders, and the others a second later (INV-18)."""
    house = House(Profile.SEBI_2026)
    for _ in range(10):
        assert isinstance(rule(house, 0, OrderType.LIMIT), Answer)
    orders = price_comes(house)
    assert [bool(order.entries) for order in orders] == [True] * 6 + [False] * 4
    house.pass_ms(1000)
    assert all(order.entries for order in orders)
    check_wire(house)
    house.check_replay()


def test_a_rule_counts_as_an_order() -> None:
    """Making rules spends what placing spends; to let one go is never too much."""
    house = House(Profile.DOCUMENTED)
    made = [rule(house, 0, OrderType.LIMIT) for _ in range(26)]
    assert all(isinstance(outcome, Answer) for outcome in made[:25])
    assert too_many(made[25])
    assert too_many(house.order())
    rule_id = next(iter(house.engine.state.gtts.rules))
    gone = house.engine.execute(CancelGtt(client_id="C", rule_id=rule_id))
    assert isinstance(gone, Answer)
