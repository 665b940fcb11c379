"""Pages of other origins: shut out, unless a switch names theirs."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kavach.api.http.options import ApiOptions
from tests.unit.api.world import BEARER, KART, World, entry, running

OURS = "https://desk.example"
OTHER = "https://other.example"


async def _room(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the control room")


@pytest.fixture(scope="module")
def opened() -> Iterator[World]:
    """A server that lets one origin in."""
    with running(ApiOptions(cors=(OURS,)), (Route("/twin/v1/clock", _room),)) as world:
        yield world


def preflight(
    world: World, path: str, origin: str, header: str = "authorization"
) -> dict[str, str]:
    """Return what a browser is told that asks whether a page may send a POST with this header."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": header,
    }
    answer = world.http.options(path, headers=asked)
    return {"status": str(answer.status_code), **answer.headers}


def test_a_page_of_the_origin_may_ask(opened: World) -> None:
    """The preflight allows it, and the answer names the origin and shows our headers."""
    for header in ("authorization", "content-type,idempotency-key", "x-authorization-token"):
        told = preflight(opened, KART, OURS, header)
        assert (told["status"], told["access-control-allow-origin"]) == ("200", OURS)
    answer = opened.http.post(KART, json=entry(), headers={**BEARER, "Origin": OURS})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]
    refused = opened.http.get("/api/v1/trades", headers={"Origin": OURS})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, OURS)


def test_a_page_of_another_origin_may_not(opened: World) -> None:
    """Neither answer names its origin, so a browser shows it nothing."""
    assert "access-control-allow-origin" not in preflight(opened, KART, OTHER)
    answer = opened.http.get("/api/v1/trades", headers={**BEARER, "Origin": OTHER})
    assert "access-control-allow-origin" not in answer.headers


def test_no_cookie_is_let_through(opened: World) -> None:
    """Credentials of a browser are never allowed."""
    assert "access-control-allow-credentials" not in preflight(opened, KART, OURS)


def test_the_control_room_stays_closed(opened: World) -> None:
    """What is below /twin/ is open to no other origin, whatever the switch says."""
    answer = opened.http.get("/twin/v1/clock", headers={"Origin": OURS})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_origin(opened: World) -> None:
    """A star lets all of them in."""
    with running(ApiOptions(cors=("*",))) as world:
        assert preflight(world, KART, OTHER)["access-control-allow-origin"] == "*"
