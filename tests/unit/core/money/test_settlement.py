"""The end of a day: what is paid, delivered and carried, when, and how often."""

import pytest

from kavach.core.commands import Shares
from kavach.core.evolve.apply import evolve
from kavach.core.model.money.account import Client
from kavach.core.model.money.events import DaySettled, IntradayCarried
from kavach.core.model.state import OmsState
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.orders.answers import HOLDING_CODE
from kavach.core.settings import Settings
from kavach.engine.record import decode_record
from kavach.instruments import Instrument
from kavach.telemetry.telemetry import Telemetry
from kavach.units import Exchange, Phase, Pips, Product, Quantity, Side
from tests.unit.core.money.counter import FUTURE, RUPEE, SHARE, Counter
from tests.unit.core.stocks import stock

BUY, SELL = Side.BUY, Side.SELL
CNC, MIS, NRML, MTF = Product


def rupees(counter: Counter) -> int:
    """The client's cash."""
    assert counter.client.cash_paise % 100 == 0
    return counter.client.cash_paise // 100


def held(counter: Counter, item: Instrument = SHARE) -> tuple[int, int, int]:
    """Shares free and on their way in, and what they cost in rupees."""
    holding = counter.client.holding(item.key)
    if holding is None:
        return 0, 0, 0
    return holding.free_quantity, holding.t1_quantity, holding.cost_value // RUPEE


def shares(quantity: int, rupees: int) -> Shares:
    """Shares to be given."""
    return Shares(SHARE.key, Quantity(quantity), Pips(rupees * RUPEE))


def settled(counter: Counter) -> list[tuple[Exchange, int]]:
    """Which days of which exchange were settled, in order."""
    records = [decode_record(body) for _, body in counter.journal.records()]
    events = [event for record in records for event in record.events]
    return [(event.exchange, event.day) for event in events if isinstance(event, DaySettled)]


def test_what_was_bought_for_delivery_becomes_shares() -> None:
    """Paid in full at the end of the day, on their way in for a day, then free."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 100, 13, CNC)
    assert (rupees(counter), held(counter)) == (10_000, (0, 0, 0))
    counter.end_day((SHARE, 14))
    assert (rupees(counter), held(counter)) == (8_700, (0, 100, 1_300))
    assert counter.client.blocked_paise == 0
    assert counter.client.positions == []
    counter.end_day()
    assert (rupees(counter), held(counter)) == (8_700, (100, 0, 1_300))
    counter.end_day()
    assert (rupees(counter), held(counter)) == (8_700, (100, 0, 1_300))
    counter.again()


def test_shares_on_their_way_in_can_be_sold() -> None:
    """Bought yesterday, sold today: they leave, and the price comes in, when the day ends."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 100, 13, CNC)
    counter.end_day()
    counter.trade(SELL, 60, 15, CNC)
    assert (rupees(counter), held(counter)) == (8_700, (0, 100, 1_300))
    assert counter.order(SELL, 41, 15, CNC).ended_code == HOLDING_CODE
    counter.end_day()
    assert (rupees(counter), held(counter)) == (9_600, (40, 0, 520))


