"""
GTT rules by the vendor's names; each returns the whole answer, as the pages show it.

Upstream returns the id alone from an answer that has one, and fails on every other.

Source: docs/compatibility.md; docs/wire/gtt.md.
"""

from typing import Final

from kavach.sdk import params
from kavach.sdk.errors import Kind
from kavach.sdk.gtt import GTT
from kavach.sdk.requests.account import Account, own_client_id
from kavach.sdk.requests.plan import Plan
from kavach.sdk.vendor.requesting import (
    Answer,
    Parameters,
    change,
    read,
    read_own,
    renamed,
    without_blanks,
)

_NAMES: Final = {"ClientId": "client_id", "Id": "id"}


def gtt_create_rule(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to making this rule."""
    return (yield from change("create", Kind.GTT, "POST", GTT, without_blanks(parameters)))


def gtt_modify_rule(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to changing this rule."""
    body = renamed(parameters, _NAMES)
    return (
        yield from change(
            "modify", Kind.GTT, "PUT", GTT, body, traces={"oms_order_id": str(body.get("id", ""))}
        )
    )


def gtt_cancel_rule(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to ending the rule that ``id`` names."""
    named = renamed(parameters, _NAMES)
    rule = params.path_piece("id", named.get("id"))
    client = named.get("client_id")
    if not client:
        client = yield from own_client_id(account)
    path = f"{GTT}/{params.path_piece('client_id', client)}/{rule}"
    answer = yield from change(
        "cancel", Kind.GTT, "DELETE", path, None, traces={"oms_order_id": str(named["id"])}
    )
    return answer


def gtt_fetch_rule(account: Account, parameters: Parameters | None = None) -> Plan[Answer]:
    """Return the answer that holds every rule; nothing need be given."""
    client = renamed(parameters or {}, _NAMES).get("client_id")
    return (yield from read_own(account, GTT) if not client else read(GTT, client_id=str(client)))
