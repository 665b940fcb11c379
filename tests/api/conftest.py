"""A served world for each test."""

from collections.abc import Iterator

import pytest

from tests.api.world import World, running


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
