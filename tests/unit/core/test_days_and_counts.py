"""Days, boundaries and counters, where being off by one shows on one day, or at one order, only."""

from datetime import date, timedelta
from typing import Final

import pytest

from kavach.core.commands import Command, EndSession, Kill, OpenSession, SquareOff
from kavach.core.day import DAY_NS, IST_NS, day_of, next_midnight_ns
from kavach.core.model.gtt.expiry import days_of
from kavach.core.model.limits.commands import ChooseLimits
from kavach.core.model.limits.profiles import Profile
from kavach.core.model.regular.commands import PlaceOrder
from kavach.core.model.regular.tables import RegularState
from kavach.core.model.state import OmsState
from kavach.core.refusals import Reason, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.units import (
    NS_PER_SECOND,
    Exchange,
    OrderType,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from tests.unit.core.scenario import Scene
from tests.unit.core.stocks import stock
from tests.unit.core.test_regular import RegularScene

FIRST = date(1970, 1, 1)


def test_every_day_of_a_century_and_a_half_is_itself() -> None:
    """Each day from 1970 to 2120, in its first and its last nanosecond, February's included."""
    day = FIRST
    while day.year < 2120:
        midnight = (day - FIRST).days * DAY_NS - IST_NS
        wanted = int(day.strftime("%Y%m%d"))
        assert day_of(midnight) == day_of(midnight + DAY_NS - 1) == wanted
        assert next_midnight_ns(midnight) == midnight + DAY_NS
        assert next_midnight_ns(midnight - 1) == midnight
        assert days_of(wanted) - days_of(19700101) == (day - FIRST).days
        day += timedelta(days=1)


def test_the_day_that_ends_first_is_settled_first() -> None:
    """Of two exchanges with something to settle, the earlier midnight is the next."""
    state = OmsState([stock()], Settings())
    early = 20_000 * DAY_NS
    for order in ((Exchange.NSE, Exchange.MCX), (Exchange.MCX, Exchange.NSE)):
        state.unsettled_since_ns.clear()
        for number, exchange in enumerate(order):
            state.unsettled_since_ns[exchange.value] = early + number * 3 * DAY_NS
        state.plan_day_end()
        assert state.day_ends_ns == next_midnight_ns(early)


AT_ONCE: Final = 20


def crowded(product: Product) -> Engine:
    """Return an engine on which a session has opened with more parked orders than its budget.

    The first were sent; the others are NEW, and wait some seconds for their turn.
    """
    scene = Scene()
    engine = scene.engine
    accepted(engine.execute(ChooseLimits(profile=Profile.SEBI_2026)))
    engine.execute(EndSession(Exchange.NSE))
    for number in range(AT_ONCE):
        parked = PlaceOrder(
            client_id="C",
            instrument=scene.item.key,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Quantity(1),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(130_000),
            trigger_price_pips=Pips(0),
            validity=Validity.DAY,
            product=product,
            amo=True,
            user_order_id=number,
        )
        scene.clock.at_ns += NS_PER_SECOND
        accepted(engine.execute(parked))
    engine.execute(OpenSession(Exchange.NSE))
    return engine


@pytest.mark.parametrize(
    ("moment", "product", "ends"),
    [
        (SquareOff(Exchange.NSE), Product.MIS, True),
        (SquareOff(Exchange.NSE), Product.NRML, False),
        (OpenSession(Exchange.NSE), Product.MIS, False),
        (EndSession(Exchange.NSE), Product.NRML, False),
        (Kill("C"), Product.MIS, True),
        (Kill("C"), Product.NRML, True),
    ],
)
def test_a_moment_of_the_day_finds_orders_that_were_not_sent(
    moment: Command, product: Product, ends: bool
) -> None:
    """What waits for its turn is ended by the moments that would cancel it, and by no other."""
    engine = crowded(product)
    orders = list(engine.state.regulars.values())
    waits = [order for order in orders if order.state is RegularState.NEW]
    assert 0 < len(waits) < AT_ONCE
    engine.execute(moment)
    told = {order.state for order in waits}
    assert told == {RegularState.CANCELLED if ends else RegularState.NEW}


@pytest.mark.parametrize("more", [0, 1])
def test_an_order_has_so_many_slices_and_no_more(more: int) -> None:
    """At the most slices a cover order is taken; a single lot more is refused."""
    settings, item = Settings(), stock(freeze=50)
    scene = Scene(item=item, settings=settings)
    most = item.slice_max * settings.slices_max
    told = scene._act(f"place {most + more} @ 13 stop 12")
    if more:
        assert isinstance(told, Refusal)
        assert told.reason is Reason.QUANTITY_MUST_BE_WITHIN_LIMIT
    else:
        assert not isinstance(told, Refusal)
        assert len(scene.venue.requests) == settings.slices_max


def test_what_is_left_after_a_change_is_given_back() -> None:
    """The square-off time comes while a change is under way: whatever it ends as, what is held
    is given back once nothing of it is open.
    """
    for answer in ("E1 amended", "E1 amend-refused"):
        scene = RegularScene()
        for words in ("place 100 @ 13", "E1 acked", "E1 traded 40", "modify @ 12.90"):
            scene.tell(words)
        scene.engine.execute(SquareOff(Exchange.NSE))
        sent = len(scene.venue.requests)
        scene.tell(answer)
        scene.tell("E1 cancelled")
        last = scene.venue.requests[-1]
        assert len(scene.venue.requests) == sent + 2, "a cancel, and what gives it back"
        assert (last.side.value, last.quantity) == ("SELL", 40)  # type: ignore[union-attr]


def test_what_a_question_shows_to_be_over_is_given_back() -> None:
    """A cancel at the square-off time is not answered; the venue is asked, and says it is over."""
    scene = RegularScene()
    for words in ("place 100 @ 13", "E1 acked", "E1 traded 40"):
        scene.tell(words)
    scene.engine.execute(SquareOff(Exchange.NSE))
    sent = len(scene.venue.requests)
    scene.tell("E1 silently cancelled")
    assert len(scene.venue.requests) == sent
    scene.tell("E1 asked")
    last = scene.venue.requests[-1]
    assert len(scene.venue.requests) == sent + 1
    assert (last.side.value, last.quantity) == ("SELL", 40)  # type: ignore[union-attr]
