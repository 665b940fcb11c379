"""
The two clients are one: the same methods and arguments, made without touching the network.
"""

import inspect
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.sdk import (
    AsyncPocket,
    BadArgument,
    CancelOutcome,
    CancelResult,
    CoverOrder,
    Pocket,
    Settled,
    errors,
)
from kavach.sdk.params import price
from tests.unit.sdk.conftest import MakeClient
from tests.unit.sdk.stage import CLIENT, TOKEN, Stage, json_answer

KINDS = pytest.mark.parametrize("kind", [Pocket, AsyncPocket])


def public(kind: type) -> dict[str, Any]:
    """Return the public methods of a client."""
    return {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}


def test_both_clients_have_the_same_methods() -> None:
    """Every method of one is a method of the other, with the same arguments and result."""
    blocking, awaiting = public(Pocket), public(AsyncPocket)

    assert blocking.keys() == awaiting.keys()
    assert len(blocking) == 94
    for name in blocking:
        assert inspect.signature(blocking[name]) == inspect.signature(awaiting[name])
        assert blocking[name].__doc__ and awaiting[name].__doc__
        assert inspect.iscoroutinefunction(awaiting[name])


def test_help_shows_what_a_caller_gives_and_gets() -> None:
    """A method shows its own arguments and its result, not those of the plan behind it."""
    placing = inspect.signature(Pocket.place_cover_order)

    assert next(iter(placing.parameters)) == "self"
    assert placing.return_annotation is CoverOrder
    assert inspect.signature(Pocket.exit_cover_order).return_annotation == CancelResult[CoverOrder]
    with Pocket(CLIENT, TOKEN) as pocket:
        bound = inspect.signature(pocket.cancel_cover_order)
    assert list(bound.parameters) == ["order", "leg", "idempotency_key", "confirm_seconds"]


def test_the_guide_names_everything() -> None:
    """The page for users speaks of every method, error and outcome, and prints the whole tree."""
    guide = (Path(__file__).parents[3] / "docs" / "client.md").read_text(encoding="utf-8")
    names = [*public(Pocket), *errors_of(errors.PocketError), *CancelOutcome, *Settled]

    assert [name for name in names if f"`{name}" not in guide and f" {name} " not in guide] == []
    tree = [line for line in (errors.__doc__ or "").splitlines() if "──" in line]
    assert len(tree) == len(errors_of(errors.PocketError)) - 1
    assert [line for line in tree if line not in guide] == []


def errors_of(root: type[Exception]) -> list[str]:
    """Return the names of an error and of all beneath it."""
    return [root.__name__, *(name for kind in root.__subclasses__() for name in errors_of(kind))]


@KINDS
def test_making_a_client_touches_no_network(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a name is looked up nor a socket opened before the first call."""

    def refuse(*args: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert kind(CLIENT, TOKEN, base_url="https://no.such.host.invalid") is not None


def test_the_environment_says_what_is_not_given(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """URL, token and client come from the environment; what is given goes before it."""
    monkeypatch.setenv("KAVACH_URL", stage.url)
    monkeypatch.setenv("KAVACH_TOKEN", "from-the-environment")
    monkeypatch.setenv("KAVACH_CLIENT_ID", "ENV1")
    with Pocket() as pocket:
        pocket.orders("pending")
    with Pocket("AB001", "given", base_url=stage.url + "/oapi") as pocket:
        stage.answers_reads(json_answer({"data": {}, "status": "success"}))
        pocket.orders("pending")

    first, second = stage.heard
    assert (first.headers["authorization"], first.query["client_id"]) == (
        "Bearer from-the-environment",
        "ENV1",
    )
    assert (second.headers["authorization"], second.query["client_id"]) == ("Bearer given", "AB001")
    assert second.path == "/oapi/api/v1/orders"


@KINDS
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"access_token": "two words"}, "access_token: must be printable"),
        ({"access_token": "a\r\nX-Evil: 1"}, "access_token: must be printable"),
        ({"access_token": "t", "base_url": "127.0.0.1:8080"}, "base_url: '127.0.0.1:8080' must"),
    ],
)
def test_a_client_that_could_not_work_is_not_made(
    kind: Any, arguments: dict[str, str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What every call would fail of is said when the client is made, by its name."""
    monkeypatch.delenv("KAVACH_TOKEN", raising=False)

    with pytest.raises(BadArgument, match=complaint):
        kind(**arguments)


def test_without_a_token_nothing_is_sent(
    stage: Stage, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may be made to log in with; any other call says what it lacks and sends nothing."""
    monkeypatch.delenv("KAVACH_TOKEN", raising=False)
    pocket = make_client(access_token=None)

    with pytest.raises(BadArgument, match="access_token: must be given"):
        pocket.orders()

    assert stage.heard == []


def test_the_transport_is_a_seam() -> None:
    """Another transport takes the place of httpx2's own, for proxies, tests or logging."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"status": "success", "data": {"trades": []}})

    with Pocket(CLIENT, TOKEN, transport=httpx2.MockTransport(answer)) as pocket:
        assert pocket.trades() == []

    assert asked[0].url.host == "127.0.0.1"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=4))
def test_a_price_is_what_was_written(exact: Decimal) -> None:
    """The same price comes of a Decimal, its text, and the float that prints like it."""
    assert price("price", exact) == price("price", str(exact)) == exact
    if len(str(exact).replace(".", "").strip("0")) <= 15:
        assert price("price", float(exact)) == exact
