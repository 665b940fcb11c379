"""Executed baskets under the rules of the house."""

from kavach.core.model.baskets.basket import BasketType
from kavach.core.model.baskets.commands import AddBasketOrder, CreateBasket, ExecuteBasket
from kavach.core.model.limits.profiles import Profile
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.regular.tables import RegularState
from kavach.core.refusals import Answer
from kavach.units import OrderType, Pips, Product, Quantity, Side, Validity
from tests.unit.core.limits.house import SHARE, House, too_many
from tests.unit.core.limits.test_budget import check_wire
from tests.unit.core.stocks import stock

LINES = 15
SHARES = tuple(stock(token=token, freeze=100) for token in range(1, LINES + 1))


def terms(**changes: object) -> OrderTerms:
    """Return an order to buy 10 at 13.00."""
    given: dict[str, object] = {
        "instrument": SHARE.key,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Quantity(10),
        "disclosed_quantity": Quantity(0),
        "price_pips": Pips(130_000),
        "trigger_price_pips": Pips(0),
        "validity": Validity.DAY,
        "product": Product.NRML,
        "user_order_id": 1,
    }
    return OrderTerms(**(given | changes))  # type: ignore[arg-type]


def basket(house: House) -> str:
    """Return the id of a basket of fifteen orders."""
    made = house.engine.execute(
        CreateBasket(client_id="C", name="many", basket_type=BasketType.NORMAL)
    )
    assert isinstance(made, Answer)
    for number in range(LINES):
        line = terms(instrument=SHARES[number].key)
        added = house.engine.execute(
            AddBasketOrder(client_id="C", basket_id=made.subject, terms=line)
        )
        assert isinstance(added, Answer), added
    return made.subject


def sent(house: House) -> int:
    """Return how many orders have gone to the venue."""
    return sum(1 for one in house.engine.state.regulars.values() if one.entries)


def test_a_basket_goes_out_as_fast_as_the_budget_lets_it() -> None:
    """All its orders are placed at once; six go to the exchange a second, the others wait."""
    house = House(Profile.SEBI_2026, shares=SHARES)
    execute = ExecuteBasket(client_id="C", basket_id=basket(house))
    assert isinstance(house.engine.execute(execute), Answer)
    assert (len(house.engine.state.regulars), sent(house)) == (LINES, 6)
    house.restart()
    for _ in range(300):
        house.pass_ms(10)
    assert sent(house) == LINES
    check_wire(house)
    house.check_replay()


def test_a_waiting_order_is_cancelled_unsent() -> None:
    """What has not gone out yet ends where it is, by its client and by the square-off time."""
    house = House(Profile.SEBI_2026, shares=SHARES)
    house.engine.execute(ExecuteBasket(client_id="C", basket_id=basket(house)))
    waiting = [one for one in house.engine.state.regulars.values() if not one.entries]
    outcome = house.cancel(waiting[0])
    assert isinstance(outcome, Answer) and outcome.state == RegularState.CANCELLED
    assert not waiting[0].entries
    house.check_replay()


def test_a_basket_counts_as_many_requests_as_it_has_orders() -> None:
    """Keeping a basket counts nothing; executing it twice in a second is more than 25."""
    house = House(Profile.DOCUMENTED, shares=SHARES)
    execute = ExecuteBasket(client_id="C", basket_id=basket(house))
    assert isinstance(house.engine.execute(execute), Answer)
    assert too_many(house.engine.execute(execute))
    house.pass_ms(1000)
    assert isinstance(house.engine.execute(execute), Answer)
    house.check_replay()


def test_a_market_order_of_a_basket_brings_its_own_protection() -> None:
    """Where the rules ask for one, an order without it is a rejected row; with it, it goes out."""
    house = House(Profile.SEBI_2026, shares=SHARES)
    made = house.engine.execute(
        CreateBasket(client_id="C", name="market", basket_type=BasketType.NORMAL)
    )
    assert isinstance(made, Answer)
    for number, protection_bp in enumerate((0, 300)):
        line = terms(
            instrument=SHARES[number].key,
            order_type=OrderType.MARKET,
            price_pips=Pips(0),
            protection_bp=protection_bp,
        )
        added = house.engine.execute(
            AddBasketOrder(client_id="C", basket_id=made.subject, terms=line)
        )
        assert isinstance(added, Answer), added
    house.engine.execute(ExecuteBasket(client_id="C", basket_id=made.subject))
    states = [one.state for one in house.engine.state.regulars.values()]
    assert states == [RegularState.REJECTED, RegularState.OPEN]
    house.check_replay()
