"""Limits of stops: near their trigger when they come, near what was paid when they fire."""

import msgspec
import pytest

from kavach.instruments import Instrument
from kavach.units import Exchange as Segment
from kavach.units import Pips
from tests.unit.exchange.scenario import check
from tests.unit.exchange.schedules import instrument


def contract(name: str, option_type: str, close: int = 100) -> Instrument:
    """Return a derivative of one share a lot, whose band is wide."""
    return msgspec.structs.replace(
        instrument(Segment.NFO, 9, slm=False),
        instrument_name=name,
        option_type=option_type,
        previous_close_pips=Pips(close * 10_000),
        band_low_pips=Pips(500),
        band_high_pips=Pips(5_000_000),
    )


OPTION, FUTURE = contract("OPTIDX", "CE"), contract("FUTIDX", "XX")
CHEAP = contract("OPTIDX", "PE", close=30)


@pytest.mark.parametrize(
    ("item", "inside", "outside"),
    [
        (OPTION, "buy 1 @ 132 stop 110", "buy 1 @ 132.05 stop 110"),
        (OPTION, "sell 1 @ 64 stop 80", "sell 1 @ 63.95 stop 80"),
        (FUTURE, "sell 1 @ 87.30 stop 90", "sell 1 @ 87.25 stop 90"),
    ],
)
def test_a_limit_far_from_its_trigger_is_refused(
    item: Instrument, inside: str, outside: str
) -> None:
    """A new stop and a changed one alike; the limit of the rule is inside."""
    kind = "buy" if "buy" in inside else "sell"
    check(
        f"""
        A {outside}            -> #1 rejected 16448
        A {inside}             -> #2 accepted
        amend #2 {outside.removeprefix(f"{kind} ")} -> #2 amend refused 16448
        """,
        item,
    )


def test_options_below_fifty_rupees_have_a_rule_of_their_own() -> None:
    """Which is not published, so none is enforced."""
    check("A sell 1 @ 5 stop 20 -> #1 accepted", CHEAP)


def test_a_fired_stop_out_of_range_is_removed_when_it_would_trade() -> None:
    """The price has halved within half a minute: 60 is 40 % below what was paid before."""
    check(
        """
        print 1 @ 100                  -> printed 1 @ 100
        print 3 @ 101                  -> printed 3 @ 101
        wait 40                        -> nothing
        A sell 1 @ 60.30 stop 70       -> #1 accepted
        B sell 1 @ 60.25 stop 70       -> #2 accepted
        quote 9@62 9@63                -> nothing
        print 1 @ 65                   -> printed 1 @ 65, #1 triggered, #1 traded 1 @ 62,
            # #2 triggered, #2 removed 17070
        """,
        OPTION,
    )


def test_a_fired_stop_out_of_range_rests_where_no_order_would_trade() -> None:
    """It is removed when it would match, and not before; a last price of the same minute counts."""
    floor = check(
        """
        wait 40                        -> nothing
        A sell 1 @ 55 stop 60          -> #1 accepted
        print 1 @ 58                   -> printed 1 @ 58, #1 triggered
        """,
        OPTION,
    )
    assert floor.book() == "none | 1/1@55"


def test_the_range_of_a_cheap_option_is_in_rupees() -> None:
    """Of 30 rupees it reaches down to 10."""
    check(
        """
        A sell 1 @ 10 stop 20          -> #1 accepted
        B sell 1 @ 9.95 stop 20        -> #2 accepted
        wait 1                         -> nothing
        quote 9@15 9@16                -> nothing
        print 1 @ 30                   -> printed 1 @ 30
        wait 30                        -> nothing
        print 1 @ 18                   -> printed 1 @ 18, #1 triggered, #1 traded 1 @ 15,
            # #2 triggered, #2 removed 17070
        """,
        CHEAP,
    )


def test_futures_and_shares_have_no_range() -> None:
    """Their fired stops trade wherever the book lets them."""
    check(
        """
        A sell 1 @ 48.50 stop 50       -> #1 accepted
        quote 9@49 9@51                -> nothing
        print 1 @ 50                   -> printed 1 @ 50, #1 triggered, #1 traded 1 @ 49
        """,
        FUTURE,
    )
