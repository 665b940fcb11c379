"""The four ways in which a cancel's parameters travel, byte for byte as clients send them."""

from typing import Any

import pytest

from kavach.wire.errors import BadField
from kavach.wire.orders.cancel_encoding import read_cancel
from kavach.wire.orders.requests import BadBody, CancelRequest
from kavach.wire.query import read_query

FULL = CancelRequest(
    client_id="AB001",
    exchange_order_id="1100000000123456",
    execution_type="CO",
    leg_order_indicator="ENTRY",
    oms_order_id="202403132605",
)
WITHOUT_ID = CancelRequest(
    client_id="AB001",
    exchange_order_id="1100000000123456",
    execution_type="CO",
    leg_order_indicator="ENTRY",
)
BODY = (
    b'{"client_id":"AB001","exchange_order_id":"1100000000123456","execution_type":"CO",'
    b'"leg_order_indicator":"ENTRY","oms_order_id":"202403132605"}'
)
PAIRS = (
    b"client_id=AB001&exchange_order_id=1100000000123456&execution_type=CO"
    b"&leg_order_indicator=ENTRY"
)
JSON_QUERY = (
    b"%7B%22client_id%22:%20%22AB001%22,%20%22exchange_order_id%22:%20%221100000000123456%22,"
    b"%20%22execution_type%22:%20%22CO%22,%20%22leg_order_indicator%22:%20%22ENTRY%22,"
    b"%20%22oms_order_id%22:%20%22202403132605%22%7D"
)


@pytest.mark.parametrize(
    ("body", "query", "expected"),
    [
        (BODY, b"", FULL),
        (b"", PAIRS, WITHOUT_ID),
        (b"", PAIRS + b"&status=CONFIRMED", WITHOUT_ID),
        (b"", JSON_QUERY, FULL),
        (b"", JSON_QUERY.lower().replace(b"ab001", b"AB001").replace(b"co%", b"CO%"), None),
        (b"", JSON_QUERY + b"=", FULL),
        (b"", b"api_key=x&" + JSON_QUERY, FULL),
        (b"", JSON_QUERY + b"&api_key=x", FULL),
        (BODY, b"api_key=x", FULL),
        (BODY, PAIRS, FULL),
        (b"  ", PAIRS, WITHOUT_ID),
        (b"", b"", CancelRequest()),
        (b"{}", b"", CancelRequest()),
    ],
)
def test_every_encoding(body: bytes, query: bytes, expected: CancelRequest | None) -> None:
    """Body, pairs, JSON as the query and mixtures all say the same."""
    read: Any = read_cancel(body, query)
    if expected is None:  # Lower-case percent escapes; the words differ in case, the ids do not.
        assert (read.client_id, read.oms_order_id) == ("AB001", "202403132605")
    else:
        assert read == expected


def test_body_goes_before_pairs_and_pairs_before_json() -> None:
    """Where sources disagree, the order of Decision 5 rules, field by field."""
    query = (
        b'exchange_order_id=2&leg_order_indicator=THIRD&{"exchange_order_id":"3","client_id":"C"}'
    )
    read = read_cancel(b'{"exchange_order_id":"1"}', query)
    assert read.exchange_order_id == "1"
    assert read.leg_order_indicator == "THIRD"
    assert read.client_id == "C"


def test_a_blank_says_nothing() -> None:
    """An empty value in the body leaves room for the query's."""
    read = read_cancel(
        b'{"exchange_order_id":"","client_id":null}', b"exchange_order_id=2&client_id=C"
    )
    assert (read.exchange_order_id, read.client_id) == ("2", "C")


def test_json_in_the_query_may_hold_an_ampersand() -> None:
    """Only the first brace ends the pairs."""
    pairs, document = read_query(b'type=pending&%7B"client_id":"A%26B&C"%7D')
    assert pairs == {"type": "pending"}
    assert document == '{"client_id":"A&B&C"}'


@pytest.mark.parametrize("query", [b"%7B", b"%7B%22a%22:", b"a=b&{", b"{}{}", b"%7B%ff%7D"])
def test_broken_json_in_the_query_is_refused(query: bytes) -> None:
    """Half a document is no parameters."""
    with pytest.raises(BadBody):
        read_cancel(b"", query)


@pytest.mark.parametrize("query", [b"%zz=%", b"&&&", b"=", b"\xff=\xfe", b"a" * 5000])
def test_odd_queries_say_nothing(query: bytes) -> None:
    """What names no parameter of ours is ignored."""
    assert read_cancel(b"", query) == CancelRequest()


def test_nan_in_the_body_is_named() -> None:
    """A cancel's body is read as strictly as any."""
    with pytest.raises(BadField, match="`oms_order_id` is invalid"):
        read_cancel(b'{"oms_order_id":NaN}', b"")
