"""
The vendor's own method names: a dict in, the answer's dict out, errors included.

A program written for the official SDK keeps its calls. What is different from upstream:

- the caller's dict is never changed; keys whose value is ``None`` are left out of the request;
- ids are escaped, so that no id can address another path; a missing one is a ``BadArgument``;
- a cancel sends its parameters as the documents say, in the body;
- when no answer comes, or one that is not JSON, ``TransportError`` is raised, for a change
  ``OutcomeUnknown``, and not whatever the HTTP library happens to raise.

Error answers come back as dicts, as upstream. Whoever wants exceptions uses the typed methods.

Source: wire 1.1 (SDK12 column), Part 6.
"""

from collections.abc import Mapping
from typing import Any

from kavach.sdk import given
from kavach.sdk.account import Account, new_idempotency_key, own_client_id
from kavach.sdk.answers import plain_object
from kavach.sdk.cover import Leg
from kavach.sdk.errors import Attempt, BadArgument
from kavach.sdk.placing import KART
from kavach.sdk.plan import Plan, Request, ask
from kavach.wire.errors import BadField
from kavach.wire.fields import LegWord, leg

Answer = dict[str, Any]


def place_conditional_order(account: Account, parameters: Mapping[str, Any]) -> Plan[Answer]:
    """Return the server's answer to placing this conditional order."""
    return _change("place", "POST", KART, parameters)


def modify_conditional_order(account: Account, parameters: Mapping[str, Any]) -> Plan[Answer]:
    """Return the server's answer to modifying this conditional order."""
    return _change("modify", "PUT", KART, parameters)


def cancel_conditional_order(account: Account, parameters: Mapping[str, Any]) -> Plan[Answer]:
    """Return the server's answer to cancelling (or exiting) this conditional order's leg."""
    _must_be_mapping(parameters)
    named = given.path_piece("oms_order_id", parameters.get("oms_order_id"))
    return _change("cancel", "DELETE", f"{KART}/{named}", parameters)


def get_pending_order(account: Account) -> Plan[Answer]:
    """Return the answer that holds the living orders."""
    return _read(account, "/api/v1/orders", type="pending")


def get_completed_order(account: Account) -> Plan[Answer]:
    """Return the answer that holds the closed orders."""
    return _read(account, "/api/v1/orders", type="completed")


def get_order_history(account: Account, oms_order_id: str | int) -> Plan[Answer]:
    """Return the answer that holds the life of one order."""
    named = given.path_piece("oms_order_id", oms_order_id)
    return _read(account, f"/api/v1/order/{named}/history")


def get_trade_book(account: Account) -> Plan[Answer]:
    """Return the answer that holds the day's trades."""
    return _read(account, "/api/v1/trades")


def get_positions_daywise(account: Account) -> Plan[Answer]:
    """Return the answer that holds the day's positions."""
    return _read(account, "/api/v1/positions", type="live")


def get_positions_netwise(account: Account) -> Plan[Answer]:
    """Return the answer that holds all positions, those carried over included."""
    return _read(account, "/api/v1/positions", type="historical")


def _read(account: Account, path: str, **query: str) -> Plan[Answer]:
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=path, query={**query, "client_id": client_id})
    return plain_object(request, (yield from ask(request)))


def _change(operation: str, method: str, path: str, parameters: Mapping[str, Any]) -> Plan[Answer]:
    _must_be_mapping(parameters)
    body = {key: value for key, value in parameters.items() if value is not None}
    attempt = Attempt(
        operation=operation,
        idempotency_key=new_idempotency_key(),
        client_id=str(body.get("client_id", "")),
        user_order_id=str(body.get("user_order_id", "")),
        oms_order_id=str(body.get("oms_order_id", "")),
        leg=_leg(body.get("leg_order_indicator")),
    )
    request = Request(method=method, path=path, body=body, attempt=attempt)
    return plain_object(request, (yield from ask(request)))


def _leg(indicator: Any) -> Leg:
    """Return the leg that is meant; a word that is none goes to the server, which will say so."""
    try:
        word = leg(indicator, "leg_order_indicator")
    except BadField:
        return Leg.ENTRY
    # Whoever names the target wants what the stop's name says, too: out.
    return Leg.ENTRY if word is LegWord.ENTRY else Leg.THIRD


def _must_be_mapping(parameters: Any) -> None:
    if not isinstance(parameters, Mapping):
        raise BadArgument(f"parameters: a dict is needed, not {type(parameters).__name__}")
