"""``Idempotency-Key``: the same request again gets the first answer, another is refused."""

import pytest

from tests.unit.api.test_bad_input import check_envelope, modify_fields
from tests.unit.api.world import BEARER, KART, World, cancel_body, entry

KEYED = BEARER | {"Idempotency-Key": "k-1"}


def test_a_place_is_done_once(world: World) -> None:
    """Twice the same request under one key is one order and one answer."""
    first = world.http.post(KART, json=entry(), headers=KEYED)
    second = world.http.post(KART, json=entry(), headers=KEYED)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert "x-idempotent-replay" not in first.headers
    assert second.headers["x-idempotent-replay"] == "true"
    assert len(world.rows()) == 1


def test_without_a_key_a_place_is_done_twice(world: World) -> None:
    """Who does not ask for protection gets two orders."""
    for _ in range(2):
        world.http.post(KART, json=entry(), headers=BEARER)
    assert len(world.rows()) == 2


def test_the_key_is_the_clients_own(world: World) -> None:
    """Another account under the same key is another request."""
    world.http.post(KART, json=entry(), headers=KEYED)
    other = {"Authorization": "Bearer token-of-demo2", "Idempotency-Key": "k-1"}
    answer = world.http.post(KART, json=entry(client_id="DEMO2"), headers=other)
    assert answer.status_code == 200
    assert "x-idempotent-replay" not in answer.headers


@pytest.mark.parametrize("changes", [{"price": 12.9}, {"quantity": 11}, {"user_order_id": 7002}])
def test_another_request_under_the_key_is_refused(world: World, changes: dict[str, object]) -> None:
    """A key that stood for one request cannot stand for another."""
    world.http.post(KART, json=entry(), headers=KEYED)
    before = world.state_hash()
    answer = world.http.post(KART, json=entry(**changes), headers=KEYED)
    check_envelope(answer, 400)
    assert answer.headers["x-error-reason"] == "KEY_MUST_NOT_BE_REUSED"
    assert "`Idempotency-Key`" in answer.json()["message"]
    assert world.state_hash() == before


def test_a_key_does_not_cross_methods(world: World) -> None:
    """A cancel under the key of a place is another request."""
    world.http.post(KART, json=entry(), headers=KEYED)
    row = world.rows()[0]
    answer = world.http.request(
        "DELETE", f"{KART}/{row['oms_order_id']}", json=cancel_body(row), headers=KEYED
    )
    check_envelope(answer, 400)
    assert answer.headers["x-error-reason"] == "KEY_MUST_NOT_BE_REUSED"


def test_the_same_request_in_other_words(world: World) -> None:
    """What counts is what is asked: text or number, body or query, it is the same request."""
    world.http.post(KART, json=entry(), headers=KEYED)
    loose = entry(price="13.00", quantity="10", instrument_token=14366, execution_type="co")
    again = world.http.post(KART, json=loose, headers=KEYED)
    assert again.headers["x-idempotent-replay"] == "true"
    row = world.rows()[0]
    key = BEARER | {"Idempotency-Key": "k-2"}
    path = f"{KART}/{row['oms_order_id']}"
    body = cancel_body(row)
    first = world.http.request("DELETE", path, json=body, headers=key)
    second = world.http.request("DELETE", path, params=body, headers=key)
    assert first.content == second.content
    assert second.headers["x-idempotent-replay"] == "true"


def test_a_modify_is_done_once(world: World) -> None:
    """Repeating a modify does not trip over the reference that it changed itself."""
    world.place()
    fields = modify_fields(world)
    first = world.http.put(KART, json=fields, headers=KEYED)
    second = world.http.put(KART, json=fields, headers=KEYED)
    assert first.status_code == second.status_code == 200
    assert second.headers["x-idempotent-replay"] == "true"


def test_a_refusal_does_not_use_up_the_key(world: World) -> None:
    """A corrected request may keep its key, because nothing had happened under it."""
    answer = world.http.post(KART, json=entry(price=20), headers=KEYED)
    assert answer.status_code == 400
    assert world.http.post(KART, json=entry(), headers=KEYED).status_code == 200


@pytest.mark.parametrize("key", ["x" * 256, "caf\xe9", "a\tb"])
def test_a_key_is_short_plain_text(calm: World, key: str) -> None:
    """Anything else is named like a bad field."""
    headers = [
        (b"Authorization", BEARER["Authorization"].encode()),
        (b"Idempotency-Key", key.encode("latin-1")),
    ]
    answer = calm.http.post(KART, json=entry(), headers=headers)
    check_envelope(answer, 400)
    assert answer.json()["message"] == "`Idempotency-Key` is invalid"


def test_an_empty_key_is_blank(calm: World) -> None:
    """A key that was meant and is not there is told, rather than ignored."""
    answer = calm.http.post(KART, json=entry(), headers=BEARER | {"Idempotency-Key": ""})
    check_envelope(answer, 400)
    assert answer.json()["message"] == "`Idempotency-Key` can't be blank"
