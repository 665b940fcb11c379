"""A server for the feed's tests; each test begins in a fresh world."""

from collections.abc import Iterator

import pytest

from tests.twin_server import TwinServer, running


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """One server for each test module."""
    with running("--data-dir", ":memory:") as started:
        yield started


@pytest.fixture
def fresh(server: TwinServer) -> TwinServer:
    """The server, in a world where nothing has happened."""
    server.room("POST", "reset")
    return server