def test_bought_and_sold_on_one_day_is_profit_only() -> None:
    """No share moves, and what is left over is paid and delivered at its average."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 100, 13, CNC)
    counter.trade(SELL, 100, 14, CNC)
    assert counter.client.realised_paise == 10_000
    counter.end_day()
    assert (rupees(counter), held(counter)) == (10_100, (0, 0, 0))
    assert counter.client.realised_paise == 0


def test_shares_that_were_given_can_be_sold() -> None:
    """Free at once, and of one average cost with those that are bought."""
    counter = Counter(cash=10_000, holdings=(shares(50, 10),))
    assert held(counter) == (50, 0, 500)
    counter.trade(BUY, 50, 14, CNC)
    counter.end_day()
    assert held(counter) == (50, 50, 1_200)
    counter.trade(SELL, 70, 15, CNC)
    counter.end_day()
    assert held(counter) == (30, 0, 360)
    assert rupees(counter) == 10_000 - 700 + 1_050


@pytest.mark.parametrize(
    ("product", "side", "paid"),
    [
        *((product, BUY, 100) for product in (NRML, MTF, MIS)),
        *((product, SELL, -100) for product in (NRML, MIS)),  # MTF is never sold short.
    ],
)
def test_other_products_are_carried_at_the_close(product: Product, side: Side, paid: int) -> None:
    """The difference to the close is paid, and the next day begins there."""
    counter = Counter(cash=10_000)
    counter.trade(side, 100, 13, product)
    counter.end_day((SHARE, 14))
    position = counter.client.position(SHARE.key, product)
    assert position is not None
    net = 100 if side is BUY else -100
    assert (position.net_quantity, position.plain_net) == (net, net)
    assert (position.buy_quantity, position.sell_quantity) == (0, 0)
    carried = position.carried_buy_value if side is BUY else position.carried_sell_value
    assert carried == 100 * 14 * RUPEE
    assert rupees(counter) == 10_000 + paid
    counter.trade(Side.SELL if side is BUY else BUY, 100, 13, product)
    assert counter.client.realised_paise == -paid * 100
    assert counter.client.blocked_paise == 0
    counter.end_day((SHARE, 15))
    assert (rupees(counter), counter.client.positions) == (10_000, [])
    counter.again()


def test_intraday_that_is_left_is_told() -> None:
    """An intraday position at the end of the day is carried, and somebody is told."""
    counter = Counter()
    counter.trade(BUY, 10, 13, MIS)
    counter.trade(SELL, 20, 13, NRML)
    counter.cover(BUY, 30, 13, MIS)
    counter.session(Phase.CLOSED)
    *_, (_, body) = counter.journal.records()
    told = [e for e in decode_record(body).events if isinstance(e, IntradayCarried)]
    assert told == [IntradayCarried("C", SHARE.key, 10)]


def test_a_carried_cover_order_gets_out_in_the_next_session() -> None:
    """What a cover order holds is carried at the close, and gets out on the next day."""
    counter = Counter(cash=10_000)
    covers = [counter.cover(BUY, 100, 13, CNC), counter.cover(SELL, 50, 13, MIS)]
    counter.end_day((SHARE, 14))
    assert [str(cover.state) for cover in covers] == ["COVERED", "EXITING"]
    assert (rupees(counter), held(counter)) == (10_000 + 100 - 50, (0, 0, 0))
    assert counter.order(SELL, 1, 14, CNC).ended_code == HOLDING_CODE
    long, short = covers
    counter.house(SELL, 50, 14)  # The square-off of the intraday one stands in the book.
    assert (str(short.state), short.position) == ("EXITED", 0)
    counter.house(BUY, 100, 14)
    assert isinstance(counter.exit(long), Answer)
    assert (str(long.state), long.position) == ("EXITED", 0)
    counter.end_day()
    # Fifty were bought back at the protection of a market order, 14.42.
    assert (rupees(counter), counter.client.positions) == (10_029, [])
    counter.again()


def test_delivery_that_a_cover_order_sold_is_carried() -> None:
    """A cover order sells the client's shares; they stay until it has bought them back or not."""
    counter = Counter(cash=10_000, holdings=(shares(70, 10),))
    cover = counter.cover(SELL, 50, 13, CNC)
    counter.end_day((SHARE, 13))
    assert held(counter) == (70, 0, 700)
    position = counter.client.position(SHARE.key, CNC)
    assert position is not None and position.bound_net == -50
    assert counter.order(SELL, 21, 13, CNC).ended_code == HOLDING_CODE
    assert counter.order(SELL, 20, 13, CNC).ended_code == 0
    assert isinstance(counter.exit(cover), Answer)


