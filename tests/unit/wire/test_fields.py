"""Each reader takes what real clients send, and refuses the rest by name."""

from typing import Any

import pytest
from msgspec import UNSET

from kavach.units import Validity
from kavach.wire import fields as read
from kavach.wire.errors import BadField, ErrorCode

BLANK: list[Any] = [UNSET, None, "", "  "]
NOT_NUMBERS: list[Any] = [
    *[True, False, [], [1], {}, {"a": 1}, "abc", "NaN", "Infinity", "-Infinity", "1e400"],
    *[-1, "-1", -0.5, 10**30, str(10**30), read.JsonNumber("1e400"), read.JsonNumber("-0.5")],
]
NUMBER_READERS = [read.price, read.quantity, read.integer]


@pytest.mark.parametrize("value", BLANK)
@pytest.mark.parametrize(
    "reader", [*NUMBER_READERS, read.text, read.identifier, read.flag, read.token]
)
def test_blank_is_told_from_invalid(reader: Any, value: Any) -> None:
    """Missing, null, empty and spaces are all "can't be blank", code 44000."""
    with pytest.raises(BadField) as caught:
        reader(value, "quantity")
    assert caught.value.message == "`quantity` can't be blank"
    assert caught.value.code == ErrorCode.FIELD_INVALID


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
@pytest.mark.parametrize("reader", NUMBER_READERS)
def test_what_is_no_number_is_invalid(reader: Any, value: Any) -> None:
    """Booleans, containers, words, negatives and absurd sizes are refused by name."""
    with pytest.raises(BadField) as caught:
        reader(value, "price")
    assert caught.value.message.startswith("`price` is invalid: ")
    assert caught.value.code == ErrorCode.ORDER_INVALID


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        (read.price, 13, 130_000),
        (read.price, "50.50", 505_000),
        (read.price, read.JsonNumber("15.4"), 154_000),
        (read.price, 0, 0),
        (read.quantity, 3, 3),
        (read.quantity, "3", 3),
        (read.quantity, read.JsonNumber("3.0"), 3),
        (read.integer, 2**63 - 1, 2**63 - 1),
        (read.token, "14366", 14366),
        (read.token, 14366, 14366),
        (read.flag, True, True),
        (read.flag, "TRUE", True),
        (read.flag, "False", False),
        (read.identifier, 202403132605, "202403132605"),
        (read.identifier, "20220106-114", "20220106-114"),
        (read.order_id, "202403132605", 202403132605),
        (read.activity_reference, 0, None),
        (read.activity_reference, "10", None),
        (read.activity_reference, "1394972885476889600", 1394972885476889600),
        (read.leg, "ENTRY", read.LegWord.ENTRY),
        (read.leg, "Entry", read.LegWord.ENTRY),
        (read.leg, "third", read.LegWord.THIRD),
        (read.leg, "STOPLOSS", read.LegWord.THIRD),
        (read.leg, "Stop_Loss", read.LegWord.THIRD),
        (read.leg, "sl", read.LegWord.THIRD),
        (read.leg, "Second", read.LegWord.SECOND),
        (read.leg, "target", read.LegWord.SECOND),
        (read.is_bracket, "co", False),
        (read.is_bracket, "Bo", True),
        (read.word(Validity), "Day", Validity.DAY),
    ],
)
def test_every_form_that_clients_send(reader: Any, value: Any, expected: Any) -> None:
    """Numbers come as text and text as numbers; words in the cases that were seen."""
    assert reader(value, "field") == expected


@pytest.mark.parametrize("value", ["", None, UNSET, "FOURTH", 1, True, []])
def test_no_other_word_is_a_leg(value: Any) -> None:
    """Blank and anything else are invalid, not blank."""
    with pytest.raises(BadField) as caught:
        read.leg(value, "leg_order_indicator")
    told = "`leg_order_indicator` is invalid: ENTRY, SECOND or THIRD"
    assert caught.value.message == told


@pytest.mark.parametrize("kind", ["NML", "nml", "AMO"])
def test_other_conditional_orders_are_refused_clearly(kind: str) -> None:
    """What exists elsewhere and not here is said to be so."""
    with pytest.raises(BadField) as caught:
        read.is_bracket(kind, "execution_type")
    assert caught.value.message == "`execution_type` is invalid: only CO and BO are offered"
    assert caught.value.code == ErrorCode.FIELD_INVALID


@pytest.mark.parametrize("kind", ["SPD", "spd"])
def test_spread_orders_are_refused_by_name(kind: str) -> None:
    """Nobody has to guess what is not offered."""
    with pytest.raises(BadField) as caught:
        read.is_bracket(kind, "execution_type")
    assert caught.value.message == "`execution_type` is invalid: spread orders are not offered"
    assert caught.value.code == ErrorCode.FIELD_INVALID


@pytest.mark.parametrize("value", ["STOP", "GTC", 1, True, ["LIMIT"], {}])
def test_other_words_are_none(value: Any) -> None:
    """What means nothing, or two things, is refused with the words there are."""
    with pytest.raises(BadField, match="`order_type` is invalid: LIMIT, MARKET, SL or SLM"):
        read.order_type(value, "order_type")


def test_a_number_that_was_a_double_and_is_too_long_is_no_id() -> None:
    """Where digits may be lost, nobody guesses them."""
    assert read.identifier(read.JsonNumber("1100000000000002.0"), "id") == "1100000000000002"
    with pytest.raises(BadField, match="send the id as text"):
        read.identifier(read.JsonNumber("1.1000000000000000e+16"), "id")


@pytest.mark.parametrize("text", ["abc", "0", "0202406131", "20220106-114", "-5", "٣", "9" * 19])
def test_ids_of_another_form_are_nobodys(text: str) -> None:
    """An id that we never give out is read as the id that no order has."""
    assert read.order_number(text) == read.NOBODYS_ORDER


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "x" * 65, "a\x00b", "a\nb", "\ud800"])
def test_text_is_short_and_printable(value: Any) -> None:
    """What could not be stored or shown is refused."""
    with pytest.raises(BadField):
        read.text(value, "device")


def test_a_bad_token_has_the_vendors_own_text() -> None:
    """Code 45010 goes with "Something went wrong", and the field is named all the same."""
    with pytest.raises(BadField) as caught:
        read.token("IDEA", "instrument_token")
    assert caught.value.code == ErrorCode.WENT_WRONG
    told = "Something went wrong: `instrument_token` is invalid: a whole number"
    assert caught.value.message == told


def test_optional_reads_or_says_nothing() -> None:
    """A blank optional field is None; one with something in it is read as strictly as any."""
    assert read.optional(read.price, None, "price") is None
    assert read.optional(read.price, "1.5", "price") == 15_000
    with pytest.raises(BadField):
        read.optional(read.price, "x", "price")
