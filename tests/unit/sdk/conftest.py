"""
A stage to play on, and the two clients, which every test of this room has to satisfy alike.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from kavach.sdk import AsyncPocket, Pocket
from tests.unit.sdk.stage import CLIENT, TOKEN, Stage

MakeClient: TypeAlias = Callable[..., Any]


class Awaited:
    """An ``AsyncPocket`` whose methods are awaited for the caller, so that it reads as a Pocket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, **arguments: Any) -> None:
        self.loop = loop
        self.pocket = AsyncPocket(**arguments)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.pocket, name)
        if name.startswith("_"):
            return method
        return lambda *args, **kwargs: self.loop.run_until_complete(method(*args, **kwargs))


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Return a broker that answers as told."""
    made = Stage()
    yield made
    made.close()


@pytest.fixture(params=["blocking", "asyncio"])
def make_client(request: pytest.FixtureRequest, stage: Stage) -> Iterator[MakeClient]:
    """Return a maker of clients of the stage, of either kind; they are closed at the end."""
    loop = asyncio.new_event_loop()
    made: list[Any] = []

    def make(**arguments: Any) -> Any:
        told: dict[str, Any] = {
            "client_id": CLIENT,
            "access_token": TOKEN,
            "base_url": stage.url,
            "confirm_seconds": 0.2,
            "timeout_seconds": 2.0,
        } | arguments
        blocking = request.param == "blocking"
        made.append(Pocket(**told) if blocking else Awaited(loop, **told))
        return made[-1]

    yield make
    for client in made:
        client.close()
    loop.close()


@pytest.fixture
def pocket(make_client: MakeClient) -> Any:
    """Return a client of the stage, of either kind."""
    return make_client()
