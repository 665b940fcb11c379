"""Faults, clients and reset: what an operator does to the world itself."""

import pytest

from kavach.core.model.cover.tables import State
from kavach.core.model.orders.life import Life
from kavach.credentials import is_secret, token_digest
from kavach.units import Pips
from tests.unit.twin.stage import ADDRESS, TOKEN, Served

SELL_ALL = {**ADDRESS, "side": "SELL", "price": 13, "quantity": 100}


def test_a_fault_refuses_the_next_matching_request(served: Served) -> None:
    """An entry is refused with the fault's code and reason, as often as asked, then no more."""
    answer = served.post(
        "faults", on="new", leg="ENTRY", effect="reject", code=16418, reason="out of luck", times=2
    )
    covers = [served.place() for _ in range(3)]
    assert answer["fault_id"]
    assert [cover.state for cover in covers] == [State.REJECTED, State.REJECTED, State.ENTRY_OPEN]
    assert (covers[0].ended_code, covers[0].ended_reason) == (16418, "out of luck")


def test_a_fault_waits_for_its_client_and_leg(served: Served) -> None:
    """A fault passes over other clients and the other leg; the stop it hits is re-placed."""
    served.post("clients", client_id="DEMO2", cash="1000000.50")
    served.post("faults", on="new", leg="THIRD", client_id="DEMO2", effect="reject", times=1)
    other = served.place()
    meant = served.place(client_id="DEMO2")
    served.post("market/order", **(SELL_ALL | {"quantity": 200}))
    assert [order.life for order in other.exits] == [Life.WAITING]
    assert [order.life for order in meant.exits] == [Life.REJECTED, Life.WAITING]
    assert meant.alarms == ("stop_refused",)
    assert served.get("audit")["violations"] == []


def test_a_fault_waits_for_a_target(served: Served) -> None:
    """A fault of leg SECOND hits a bracket's target alone; the stop stays, and somebody is told."""
    served.post("faults", on="new", leg="SECOND", effect="reject", times=1)
    offsets = {"stop_offset_pips": Pips(10_000), "target_offset_pips": Pips(5_000)}
    cover = served.place(bracket=True, **offsets)
    served.post("market/order", **SELL_ALL)
    assert [order.life for order in cover.exits] == [Life.WAITING, Life.REJECTED]
    assert (cover.alarms, cover.protected) == (("target_refused",), 100)
    assert served.get("audit")["violations"] == []


def test_a_fault_cancels_what_was_accepted(served: Served) -> None:
    """A stop that the exchange accepts and then cancels is lost and re-placed at once."""
    served.post("faults", on="new", leg="THIRD", effect="cancel_resting", reason="self trade")
    cover = served.place()
    served.post("market/order", **SELL_ALL)
    assert [order.life for order in cover.exits] == [Life.CANCELLED, Life.WAITING]
    assert cover.alarms == ("stop_removed",)


def test_faults_are_taken_away(served: Served) -> None:
    """After a DELETE no request suffers any more."""
    served.post("faults", on="any", effect="reject", times=9)
    assert served.http.delete("/twin/v1/faults").status_code == 200
    assert served.place().state is State.ENTRY_OPEN


@pytest.mark.parametrize("effect", ["delay", "drop_request", "drop_report", "duplicate_report"])
@pytest.mark.parametrize("on", ["new", "amend"])
def test_a_stop_that_is_not_answered_for(served: Served, effect: str, on: str) -> None:
    """Whatever becomes of the message about a stop, the position ends covered, and once."""
    cover = served.place()
    if on == "amend":
        served.post("market/order", **SELL_ALL | {"quantity": 40})
    served.post("faults", on=on, leg="THIRD", effect=effect, delay_ms=1_500)
    served.post("market/order", **SELL_ALL)
    served.post("clock", action="advance", seconds=10)
    report = served.get("audit")
    assert report["violations"] == []
    assert cover.state.value == "COVERED"
    assert cover.protected == cover.exit_leaves_max == cover.position == 100
    assert (report["naked_ms_max"] > 0) == (effect != "duplicate_report")


@pytest.mark.parametrize("effect", ["delay", "drop_request", "drop_report", "duplicate_report"])
@pytest.mark.parametrize("on", ["new", "amend"])
def test_a_target_that_is_not_answered_for(served: Served, effect: str, on: str) -> None:
    """Whatever becomes of the message about a target, the stop stands, and all is sold once."""
    offsets = {"stop_offset_pips": Pips(10_000), "target_offset_pips": Pips(5_000)}
    cover = served.place(bracket=True, **offsets)
    first = 40 if on == "amend" else 0
    if first:
        served.post("market/order", **SELL_ALL | {"quantity": first})
    served.post("faults", on=on, leg="SECOND", effect=effect, delay_ms=1_500)
    served.post("market/order", **SELL_ALL | {"quantity": 100 - first})
    assert cover.protected == cover.position == 100
    served.post("clock", action="advance", seconds=10)
    assert served.get("audit")["violations"] == []
    buyer = {"exchange": "NSE", "instrument_token": 14366, "side": "BUY", "price": 13.5}
    served.post("market/order", **buyer, quantity=100)
    assert (cover.state.value, cover.exits_filled) == ("EXITED", 100)
    assert served.get("audit")["violations"] == []


