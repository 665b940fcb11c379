"""
How long Hypothesis looks: profile ``ci`` in every run, ``deep`` for ``make sim``.

``ci`` draws the same examples in every run, so that a run that is red stays red; ``deep`` draws
others each time and prints what reproduces a failure. ``HYPOTHESIS_PROFILE`` names the profile and
``RUNS`` the number of examples of ``deep``. Neither has a deadline (shared machines stall) nor a
database: what a run finds depends on nothing that an earlier one left behind.
"""

import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Databases, running

# Servers of tests are found by clients of tests, and neither meets those of the user.
_STATE = tempfile.TemporaryDirectory(prefix="kavach-tests-")
os.environ["XDG_STATE_HOME"] = _STATE.name
for name in [name for name in os.environ if name.startswith("KAVACH_")]:
    del os.environ[name]

settings.register_profile(
    "ci",
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep",
    settings.get_profile("ci"),
    derandomize=False,
    max_examples=int(os.environ.get("RUNS") or 2_000),
    stateful_step_count=100,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """A PostgreSQL server of this session."""
    with running() as databases:
        yield databases


@pytest.fixture
def address(postgres: Databases) -> str:
    """The address of an empty database."""
    return postgres.new()
