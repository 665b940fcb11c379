"""Conversions between products: what moves, and why not."""

import pytest

from kavach.core.commands import Shares, SquareOff
from kavach.core.model.money.commands import ConvertPosition, GrantHoldings
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.instruments import Instrument
from kavach.units import Exchange, InstrumentKey, Phase, Pips, Product, Quantity, Side
from tests.unit.core.money.counter import FUTURE, RUPEE, SHARE, Counter
from tests.unit.core.stocks import stock

BUY, SELL = Side.BUY, Side.SELL
CNC, MIS, NRML, MTF = Product
LOTS = stock(lot=10, token=99, intraday_allowed=False)


def convert(
    counter: Counter,
    quantity: int,
    product: Product,
    new_product: Product,
    side: Side = BUY,
    item: Instrument = SHARE,
    key: str = "",
) -> Outcome:
    """Return the answer to a conversion."""
    return counter.ask(
        ConvertPosition(
            client_id="C",
            instrument=item.key,
            side=side,
            quantity=Quantity(quantity),
            product=product,
            new_product=new_product,
            idempotency_key=key,
            fingerprint=f"{quantity}",
        )
    )


def net(counter: Counter, product: Product, item: Instrument = SHARE) -> int:
    """What is held in a product."""
    position = counter.client.position(item.key, product)
    return position.net_quantity if position is not None else 0


@pytest.mark.parametrize(("new", "side"), [(NRML, BUY), (NRML, SELL), (MTF, BUY)])
def test_a_part_moves_at_its_average(side: Side, new: Product) -> None:
    """Quantity, average and blocked margin move; the profit stays where it was made."""
    counter = Counter()
    counter.trade(side, 60, 12)
    counter.trade(side, 40, 14)
    counter.trade(SELL if side is BUY else BUY, 50, 13)
    profit = counter.client.realised_paise
    assert isinstance(convert(counter, 30, MIS, new, side), Answer)
    sign = 1 if side is BUY else -1
    assert (net(counter, MIS), net(counter, new)) == (20 * sign, 30 * sign)
    moved = counter.client.position(SHARE.key, new)
    assert moved is not None
    value = moved.buy_value if side is BUY else moved.sell_value
    assert value == 30 * 128_000
    assert counter.client.realised_paise == profit
    counter.again()


def test_all_of_it_moves_and_back() -> None:
    """There and back again, everything is as it was."""
    counter = Counter()
    counter.trade(BUY, 100, 13)
    before = counter.client.blocked_paise
    assert isinstance(convert(counter, 100, MIS, CNC), Answer)
    assert (net(counter, MIS), counter.client.blocked_paise) == (0, 5 * before)
    assert isinstance(convert(counter, 100, CNC, MIS), Answer)
    assert (net(counter, CNC), counter.client.blocked_paise) == (0, before)


def test_what_was_carried_in_moves_after_todays_trades() -> None:
    """Today's trades first, at their average; then what was carried in, at its close."""
    counter = Counter()
    counter.trade(BUY, 10, 13, NRML)
    counter.end_day((SHARE, 14))
    counter.trade(BUY, 10, 12, NRML)
    assert isinstance(convert(counter, 15, NRML, MTF), Answer)
    position = counter.client.position(SHARE.key, MTF)
    assert position is not None
    assert (position.buy_quantity, position.buy_value) == (10, 120 * RUPEE)
    assert (position.carried_buy_quantity, position.carried_buy_value) == (5, 70 * RUPEE)


