"""Positions and money: a fold of trades that anybody can redo with fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kavach.core.model.money.account import Client
from kavach.core.model.money.margin import margin_paise
from kavach.core.settings import Settings
from kavach.units import Product, Side
from tests.unit.core.scenario import Scene
from tests.unit.core.stocks import stock

TRADE = st.tuples(st.sampled_from(Side), st.integers(1, 500), st.integers(104_000, 156_000))


@given(trades=st.lists(TRADE, max_size=30), multiplier=st.sampled_from([1, 10, 1000]))
def test_realised_profit_is_that_of_the_averages(
    trades: list[tuple[Side, int, int]], multiplier: int
) -> None:
    """Profit is what was closed, times the difference of the averages, in whole paise below."""
    item = stock(multiplier=multiplier)
    client = Client("C", 10**9, "", "", "")
    sums = {side: [0, 0] for side in Side}
    for side, quantity, price in trades:
        client.trade(item, Product.MIS, side, quantity, price, plain=False)
        sums[side][0] += quantity
        sums[side][1] += quantity * price
    (bought, paid), (sold, got) = sums[Side.BUY], sums[Side.SELL]
    profit = Fraction(0)
    if bought and sold:
        profit = min(bought, sold) * (Fraction(got, sold) - Fraction(paid, bought))
    exact = profit * multiplier / 100
    assert exact - multiplier < client.realised_paise <= exact
    position = client.position(item.key, Product.MIS)
    if trades:
        assert position is not None
        assert position.net_quantity == bought - sold
    else:
        assert position is None


@given(trades=st.lists(TRADE, min_size=1, max_size=12))
def test_the_order_of_trades_does_not_matter(trades: list[tuple[Side, int, int]]) -> None:
    """The same trades in any order leave the same position and the same money."""
    item = stock()
    one, other = Client("C", 0, "", "", ""), Client("C", 0, "", "", "")
    for trade in trades:
        one.trade(item, Product.MIS, *trade, plain=False)
    for trade in sorted(trades, key=repr):
        other.trade(item, Product.MIS, *trade, plain=False)
    assert (one.realised_paise, one.positions) == (other.realised_paise, other.positions)


@given(quantity=st.integers(0, 10**6), price=st.integers(1, 10**7))
def test_margin_is_rounded_up(quantity: int, price: int) -> None:
    """Delivery blocks the whole value, intraday a fifth, never a paisa too little."""
    whole = margin_paise(stock(), Settings(), Product.CNC, quantity, price)
    fifth = margin_paise(stock(), Settings(), Product.MIS, quantity, price)
    assert 0 <= whole - Fraction(quantity * price, 100) < 1
    assert 0 <= fifth - Fraction(quantity * price, 500) < 1


def test_margin_is_blocked_for_what_can_open_and_released_with_it() -> None:
    """Blocked: the whole entry at first, then what is left of it and what is held, then nothing."""
    scene = Scene()
    client = scene.engine.state.clients["C"]
    blocked = []
    for words in (
        "place 100 @ 13 stop 12",
        "E1 acked",
        "E1 traded 40",
        "S1 acked",
        "C1",
        "E1 cancelled",
        "S1 triggered",
        "S1 traded 30",
        "S1 traded 10",
    ):
        scene.tell(words)
        blocked.append(client.blocked_paise)
    assert blocked == [26_000, 26_000, 26_000, 26_000, 26_000, 10_400, 10_400, 2_600, 0]


def test_margin_is_never_in_the_way_of_an_exit() -> None:
    """A client without a paisa to spare, and killed, still gets out."""
    scene = Scene(cash_paise=26_000)
    for words in ("place 100 @ 13 stop 12", "E1 acked", "E1 traded 100", "S1 acked", "kill"):
        scene.tell(words)
    assert scene.engine.state.clients["C"].available_paise == 0
    assert scene.tell("C2") == "out: user, S1 to 100 @ market, ok | EXITING"


def test_cash_moves_by_realised_profit_only() -> None:
    """A long position sold a rupee lower costs its quantity in rupees, once it is closed."""
    scene = Scene()
    client = scene.engine.state.clients["C"]
    for words in ("place 100 @ 13 stop 12", "E1 acked", "E1 traded 100 @ 13", "S1 acked"):
        scene.tell(words)
    assert client.realised_paise == 0
    scene.tell("S1 traded 40 @ 12")
    assert client.realised_paise == -4_000
    scene.tell("S1 traded 60 @ 12")
    assert client.realised_paise == -10_000
    assert client.available_paise == client.cash_paise - 10_000
