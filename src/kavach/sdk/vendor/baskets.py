"""
Saved baskets by the vendor's names.

Source: docs/compatibility.md; docs/wire/baskets.md.
"""

from typing import Any, Final

from kavach.sdk.baskets import BASKET, LINE
from kavach.sdk.errors import Kind
from kavach.sdk.orders.placing import KART
from kavach.sdk.requests.account import Account, own_client_id
from kavach.sdk.requests.plan import Plan
from kavach.sdk.vendor.requesting import Answer, Parameters, change, read, renamed

_NAMES: Final = {
    "BasketId": "basket_id",
    "BasketName": "name",
    "basket_name": "name",
    "OrderId": "order_id",
}


def create_basket(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to making this basket."""
    return (yield from _change("create", "POST", BASKET, parameters))


def fetch_basket(account: Account) -> Plan[Answer]:
    """Return the answer that holds every basket."""
    client_id = yield from own_client_id(account)
    answer = yield from read(BASKET, login_id=client_id)
    return answer


def rename_basket(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to giving a basket another name."""
    return (yield from _change("rename", "PUT", BASKET, parameters))


def delete_basket(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to deleting a basket."""
    return (yield from _remove("delete", BASKET, parameters))


def add_instrument_to_basket(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to adding this order to a basket."""
    return (yield from _change("add", "POST", LINE, parameters))


def edit_basket_instrument(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to changing an order in a basket."""
    return (yield from _change("edit", "PUT", LINE, parameters))


def delete_basket_instrument(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to taking an order out of a basket."""
    return (yield from _remove("remove", LINE, parameters))


def execute_basket(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to placing every order of a basket."""
    return (yield from _change("execute", "POST", KART, parameters))


def _change(operation: str, method: str, path: str, parameters: Parameters) -> Plan[Answer]:
    body = renamed(parameters, _NAMES)
    return change(operation, Kind.BASKET, method, path, body, traces=_traces(body))


def _remove(operation: str, path: str, parameters: Parameters) -> Plan[Answer]:
    """Ask with query pairs, as the official client does."""
    named = renamed(parameters, _NAMES)
    pairs = {key: str(value) for key, value in named.items()}
    return change(operation, Kind.BASKET, "DELETE", path, None, query=pairs, traces=_traces(named))


def _traces(named: dict[str, Any]) -> dict[str, str]:
    return {
        "basket_id": str(named.get("basket_id", "")),
        "oms_order_id": str(named.get("order_id", "")),
    }
