"""
The world of ``tests.unit.api.world`` in the test's own thread: the app, asked without a socket.

A fresh one costs a millisecond or two, so a test can have one for each request.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import httpx

from kavach.api.app import create_app
from kavach.api.http.options import ApiOptions
from tests.unit.api.world import Desk, World, open_accounts

T = TypeVar("T")


class _Asked:
    """Asks the app and waits for its answer; looks like the client of ``World``."""

    def __init__(self, desk: Desk) -> None:
        self.loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(create_app(desk, ApiOptions()))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://local")

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return the answer to a request."""
        return self.loop.run_until_complete(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Return the answer to GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Return the answer to POST."""
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        """Return the answer to PUT."""
        return self.request("PUT", path, **more)

    def close(self) -> None:
        """Leave nothing open."""
        self.loop.run_until_complete(self._client.aclose())
        self.loop.close()


class LocalWorld(World):
    """A world whose server is a function."""

    def do(self, act: Callable[[], T]) -> T:
        """Run something where the desk lives, which is here."""
        return act()


@contextmanager
def local() -> Iterator[World]:
    """Return a fresh world for the length of a ``with``."""
    desk = Desk()
    open_accounts(desk)
    asked = _Asked(desk)
    try:
        yield LocalWorld(desk, "http://local", cast(httpx.Client, asked), asked.loop)
    finally:
        asked.close()
