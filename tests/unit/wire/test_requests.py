"""Bodies become messages; whatever is not JSON is refused, and blamed on a field if one did it."""

from typing import Any

import pytest
from msgspec import UNSET

from kavach.wire.errors import BadField
from kavach.wire.orders.requests import (
    BadBody,
    CancelRequest,
    cancel_decoder,
    decode,
    place_decoder,
)

NOT_OBJECTS = [
    *[b"", b" ", b"null", b"[]", b'"text"', b"1", b"{", b'{"price":}', b'{"a":1}}', b"{'a':1}"],
    *[b"\xff\xfe", b'{"price":"\xff"}', b'{"price":"\\ud800"}', b"[" * 60_000],
    *[b'{"price":' + b"[" * 60_000, b"<html></html>", b"\xef\xbb\xbf{}"],
    b'{"price":13,}',
]


@pytest.mark.parametrize("body", NOT_OBJECTS, ids=lambda body: repr(body[:20]))
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """Garbage of any kind is one refusal, never another exception."""
    with pytest.raises(BadBody):
        decode(place_decoder, body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("price", word) for word in ("NaN", "Infinity", "-Infinity")],
        *[("status", word) for word in ("NaN", "Infinity", "-Infinity")],
        ("price", "9" * 5000),
    ],
)
def test_a_number_that_is_none_is_blamed_on_its_field(field: str, value: str) -> None:
    """Python and JavaScript write NaN, which is no JSON: the refusal says where it stands."""
    with pytest.raises(BadField) as caught:
        decode(place_decoder, f'{{"client_id":"A","{field}":{value}}}'.encode())
    assert caught.value.field == field


def test_numbers_keep_their_digits() -> None:
    """A number with a point or an exponent is kept as it was written."""
    message: Any = decode(place_decoder, b'{"price":13.10,"quantity":1e400,"stop_loss_value":12}')
    assert (message.price, message.quantity, message.stop_loss_value) == ("13.10", "1e400", 12)


def test_unknown_keys_are_ignored() -> None:
    """What other servers of the family know (status, nested things) does not disturb."""
    message: Any = decode(cancel_decoder, b'{"status":"CONFIRMED","x":[{"y":1}],"client_id":"A"}')
    assert message == CancelRequest(client_id="A")
    assert message.oms_order_id is UNSET
