"""What ``kavach serve`` prints when it answers can be pasted as it stands."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kavach.cli.panel import NOTHING_KEPT, panel
from kavach.ready_files import Ready
from tests.twin_server import OPERATOR_TOKEN, TOKEN, TwinServer, environment, running

READY = Ready("http://127.0.0.1:1", "DEMO1", TOKEN, OPERATOR_TOKEN, 1)


@dataclass
class Printed:
    """A server and the panel that it printed."""

    server: TwinServer
    text: str

    def block(self, after: str) -> list[str]:
        """Return the lines below the heading that begins so."""
        *_before, below = re.split(rf"^{after}.*:\n\n", self.text, flags=re.MULTILINE)
        return below.partition("\n\n")[0].splitlines()


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printed]:
    """A server with the market of `make run`, and what it has printed."""
    data = tmp_path_factory.mktemp("panel") / "data"
    with running("--data-dir", data, "--market", "synthetic") as server:
        assert server.process.stdout is not None
        lines = iter(server.process.stdout.readline, "")
        text = ""
        while "exit_cover_order" not in text:
            text += next(lines)
        assert f"data directory   {data}\n" in text
        yield Printed(server, text)


def test_the_python_runs_by_pasting(printed: Printed) -> None:
    """Typed into an interactive Python it buys, is protected, and gets out."""
    pasted = printed.block("Paste into [^t]")
    ended = subprocess.run(
        [sys.executable, "-i", "-q"],
        input="\n".join([*pasted, ""]),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Error" not in ended.stderr, ended.stderr
    assert ended.stdout.splitlines() == ["COMPLETE 100 True", "EXITED"]


def test_the_shell_lines_run_by_pasting(printed: Printed) -> None:
    """After them, a program that names nothing talks to this server as its client."""
    ask = "from kavach.sdk import Pocket; print(Pocket().profile().client_id)"
    script = "\n".join([*printed.block("Paste into the shell"), f'"{sys.executable}" -c "{ask}"'])
    ended = subprocess.run(
        ["sh", "-c", script],
        env=environment() | {"XDG_STATE_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == f"{printed.server.client_id}\n"


def test_it_names_the_python_that_has_kavach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interpreter of this environment is named, and the short way if it is below."""
    monkeypatch.chdir(tmp_path)
    assert f"Paste into {Path(sys.executable).parent / 'python'}:" in panel(READY, None)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(sys, "executable", str(python.with_name("python3")))
    assert "Paste into .venv/bin/python:" in panel(READY, None)
    assert NOTHING_KEPT in panel(READY, None)


def test_it_is_short() -> None:
    """It fits on a screen."""
    assert len(panel(READY, None).splitlines()) <= 24


def test_windows_has_lines_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """PowerShell's way to set a variable is shown there."""
    monkeypatch.setattr("kavach.cli.panel.ON_WINDOWS", True)
    assert '$env:KAVACH_URL="http://127.0.0.1:1"' in panel(READY, None)
