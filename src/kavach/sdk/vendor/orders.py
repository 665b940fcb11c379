"""
Orders by the vendor's names: regular, after-market and conditional ones, and the books.

Source: docs/compatibility.md; docs/wire/README.md, "Regular and after-market orders";
docs/wire/README.md, "Rows".
"""

from typing import Any, Final

from kavach.sdk import params
from kavach.sdk.errors import Kind
from kavach.sdk.orders.book import ORDERS
from kavach.sdk.orders.cover import Leg
from kavach.sdk.orders.placing import KART
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.plan import Plan
from kavach.sdk.vendor.requesting import Answer, Parameters, change, read_own, without_blanks

_KINDS: Final = {"BO": Kind.BRACKET, "CO": Kind.COVER, "NML": Kind.BASKET}
_LEGS: Final = {
    "SECOND": Leg.SECOND,
    "TARGET": Leg.SECOND,
    "THIRD": Leg.THIRD,
    "STOPLOSS": Leg.THIRD,
    "STOP_LOSS": Leg.THIRD,
    "SL": Leg.THIRD,
}


def place_order(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to placing this regular or after-market order."""
    return (yield from _change("place", "POST", ORDERS, parameters))


def modify_order(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to modifying this regular or after-market order."""
    return (yield from _change("modify", "PUT", ORDERS, parameters))


def cancel_order(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to cancelling this regular or after-market order."""
    return (yield from _cancel(ORDERS, parameters))


def place_conditional_order(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to placing this conditional order."""
    return (yield from _change("place", "POST", KART, parameters))


def modify_conditional_order(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to modifying this conditional order."""
    return (yield from _change("modify", "PUT", KART, parameters))


def cancel_conditional_order(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to cancelling (or exiting) this conditional order's leg."""
    return (yield from _cancel(KART, parameters))


def get_pending_order(account: Account) -> Plan[Answer]:
    """Return the answer that holds the living orders."""
    return (yield from read_own(account, ORDERS, type="pending"))


def get_completed_order(account: Account) -> Plan[Answer]:
    """Return the answer that holds the closed orders."""
    return (yield from read_own(account, ORDERS, type="completed"))


def get_order_history(account: Account, oms_order_id: str | int) -> Plan[Answer]:
    """Return the answer that holds the life of one order."""
    named = params.path_piece("oms_order_id", oms_order_id)
    return (yield from read_own(account, f"/api/v1/order/{named}/history"))


def get_trade_book(account: Account) -> Plan[Answer]:
    """Return the answer that holds the day's trades."""
    return (yield from read_own(account, "/api/v1/trades"))


def _cancel(route: str, parameters: Parameters) -> Plan[Answer]:
    body = without_blanks(parameters)
    named = params.path_piece("oms_order_id", body.get("oms_order_id"))
    return _change("cancel", "DELETE", f"{route}/{named}", body, is_kart=route == KART)


def _change(
    operation: str, method: str, path: str, parameters: Parameters, *, is_kart: bool | None = None
) -> Plan[Answer]:
    body = without_blanks(parameters)
    conditional = path == KART if is_kart is None else is_kart
    return change(
        operation,
        _KINDS.get(str(body.get("execution_type")).upper(), Kind.COVER)
        if conditional
        else Kind.REGULAR,
        method,
        path,
        body,
        traces={
            "client_id": str(body.get("client_id", "")),
            "user_order_id": str(body.get("user_order_id", "")),
            "oms_order_id": str(body.get("oms_order_id", "")),
            "leg": _leg(body.get("leg_order_indicator")),
        },
    )


def _leg(indicator: Any) -> Leg:
    """Return the leg that is meant; a word that is none goes to the server, which will say so."""
    return _LEGS.get(str(indicator).upper(), Leg.ENTRY)
