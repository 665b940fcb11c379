"""What holds where a record, a request or an installation names no number."""

import msgspec

from kavach.core.settings import Settings
from kavach.units import NS_PER_SECOND
from tests.defaults import telling_defaults


def test_what_a_record_leaves_out_is_nothing() -> None:
    """State, events and commands begin at 0 and False, but for the few named here."""
    told = telling_defaults("kavach.core")
    assert {name: value for name, value in told.items() if not name.startswith("Settings.")} == {
        "GttRule.fired": -1,
        "GrantCode.lives_ns": 300 * NS_PER_SECOND,
        "OrderAbsent.settled": True,
        "OrderStatus.settled": True,
        "VenueOrder.final_filled": -1,
    }
    assert telling_defaults("kavach.exchange") == {}


def test_what_holds_without_a_setting() -> None:
    """A journal names no settings, so it is read with those that it was written with: these."""
    milliseconds = {
        "t_ack_ns": 1000,
        "query_backoff_ns": (200, 500, 1000, 2000),
        "t_absent_ns": 2000,
        "t_reconcile_ns": 0,
        "t_cancel_ns": 300,
        "t_naked_ns": 3000,
        "t_naked_alarm_ns": 1000,
        "t_reprice_ns": 500,
        "t_turn_ns": 30_000,
        "t_chase_ns": 1000,
    }
    told = msgspec.structs.asdict(Settings())
    for name, value in milliseconds.items():
        one = told.pop(name)
        assert value == (
            tuple(ns / 1_000_000 for ns in one) if isinstance(one, tuple) else one / 1_000_000
        ), name
    assert told == {
        "exit_in_auction": True,
        "stop_tries_max": 2,
        "quantity_max": 1_000_000,
        "slices_max": 20,
        "margin_permille": {"CNC": 1000, "MIS": 200, "NRML": 200, "MTF": 250},
        "protection_permille": {
            "EQ": 30,
            "FUTIDX": 20,
            "FUTSTK": 20,
            "OPTIDX": 200,
            "OPTSTK": 200,
            "FUTCOM": 20,
            "FUTCUR": 5,
        },
        "protection_default_permille": 30,
    }
