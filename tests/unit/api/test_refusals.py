"""Every reason to refuse is mapped once, documented, and worded as the vendor words it."""

from pathlib import Path

import pytest

from kavach.api.docs.errors_page import errors_page
from kavach.api.gateway.refusals import REFUSALS, told
from kavach.core.refusals import Reason, Refusal
from kavach.wire.errors import ErrorCode

PAGE = Path(__file__).parents[3] / "docs" / "wire" / "errors.md"
STATUS = {  # Decision 1.
    ErrorCode.FIELD_INVALID: {400},
    ErrorCode.ORDER_INVALID: {400, 404},
    ErrorCode.WENT_WRONG: {400},
    ErrorCode.UNAUTHORISED: {401, 403},
    ErrorCode.SECOND_FACTOR_INVALID: {401},
    ErrorCode.ALREADY_ADDED: {400},
    ErrorCode.BASKET_INVALID: {400},
    ErrorCode.BASKET_PRICE_INVALID: {400},
    ErrorCode.NOT_HEDGEABLE: {400},
    ErrorCode.TOO_MANY_REQUESTS: {429},
}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_mapped(reason: Reason) -> None:
    """No refusal of the core can reach a client without a code, a text and a word."""
    entry = REFUSALS[reason]
    assert entry.status in STATUS[entry.code]
    assert entry.text
    assert entry.word.isupper()


def test_nothing_else_is_mapped() -> None:
    """The table tells of no reason that the core does not have, and no two share a word."""
    assert set(REFUSALS) == set(Reason)
    words = [entry.word for entry in REFUSALS.values()]
    assert len(words) == len(set(words))


def test_the_page_is_printed_from_the_table() -> None:
    """``docs/wire/errors.md`` says what the code does: print it anew after a change."""
    assert PAGE.read_text() == errors_page()


def test_figures_follow_the_text_but_not_for_strangers() -> None:
    """A 404 tells no more than that: a detail would tell foreign from unknown."""
    _, text = told(Refusal(Reason.PRICE_MUST_BE_IN_BAND, "11.70 to 14.30"))
    assert text == "`price` is invalid: 11.70 to 14.30"
    _, text = told(Refusal(Reason.ORDER_MUST_EXIST, "it is somebody else's"))
    assert text == "`oms_order_id` is invalid"
