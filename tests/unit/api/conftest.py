"""A served world for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.api.world import STOPPING, World, running


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world."""
    with running() as served:
        yield served


@pytest.fixture(scope="module")
def calm() -> Iterator[World]:
    """A world that the tests of a module share, because they must not change it."""
    with running() as served:
        yield served


@pytest.fixture(scope="session", autouse=True)
def _all_servers_stop() -> Iterator[None]:
    """Every server that was started comes to an end."""
    yield
    for thread in STOPPING:
        thread.join(10)
        assert not thread.is_alive()
