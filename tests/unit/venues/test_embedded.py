"""The exchange inside, as the engine sees it: everything within the step, and in one record."""

import pytest

from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.units import Phase, Side
from kavach.venues.faults import FaultEffect, FaultOn
from tests.unit.core.stocks import stock
from tests.unit.venues.desk import Desk


def test_a_fill_is_protected_within_its_own_record() -> None:
    """The record that holds the fill holds the stop and its acceptance: nothing is ever naked."""
    desk = Desk()
    cover = desk.place()
    before = desk.journal.durable_sequence
    desk.trade(Side.SELL, 40, 130_000)
    assert desk.journal.durable_sequence == before + 1
    kinds = [type(event).__name__ for event in desk.last_record()]
    assert kinds == ["OrderTraded", "StopLegNamed", "OrderSubmitted", "OrderAccepted"]
    assert (cover.position, cover.protected, cover.state.value) == (40, 40, "COVERED_OPEN")
    assert desk.engine.state.naked_ns_max == 0


def test_an_exit_is_known_before_it_is_answered() -> None:
    """C2 into a bid is EXITED in its own answer; without one it is still working."""
    desk = Desk()
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    desk.trade(Side.BUY, 60, 129_000)
    outcome = desk.cancel(cover, Leg.THIRD)
    assert isinstance(outcome, Answer)
    assert outcome.state == "EXITING"
    desk.trade(Side.BUY, 40, 129_000)
    again = desk.cancel(cover, Leg.THIRD)
    assert isinstance(again, Answer)
    assert (again.state, again.replayed, cover.position) == ("EXITED", True, 0)


def test_a_stop_fires_by_the_last_price() -> None:
    """A trade elsewhere at the trigger fires the stop, which takes what is bid."""
    desk = Desk()
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    desk.trade(Side.BUY, 100, 119_500)
    desk.printed(120_100)
    assert cover.state.value == "COVERED"
    desk.printed(120_000)
    assert (cover.state.value, cover.position) == ("EXITED", 0)


def test_an_entry_never_removes_a_stop() -> None:
    """Of one client's orders that would meet, the entry goes and the stop's order stays."""
    desk = Desk()
    first = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    desk.printed(120_000)  # The stop works now, with nobody to meet.
    assert first.state.value == "TRIGGERED"
    second = desk.place(price=130_000)  # It would buy what the stop sells.
    assert (second.state.value, second.ended_code) == ("CANCELLED", 17080)
    assert (first.position, first.exit_leaves_max) == (100, 100)


def test_two_exits_of_one_client_do_not_chase_each_other() -> None:
    """Two orders of one client that leave in opposite directions take turns, and then get out."""
    desk = Desk(stock(freeze=50))
    covers = [desk.place(side=Side.BUY), desk.place(side=Side.SELL, price=131_000)]
    desk.trade(Side.SELL, 100, 130_000)
    desk.trade(Side.BUY, 100, 131_000)
    assert [cover.state.value for cover in covers] == ["COVERED", "COVERED"]
    before = desk.engine.state.next_tag
    for cover in covers:
        assert isinstance(desk.cancel(cover, Leg.THIRD), Answer)
    assert desk.engine.state.next_tag - before < 10, "they chase each other within a step"
    for _ in range(60):
        desk.wait(500)
        desk.trade(Side.BUY, 50, 130_000)
        desk.trade(Side.SELL, 50, 130_000)
    assert [cover.position for cover in covers] == [0, 0]


def test_the_end_of_the_day_is_one_record() -> None:
    """Closing expires what rests and carries what is held, all in the record of the closing.

    The next opening squares off what was carried of an intraday order.
    """
    desk = Desk()
    held, resting = desk.place(), desk.place(price=125_000)
    desk.trade(Side.SELL, 40, 130_000)
    before = desk.journal.durable_sequence
    desk.session(Phase.CLOSED)
    assert desk.journal.durable_sequence == before + 1
    assert (held.state.value, resting.state.value) == ("CARRIED", "EXPIRED")
    assert [name for name in held.alarms if name != "carried"] == []
    assert desk.cancel(held, Leg.THIRD) == Refusal(Reason.CARRIED_OVER)
    desk.session(Phase.OPEN)
    assert held.state.value == "EXITING"
    desk.trade(Side.BUY, 40, 130_000)
    assert (held.state.value, held.position) == ("EXITED", 0)
    assert desk.cancel(held, Leg.THIRD) == Refusal(Reason.ALREADY_EXITED)


