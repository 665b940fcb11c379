"""Shares from the control room: given at the beginning or later, sold, and what is refused."""

from typing import Any

import pytest

from tests.unit.twin.stage import ADDRESS, Served

IDEA = {"exchange": "NSE", "instrument_token": 14366}
SHARES = {**ADDRESS, "quantity": 50, "average_price": "12.40"}


def test_a_client_begins_with_shares(served: Served) -> None:
    """They are free at once, and the audit knows where they come from."""
    served.post("clients", client_id="OWNER", cash=0, holdings=[SHARES])
    client = served.stage.service.engine.state.clients["OWNER"]
    assert [(h.free_quantity, h.t1_quantity, h.cost_value) for h in client.holdings] == [
        (50, 0, 50 * 124_000)
    ]
    assert served.get("audit")["violations"] == []


def test_more_shares_are_added_at_their_price(served: Served) -> None:
    """What is given later joins what is there, at its own price."""
    served.post("holdings", client_id="DEMO1", holdings=[SHARES])
    answer = served.post(
        "holdings", client_id="DEMO1", holdings=[SHARES | {"quantity": 10, "average_price": 13}]
    )
    assert answer == {"client_id": "DEMO1", "holdings": [IDEA | {"quantity": 60}]}
    (holding,) = served.stage.service.engine.state.clients["DEMO1"].holdings
    assert holding.cost_value == 50 * 124_000 + 10 * 130_000
    assert served.get("audit")["violations"] == []


FUTURE = {"exchange": "NFO", "instrument_token": 35001, "quantity": 65, "average_price": 1}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"client_id": "NOBODY"}, "client_id"),
        ({"client_id": 7}, "client_id"),
        ({"holdings": None}, "holdings"),
        ({"holdings": []}, "holdings"),
        ({"holdings": {}}, "holdings"),
        ({"holdings": [SHARES] * 201}, "holdings"),
        ({"holdings": [7]}, "holdings"),
        ({"holdings": [SHARES, SHARES | {"quantity": 0}]}, "quantity"),
        ({"holdings": [SHARES | {"quantity": "5"}]}, "quantity"),
        ({"holdings": [SHARES | {"average_price": -1}]}, "average_price"),
        ({"holdings": [SHARES | {"average_price": None}]}, "average_price"),
        ({"holdings": [SHARES | {"instrument_token": 1}]}, "instrument_token"),
        ({"holdings": [SHARES | {"exchange": "LSE"}]}, "exchange"),
        ({"holdings": [SHARES | {"price": 1}]}, "price"),
        ({"holdings": [FUTURE]}, "instrument_token"),
        ({"holdings": [SHARES | {"quantity": 10**9}] * 2}, "holdings"),
        ({"holdings": [SHARES | {"quantity": 10**6, "average_price": 10**9}]}, "holdings"),
    ],
)
def test_what_cannot_be_owned_is_refused(calm: Served, wrong: dict[str, Any], field: str) -> None:
    """400, the field named, nothing given; and no account is opened with it."""
    before = calm.state_hash()
    fields = {"client_id": "DEMO1", "holdings": [SHARES]} | wrong
    answer = calm.http.post("/twin/v1/holdings", json=fields)
    assert answer.status_code == 400
    assert answer.json()["error"].split(":")[0] == field
    if "holdings" in wrong and wrong["holdings"] is not None:
        opened = {"client_id": "NEW", "cash": 1, "holdings": wrong["holdings"]}
        answer = calm.http.post("/twin/v1/clients", json=opened)
        assert (answer.status_code, answer.json()["error"].split(":")[0]) == (400, field)
    assert calm.state_hash() == before


def test_what_is_held_counts_with_what_is_given(served: Served) -> None:
    """The most is the most of all gifts together, and up to it the state can be written."""
    most = SHARES | {"quantity": 10**8, "average_price": 10**6}
    served.post("holdings", client_id="DEMO1", holdings=[most])
    assert served.get("audit")["violations"] == []
    more = {"client_id": "DEMO1", "holdings": [SHARES | {"quantity": 1}]}
    answer = served.http.post("/twin/v1/holdings", json=more)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("holdings: must be 1000000000 of a share at most")
    other = {"exchange": "NSE", "instrument_token": 3045, "quantity": 1, "average_price": 1}
    served.post("holdings", client_id="DEMO1", holdings=[other])
    assert served.get("audit")["violations"] == []
