"""A server under all attacks at once stays small, and answers its friends."""

import subprocess
import sys
import time

import pytest

from tests.twin_server import TwinServer, environment, running

pytestmark = pytest.mark.alone  # It measures time.

ATTACK_SECONDS = 4.0
GROWTH_MAX_MB = 120
WAIT_MAX_SECONDS = 3.0


def resident_mb(server: TwinServer) -> float:
    """Return how much memory the server holds."""
    pid = str(server.process.pid)
    shown = subprocess.run(["ps", "-o", "rss=", "-p", pid], capture_output=True, check=True)
    return int(shown.stdout) / 1024


def test_memory_is_bounded_under_attack() -> None:
    """Streams without end on sixty connections cost a bounded amount, and a friend is served."""
    with running("--data-dir", ":memory:") as server:
        before = largest = resident_mb(server)
        waits = []
        attack = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.reliability.hostile.attack",
                server.url,
                str(ATTACK_SECONDS),
            ],
            env=environment(),
        )
        while attack.poll() is None:
            started = time.monotonic()
            assert server.http.get("/api/v1/trades").status_code == 200
            waits.append(time.monotonic() - started)
            largest = max(largest, resident_mb(server))
        assert attack.returncode == 0
        assert max(waits) < WAIT_MAX_SECONDS
        assert largest - before < GROWTH_MAX_MB
        assert server.audit()["violations"] == []
