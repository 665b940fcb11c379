"""
A real ``kavach serve`` in a process of its own, for tests that talk to it over the network.

``running`` starts one and stops it; the tokens are fixed, so that a second run on the same
directory knows the same client. Import the fixture ``twin`` for a server that keeps nothing,
one for each test module.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from kavach.cli.program import main

SOURCES: Final = Path(__file__).parents[1] / "src"
TOKEN: Final = "token-of-demo1"
OPERATOR_TOKEN: Final = "token-of-the-operator"
START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 30
ANSWER_SECONDS_MAX: Final = 30


KAVACH: Final = ("-m", "kavach")


def command(*arguments: str | Path, program: Sequence[str] = KAVACH) -> list[str]:
    """Return the command line of ``kavach`` with these arguments."""
    return [sys.executable, *program, *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return an environment in which the sources of this checkout are found."""
    return os.environ | {"PYTHONPATH": str(SOURCES)}


def run(
    *arguments: str | Path, seconds: float = 60, program: Sequence[str] = KAVACH
) -> "subprocess.CompletedProcess[str]":
    """Return how ``kavach`` with these arguments ended, and what it said."""
    return subprocess.run(
        command(*arguments, program=program),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def ask(*arguments: str | Path) -> Result:
    """Return how ``kavach`` with these arguments ended; within this process, so it is quick."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@dataclass
class TwinServer:
    """A running server and clients for both of its doors."""

    url: str
    client_id: str
    access_token: str
    operator_token: str
    process: "subprocess.Popen[str]"
    errors: IO[str]  # Its standard error: a file, which never fills up as a pipe does.
    http: httpx.Client  # As the client.
    operator: httpx.Client  # As the operator; paths begin at /twin/v1/.
    app_id: str = ""  # Of the demo app, if there is one.
    app_secret: str = ""

    def room(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        """Return the control room's answer; fails unless it is a success."""
        response = self.operator.request(method, path, json=fields if fields else None)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def audit(self) -> dict[str, Any]:
        """Return what the control room's audit finds."""
        return self.room("GET", "audit")

    def stop(self, signal_number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error after a signal."""
        self.process.send_signal(signal_number)
        output, _ = self.process.communicate(timeout=STOP_SECONDS_MAX)
        return self.process.returncode, output, self.said()

    def said(self) -> str:
        """Return what it has written to standard error until now."""
        self.errors.seek(0)
        return self.errors.read()


def start(
    *options: str | Path, directory: Path, errors: IO[str], program: Sequence[str] = KAVACH
) -> TwinServer:
    """Return a server that answers; ``directory`` takes the ready file, ``errors`` what it says.

    An option followed by an empty text is not given at all, so that a token can be left to it.
    """
    ready_file = directory / "ready.json"
    ready_file.unlink(missing_ok=True)
    arguments: list[str | Path] = ["serve", "--port", "0", "--ready-file", ready_file]
    for name, value in (("--demo-token", TOKEN), ("--operator-token", OPERATOR_TOKEN)):
        arguments += [name, value] if name not in options else []
    arguments += ["--market", "quiet"] if "--market" not in options else []
    arguments += options
    left = [at for at in range(1, len(arguments)) if arguments[at] == ""]
    for at in reversed(left):
        del arguments[at - 1 : at + 1]
    process = subprocess.Popen(
        command(*arguments, program=program),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            output, _ = process.communicate()
            errors.seek(0)
            raise AssertionError(f"kavach serve did not start: {output}{errors.read()}")
        time.sleep(0.01)
    ready = msgspec.json.decode(ready_file.read_bytes())
    assert ready.pop("pid") == process.pid
    return TwinServer(
        process=process,
        errors=errors,
        http=_client(ready["url"], ready["access_token"]),
        operator=_client(f"{ready['url']}/twin/v1", ready["operator_token"]),
        **ready,
    )


def _client(url: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, timeout=ANSWER_SECONDS_MAX, trust_env=False)


def until(true: Callable[[], bool], seconds: float = ANSWER_SECONDS_MAX) -> None:
    """Return when it is so; fails if it is not within this long, which is no measurement."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never was so"
        time.sleep(0.01)


@contextmanager
def running(
    *options: str | Path, directory: Path | None = None, program: Sequence[str] = KAVACH
) -> Iterator[TwinServer]:
    """Give a server started with these options; it is gone afterwards, whatever happened."""
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile("a+") as errors:
        place_of_file = directory or Path(place)
        server = start(*options, directory=place_of_file, errors=errors, program=program)
        try:
            with server.http, server.operator:
                yield server
        finally:
            if server.process.poll() is None:
                server.process.kill()
            server.process.communicate()


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinServer]:
    """A server with a quiet market that keeps nothing."""
    with running("--data-dir", ":memory:") as server:
        yield server
