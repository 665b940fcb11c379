"""
Every argument of every method, with values that cannot be: an error of the tree, or taken.

The methods and arguments are read from the class. No network is needed: what would be sent is
answered with a refusal.
"""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest

from kavach.sdk import AsyncPocket, Pocket, PocketError
from tests.unit.sdk.test_clients import public


class Hostile:
    """An object that helps in no way."""

    def __repr__(self) -> str:
        raise RuntimeError("it does not even say what it is")

    __str__ = __repr__


def deep() -> Any:
    """Return a list in a list, and so on."""
    nested: list[Any] = []
    for _ in range(5_000):
        nested = [nested]
    return nested


STRANGE: Final = [
    None,
    True,
    -1,
    10**400,
    float("nan"),
    float("-inf"),
    "",
    " ",
    "\ud800",
    "\x00\r\nX-Evil: 1",
    "x" * 100_000,
    b"bytes",
    [],
    {},
    {"\ud800": "\ud800", "n": float("nan"), "o": object(), 7: {1: 2}},
    {"oms_order_id": "\ud800", "id": [], "basket_id": object(), "execution_type": 7},
    object(),
    Hostile(),
    Hostile,
    len,
    deep(),
]
USUAL: Final[dict[str, Any]] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 10,
    "price": "13.00",
    "stop_loss": "12.50",
    "product": "CNC",
    "new_product": "MIS",
    "target_distance": "0.5",
    "stop_distance": "0.5",
    "trigger_price": "12.9",
    "expiry": "2027-06-30",
    "order": "20261201001",
    "rule": "r1",
    "saved": "b1",
    "name": "One",
    "order_id": "o1",
    "words": "IDEA",
    "underlying_token": 26000,
    "password": "a-password",
    "pin": "1357",
    "parameters": {"oms_order_id": "1", "id": "r1"},
}


def refuse(request: httpx2.Request) -> httpx2.Response:
    """Answer whatever is asked with a refusal."""
    body = {"data": {}, "error_code": 45000, "message": "no", "status": "error"}
    return httpx2.Response(400, json=body)


def calls() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every method with usual arguments, but for one that is strange."""
    for name, method in public(Pocket).items():
        parameters = list(inspect.signature(method).parameters.values())[1:]
        named = [one for one in parameters if one.kind is not one.VAR_POSITIONAL]
        usual = {
            one.name: USUAL.get(one.name, "1")
            for one in named
            if one.default is one.empty or one.name in ("price", "pin")
        }
        for parameter in named:
            for value in STRANGE:
                yield name, usual | {parameter.name: value}


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_no_value_raises_what_is_not_of_the_tree(kind: str) -> None:
    """Whatever is given for an argument, the call returns, or raises a PocketError."""
    told: dict[str, Any] = {"base_url": "http://127.0.0.1:1", "confirm_seconds": 0}
    transport = httpx2.MockTransport(refuse)
    odd, count = [], 0
    loop = asyncio.new_event_loop()
    pocket: Any = (
        Pocket("AB001", "token", transport=transport, **told)
        if kind == "blocking"
        else AsyncPocket("AB001", "token", transport=transport, **told)
    )
    for name, arguments in calls():
        count += 1
        try:
            ending = getattr(pocket, name)(**arguments)
            if kind == "asyncio":
                loop.run_until_complete(ending)
        except PocketError as error:
            str(error)
        except Exception as error:  # Exactly what this test is to find.
            odd.append(f"{name} {list(arguments)}: {type(error).__name__}: {error}"[:200])
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    if kind == "blocking":
        pocket.close()

    assert odd == []
    assert count > 5_000
