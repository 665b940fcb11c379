"""Market protection and algorithm tags: asked for where the rules ask, kept, and used."""

from typing import Any, Final

import pytest

from kavach.core.commands import Leg
from kavach.core.model.limits.profiles import GENERIC_ALGO, Profile
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.units import OrderType, Pips, Quantity, Side
from kavach.venues.scripted import Told
from tests.unit.core.limits.house import House

LIMIT, MARKET, SL, SLM = OrderType
NONE = Pips(0)
LACKS = Refusal(Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
STOPPED: Final[dict[str, Any]] = {
    "order_type": SLM,
    "price_pips": NONE,
    "trigger_price_pips": Pips(131_000),
}
AT_MARKET: Final[dict[str, Any]] = {"order_type": MARKET, "price_pips": NONE}


@pytest.mark.parametrize("terms", [AT_MARKET, STOPPED])
def test_the_regulator_wants_protection(terms: dict[str, Any]) -> None:
    """Without a percentage no order without a price is taken, cover or regular; with one it is."""
    house = House(Profile.SEBI_2026)
    assert house.place(**terms) == house.order(**terms) == LACKS
    cover = house.cover(house.place(**terms, protection_bp=150))
    order = house.regular(house.order(**terms, protection_bp=150))
    assert (cover.protection_bp, order.protection_bp) == (150, 150)
    house.check_replay()


@pytest.mark.parametrize("profile", [Profile.OFF, Profile.DOCUMENTED])
def test_elsewhere_it_is_a_choice(profile: Profile) -> None:
    """Under other rules the instrument's own protection serves who brings none."""
    house = House(profile)
    order = house.regular(house.order(**AT_MARKET))
    assert (order.protection_bp, order.algo_tag) == (0, "")
    assert order.entries[0].price_pips == 133_900  # Three percent of 13.00 above it.


@pytest.mark.parametrize(
    ("side", "bp", "price"),
    [
        (Side.BUY, 100, 131_300),
        (Side.SELL, 100, 128_700),
        (Side.BUY, 50, 130_700),  # 0.65 paise are rounded so that the limit reaches the market.
        (Side.SELL, 50, 129_300),
        (Side.BUY, 10_000, 156_000),  # The band ends before.
        (Side.SELL, 10_000, 104_000),
    ],
)
def test_a_market_order_reaches_as_far_as_was_asked(side: Side, bp: int, price: int) -> None:
    """The limit of a market order is the last price and the order's own percentage of it."""
    house = House(Profile.OFF)
    order = house.regular(house.order(**AT_MARKET, side=side, protection_bp=bp))
    assert order.entries[0].price_pips == price


def test_a_stop_order_reaches_as_far_behind_its_trigger() -> None:
    """The limit of an SLM order is its trigger and the order's own percentage of it."""
    house = House(Profile.OFF)
    order = house.regular(house.order(**STOPPED, protection_bp=100))
    entry = order.entries[0]
    assert (entry.order_type, entry.price_pips) == (SL, 132_400)  # 13.231, rounded to the tick.


def test_it_is_used_again_when_the_order_follows() -> None:
    """An order at market that rests follows with its own percentage, not the instrument's."""
    house = House(Profile.OFF)
    order = house.regular(house.order(**AT_MARKET, protection_bp=100))
    house.engine.receive(Told(moved={order.instrument: 140_000}))
    house.pass_ms(500)
    assert order.entries[0].price_pips == 141_400


def test_exits_keep_to_the_instrument() -> None:
    """However little a client wants to pay for an entry, the way out reaches as far as ever."""
    house = House(Profile.SEBI_2026)
    cover = house.cover(house.place(**AT_MARKET, protection_bp=1))
    assert cover.entries[0].price_pips == 130_100
    house.fill(cover, 10)
    assert cover.exits[0].order_type is SLM
    house.cancel(cover, Leg.THIRD)
    assert cover.exits[0].price_pips == 126_100  # Three percent.


def test_a_change_to_market_needs_protection_too() -> None:
    """An order with a price gets none by a change without a percentage; what is given stays."""
    house = House(Profile.SEBI_2026)
    cover, order = house.cover(house.place()), house.regular(house.order())
    assert house.modify(cover, **AT_MARKET) == house.modify(order, **AT_MARKET) == LACKS
    assert (cover.order_type, order.order_type) == (LIMIT, LIMIT)
    assert isinstance(house.modify(cover, **AT_MARKET, protection_bp=200), Answer)
    assert isinstance(house.modify(order, **AT_MARKET, protection_bp=200), Answer)
    assert (cover.entries[0].price_pips, order.entries[0].price_pips) == (132_600, 132_600)
    assert isinstance(house.modify(order, quantity=Quantity(20)), Answer), "it has one"
    assert order.protection_bp == 200
    assert order.entries[0].price_pips == 132_600
    house.check_replay()


def test_every_order_has_a_tag() -> None:
    """Orders carry the client's registered algorithm, or the generic one, and keep it."""
    house = House(Profile.SEBI_2026, registered="C")
    mine = [house.cover(house.place()), house.regular(house.order())]
    other = house.regular(house.order(client_id="D"))
    assert [order.algo_tag for order in mine] == ["ALGO-C", "ALGO-C"]
    assert other.algo_tag == GENERIC_ALGO
    house.modify(mine[1], protection_bp=300)
    assert (mine[1].algo_tag, mine[1].protection_bp) == ("ALGO-C", 300)
    house.check_replay()
