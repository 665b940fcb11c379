"""What the client says became of a change, when the network does not say so itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kavach.sdk import (
    BadArgument,
    CancelOutcome,
    OutcomeUnknown,
    RequestRefused,
    Settled,
)
from tests.contract.client_stage import ORDER, PLAIN, fill, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy, is_change

# --- G1, G2: verdicts ---


@pytest.mark.parametrize(
    ("trailing", "change"),
    [
        ("0.10", {"trailing_stop_loss": "0.2"}),
        ("0.10", {"trailing_stop_loss": 0}),
        ("0.10", {"stop_loss": "12.60"}),
        (None, {"trailing_stop_loss": "0.2"}),
    ],
)
@pytest.mark.parametrize("filled", [False, True])
def test_g1_a_lost_change_of_a_stop_is_not_done(
    twin: TwinServer, proxy: FaultyProxy, trailing: str | None, change: Any, filled: bool
) -> None:
    """A modify that never arrived is never DONE, whatever of the stop it was about."""
    with pocket_of(twin, proxy) as pocket:
        order = pocket.place_cover_order(**ORDER, trailing_stop_loss=trailing)
        if filled:
            fill(twin)
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.modify_cover_order(order, **change)
        assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN


def test_g1_a_lost_move_of_a_trailing_brackets_stop_is_not_done(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """Of a trailing bracket's stop as well, what cannot be told is NOT_SEEN."""
    with pocket_of(twin, proxy) as pocket:
        bracket = {key: value for key, value in ORDER.items() if key != "stop_loss"} | {
            "target_distance": "0.5",
            "stop_distance": "0.3",
            "trailing_stop_loss": "0.1",
        }
        order = pocket.place_bracket_order(**bracket)
        fill(twin)
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.move_bracket_stop(order, "12.70")
        assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN


@pytest.mark.parametrize("kind", ["cover", "regular"])
def test_g2_a_used_id_is_refused_with_another_key_too(
    twin: TwinServer, proxy: FaultyProxy, kind: str
) -> None:
    """A user order id that has an order is refused before sending, also under a key of its own."""
    with pocket_of(twin, proxy) as pocket:
        place: Any = pocket.place_cover_order if kind == "cover" else pocket.place_order
        fields = ORDER if kind == "cover" else PLAIN
        place(**fields, user_order_id=77001, idempotency_key="the-first")
        proxy.mend()
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(BadArgument, match="user_order_id"):
            place(**fields, user_order_id=77001, idempotency_key="another")
        assert proxy.changes == []


