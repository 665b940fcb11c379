"""What an order must find free: tables for people, and a model that counts share by share."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.core.model.money.account import Client
from kavach.core.model.money.holding import Holding
from kavach.core.model.money.margin import order_margin_paise, sellable_quantity
from kavach.core.model.money.position import NOTHING, Open
from kavach.core.model.state import OmsState
from kavach.core.settings import MARGIN, Settings
from kavach.units import PIPS_PER_PAISA, PIPS_PER_RUPEE, Product, Side
from tests.unit.core.stocks import stock

SETTINGS = Settings()
ITEM = stock()
RUPEE = PIPS_PER_RUPEE
BUY, SELL = Side.BUY, Side.SELL


class Desk:
    """A client with a state around it, as regular orders would use it."""

    def __init__(self, product: Product, *, shares: int = 0) -> None:
        self.product = product
        self.state = OmsState([ITEM], SETTINGS)
        self.client = Client("C", 10**9, "", "", "")
        if shares:
            self.client.holdings.append(Holding(ITEM.key, shares, 0, shares * 10 * RUPEE))
        self.state.add_client(self.client)

    def trade(self, side: Side, quantity: int, price: int, *, plain: bool = True) -> None:
        """Let one trade happen."""
        position = self.client.trade(ITEM, self.product, side, quantity, price, plain=plain)
        self.state.reblock_position(self.client, position)

    def open(self, side: Side, quantity: int, price: int) -> Open:
        """Let a regular order be open."""
        after = Open(quantity, quantity * price)
        return self.state.count_open("C", ITEM.key, self.product, side, NOTHING, after)

    def needs(self, side: Side, quantity: int, price: int, instead_of: Open = NOTHING) -> int:
        """Return what an order must find free, in paise."""
        return order_margin_paise(
            self.client, ITEM, SETTINGS, self.product, side, quantity, price, instead_of=instead_of
        )


@pytest.mark.parametrize(
    ("product", "held", "open_orders", "order", "rupees"),
    [
        # Nothing there: the fraction of the product, both ways.
        (Product.MIS, [], [], (BUY, 100, 13), 260),
        (Product.MIS, [], [], (SELL, 100, 13), 260),
        (Product.NRML, [], [], (SELL, 100, 13), 260),
        (Product.MTF, [], [], (BUY, 100, 13), 325),
        (Product.CNC, [], [], (BUY, 100, 13), 1300),
        # A reduction is free, whatever its price; only what goes beyond is not.
        (Product.MIS, [(BUY, 100, 13)], [], (SELL, 100, 15), 0),
        (Product.MIS, [(BUY, 100, 13)], [], (SELL, 150, 15), 150),
        (Product.MIS, [(SELL, 100, 13)], [], (BUY, 100, 15), 0),
        (Product.MIS, [(SELL, 100, 13)], [], (BUY, 150, 12), 120),
        (Product.CNC, [(BUY, 100, 13)], [], (SELL, 100, 15), 0),
        # The same shares reduce once.
        (Product.MIS, [(BUY, 100, 13)], [(SELL, 60, 14)], (SELL, 40, 14), 0),
        (Product.MIS, [(BUY, 100, 13)], [(SELL, 60, 14)], (SELL, 60, 14), 56),
        # What is open on the other side reduces nothing: it need not trade.
        (Product.MIS, [], [(BUY, 100, 13)], (SELL, 100, 13), 260),
        # A position grows.
        (Product.MIS, [(BUY, 100, 13)], [], (BUY, 100, 13), 260),
        # Delivery is bought back after a sale: closing asks for nothing.
        (Product.CNC, [(SELL, 30, 13)], [], (BUY, 30, 12), 0),
        (Product.CNC, [(SELL, 30, 13)], [], (BUY, 40, 12), 120),
    ],
)
def test_an_order_finds_its_margin(
    product: Product,
    held: list[tuple[Side, int, int]],
    open_orders: list[tuple[Side, int, int]],
    order: tuple[Side, int, int],
    rupees: int,
) -> None:
    """Each order must find what is told here, in rupees."""
    desk = Desk(product, shares=50)
    for side, quantity, price in held:
        desk.trade(side, quantity, price * RUPEE)
    for side, quantity, price in open_orders:
        desk.open(side, quantity, price * RUPEE)
    side, quantity, price = order
    assert desk.needs(side, quantity, price * RUPEE) == rupees * 100


def test_a_changed_order_asks_for_the_difference() -> None:
    """An open order that grows must find what it will block more, and one that shrinks nothing."""
    desk = Desk(Product.MIS)
    counted = desk.open(BUY, 100, 13 * RUPEE)
    assert desk.needs(BUY, 150, 13 * RUPEE, counted) == 13_000
    assert desk.needs(BUY, 50, 13 * RUPEE, counted) == 0


def test_what_a_cover_order_holds_nets_nothing() -> None:
    """A regular sell beside a cover order's long position opens a short one, and blocks for it."""
    desk = Desk(Product.MIS)
    desk.trade(BUY, 100, 13 * RUPEE, plain=False)
    assert desk.client.blocked_paise == 0
    assert desk.needs(SELL, 100, 13 * RUPEE) == 26_000
    position = desk.client.position(ITEM.key, Product.MIS)
    assert position is not None and (position.plain_net, position.bound_net) == (0, 100)


