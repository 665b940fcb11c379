"""README's Python runs as it stands, where its reader is, and says what it says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin_server import TwinServer, environment, running

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

# After the four lines: the client asks and trades, the socket hears; neither leaves this machine.
OFFICIAL = """
sdk = Pocketful(clientId={client!r}, access_token={token!r})
placed = sdk.placeConditionalOrder({{
    "exchange": "NSE", "instrument_token": "14366", "client_id": {client!r}, "order_type": "LIMIT",
    "price": 12.9, "quantity": 1, "disclosed_quantity": 0, "validity": "DAY", "product": "MIS",
    "order_side": "BUY", "device": "WEB", "user_order_id": 1, "execution_type": "CO",
    "stop_loss_value": 12.5, "trailing_stop_loss": 0,
}})
print(placed["status"], sdk.getFunds()["status"])
feed = PocketfulSocket({client!r}, {token!r})
print(feed.run_socket(), flush=True)
os._exit(0)  # Its thread has no way to end.
"""
STAY_HERE = """
import os, sys
def look(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost"):
        os.write(2, f"asked for {arguments[0]}".encode())
        os._exit(3)
sys.addaudithook(look)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinServer]:
    """A server as `make run` starts it, on a directory of its own, alone for its user."""
    place = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place))
        with running("--data-dir", place / "data", "--market", "synthetic") as started:
            yield started


def python(program: str) -> "subprocess.CompletedProcess[str]":
    """Return how a program ended that was given to a new interpreter."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_snippets_do_what_they_say(server: TwinServer) -> None:
    """One after the other, with nothing set: protected, got out, and cancelled, as they say."""
    first, second, _official = SNIPPETS
    ended = python(first + second)
    assert (ended.returncode, ended.stderr) == (0, "")
    promised = re.findall(r"^print\(.*\)  # (.+)$", first + second, re.MULTILINE)
    assert len(promised) == 3
    assert ended.stdout.splitlines() == promised
    assert server.audit()["violations"] == []


def test_the_official_sdk_is_pointed_here(server: TwinServer) -> None:
    """Its four lines, with this server's port: REST and socket work, and nobody else is asked."""
    *_others, four_lines = SNIPPETS
    assert len(four_lines.splitlines()) == 4
    pointed = four_lines.replace("http://127.0.0.1:8080", server.url)
    assert pointed != four_lines
    told = OFFICIAL.format(client=server.client_id, token=server.access_token)
    ended = python(STAY_HERE + pointed + told)
    assert ended.returncode == 0, ended.stderr
    assert {"success success", "True"} <= set(ended.stdout.splitlines())  # It prints more itself.


def test_the_watch_sees_the_lookup(server: TwinServer) -> None:
    """Without its last line the SDK does ask a server on the internet for its address."""
    *_others, four_lines = SNIPPETS
    three_lines = "\n".join(four_lines.splitlines()[:3])
    ended = python(STAY_HERE + three_lines + "\nPocketful(clientId='A', access_token='B')")
    assert (ended.returncode, ended.stderr) == (3, "asked for api.ipify.org")
