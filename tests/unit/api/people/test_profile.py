"""What is told of a client: every documented key, in its type."""

from typing import Any

import pytest

from tests.unit.api.people.stage import People

STR, INT, BOOL, NONE = str, int, bool, type(None)
# As the documents print it; a list is one of texts.
PROFILE: dict[str, Any] = {
    "last_password_change_date": INT,
    "dob": STR,
    "bank_state": STR,
    "bank_branch_name": STR,
    "bank_account_number": STR,
    "pan_number": STR,
    "user_type": STR,
    "account_type": STR,
    "exchanges_subscribed": list,
    "ifsc_code": STR,
    "status": STR,
    "office_addr": STR,
    "bank_name": STR,
    "depository": NONE,
    "client_id": STR,
    "name": STR,
    "exchange_nnf": dict,
    "dp_id": list,
    "profile_url": STR,
    "backoffice_link": STR,
    "permanent_addr": STR,
    "city": STR,
    "branch": STR,
    "cp_code": NONE,
    "sex": STR,
    "broker_id": NONE,
    "poa_status": BOOL,
    "phone_number": STR,
    "role": dict,
    "bo_id": list,
    "state": STR,
    "products_enabled": list,
    "bank_city": STR,
    "poa_enabled": BOOL,
    "basket_enabled": BOOL,
    "twofa_enabled": BOOL,
    "email_id": STR,
    "user_conscents": list,
    "entity_type": STR,
}


@pytest.mark.parametrize("query", ["", "?client_id=PIN1"])
def test_the_profile_has_every_documented_key(server: People, query: str) -> None:
    """39 keys in their order, each of its type; the account need not be named."""
    headers = {"Authorization": "Bearer standing-PIN1"}
    answer = server.http.get(f"/api/v1/user/profile{query}", headers=headers)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["message"], body["status"]) == ("", "success")
    data = body["data"]
    assert list(data) == list(PROFILE)
    assert {name: type(value) for name, value in data.items()} == PROFILE
    assert (data["client_id"], data["user_type"], data["status"]) == ("PIN1", "CLIENT", "active")
    assert set(data["exchange_nnf"]) == {"BSE", "MCX", "NFO", "NSE"}
    assert all(type(value) is int for value in data["exchange_nnf"].values())
    assert {name: type(value) for name, value in data["role"].items()} == {"id": int, "name": str}
    assert set(data["products_enabled"]) >= {"CNC", "MIS", "NRML"}
    assert all(type(one) is str for name in data if type(data[name]) is list for one in data[name])


@pytest.mark.parametrize(("name", "enabled"), [("PIN1", True), ("TOTP1", True), ("NONE1", False)])
def test_the_profile_says_whether_there_is_a_second_factor(
    server: People, name: str, enabled: bool
) -> None:
    """A PIN or a TOTP is one."""
    headers = {"Authorization": f"Bearer standing-{name}"}
    data = server.http.get("/api/v1/user/profile", headers=headers).json()["data"]
    assert data["twofa_enabled"] is enabled
