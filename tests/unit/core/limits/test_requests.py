"""What a client may ask in a second, a minute, an hour and a day; and what is never too much."""

from typing import Final

import pytest

from kavach.core.commands import Leg, ModifyCoverOrder
from kavach.core.model.limits.commands import ChooseLimits
from kavach.core.model.limits.profiles import Profile
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.engine.record import decode_record
from kavach.units import NS_PER_MS, NS_PER_SECOND, OrderType, Pips, Quantity, Side
from tests.unit.core.limits.house import House, too_many

DOCUMENTED: Final = Profile.DOCUMENTED


@pytest.mark.parametrize(
    ("gap_ms", "accepted", "words", "after_ms"),
    [
        (0, 25, "at most 25 in a second", 1000),
        (50, 250, "at most 250 in a minute", 60_000 - 250 * 50),
        (1000, 1000, "at most 1000 in an hour", 3_600_000 - 1000 * 1000),
    ],
)
def test_so_many_and_no_more(gap_ms: int, accepted: int, words: str, after_ms: int) -> None:
    """The vendor's numbers hold for each stretch, and the refusal says when there is room."""
    house = House(DOCUMENTED)
    number, refusal = house.until_refused(gap_ms=gap_ms)
    assert (number, refusal.reason) == (accepted, Reason.REQUESTS_MUST_BE_WITHIN_LIMIT)
    assert refusal.detail == words
    assert refusal.retry_at_ns == house.clock.at_ns + after_ms * NS_PER_MS
    house.clock.at_ns = refusal.retry_at_ns - 1
    assert too_many(house.order()), "a nanosecond too soon"
    house.clock.at_ns += 1
    assert isinstance(house.order(), Answer), "what was promised"