def test_a_contract_that_ends_is_paid_out() -> None:
    """On the last day everything is settled at the last price, ended cover orders included."""
    ends = stock(
        token=53001, exchange=Exchange.NFO, segment="FutOpt", multiplier=10, expiry="2027-01-05"
    )
    counter = Counter(ends, cash=10_000)
    counter.trade(BUY, 10, 13, NRML, ends)
    cover = counter.cover(SELL, 20, 13, NRML, ends)
    counter.end_day((ends, 12))
    position = counter.client.position(ends.key, NRML)
    assert position is not None and (position.plain_net, position.bound_net) == (10, -20)
    assert rupees(counter) == 10_000 - 100 + 200
    assert str(cover.state) == "COVERED"
    counter.end_day((ends, 15))
    assert str(cover.state) == "CARRIED"
    assert counter.client.positions == []
    assert rupees(counter) == 10_100 - 300 + 600 - 600
    assert (cover.position, counter.client.blocked_paise) == (0, 0)
    assert counter.exit(cover) == Refusal(
        Reason.ALREADY_CLOSED, "the contract has ended and is settled"
    )
    counter.again()


def test_what_a_living_order_holds_of_a_contract_that_ends_is_carried() -> None:
    """An order that still waits for the venue is not paid out behind its back, but a day later."""
    ends = stock(token=53001, exchange=Exchange.NFO, segment="FutOpt", expiry="2027-01-04")
    counter = Counter(ends, cash=10_000)
    cover = counter.cover(BUY, 20, 13, NRML, ends)
    state = counter.engine.state
    for day, held in ((20270104, 20), (20270105, 0)):
        evolve(state, DaySettled(Exchange.NFO, day, ((ends.key, Pips(14 * RUPEE)),)), day)
        assert cover.position == held
        assert sum(position.bound_net for position in counter.client.positions) == held
        assert (rupees(counter), counter.client.blocked_paise > 0) == (10_020, held > 0)
        cover.check()
        counter.session(Phase.CLOSED, Exchange.NFO)


def test_each_exchange_ends_its_own_day() -> None:
    """What is held elsewhere is settled when that session ends."""
    counter = Counter()
    counter.trade(BUY, 10, 13, CNC)
    counter.trade(BUY, 10, 13, NRML, FUTURE)
    counter.session(Phase.CLOSED)
    assert settled(counter) == [(Exchange.NSE, 20270104)]
    assert [position.instrument for position in counter.client.positions] == [FUTURE.key]
    counter.session(Phase.CLOSED, Exchange.NFO)
    assert settled(counter) == [(Exchange.NSE, 20270104), (Exchange.NFO, 20270104)]


def test_a_day_is_settled_once() -> None:
    """Whoever opens and closes the session again trades for the next day."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 10, 13, CNC)
    for _ in range(3):
        counter.session(Phase.CLOSED)
        counter.session(Phase.OPEN)
    assert held(counter) == (0, 10, 130)
    counter.trade(BUY, 5, 13, CNC)
    counter.session(Phase.CLOSED)
    assert (held(counter), settled(counter)) == ((0, 10, 130), [(Exchange.NSE, 20270104)])
    counter.go("2027-01-05T09:15")
    counter.session(Phase.OPEN)
    assert held(counter) == (0, 10, 130)
    counter.session(Phase.CLOSED)
    assert held(counter) == (10, 5, 195)
    assert settled(counter) == [(Exchange.NSE, 20270104), (Exchange.NSE, 20270105)]


def test_an_empty_day_is_not_settled() -> None:
    """Where nobody has anything nothing is written, and a later trade of that day still counts."""
    counter = Counter()
    counter.session(Phase.CLOSED)
    counter.session(Phase.OPEN)
    counter.trade(BUY, 10, 13, CNC)
    counter.session(Phase.CLOSED)
    assert (held(counter), settled(counter)) == ((0, 10, 130), [(Exchange.NSE, 20270104)])


def test_a_market_that_never_closes_has_days() -> None:
    """A session that is open at midnight in India ends its day there, once for each midnight."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 10, 13, CNC)
    counter.go("2027-01-04T23:59:59")
    assert (held(counter), settled(counter)) == ((0, 0, 0), [])
    counter.go("2027-01-05T00:00")
    assert (held(counter), settled(counter)) == ((0, 10, 130), [(Exchange.NSE, 20270104)])
    counter.go("2027-01-08T10:00")
    assert held(counter) == (10, 0, 130)
    assert settled(counter) == [(Exchange.NSE, 20270104), (Exchange.NSE, 20270105)]
    counter.again()


