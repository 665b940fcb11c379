"""What the client may claim of a change that leaves everything as it was."""

from typing import Any

import pytest

from kavach.sdk import OutcomeUnknown, Settled
from tests.contract.client_stage import ORDER, PLAIN, fill, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy, is_change

BRACKET: dict[str, Any] = {name: value for name, value in ORDER.items() if name != "stop_loss"} | {
    "target_distance": "0.50",
    "stop_distance": "0.40",
}
RULE: dict[str, Any] = PLAIN | {"trigger_price": "12.5", "expiry": "2027-06-30"}
LINE: dict[str, Any] = PLAIN | {"quantity": 7}


def _cover(pocket: Any, twin: TwinServer) -> Any:
    order = pocket.place_cover_order(**ORDER)
    return lambda **more: pocket.modify_cover_order(order, price="12.90", **more)


def _trailing(pocket: Any, twin: TwinServer) -> Any:
    order = pocket.place_cover_order(**ORDER, trailing_stop_loss="0.2")
    return lambda **more: pocket.modify_cover_order(order, trailing_stop_loss="0.2", **more)


def _bracket(pocket: Any, twin: TwinServer) -> Any:
    order = pocket.place_bracket_order(**BRACKET)
    return lambda **more: pocket.modify_bracket_order(order, quantity=10, **more)


def _target(pocket: Any, twin: TwinServer) -> Any:
    order = pocket.place_bracket_order(**BRACKET)
    fill(twin)
    return lambda **more: pocket.move_bracket_target(order, "13.40", **more)


def _regular(pocket: Any, twin: TwinServer) -> Any:
    order = pocket.place_order(**PLAIN)
    return lambda **more: pocket.modify_order(order, price="12.90", quantity=10, **more)


def _rule(pocket: Any, twin: TwinServer) -> Any:
    rule = pocket.create_gtt(**RULE)
    return lambda **more: pocket.modify_gtt(rule, trigger_price="12.5", **more)


def _name(pocket: Any, twin: TwinServer) -> Any:
    basket = pocket.create_basket("one")
    return lambda **more: pocket.rename_basket(basket, "one", **more)


def _line(pocket: Any, twin: TwinServer) -> Any:
    basket = pocket.add_to_basket(pocket.create_basket("two"), **LINE)
    line = basket.orders[0].order_id
    return lambda **more: pocket.edit_basket_order(basket, line, quantity=7, **more)


def _nothing(pocket: Any, twin: TwinServer) -> Any:
    pocket.place_order(**PLAIN)
    fill(twin)
    told: dict[str, Any] = {"exchange": "NSE", "instrument_token": 14366, "side": "BUY"}
    change = {"quantity": 0, "product": "CNC", "new_product": "MIS"}
    return lambda **more: pocket.convert_position(**told, **change, **more)


CHANGES: Any = [_cover, _trailing, _bracket, _target, _regular, _rule, _name, _line, _nothing]


@pytest.mark.parametrize("made", CHANGES, ids=lambda made: made.__name__[1:])
def test_g2_a_lost_change_to_what_was_so_is_not_seen(
    twin: TwinServer, proxy: FaultyProxy, made: Any
) -> None:
    """Nothing shows whether it arrived, so it is never called done, of whatever kind it is."""
    with pocket_of(twin, proxy) as pocket:
        change = made(pocket, twin)
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            change()
        assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN


@pytest.mark.parametrize("made", CHANGES[:6], ids=lambda made: made.__name__[1:])
def test_g2_an_accepted_change_to_what_was_so_is_shown(
    twin: TwinServer, proxy: FaultyProxy, made: Any
) -> None:
    """One that the server accepted did arrive: the thing is returned as it is."""
    with pocket_of(twin, proxy) as pocket:
        assert made(pocket, twin)() is not None


def test_g2_what_differs_still_proves_a_change(twin: TwinServer, proxy: FaultyProxy) -> None:
    """Of two values one of which was so before, the other one shows what became of the change."""
    with pocket_of(twin, proxy) as pocket:
        order = pocket.place_order(**PLAIN)
        for effect, settled in (("lost_request", "NOT_SEEN"), ("lost_answer", "DONE")):
            proxy.fail(effect, match=is_change)
            with pytest.raises(OutcomeUnknown) as caught:
                pocket.modify_order(order, price="12.90", quantity=12)
            assert pocket.resolve(caught.value).settled is Settled(settled)