def test_a_restart_finds_both_books() -> None:
    """Core and exchange are as they were, from one journal, and go on together."""
    desk = Desk()
    cover = desk.place()
    desk.trade(Side.SELL, 40, 130_000)
    again = desk.again()
    assert again.engine.state_hash() == desk.engine.state_hash()
    again.trade(Side.SELL, 60, 130_000)
    assert again.engine.state.covers[cover.order_id].state.value == "COVERED"


# --- Faults -----------------------------------------------------------------------------------


def test_a_refused_stop_is_placed_again() -> None:
    """The first stop is refused, the second is not: protected within the step."""
    desk = Desk()
    desk.fault(FaultOn.NEW, FaultEffect.REJECT, Leg.THIRD)
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    assert (cover.state.value, cover.protected) == ("COVERED", 100)
    assert cover.alarms == ("stop_refused",)


def test_a_stop_that_is_always_refused_leads_out() -> None:
    """After two more tries and three seconds the position is flattened."""
    desk = Desk()
    desk.fault(FaultOn.NEW, FaultEffect.REJECT, Leg.THIRD, times=3)
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    assert cover.state.value == "UNPROTECTED"
    desk.trade(Side.BUY, 100, 129_000)
    desk.wait(3_000)
    assert (cover.state.value, cover.position) == ("EXITED", 0)
    assert cover.alarms == ("stop_refused", "naked")


def test_a_stop_that_is_always_removed_leads_out() -> None:
    """An exchange that takes each stop and throws it out is not asked for ever."""
    desk = Desk()
    desk.fault(FaultOn.NEW, FaultEffect.CANCEL_RESTING, Leg.THIRD, times=1_000)
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    assert cover.state.value == "UNPROTECTED"
    assert len(cover.exits) == 3


def test_a_refused_cancel_is_told_to_the_client() -> None:
    """The exchange's own code and words reach whoever asked, and the order is as it was."""
    desk = Desk()
    desk.fault(FaultOn.CANCEL, FaultEffect.REJECT, Leg.ENTRY)
    cover = desk.place()
    refused = Refusal(Reason.VENUE_REFUSED, "(17070)-out of range")
    assert desk.cancel(cover, Leg.ENTRY) == refused
    assert cover.state.value == "ENTRY_OPEN"
    again = desk.cancel(cover, Leg.ENTRY)
    assert isinstance(again, Answer)
    assert again.state == "CANCEL_PENDING"  # The exchange is not asked twice within T_rp.
    desk.wait(500)
    assert cover.state.value == "CANCELLED"


@pytest.mark.parametrize("effect", [FaultEffect.DROP_REPORT, FaultEffect.DROP_REQUEST])
def test_a_lost_cancel_is_found_out(effect: FaultEffect) -> None:
    """Whether the cancel or its answer got lost, the venue is asked and the entry goes."""
    desk = Desk()
    desk.fault(FaultOn.CANCEL, effect, Leg.ENTRY)
    cover = desk.place()
    outcome = desk.cancel(cover, Leg.ENTRY)
    assert isinstance(outcome, Answer)
    assert outcome.state == "CANCEL_PENDING"
    for _ in range(10):
        desk.wait(1_000)
    assert cover.state.value == "CANCELLED"


@pytest.mark.parametrize("effect", [FaultEffect.DROP_REPORT, FaultEffect.DROP_REQUEST])
def test_a_lost_stop_is_found_out(effect: FaultEffect) -> None:
    """Whether the stop or its acceptance got lost, there is one stop in the end."""
    desk = Desk()
    desk.fault(FaultOn.NEW, effect, Leg.THIRD)
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    assert cover.state.value == "COVERING"
    desk.wait(1_000)
    desk.wait(1_000)
    assert (cover.state.value, cover.protected) == ("COVERED", 100)


def test_an_answer_that_comes_twice_counts_once() -> None:
    """A trade told twice moves the position once."""
    desk = Desk()
    desk.trade(Side.SELL, 40, 130_000)
    desk.fault(FaultOn.NEW, FaultEffect.DUPLICATE_REPORT, Leg.ENTRY)
    cover = desk.place()
    assert (cover.entry_filled, cover.protected) == (40, 40)
    assert len(cover.trades or []) == 1


def test_a_broken_link_is_mended_by_a_snapshot() -> None:
    """What happens while the link is down is heard when it is back, and covered."""
    desk = Desk()
    cover = desk.place()
    desk.engine.lose_link()
    desk.venue.set_link(up=False)
    desk.trade(Side.SELL, 40, 130_000)
    assert cover.position == 0
    desk.venue.set_link(up=True)
    desk.engine.restore_link()
    assert (cover.position, cover.protected, cover.state.value) == (40, 40, "COVERED_OPEN")
    assert isinstance(desk.last_record()[0], e.Event)
