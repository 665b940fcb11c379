"""Stops that the exchange refuses or takes out though they have fired: the ladder gets flat."""

import msgspec
import pytest

from kavach.core.commands import Leg
from kavach.core.model.cover.tables import State
from kavach.core.rules.orders.pricing import stop_limit
from kavach.core.settings import Settings
from kavach.exchange.protection import too_far_from_trigger
from kavach.instruments import Instrument
from kavach.units import Exchange, Pips, Side
from kavach.venues.faults import FaultEffect, FaultOn
from tests.unit.core.stocks import stock
from tests.unit.venues.desk import Desk

NAKED_MS = 3_000  # T_naked.


def contract(name: str, option_type: str, close: int = 1_000_000) -> Instrument:
    """Return a derivative that closed at this price, 100 rupees unless told, in a wide band."""
    return msgspec.structs.replace(
        stock(exchange=Exchange.NFO, segment="FutOpt", slm_allowed=False, tick_pips=500),
        instrument_name=name,
        option_type=option_type,
        previous_close_pips=Pips(close),
        band_low_pips=Pips(500),
        band_high_pips=Pips(10 * close),
    )


def test_a_fired_stop_that_protection_removes_is_followed_by_an_exit() -> None:
    """The price falls through the stop to below the range; an exit of its own sells at once."""
    desk = Desk(contract("OPTIDX", "CE"))
    cover = desk.place(price=800_000, stop=700_000)
    desk.trade(Side.SELL, 100, 800_000)
    assert cover.state is State.COVERED
    assert cover.exits[0].price_pips == 560_000
    desk.wait(40_000)
    desk.printed(1_000_000)
    desk.wait(40_000)
    desk.trade(Side.BUY, 100, 580_000)
    desk.printed(590_000)
    assert cover.exits[0].code == 17070
    assert (cover.state, cover.position) == (State.EXITED, 0)
    assert cover.alarms == ("stop_removed",)


def test_it_gets_flat_within_its_clock_when_no_order_buys_at_first() -> None:
    """The exit steps towards the market, and the position is over before T_naked is."""
    desk = Desk(contract("OPTIDX", "CE"))
    desk.fault(FaultOn.NEW, FaultEffect.REMOVE_FIRED, Leg.THIRD)
    cover = desk.place(price=800_000, stop=700_000)
    desk.trade(Side.SELL, 100, 800_000)
    desk.printed(690_000)
    assert (cover.state, cover.exits[0].code) == (State.EXITING, 17070)
    desk.wait(1_000)
    desk.trade(Side.BUY, 1_000, 300_000)
    desk.wait(NAKED_MS - 1_000)
    assert (cover.state, cover.position) == (State.EXITED, 0)


def test_a_share_s_stop_is_removed_on_request() -> None:
    """``remove_fired`` plays the same for a stop without a limit, and only when it fires."""
    desk = Desk()
    desk.fault(FaultOn.NEW, FaultEffect.REMOVE_FIRED, Leg.THIRD)
    cover = desk.place()
    desk.trade(Side.SELL, 100, 130_000)
    assert cover.state is State.COVERED
    desk.trade(Side.BUY, 100, 119_000)
    desk.printed(119_500)
    assert cover.exits[0].code == 17070
    assert (cover.state, cover.position) == (State.EXITED, 0)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("name", ["OPTIDX", "FUTIDX"])
def test_no_stop_of_ours_is_too_far_from_its_trigger(name: str, side: Side) -> None:
    """Whatever the trigger, and however much protection a client wants (16448)."""
    item = contract(name, "CE" if name == "OPTIDX" else "XX")
    for trigger in range(500_000, 2_000_000, 12_500):
        for own_bp in (0, 100, 5_000):
            limit = stop_limit(item, Settings(), side, trigger, own_bp)
            assert limit % item.tick_pips == 0
            assert not too_far_from_trigger(item, limit, trigger), (limit, trigger)
