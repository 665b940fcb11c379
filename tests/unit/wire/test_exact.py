"""A message is declared once, and read field by field as exact values."""

from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints

import pytest

from kavach.wire import baskets, gtt, login, portfolio
from kavach.wire.baskets import EditedLine, LineRequest
from kavach.wire.errors import BadField
from kavach.wire.exact import exact, sent
from kavach.wire.orders import regular_requests, requests
from kavach.wire.orders.requests import CancelRequest, PlaceRequest, decode, place_decoder


def test_a_field_is_read_by_the_reader_of_its_type() -> None:
    """What a client wrote loosely is one exact value, whichever way it was written."""
    message = exact(decode(place_decoder, b'{"price":"13.10","quantity":"12.0","is_trailing":1}'))
    assert (message.price, message.quantity, message.is_trailing) == (131_000, 12, True)


def test_a_field_is_judged_when_it_is_read_and_not_before() -> None:
    """The first bad field that is named is the first that a route reads."""
    message = exact(decode(place_decoder, b'{"price":-1,"quantity":"x","device":"web"}'))
    assert message.device == "web"
    with pytest.raises(BadField) as caught:
        assert message.quantity
    assert caught.value.field == "quantity"


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_is_none_where_it_may_be_and_an_error_where_it_must_not(blank: Any) -> None:
    """Missing, null and blank are the same thing."""
    message = exact(PlaceRequest(price=blank, quantity=blank))
    assert message.price is None
    with pytest.raises(BadField) as caught:
        assert message.quantity
    assert caught.value.blank


def test_what_must_be_there_is_known_of_the_types() -> None:
    """No list of names is kept beside the fields; a change needs none of them."""
    assert CancelRequest.required == ("exchange_order_id", "leg_order_indicator")
    assert "quantity" in LineRequest.required
    assert EditedLine.required == ()


FIELDS = {
    name: declared
    for module in (baskets, gtt, login, portfolio, requests, regular_requests)
    for name, declared in vars(module).items()
    if get_origin(declared) is Annotated and callable(declared.__metadata__[-1])
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_the_type_that_its_reader_returns(name: str) -> None:
    """What mypy is told of a field is what a route gets."""
    declared, reader = FIELDS[name].__origin__, FIELDS[name].__metadata__[1]
    returned = get_type_hints(reader)["return"]
    if not isinstance(returned, TypeVar):
        assert returned == declared
    elif issubclass(declared, StrEnum):
        assert type(reader(next(iter(declared)).value, "field")) is declared
    else:
        assert reader.messages == (declared,)


def test_what_was_sent_can_be_looked_at_past_the_readers() -> None:
    """A route may judge a field in another way than its type does."""
    assert sent(exact(PlaceRequest(quantity="x"))).quantity == "x"
