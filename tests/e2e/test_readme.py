"""README's Python runs as it stands, where its reader is, and says what it says."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin_server import TwinServer, environment, run, running

ROOT = Path(__file__).parents[2]
DATA: list[Path] = []  # Where the server keeps its journal.
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
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
            DATA.append(place / "data")
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
    """Its four lines, with this server's port: REST and socket ask no other server."""
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


def commands(name: str) -> list[str]:
    """Return what README tells to type that begins with this word, in its order."""
    typed = re.findall(rf"`((?:\.venv/bin/)?{name} [^`]+)`", README)
    return [text.removeprefix(".venv/bin/") for text in typed]


def test_its_commands_run(server: TwinServer, tmp_path: Path) -> None:
    """Each command of kavach that README names ends well, or serves; DIR is the server's place."""
    found = commands("kavach")
    assert {"kavach serve", "kavach serve --help", "kavach verify DIR"} <= set(found)
    for text in found:
        words = shlex.split(text)[1:]
        if words == ["serve"]:
            with running("--data-dir", tmp_path / "data") as other:
                assert other.audit()["violations"] == []
        else:
            ended = run(*[DATA[0] if word == "DIR" else word for word in words])
            assert (ended.returncode, ended.stderr) == (0, ""), text


def test_its_installations_name_what_there_is() -> None:
    """Every extra that README installs exists; the tree is what is installed."""
    typed = commands("pip") + commands("pipx") + commands("uvx")
    assert len(typed) >= 4
    for text in typed:
        for place, extra in re.findall(r'"?(\.|kavach-oms)(?:\[(\w+)\])?"?(?=\s|$)', text):
            assert place == "." and extra in {"", *PROJECT["optional-dependencies"]}, text


def test_its_targets_of_make_can_be_made() -> None:
    """Each target that README names, with its variables, is one that make knows how to make."""
    found = set(commands("make"))
    assert len(found) >= 8
    for text in found:
        ended = subprocess.run(
            [*shlex.split(text), "--dry-run"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr


def test_its_paths_are_answered(server: TwinServer) -> None:
    """Each path of the server that README names is answered with success."""
    paths = re.findall(r"`GET (/\S+)`", README)
    assert paths
    for path in paths:
        client = server.operator if path.startswith("/twin/v1/") else server.http
        assert client.get(path.removeprefix("/twin/v1")).status_code == 200
