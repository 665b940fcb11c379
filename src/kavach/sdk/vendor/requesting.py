"""
How a vendor-named method asks: reads and changes, whose answers come back as they are.

Source: docs/compatibility.md.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument, Kind
from kavach.sdk.requests.account import Account, new_idempotency_key, own_client_id
from kavach.sdk.requests.answers import clear_object, plain_object
from kavach.sdk.requests.plan import Plan, Request, ask

ENDINGS: Final = frozenset({"cancel", "delete", "remove"})
Answer = dict[str, Any]
Parameters = Mapping[str, Any]


def read(path: str, **query: str) -> Plan[Answer]:
    """Return the answer to a read, success or error."""
    request = Request(method="GET", path=path, query=query)
    return plain_object(request, (yield from ask(request)))


def read_own(account: Account, path: str, **query: str) -> Plan[Answer]:
    """Return the answer to a read of the account's own things."""
    client_id = yield from own_client_id(account)
    answer = yield from read(path, **query, client_id=client_id)
    return answer


def change(
    operation: str,
    kind: Kind,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    *,
    query: Mapping[str, str] | None = None,
    traces: Mapping[str, str] | None = None,
) -> Plan[Answer]:
    """Return the answer to a change; ``traces`` are more fields of the attempt."""
    attempt = msgspec.structs.replace(
        Attempt(
            operation=operation,
            kind=kind,
            idempotency_key=new_idempotency_key(),
            asked={key: str(value) for key, value in (body or query or {}).items()},
            # That something ended shows; what a row was to become, only the caller knows.
            by_vendor_name=operation not in ENDINGS,
        ),
        **(traces or {}),
    )
    request = Request(
        method=method,
        path=path,
        body=None if body is None else dict(body),
        query=dict(query or {}),
        attempt=attempt,
    )
    return clear_object(request, (yield from ask(request)))


def without_blanks(parameters: Any) -> dict[str, Any]:
    """Return a copy of the caller's dict as JSON can hold it, without what holds nothing."""
    if not isinstance(parameters, Mapping):
        raise BadArgument(f"parameters: a dict is needed, not {type(parameters).__name__}")
    return {
        key: _sendable(str(key), value) for key, value in parameters.items() if value is not None
    }


def _sendable(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sendable(f"{name}.{key}", one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(f"{name}[{place}]", one) for place, one in enumerate(value)]
    return params.sendable(name, value)


def renamed(parameters: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of the caller's dict, its keys spelled as the wire spells them."""
    return {names.get(key, key): value for key, value in without_blanks(parameters).items()}
