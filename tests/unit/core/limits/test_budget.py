"""The budget of requests to the venue: at most ten a second, four of them for protection alone."""

from typing import Final

import pytest

from kavach.core import events as e
from kavach.core.commands import CancelCoverOrder, Leg, OpenSession, SquareOff
from kavach.core.model.limits.commands import ChooseLimits, RegisterAlgo
from kavach.core.model.limits.profiles import Profile
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.engine.engine import accepted
from kavach.units import NS_PER_MS, NS_PER_SECOND, Exchange, OrderType, Pips, Quantity, Side
from kavach.venues.scripted import Told
from tests.unit.core.limits.house import OTHER, House, too_many

SEBI: Final = Profile.SEBI_2026


def is_entry(house: House, request: e.Request) -> bool:
    """Whether a request could open a position, by what was first asked about its tag."""
    asked = house.venue.orders[request.tag].asked
    return asked.purpose is e.Purpose.ENTRY and not isinstance(request, e.OrderCancelSent)


def check_wire(house: House, client_id: str = "C", *, all_most: int = 10, most: int = 6) -> None:
    """Assert of every entry request that it was within the budget when it went out (INV-18)."""
    sent = [
        (at_ns, request, house.venue.orders[request.tag].asked)
        for at_ns, request in house.venue.times
        if house.venue.orders[request.tag].asked.client_id == client_id
    ]
    for number, (at_ns, request, asked) in enumerate(sent):
        if not is_entry(house, request):
            continue
        exchange = asked.instrument.partition(":")[0]
        before = [
            other
            for then_ns, other, of in sent[: number + 1]
            if then_ns > at_ns - NS_PER_SECOND and of.instrument.startswith(exchange)
        ]
        assert len(before) <= all_most, f"INV-18: {len(before)} requests in a second"
        entries = [other for other in before if is_entry(house, other)]
        assert len(entries) <= most, f"INV-18: {len(entries)} entries in a second"


def test_six_entries_and_no_more() -> None:
    """Entries stop where protection's share begins; a second after the first there is room."""
    house = House(SEBI)
    number, refusal = house.until_refused(gap_ms=10)
    assert (number, refusal.reason) == (6, Reason.REQUESTS_MUST_BE_WITHIN_LIMIT)
    assert refusal.detail == "at most 6 in a second"
    assert refusal.retry_at_ns == house.clock.at_ns + 940 * NS_PER_MS
    house.clock.at_ns = refusal.retry_at_ns - 1
    assert too_many(house.order())
    house.clock.at_ns += 1
    assert isinstance(house.order(), Answer)
    check_wire(house)
    house.check_replay()


def test_segments_and_clients_have_their_own() -> None:
    """The budget is one client's and one segment's (INV-20)."""
    house = House(SEBI)
    house.until_refused()
    assert isinstance(house.order(share=OTHER), Answer)
    assert isinstance(house.order(client_id="D"), Answer)
    assert too_many(house.order())


def test_a_registered_algorithm_may_more() -> None:
    """Whose algorithm is registered has the vendor's own twenty-five, fifteen of them entries."""
    house = House(SEBI, registered="C")
    number, refusal = house.until_refused()
    assert (number, refusal.detail) == (15, "at most 15 in a second")
    number, _ = house.until_refused(client_id="D")
    assert number == 6
    check_wire(house, all_most=25, most=15)


def test_an_algorithm_registered_in_the_middle_of_a_second() -> None:
    """What went out before counts in the larger budget, too, and the id outlives other rules."""
    house = House(SEBI)
    house.until_refused()
    house.pass_ms(1000)
    for _ in range(3):
        assert isinstance(house.order(), Answer)
    accepted(house.engine.execute(RegisterAlgo(client_id="C", algo_id="A")))
    number, _ = house.until_refused()
    assert number == 12
    check_wire(house, all_most=25, most=15)
    accepted(house.engine.execute(ChooseLimits(profile=Profile.DOCUMENTED)))
    accepted(house.engine.execute(ChooseLimits(profile=SEBI)))
    number, _ = house.until_refused()
    assert number == 15
    house.check_replay()


def test_nobody_has_no_algorithm() -> None:
    """An algorithm belongs to an account that there is; to say so again is no news."""
    house = House(SEBI, registered="C")
    nobody = RegisterAlgo(client_id="X", algo_id="A")
    assert house.engine.execute(nobody) == Refusal(Reason.CLIENT_MUST_EXIST, "X")
    written = house.journal.durable_sequence
    accepted(house.engine.execute(RegisterAlgo(client_id="C", algo_id="ALGO-C")))
    assert house.journal.durable_sequence == written


def test_protection_goes_while_nothing_else_does() -> None:
    """With the budget spent, stops are placed and grow, exits and cancels go, all within the step.

    So many of them that the second is fuller than ten: then entries wait for all of those, too.
    """
    house = House(SEBI)
    covers = [house.cover(house.place()) for _ in range(6)]
    assert too_many(house.place())
    for cover in covers:
        house.fill(cover, 4)
        assert cover.protected == 4
        house.fill(cover, 6)
        assert cover.protected == 10
    assert house.venue.times[-1][0] == house.venue.times[0][0], "all of it in one instant"
    house.pass_ms(999)
    assert too_many(house.place())
    for cover in covers:
        assert isinstance(house.cancel(cover, Leg.THIRD), Answer)
        assert cover.exits[0].order_type is OrderType.LIMIT
    house.pass_ms(1)  # The entries have left the second, but the exits are in it: six of ten.
    assert isinstance(house.place(quantity=Quantity(400)), Answer)
    assert too_many(house.place()), "ten is ten, whatever they were"
    check_wire(house)
    house.check_replay()


