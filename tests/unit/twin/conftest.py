"""A served stage for each test, or for a module of tests that change nothing."""

from collections.abc import Iterator

import pytest

from tests.unit.twin.stage import Served, running


@pytest.fixture
def served() -> Iterator[Served]:
    """A fresh world behind a server."""
    with running() as world:
        yield world


@pytest.fixture(scope="module")
def calm() -> Iterator[Served]:
    """A world that the tests of a module share, because they must not change it."""
    with running() as world:
        yield world
