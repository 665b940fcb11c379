"""
The programs in ``examples`` do what they say, in a market that somebody else has made.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin_server import SOURCES, TwinServer, running

EXAMPLES = Path(__file__).parents[2] / "examples"
TOLD = {
    "bracket_order.py": ["entry COMPLETE, 10 held", "target at ", "stop at ", "EXITED, 0 held"],
    "cover_order_with_feed.py": [
        "ENTRY COMPLETE 10/10",
        "THIRD TRIGGER_PENDING 0/10",
        "EXITED",
        "THIRD COMPLETE 10/10",
    ],
    "gtt_rule.py": [
        "Active until ",
        "20 at 0.50 above the last price",
        "20 as the list",
        "CANCELLED",
    ],
}


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server with the book of a living market, whose clock stands: nobody runs ahead of us."""
    with running("--data-dir", ":memory:", "--market", "synthetic", "--seed", "7") as started:
        while not started.room("GET", "market/NSE/14366")["asks"]:
            time.sleep(0.05)
        started.room("POST", "clock", action="pause")
        yield started


def test_every_example_is_run() -> None:
    """An example that nobody runs is one that nobody knows to work."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == TOLD.keys()


@pytest.mark.parametrize("name", TOLD)
def test_an_example_tells_its_story(server: TwinServer, name: str) -> None:
    """It ends well by itself and says each of its lines in order, and does so again."""
    environment = os.environ | {
        "PYTHONPATH": str(SOURCES),
        "KAVACH_URL": server.url,
        "KAVACH_TOKEN": server.access_token,
        "KAVACH_CLIENT_ID": server.client_id,
    }
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, str(EXAMPLES / name)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        left = iter(ended.stdout.splitlines())
        for line in TOLD[name]:
            assert any(found.startswith(line) for found in left), (line, ended.stdout)