def test_converted_into_delivery_it_is_delivered() -> None:
    """What was intraday in the morning can be shares on their way in at night."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 100, 13)
    convert(counter, 40, MIS, CNC)
    counter.trade(SELL, 60, 13)
    counter.session(Phase.CLOSED)
    holding = counter.client.holding(SHARE.key)
    assert holding is not None
    assert (holding.t1_quantity, counter.client.cash_paise) == (40, (10_000 - 520) * 100)


def test_a_short_position_becomes_delivery_where_there_are_shares() -> None:
    """Sold intraday, delivered from what is held."""
    counter = Counter(holdings=(Shares(SHARE.key, Quantity(30), Pips(RUPEE)),))
    counter.trade(SELL, 50, 13)
    refused = convert(counter, 31, MIS, CNC, SELL)
    assert refused == Refusal(Reason.QUANTITY_MUST_BE_CONVERTIBLE, "30 can be converted")
    assert isinstance(convert(counter, 30, MIS, CNC, SELL), Answer)
    counter.session(Phase.CLOSED)
    assert counter.client.holding(SHARE.key) is None
    assert net(counter, MIS) == -20


def test_shares_that_are_being_sold_stay_delivery() -> None:
    """An open sale for delivery keeps its shares."""
    counter = Counter()
    counter.trade(BUY, 50, 13, CNC)
    counter.order(SELL, 20, 15, CNC)
    refused = convert(counter, 31, CNC, MIS)
    assert refused == Refusal(Reason.QUANTITY_MUST_BE_CONVERTIBLE, "30 can be converted")
    assert isinstance(convert(counter, 30, CNC, MIS), Answer)


def test_a_cover_orders_position_cannot_be_converted() -> None:
    """Living or carried, it belongs to the order, which gets out by itself."""
    counter = Counter()
    counter.cover(BUY, 100, 13)
    none = Refusal(Reason.QUANTITY_MUST_BE_CONVERTIBLE, "0 can be converted")
    assert convert(counter, 1, MIS, NRML) == none
    counter.trade(BUY, 20, 13)
    assert convert(counter, 21, MIS, NRML) == Refusal(
        Reason.QUANTITY_MUST_BE_CONVERTIBLE, "20 can be converted"
    )
    counter.end_day()
    assert isinstance(convert(counter, 20, MIS, NRML), Answer)
    assert convert(counter, 1, MIS, NRML) == none


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"item": stock(token=5)}, Refusal(Reason.INSTRUMENT_MUST_EXIST, "NSE:5")),
        ({"item": FUTURE, "new_product": CNC}, Refusal(Reason.NEW_PRODUCT_MUST_BE_OFFERED)),
        ({"item": FUTURE, "new_product": MTF}, Refusal(Reason.NEW_PRODUCT_MUST_BE_OFFERED)),
        (
            {"item": LOTS, "product": NRML, "new_product": MIS},
            Refusal(Reason.NEW_PRODUCT_MUST_BE_OFFERED),
        ),
        ({"new_product": MIS}, Refusal(Reason.NEW_PRODUCT_MUST_DIFFER)),
        ({"quantity": 0}, Refusal(Reason.QUANTITY_MUST_BE_POSITIVE)),
        ({"item": LOTS, "quantity": 15}, Refusal(Reason.QUANTITY_MUST_BE_MULTIPLE_OF_LOT)),
        ({"product": MTF}, Refusal(Reason.POSITION_MUST_EXIST, "nothing is held in MTF")),
        ({"side": SELL}, Refusal(Reason.SIDE_MUST_BE_THE_POSITIONS)),
        (
            {"quantity": 101},
            Refusal(Reason.QUANTITY_MUST_BE_CONVERTIBLE, "100 can be converted"),
        ),
        (
            {"new_product": CNC},
            Refusal(Reason.MARGIN_MUST_SUFFICE, "available 40.00, required 1040.00"),
        ),
    ],
)
def test_a_refused_conversion_changes_nothing(change: dict[str, object], refusal: Refusal) -> None:
    """Each reason, and the state is as it was."""
    counter = Counter(SHARE, FUTURE, LOTS, cash=300)
    counter.trade(BUY, 100, 13)
    before = counter.engine.state_hash()
    asked = {"quantity": 100, "product": MIS, "new_product": NRML, "item": SHARE} | change
    assert convert(counter, **asked) == refusal  # type: ignore[arg-type]
    assert counter.engine.state_hash() == before


def test_after_the_square_off_time_what_becomes_intraday_is_given_back() -> None:
    """Nothing that is intraday is left standing, however it became so."""
    counter = Counter()
    counter.trade(BUY, 40, 12, NRML)
    counter.ask(SquareOff(Exchange.NSE))
    assert isinstance(convert(counter, 40, NRML, MIS), Answer)
    orders = [one for one in counter.engine.state.regulars.values() if one.squares_off]
    assert [(one.side, one.quantity) for one in orders] == [(SELL, 40)]


def test_what_is_being_squared_off_cannot_be_converted() -> None:
    """The order that gives it back would turn the position round."""
    counter = Counter()
    counter.trade(BUY, 40, 12, MIS)
    counter.ask(SquareOff(Exchange.NSE))
    outcome = convert(counter, 40, MIS, CNC)
    assert isinstance(outcome, Refusal) and outcome.reason is Reason.QUANTITY_MUST_BE_CONVERTIBLE
    assert net(counter, MIS) == 40


def test_a_repeated_conversion_is_done_once() -> None:
    """The same key gets the first answer again, also after a restart."""
    counter = Counter()
    counter.trade(BUY, 100, 13)
    assert convert(counter, 60, MIS, NRML, key="k") == Answer(0, 0, "")
    again = counter.again()
    assert convert(again, 60, MIS, NRML, key="k") == Answer(0, 0, "", replayed=True)
    assert (net(again, MIS), net(again, NRML)) == (40, 60)
    assert convert(again, 40, MIS, NRML, key="k") == Refusal(Reason.KEY_MUST_NOT_BE_REUSED, "k")


@pytest.mark.parametrize(
    ("client_id", "shares", "reason"),
    [
        ("X", Shares(SHARE.key, Quantity(1), Pips(1)), Reason.CLIENT_MUST_EXIST),
        ("C", Shares(InstrumentKey("NSE:5"), Quantity(1), Pips(1)), Reason.INSTRUMENT_MUST_EXIST),
        ("C", Shares(FUTURE.key, Quantity(1), Pips(1)), Reason.PRODUCT_MUST_BE_OFFERED),
        ("C", Shares(SHARE.key, Quantity(0), Pips(1)), Reason.QUANTITY_MUST_BE_POSITIVE),
    ],
)
def test_a_refused_gift_gives_nothing(client_id: str, shares: Shares, reason: Reason) -> None:
    """Not even those before it that could be given."""
    counter = Counter()
    good = Shares(SHARE.key, Quantity(5), Pips(RUPEE))
    outcome = counter.ask(GrantHoldings(client_id=client_id, holdings=(good, shares)))
    assert isinstance(outcome, Refusal) and outcome.reason is reason
    assert counter.client.holdings == []
    assert FUTURE.exchange is Exchange.NFO


REASONS = (
    Reason.NEW_PRODUCT_MUST_BE_OFFERED,
    Reason.NEW_PRODUCT_MUST_DIFFER,
    Reason.POSITION_MUST_EXIST,
    Reason.SIDE_MUST_BE_THE_POSITIONS,
    Reason.QUANTITY_MUST_BE_CONVERTIBLE,
)
