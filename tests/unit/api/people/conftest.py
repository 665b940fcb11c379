"""A server whose clients can log in, one for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.api.people.stage import People, people


@pytest.fixture
def server() -> Iterator[People]:
    """A fresh server."""
    with people() as started:
        yield started