def test_a_delay_needs_its_length(served: Served) -> None:
    """A report can't be late by nothing."""
    error = served.refused("faults", {"on": "new", "effect": "delay"})
    assert error == "delay_ms: must say how late the report comes"


def test_the_link_is_lost_and_found(served: Served) -> None:
    """What happens while the venue can't be reached is heard, and paid for, when it can."""
    cover = served.place()
    served.post("market/order", **SELL_ALL | {"quantity": 40})
    assert served.post("venue/link", up=False) == {"up": False}
    served.post("market/order", **SELL_ALL | {"quantity": 30})
    assert (cover.position, cover.state.value) == (40, "COVERED_OPEN")
    offline = served.place()
    assert (offline.state.value, offline.ended_code) == ("REJECTED", 1009)
    assert served.get("audit")["violations"] == []
    assert served.post("venue/link", up=True) == {"up": True}
    assert (cover.position, cover.protected) == (70, 70)
    assert served.get("audit")["violations"] == []


def test_the_ladder_is_seen_by_the_auditor(served: Served) -> None:
    """While no stop can be placed the auditor sees who is naked for how long, and no violation."""
    served.post("faults", on="new", leg="THIRD", effect="reject", times=3)
    cover = served.place()
    served.post("market/order", **SELL_ALL)
    served.post("clock", action="advance", seconds=2)
    report = served.get("audit")
    assert cover.state.value == "UNPROTECTED"
    assert report["violations"] == []
    assert report["naked_ms_max"] == 2_000
    served.post("clock", action="advance", seconds=5)
    assert cover.state.value == "EXITING"
    assert served.get("audit")["violations"] == []


def test_a_client_is_opened(served: Served) -> None:
    """A new client has its cash and a token of its own; no secret of it is kept in clear."""
    answer = served.post("clients", client_id="TEST-7", cash="2500.75", password="open", pin="1234")
    client = served.stage.engine.state.clients["TEST-7"]
    assert client.cash_paise == 250_075
    assert client.token_digest == token_digest(answer["access_token"])
    assert is_secret("open", client.password_digest) and is_secret("1234", client.pin_digest)
    assert not is_secret("1234", client.password_digest)
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    orders = served.http.get("/api/v1/orders", params={"type": "all"}, headers=headers)
    assert (orders.status_code, orders.json()["data"]["orders"]) == (200, [])


def test_a_client_may_have_no_cash_and_no_secrets(served: Served) -> None:
    """Cash may be 0, and password and pin may be left out."""
    answer = served.post("clients", client_id="POOR", cash=0)
    assert set(answer) == {"client_id", "access_token"}
    poor = served.place(client_id="POOR")
    assert (poor.state, poor.ended_code) == (State.REJECTED, 12001)


def test_a_reset_world_is_as_it_was(served: Served) -> None:
    """After a reset nothing is remembered, the old token opens it, and it is the first world."""
    before = served.state_hash()
    served.place(price_pips=Pips(125_000))
    served.post("clients", client_id="DEMO2", cash=5)
    served.post("faults", on="any", effect="reject", times=9)
    assert served.state_hash() != before
    assert served.post("reset") == {"state_hash": before}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    orders = served.http.get("/api/v1/orders", params={"type": "all"}, headers=headers)
    assert (orders.status_code, orders.json()["data"]["orders"]) == (200, [])
    assert served.place().state is State.ENTRY_OPEN


def test_an_app_is_registered_once(served: Served) -> None:
    """Its secret is told and not kept; an id is made up if none is given, and given once."""
    wanted = {"name": "An app", "redirect_uris": ["https://app.example/back"], "owner": "DEMO1"}
    told = served.post("apps", app_id="app-1", **wanted)
    assert told["app_id"] == "app-1"
    app = served.stage.engine.state.people.apps["app-1"]
    assert app.secret_digest == token_digest(told["app_secret"])
    assert (app.name, app.owner) == ("An app", "DEMO1")
    assert list(app.redirect_uris) == told["redirect_uris"] == wanted["redirect_uris"]
    assert served.refused("apps", {"app_id": "app-1", **wanted}) == "app_id: app-1 exists already"
    made_up = [served.post("apps", **wanted)["app_id"] for _ in range(2)]
    assert len({"app-1", *made_up}) == 3


def test_credentials_are_replaced(served: Served) -> None:
    """What is not given anew is gone; a TOTP secret is kept as it is, since it must be known."""
    served.post("clients", client_id="TEST-7", cash=0, password="open", pin="1234")
    served.post("credentials", client_id="TEST-7", password="shut", totp_secret="jbswy3dpehpk3pxp")
    client = served.stage.engine.state.clients["TEST-7"]
    assert is_secret("shut", client.password_digest) and not is_secret("open", client.pin_digest)
    assert (client.pin_digest, client.totp_secret) == ("", "jbswy3dpehpk3pxp")
