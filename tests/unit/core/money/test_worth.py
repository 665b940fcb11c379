"""
Nothing is lost or made: a ledger that knows cash, shares and nothing else tells the same worth.

The naive ledger has no positions, no products, no days and no averages. A buy takes its whole
price out of the cash and puts the shares in, a sale does the reverse; conversions and the ends of
days do nothing at all. At any fixed price, what a client has is worth what this ledger says, to
the pip. Only a contract that ends is another matter: its shares go for the closing price.

Source: docs/decisions/0015-the-end-of-a-day.md.
"""

from fractions import Fraction
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kavach.core.evolve.apply import evolve
from kavach.core.model.money.account import Client
from kavach.core.model.money.commands import ConvertPosition
from kavach.core.model.money.events import DaySettled, HoldingGranted
from kavach.core.model.money.settlement import worth_pips
from kavach.core.model.state import OmsState
from kavach.core.refusals import Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.money.convert import convert_position
from kavach.core.settings import Settings
from kavach.units import Exchange, Pips, Product, Quantity, Side
from tests.unit.core.stocks import stock

LAST_DAY: Final = 20270110
ITEMS: Final = (
    stock(),
    stock(token=2),
    stock(token=3, exchange=Exchange.NFO, segment="FutOpt", multiplier=7),
    stock(token=4, exchange=Exchange.NFO, segment="FutOpt", multiplier=3, expiry="2027-01-10"),
)
CASH: Final = 10**9

PRICE = st.integers(1, 2_000).map(Pips)
STEP = st.one_of(
    st.tuples(
        st.just("trade"),
        st.integers(0, 3),
        st.sampled_from(Product),
        st.sampled_from(Side),
        st.integers(1, 50),
        PRICE,
        st.booleans(),
    ),
    st.tuples(
        st.just("convert"),
        st.integers(0, 3),
        st.sampled_from(Product),
        st.sampled_from(Product),
        st.sampled_from(Side),
        st.integers(1, 60),
    ),
    st.tuples(st.just("grant"), st.integers(0, 1), st.integers(1, 40), PRICE),
    st.tuples(
        st.just("settle"),
        st.sampled_from([Exchange.NSE, Exchange.NFO]),
        st.integers(LAST_DAY - 2, LAST_DAY + 1),
        st.tuples(*[PRICE] * 4),
    ),
)


class NaiveLedger:
    """Cash and shares, moved at once and in full."""

    def __init__(self) -> None:
        self.cash = Fraction(CASH)
        self.shares = [0] * len(ITEMS)

    def trade(self, item: int, side: Side, quantity: int, price: int) -> None:
        """Swap cash for shares, or shares for cash."""
        signed = quantity if side is Side.BUY else -quantity
        self.shares[item] += signed
        self.cash -= Fraction(signed * price * ITEMS[item].multiplier, 100)

    def worth(self, prices: tuple[int, ...]) -> Fraction:
        """What it comes to, in paise."""
        values = (
            quantity * price * item.multiplier
            for quantity, price, item in zip(self.shares, prices, ITEMS, strict=True)
        )
        return self.cash + Fraction(sum(values), 100)


# A contract in a product for shares, which the rules refuse: it was put among the shares, and not
# paid out on its last day.
CONTRACT_FOR_DELIVERY: Final = (
    ("trade", 3, Product.CNC, Side.BUY, 1, 1, True),
    ("settle", Exchange.NFO, LAST_DAY - 2, (1, 1, 1, 1)),
    ("convert", 0, Product.CNC, Product.CNC, Side.BUY, 1),
    ("settle", Exchange.NFO, LAST_DAY, (1, 1, 1, 2)),
)


@settings(max_examples=max(300, settings().max_examples))
@example(steps=list(CONTRACT_FOR_DELIVERY), prices=(1, 1, 1, 1))
@given(steps=st.lists(STEP, max_size=25), prices=st.tuples(*[PRICE] * 4))
def test_what_a_client_has_is_worth_what_was_paid_for_it(
    steps: list[tuple[object, ...]], prices: tuple[int, ...]
) -> None:
    """After every step, at any prices, core and naive ledger agree to the pip."""
    state, naive = OmsState(ITEMS, Settings()), NaiveLedger()
    client = Client("C", CASH, "", "", "")
    state.add_client(client)
    desk = StepContext(state, {})
    for step in steps:
        _take(step, desk, client, naive)
        at = {item.key: price for item, price in zip(ITEMS, prices, strict=True)}
        assert Fraction(worth_pips(client, state.instruments, at), 100) == naive.worth(prices)
        blocked = sum(position.blocked_paise for position in client.positions)
        assert client.blocked_paise == blocked >= 0
        _check_realised(client)
        for holding in client.holdings:
            assert holding.free_quantity >= 0 and holding.t1_quantity >= 0
            assert holding.cost_value >= 0


def _take(step: tuple[object, ...], desk: StepContext, client: Client, naive: NaiveLedger) -> None:
    match step:
        case (
            "trade",
            int(item),
            Product() as product,
            Side() as side,
            int(q),
            int(p),
            bool(plain),
        ):
            position = client.trade(ITEMS[item], product, side, q, p, plain=bool(plain))
            desk.state.reblock_position(client, position)
            naive.trade(item, side, q, p)
        case ("convert", int(item), Product() as old, Product() as new, Side() as side, int(q)):
            before = worth_pips(client, desk.state.instruments, {})
            told = convert_position(
                desk,
                ConvertPosition(
                    client_id="C",
                    instrument=ITEMS[item].key,
                    side=side,
                    quantity=Quantity(q),
                    product=old,
                    new_product=new,
                ),
            )
            if isinstance(told, Refusal):
                assert worth_pips(client, desk.state.instruments, {}) == before
        case ("grant", int(item), int(q), int(p)):
            evolve(desk.state, HoldingGranted("C", ITEMS[item].key, Quantity(q), Pips(p)), 0)
            naive.shares[item] += q
        case ("settle", Exchange() as exchange, int(day), tuple(closes)):
            there = [
                (index, item.key, close)
                for index, (item, close) in enumerate(zip(ITEMS, closes, strict=True))
                if item.exchange is exchange
            ]
            event = DaySettled(exchange, day, tuple((key, close) for _, key, close in there))
            bound = _bound(client, 3)
            evolve(desk.state, event, 0)
            if exchange is Exchange.NFO and day >= LAST_DAY:
                # All but what living orders hold of the contract that ends is paid out.
                gone = naive.shares[3] - bound
                naive.trade(3, Side.SELL, gone, closes[3])
        case _:
            raise AssertionError(step)


def _bound(client: Client, item: int) -> int:
    return sum(p.bound_net for p in client.positions if p.instrument == ITEMS[item].key)


def _check_realised(client: Client) -> None:
    """Profit is that of the averages, each position rounded down by less than two paise."""
    exact = Fraction(0)
    for position in client.positions:
        closed = min(position.bought, position.sold)
        if closed:
            bought = Fraction(position.bought_value, position.bought)
            sold = Fraction(position.sold_value, position.sold)
            exact += closed * (sold - bought) * position.multiplier / 100
    off = exact - client.realised_paise
    assert 0 <= off < 2 * max(1, len(client.positions))