def test_g2_an_order_of_another_kind_is_not_the_one_asked_for(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """An order under the same id that is not what was asked does not make a lost placement DONE."""
    with pocket_of(twin, proxy) as pocket, pocket_of(twin) as other:
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.place_cover_order(**ORDER, user_order_id=77002)
        other.place_cover_order(**(ORDER | {"quantity": 20}), user_order_id=77002)
        resolution = pocket.resolve(caught.value)
        assert resolution.settled is Settled.NOT_SEEN
        attempt: Any = caught.value.attempt
        assert attempt.asked["quantity"] == "10"


# --- G5: refusals and looks that fail ---


def test_g5_an_accepted_cancel_of_a_rule_that_cannot_be_looked_at_is_unknown(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """An accepted change whose look fails has an unknown outcome, and can be resolved."""
    with pocket_of(twin, proxy) as pocket:
        day = (datetime.now(UTC) + timedelta(days=30)).date()
        rule = pocket.create_gtt(**PLAIN, trigger_price="12.50", expiry=day)
        proxy.fail(
            "lost_answer",
            match=lambda seen: not is_change(seen) and "DELETE" in {s.method for s in proxy.seen},
            times=100,
        )
        result = pocket.cancel_gtt(rule)
        assert result.outcome is CancelOutcome.UNKNOWN
        proxy.mend()
        assert pocket.resolve(result).settled is Settled.DONE


def test_g5_an_accepted_conversion_that_cannot_be_looked_at_is_unknown(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """A conversion that was accepted is not told as a read that failed."""
    with pocket_of(twin, proxy) as pocket:
        pocket.place_order(**(PLAIN | {"product": "MIS"}))
        fill(twin)
        proxy.fail(
            "lost_answer",
            match=lambda seen: not is_change(seen) and "PUT" in {s.method for s in proxy.seen},
            times=100,
        )
        conversion = {key: PLAIN[key] for key in ("exchange", "instrument_token", "side")}
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.convert_position(**conversion, quantity=10, product="MIS", new_product="CNC")
        proxy.mend()
        assert pocket.resolve(caught.value).settled is Settled.DONE


def test_g5_a_failed_look_does_not_hide_a_refusal(twin: TwinServer, proxy: FaultyProxy) -> None:
    """A cancel that was refused raises the refusal, though the list cannot be read then."""
    with pocket_of(twin, proxy) as pocket:
        day = (datetime.now(UTC) + timedelta(days=30)).date()
        rule = pocket.create_gtt(**PLAIN, trigger_price="12.50", expiry=day)
        no = b'{"data":{},"error_code":45000,"message":"not now","status":"error"}'
        proxy.fail("none", match=is_change, status=400, body=no)
        proxy.fail("lost_answer", match=lambda seen: not is_change(seen), times=100)
        with pytest.raises(RequestRefused):
            pocket.cancel_gtt(rule)


# --- G10: protection ---


def test_g10_an_order_says_whether_it_is_protected(twin: TwinServer, proxy: FaultyProxy) -> None:
    """Filled and stopped is protected; filled without a living stop is not."""
    with pocket_of(twin) as pocket:
        order = pocket.place_cover_order(**ORDER)
        assert order.is_protected  # Nothing is held yet.
        fill(twin)
        order = pocket.cover_order(order)
        assert order.quantity_held == 10 and order.is_protected
        twin.room("POST", "session", exchange="NSE", phase="closed")
        order = pocket.cover_order(order)
        try:
            assert order.quantity_held == 10
            assert order.is_protected is (order.stop is not None and not order.stop.is_closed)
        finally:
            twin.room("POST", "session", exchange="NSE", phase="open")


# --- G15, F8 ---


def test_g15_the_cost_of_a_call_does_not_grow_with_the_day(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """A placement beside many orders reads as many bytes as one beside none."""
    with pocket_of(twin, proxy) as pocket, pocket_of(twin, timeout_seconds=10) as bare:
        sizes = []
        forward = proxy._spoil
        assert forward is not None
        for crowd in (0, 60):
            for _ in range(crowd):
                bare.placeOrder(
                    {
                        "client_id": twin.client_id,
                        "exchange": "NSE",
                        "instrument_token": 14366,
                        "order_side": "BUY",
                        "order_type": "LIMIT",
                        "price": 11,
                        "quantity": 1,
                        "product": "CNC",
                        "validity": "DAY",
                    }
                )
            proxy.mend()
            order = pocket.place_cover_order(**ORDER)
            pocket.cancel_cover_order(order)
            regular = pocket.place_order(**PLAIN)
            pocket.modify_order(regular, price="12.85")
            pocket.cancel_order(regular)
            sizes.append((len(proxy.seen), sum(proxy.answered)))
        assert sizes[1][0] == sizes[0][0]
        assert sizes[1][1] < sizes[0][1] * 1.1


def test_f8_what_an_error_hands_out_a_call_takes(twin: TwinServer, proxy: FaultyProxy) -> None:
    """The id and the key of an OutcomeUnknown fit the call that they are meant for."""
    with pocket_of(twin, proxy) as pocket:
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.place_cover_order(**ORDER)
        again = {
            "user_order_id": caught.value.user_order_id,
            "idempotency_key": caught.value.idempotency_key,
        }
        first = pocket.place_cover_order(**ORDER, **again)
        assert first.user_order_id == caught.value.user_order_id
        assert pocket.place_cover_order(**ORDER, **again).oms_order_id == first.oms_order_id
        assert pocket.cover_order(int(first.oms_order_id)) is not None
        assert pocket.order_history(first.entry)
