"""
Nothing of the official SDK is left out: each method is called here, or is known not to work.

The lists come from the classes of the SDK. What tests call is read from their source, so
that a method which nobody calls any more is noticed. Each defect is shown, so that a method which a
later release repairs is noticed, too.

Source: docs/compatibility.md.
"""

import ast
import inspect
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pocketful import wsclient
from pocketful.pocketful import Pocketful
from pocketful.pocketfulwebsocket import PocketfulSocket

from tests.twin_server import TwinServer, running

HERE = Path(__file__).parent
# What cannot work with any server, by the number of its defect.
IMPOSSIBLE: dict[type, dict[str, int]] = {
    Pocketful: {"gttCancelRule": 12, "gttFetchRule": 18, "greekdata": 19},
    PocketfulSocket: {
        "subscribe_trade_update": 28,
        "unsubscribe_order_update": 29,
        "unsubscribe_trade_update": 29,
    },
}
# What asks no server anything: it holds a token, or shows what it would send.
ASKS_NOTHING: dict[type, set[str]] = {
    Pocketful: {"requestHeaders"},
    PocketfulSocket: {"print_access_token", "set_access_token"},
}


def methods(kind: type) -> set[str]:
    """Return the public methods that a class of the SDK has itself."""
    return {
        name
        for name, value in vars(kind).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def called_in_tests() -> set[str]:
    """Return every name that a test beside this one calls as a method, or hands on to be called."""
    names: set[str] = set()
    for path in HERE.glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.name == Path(__file__).name:
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            for node in tree.body:
                node.decorator_list = []  # type: ignore[attr-defined]  # Calls that must fail.
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names


@pytest.mark.parametrize("kind", [Pocketful, PocketfulSocket])
def test_every_method_is_called_or_known_not_to_work(kind: type) -> None:
    """A method that is neither called by a test, nor documented as broken, is a hole here."""
    excused = IMPOSSIBLE[kind].keys() | ASKS_NOTHING[kind]
    assert excused <= methods(kind)
    assert sorted(methods(kind) - excused - called_in_tests()) == []


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server for these tests alone."""
    with running("--data-dir", ":memory:") as started:
        yield started


@pytest.fixture(scope="module")
def sdk(server: TwinServer) -> Pocketful:
    """The official client, pointed at the server."""
    made = Pocketful(clientId=server.client_id, access_token=server.access_token)
    made.root = server.url
    return made


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda sdk: sdk.gttCancelRule({"client_id": "DEMO1", "id": "any"}), UnboundLocalError),
        (lambda sdk: sdk.gttFetchRule({"client_id": "DEMO1"}), (TypeError, KeyError)),
        (lambda sdk: sdk.greekdata("NFO", 35011), KeyError),
    ],
    ids=list(IMPOSSIBLE[Pocketful]),
)
def test_what_cannot_work_does_not(
    sdk: Pocketful, call: Callable[[Pocketful], Any], error: type[Exception]
) -> None:
    """These fail in the SDK itself, whatever a server would answer."""
    with pytest.raises(error):
        call(sdk)


@pytest.mark.parametrize("name", IMPOSSIBLE[PocketfulSocket])
def test_what_sends_nothing_sends_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """These methods of the socket do not reach the connection, so no server can hear them."""
    sent: list[str] = []
    monkeypatch.setattr(wsclient, "websock", type("Line", (), {"send": sent.append}))
    before = set(threading.enumerate())

    getattr(PocketfulSocket("DEMO1", "token"), name)({"client_id": "DEMO1"})

    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert sent == []


def test_what_it_would_send_has_the_token_without_a_prefix(sdk: Pocketful) -> None:
    """The SDK shows its headers: the token goes out in the header that it alone uses."""
    assert sdk.requestHeaders()["x-authorization-token"] == sdk.access_token


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_request", ("/api/v1/orders", {"type": "pending", "client_id": "DEMO1"})),
        ("post_request", ("/api/v1/orders", {})),
        ("put_request", ("/api/v1/orders", {})),
        ("delete_request", ("/api/v1/orders/1", {"client_id": "DEMO1"})),
    ],
)
def test_the_sockets_own_requests_are_answered(
    server: TwinServer, method: str, arguments: tuple[str, dict[str, str]]
) -> None:
    """The class can also ask over HTTP, with a Bearer token: it gets the API's envelope."""
    there = PocketfulSocket("DEMO1", "nobody's")
    there.base_url = server.url
    there.set_access_token(server.access_token)
    assert there.print_access_token() == server.access_token
    calls = {
        "get_request": there.get_request,
        "post_request": there.post_request,
        "put_request": there.put_request,
        "delete_request": there.delete_request,
    }

    told = calls[method](*arguments)

    assert told["status"] == ("success" if method == "get_request" else "error")
    assert told["error_code" if told["status"] == "error" else "data"]