def test_a_day_ends_at_midnight_in_india() -> None:
    """After seven thousand, the next is taken when the day of the exchange is another one."""
    house = House(DOCUMENTED)
    number, refusal = house.until_refused(most=8000, gap_ms=3700)
    assert number == 7000
    assert refusal.detail == "at most 7000 in a day"
    assert (refusal.retry_at_ns // NS_PER_SECOND + 19_800) % 86_400 == 0
    house.clock.at_ns = refusal.retry_at_ns
    assert isinstance(house.order(), Answer)


def test_clients_do_not_share() -> None:
    """Nobody is refused for what somebody else has asked (INV-20)."""
    house = House(DOCUMENTED)
    house.until_refused(client_id="C")
    number, _ = house.until_refused(client_id="D")
    assert number == 25


def test_what_takes_risk_away_is_never_too_much() -> None:
    """Over every limit a client still cancels, gets out, moves the stop, and gives back."""
    house = House(DOCUMENTED)
    waits = house.cover(house.place())
    held = house.cover(house.place())
    rests = house.regular(house.order())
    owned = house.regular(house.order())
    house.fill(held, 10)
    house.fill(owned, 10)
    house.until_refused()
    assert too_many(house.place())
    assert too_many(house.order())
    assert too_many(house.modify(waits, quantity=Quantity(5)))
    assert too_many(house.modify(rests, quantity=Quantity(5)))
    assert too_many(house.modify(held, leg=Leg.ENTRY, stop_price_pips=Pips(121_000)))
    assert isinstance(house.modify(held, leg=Leg.THIRD, stop_price_pips=Pips(121_000)), Answer)
    assert held.exits[0].trigger_price_pips == 121_000
    by_its_id = house.engine.execute(
        ModifyCoverOrder(client_id="C", order_id=held.stop.order_id, stop_price_pips=Pips(122_000))
    )
    assert isinstance(by_its_id, Answer)
    assert held.exits[0].trigger_price_pips == 122_000
    assert isinstance(house.cancel(waits), Answer)
    assert waits.state.value == "CANCELLED"
    assert isinstance(house.cancel(rests), Answer)
    assert isinstance(house.cancel(held, Leg.THIRD), Answer)
    assert held.exits[0].order_type is OrderType.LIMIT, "the stop has become the exit"
    back = house.order(side=Side.SELL, quantity=owned.quantity)
    assert isinstance(back, Answer)
    more = house.order(side=Side.SELL, quantity=Quantity(1))
    assert too_many(more), "that would sell what is not held"
    house.check_replay()


def test_what_takes_risk_away_is_counted() -> None:
    """A cancel is not refused, but the entries after it are."""
    house = House(DOCUMENTED)
    orders = [house.regular(house.order()) for _ in range(20)]
    house.clock.at_ns += NS_PER_SECOND
    for order in orders:
        assert isinstance(house.cancel(order), Answer)
    number, _ = house.until_refused()
    assert number == 5


def test_refusals_and_repetitions_do_not_count() -> None:
    """Only what was accepted counts: not what a rule refused, not what was done already."""
    house = House(DOCUMENTED)
    rests = house.regular(house.order(idempotency_key="once", fingerprint="f"))
    house.cancel(rests)
    for _ in range(100):
        assert isinstance(house.order(quantity=Quantity(0)), Refusal)
        again = house.order(idempotency_key="once", fingerprint="f")
        assert isinstance(again, Answer)
        assert again.replayed
        assert isinstance(house.cancel(rests), Answer), "cancelled already"
    number, _ = house.until_refused()
    assert number == 23


def test_a_repetition_is_answered_over_the_limit() -> None:
    """Who asks again under the key of what was done hears what was answered."""
    house = House(DOCUMENTED)
    house.order(idempotency_key="once", fingerprint="f")
    house.until_refused()
    again = house.order(idempotency_key="once", fingerprint="f")
    assert isinstance(again, Answer)
    assert again.replayed
    first = house.order(idempotency_key="late", fingerprint="f")
    assert too_many(first)
    house.clock.at_ns += NS_PER_SECOND
    later = house.order(idempotency_key="late", fingerprint="f")
    assert isinstance(later, Answer), "a refusal uses up no key"
    assert not later.replayed


def test_a_restart_in_the_middle_of_a_window() -> None:
    """What was counted before a restart counts after it, to the nanosecond."""
    house = House(DOCUMENTED)
    for _ in range(20):
        house.order()
    house.clock.at_ns += 400 * NS_PER_MS
    house.restart()
    number, refusal = house.until_refused()
    assert number == 5
    assert refusal.retry_at_ns == house.clock.at_ns + 600 * NS_PER_MS
    house.check_replay()


def test_the_journal_knows_the_rules() -> None:
    """A replay needs no option; other rules are written once, and counting begins anew."""
    house = House(DOCUMENTED)
    house.until_refused()
    house.restart()
    assert house.engine.state.limits.profile is DOCUMENTED
    assert too_many(house.order())
    written = house.journal.durable_sequence
    house.engine.execute(ChooseLimits(profile=DOCUMENTED))
    assert house.journal.durable_sequence == written, "the same rules are no news"
    house.engine.execute(ChooseLimits(profile=Profile.OFF))
    assert house.journal.durable_sequence == written + 1
    assert isinstance(house.order(), Answer)
    house.engine.execute(ChooseLimits(profile=DOCUMENTED))
    number, _ = house.until_refused()
    assert number == 25
    house.check_replay()


def test_without_limits_nothing_is_written_for_them() -> None:
    """A journal under ``off`` holds no event of these rules, and nothing is ever too much."""
    house = House(Profile.OFF)
    for _ in range(300):
        assert isinstance(house.order(), Answer)
    names = {
        type(event).__name__
        for _, body in house.journal.records(0)
        for event in decode_record(body).events
    }
    assert names == {"ClientOpened", "RegularOrderPlaced", "OrderSubmitted", "OrderAccepted"}
    assert house.engine.state.limits.requests == {}
    assert house.engine.state.limits.wires == {}


def test_a_refusal_changes_nothing() -> None:
    """Over the limit the state stays as it is, and nothing is written."""
    house = House(DOCUMENTED)
    house.until_refused()
    before, written = house.engine.state_hash(), house.journal.durable_sequence
    assert too_many(house.order())
    assert too_many(house.place(idempotency_key="k"))
    assert (house.engine.state_hash(), house.journal.durable_sequence) == (before, written)