def test_a_cancel_is_no_entry() -> None:
    """Taking an entry back spends nothing of what entries may, but counts in the whole."""
    house = House(SEBI)
    covers = [house.cover(house.place()) for _ in range(4)]
    for cover in covers:
        house.cancel(cover)
    assert isinstance(house.place(), Answer)
    assert isinstance(house.place(), Answer)
    assert too_many(house.place())
    check_wire(house)


def test_a_change_of_an_entry_is_an_entry() -> None:
    """To change an entry spends as much as to send one, and is refused as one."""
    house = House(SEBI)
    cover = house.cover(house.place())
    order = house.regular(house.order())
    for pips in (129_000, 128_000):
        assert isinstance(house.modify(cover, price_pips=Pips(pips)), Answer)
        assert isinstance(house.modify(order, price_pips=Pips(pips)), Answer)
    assert too_many(house.modify(cover, price_pips=Pips(127_000)))
    assert too_many(house.modify(order, price_pips=Pips(127_000)))
    check_wire(house)


def test_slices_go_together_or_not_at_all() -> None:
    """An order that is cut into three needs room for three."""
    house = House(SEBI)
    assert isinstance(house.place(quantity=Quantity(300)), Answer)
    house.clock.at_ns += 100 * NS_PER_MS
    outcome = house.place(quantity=Quantity(400))
    assert isinstance(outcome, Refusal)
    assert outcome.retry_at_ns == house.clock.at_ns + 900 * NS_PER_MS
    cover = house.cover(house.place(quantity=Quantity(300)))
    house.clock.at_ns += NS_PER_SECOND
    grown = house.modify(cover, quantity=Quantity(600), price_pips=Pips(129_000))
    assert isinstance(grown, Answer)
    assert len(cover.entries) == 6
    check_wire(house)
    house.clock.at_ns += NS_PER_SECOND
    larger = house.modify(cover, quantity=Quantity(700))
    assert larger == Refusal(Reason.QUANTITY_MUST_BE_WITHIN_LIMIT), "it would never fit"
    assert house.place(quantity=Quantity(601)) == Refusal(Reason.QUANTITY_MUST_BE_WITHIN_LIMIT)


def test_parked_orders_go_in_their_turn() -> None:
    """When the session opens, orders that waited for it go six a second, oldest first."""
    house = House(SEBI)
    orders = []
    for _ in range(20):
        orders.append(house.regular(house.order(amo=True)))
        house.clock.at_ns += 100 * NS_PER_MS
    assert house.venue.requests == []
    house.engine.execute(OpenSession(Exchange.NSE))
    assert [bool(order.entries) for order in orders] == [True] * 6 + [False] * 14
    house.restart()
    orders = [house.engine.state.regulars[order.order_id] for order in orders]
    house.pass_ms(999)
    assert sum(bool(order.entries) for order in orders) == 6
    house.cancel(orders[19])
    house.pass_ms(2001)
    assert [bool(order.entries) for order in orders] == [True] * 19 + [False]
    assert orders[19].state.value == "CANCELLED"
    check_wire(house)
    house.check_replay()


def test_what_gives_back_is_not_refused() -> None:
    """A regular order that only gives back what is held goes while the budget is spent (INV-12)."""
    house = House(SEBI)
    held = house.regular(house.order())
    house.fill(held, 10)
    house.until_refused()
    assert too_many(house.order())
    assert isinstance(house.order(side=Side.SELL), Answer)
    assert too_many(house.order(side=Side.SELL)), "nothing is left to give back"


def test_the_broker_squares_off_at_once() -> None:
    """The system's own orders at the square-off time wait for no budget."""
    house = House(SEBI)
    held = house.regular(house.order(quantity=Quantity(1000)))
    house.fill(held, 1000)
    house.pass_ms(1000)
    house.until_refused()
    before = len(house.venue.requests)
    accepted(house.engine.execute(SquareOff(Exchange.NSE)))
    sells = [
        request
        for request in house.venue.requests[before:]
        if isinstance(request, e.OrderSubmitted) and request.side is Side.SELL
    ]
    assert sum(request.quantity for request in sells) == 1000


def test_a_market_entry_follows_within_the_budget() -> None:
    """Re-pricing an entry is put off while there is no room, and then done."""
    house = House(SEBI)
    order = house.regular(
        house.order(order_type=OrderType.MARKET, price_pips=Pips(0), protection_bp=100)
    )
    house.pass_ms(450)
    house.until_refused()
    moved = Told(moved={order.instrument: 135_000})
    house.engine.receive(moved)
    price = order.entries[0].price_pips
    house.pass_ms(100)
    assert order.entries[0].price_pips == price, "its time has come, and there is no room"
    house.pass_ms(1000)
    assert order.entries[0].price_pips > price
    check_wire(house)


@pytest.mark.parametrize("profile", [Profile.OFF, Profile.DOCUMENTED])
def test_other_profiles_have_no_budget(profile: Profile) -> None:
    """Only the regulator's profile bounds what goes to the venue."""
    house = House(profile)
    assert isinstance(house.place(quantity=Quantity(2000)), Answer)
    assert len(house.venue.requests) == 20
    assert house.engine.state.limits.wires == {}


def test_a_cancel_of_somebody_else_is_counted_for_nobody() -> None:
    """A foreign order's cancel is refused and spends nothing (INV-20)."""
    house = House(SEBI)
    cover = house.cover(house.place())
    foreign = CancelCoverOrder(
        client_id="D",
        order_id=cover.order_id,
        leg=Leg.ENTRY,
        exchange_order_id=cover.entries[0].exchange_order_id,
    )
    assert house.engine.execute(foreign) == Refusal(Reason.ORDER_MUST_EXIST)
    assert "D" not in house.engine.state.limits.wires
    assert "D" not in house.engine.state.limits.requests