def test_a_day_ends_while_nobody_runs() -> None:
    """A counter that starts again three days later settles each day that has passed, as of then."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 10, 13, CNC)
    counter.trade(BUY, 10, 13, NRML)
    again = counter.again()
    again.go("2027-01-07T12:00")
    assert [day for _, day in settled(again)] == [20270104, 20270105, 20270106]
    assert held(again) == (10, 0, 130)


def test_a_closed_session_does_not_end_at_midnight() -> None:
    """Holidays and nights pass, and shares on their way in wait for a day with trading."""
    counter = Counter(cash=10_000)
    counter.trade(BUY, 10, 13, CNC)
    counter.session(Phase.CLOSED)
    counter.go("2027-01-09T10:00")
    assert (held(counter), len(settled(counter))) == ((0, 10, 130), 1)
    counter.session(Phase.OPEN)
    counter.go("2027-01-09T23:00")
    assert held(counter) == (0, 10, 130)
    counter.go("2027-01-10T00:00")
    assert held(counter) == (10, 0, 130)


def test_a_trade_that_is_told_after_the_end_of_the_day_is_of_the_next() -> None:
    """The opening auction begins that day; it ends in the evening, and not in the morning."""
    counter = Counter()
    counter.order(Side.BUY, 10, 13)
    counter.venue.set_link(up=False)
    counter.engine.lose_link()
    counter.house(Side.SELL, 10, 13)
    counter.close_at(14)
    counter.session(Phase.CLOSED)
    counter.venue.set_link(up=True)
    counter.engine.restore_link()
    counter.go("2027-01-05T09:00")
    counter.session(Phase.PRE_OPEN)
    counter.go("2027-01-05T10:00")
    counter.session(Phase.OPEN)
    assert settled(counter) == []
    counter.session(Phase.CLOSED)
    assert settled(counter) == [(Exchange.NSE, 20270105)]


def test_the_settlement_is_in_the_record_of_the_session() -> None:
    """What the exchange expires and what is settled stand in one record, in this order."""
    counter = Counter()
    counter.trade(BUY, 10, 13, CNC)
    resting = counter.order(BUY, 5, 12, CNC)
    before = counter.journal.durable_sequence
    counter.session(Phase.CLOSED)
    assert counter.journal.durable_sequence == before + 1
    assert str(resting.state) == "EXPIRED"
    assert counter.client.blocked_paise == 0
    *_, (_, body) = counter.journal.records()
    assert isinstance(decode_record(body).events[-1], DaySettled)


def test_prices_below_a_paisa_are_not_lost() -> None:
    """What a settlement leaves below a paisa is kept and counted with the next one."""
    fine = stock(token=77, exchange=Exchange.CDS, segment="Currency", tick_pips=25)
    state = OmsState([fine], Settings())
    client = Client("C", 0, "", "", "")
    state.add_client(client)
    for day in range(1, 5):
        client.trade(fine, NRML, BUY, 1, 130_000, plain=True)
        client.trade(fine, NRML, SELL, 1, 130_025, plain=True)
        evolve(state, DaySettled(Exchange.CDS, day, ((fine.key, Pips(130_000)),)), day)
        assert (client.cash_paise, client.cash_rest_pips) == divmod(25 * day, 100)


def test_intraday_that_is_left_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """An operator reads client, instrument and quantity, at the level of an alarm."""
    counter = Counter()
    Telemetry(counter.engine)
    counter.trade(SELL, 10, 13, MIS)
    counter.session(Phase.CLOSED)
    (record,) = [one for one in caplog.records if getattr(one.msg, "event", "") == "carried"]
    assert record.levelname == "WARNING"
    assert "NSE:14366" in record.getMessage() and "-10" in record.getMessage()
