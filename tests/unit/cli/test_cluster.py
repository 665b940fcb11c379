"""``kavach cluster``: PostgreSQL, an owner and a standby on one machine."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.twin_server import ask, command, environment, until

ORDER = {"exchange": "NSE", "instrument_token": 14366, "client_id": "DEMO1"}


@contextmanager
def cluster(directory: Path) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """Give a running cluster and what its ready file tells; all of it is gone afterwards."""
    ready_file = directory / "ready.json"
    with (directory / "errors").open("w+") as errors:
        process = subprocess.Popen(
            command(
                "cluster", "up", "--data-dir", directory / "data", "--market", "quiet",
                "--ready-file", ready_file,
            ),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )  # fmt: skip
        try:
            until(lambda: ready_file.exists() or process.poll() is not None, 120)
            assert process.poll() is None, (directory / "errors").read_text()
            yield process, json.loads(ready_file.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def status(journal: str) -> dict[str, Any]:
    """Return what ``kavach cluster status`` tells."""
    told = ask("cluster", "status", "--json", "--journal", journal)
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_a_cluster_goes_on_without_its_owner_and_without_its_database(tmp_path: Path) -> None:
    """What dies is started anew; orders are taken again, and Ctrl-C leaves nothing behind."""
    with cluster(tmp_path) as (process, ready):
        journal, urls = ready["journal"], ready["urls"]
        assert os.stat(tmp_path / "ready.json").st_mode & 0o077 == 0
        before = status(journal)
        assert (before["owner_url"], before["epoch"]) == (urls[0], 1)
        assert [one["url"] for one in before["standbys"]] == [urls[1]]
        headers = {"Authorization": f"Bearer {ready['access_token']}"}

        def taken() -> bool:
            for url in urls:
                try:
                    if httpx.get(f"{url}/api/v1/orders?type=pending", headers=headers).is_success:
                        return True
                except httpx.TransportError:
                    continue
            return False

        assert taken()
        os.kill(before["owner_pid"], signal.SIGKILL)
        until(lambda: status(journal)["owner_url"] == urls[1])
        until(lambda: [one["url"] for one in status(journal)["standbys"]] == [urls[0]])
        assert taken()
        os.kill(ready["pids"]["postgres"], signal.SIGKILL)
        until(lambda: ask("cluster", "status", "--journal", journal).exit_code == 0, 60)
        until(taken, 60)
        assert "no invariant broken" in ask("cluster", "verify", "--journal", journal).stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert ask("cluster", "status", "--journal", journal).exit_code == 2
