"""A real server that keeps a journal, with two clients, for the tests of this room."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.twin_server import TwinServer, running

OTHER = "DEMO2"


@dataclass(frozen=True)
class Doors:
    """The server, the token of a second client, and where the journal lies."""

    server: TwinServer
    other_token: str
    data: Path


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One server for a module."""
    data = tmp_path_factory.mktemp("doors") / "data"
    with running("--data-dir", data) as server:
        opened = server.room("POST", "clients", client_id=OTHER, cash=1_000_000)
        yield Doors(server, opened["access_token"], data)