@pytest.mark.parametrize(
    ("shares", "traded", "selling", "sellable"),
    [
        (50, [], 0, 50),
        (0, [], 0, 0),
        (50, [(BUY, 20)], 0, 70),
        (50, [(SELL, 20)], 0, 30),
        (50, [(SELL, 20), (BUY, 5)], 10, 25),
        (50, [(SELL, 50)], 0, 0),
    ],
)
def test_delivery_can_be_sold_as_far_as_there_are_shares(
    shares: int, traded: list[tuple[Side, int]], selling: int, sellable: int
) -> None:
    """Held and bought today, less what is sold and is being sold; money does not matter."""
    desk = Desk(Product.CNC, shares=shares)
    for side, quantity in traded:
        desk.trade(side, quantity, 13 * RUPEE)
    if selling:
        desk.open(SELL, selling, 13 * RUPEE)
    assert sellable_quantity(desk.client, ITEM.key, Product.CNC) == sellable
    assert sellable_quantity(desk.client, ITEM.key, Product.MIS) is None
    assert desk.needs(SELL, sellable, 13 * RUPEE) == 0


STEP = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(Side), st.integers(1, 50), st.integers(1, 900)),
    st.tuples(st.just("open"), st.sampled_from(Side), st.integers(1, 50), st.integers(1, 900)),
    st.tuples(st.just("gone"), st.sampled_from(Side), st.integers(0, 9), st.just(0)),
)


@given(product=st.sampled_from(Product), steps=st.lists(STEP, max_size=15))
def test_what_is_blocked_is_what_the_facts_say(
    product: Product, steps: list[tuple[str, Side, int, int]]
) -> None:
    """After anything, blocked is recomputed from trades and open orders, to the paisa.

    And an order blocks exactly what it had to find free, unless it reduces, which is free.
    """
    desk = Desk(product)
    trades: list[tuple[Side, int, int]] = []
    opened: dict[Side, list[tuple[int, int, Open]]] = {BUY: [], SELL: []}
    for kind, side, quantity, price in steps:
        before = desk.client.blocked_paise
        if kind == "trade":
            desk.trade(side, quantity, price)
            trades.append((side, quantity, price))
        elif kind == "open":
            needed = desk.needs(side, quantity, price)
            opened[side].append((quantity, price, desk.open(side, quantity, price)))
            assert max(0, desk.client.blocked_paise - before) == needed
        elif opened[side]:
            _, _, counted = opened[side].pop(quantity % len(opened[side]))
            desk.state.count_open("C", ITEM.key, product, side, counted, NOTHING)
        assert desk.client.blocked_paise == naive_blocked(product, trades, opened)


def naive_blocked(
    product: Product,
    trades: list[tuple[Side, int, int]],
    opened: dict[Side, list[tuple[int, int, Open]]],
) -> int:
    """What must be blocked, in whole paise above, by fractions."""
    sums = {side: [sum(q for s, q, _ in trades if s is side)] for side in Side}
    values = {side: sum(q * p for s, q, p in trades if s is side) for side in Side}
    net = sums[BUY][0] - sums[SELL][0]
    share = Fraction(MARGIN[product], 1000 * PIPS_PER_PAISA)
    parts: list[Fraction] = []
    if net:
        own = BUY if net > 0 else SELL
        parts.append(Fraction(values[own], sums[own][0]) * abs(net))
    for side in Side:
        quantity = sum(q for q, _, _ in opened[side])
        closes = max(0, -net) if side is BUY else max(0, net)
        opens = max(0, quantity - closes)
        if opens and not (product is Product.CNC and side is SELL):
            parts.append(Fraction(sum(q * p for q, p, _ in opened[side]), quantity) * opens)
    # The account rounds each part up twice: to a whole value, then to a paisa.
    return sum(ceil(ceil(part) * share) for part in parts)
