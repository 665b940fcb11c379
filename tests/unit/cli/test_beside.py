"""``kavach journal`` and ``kavach verify`` beside a running server, and what can be chosen."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kavach.engine import record
from tests.twin_server import TwinServer, ask, command, environment, run, running
from tests.unit.cli.test_reading import place

Lines = list[dict[str, Any]]


def sell(server: TwinServer, quantity: int) -> None:
    """Let a stranger sell IDEA at 13."""
    server.room(
        "POST", "market/order", exchange="NSE", instrument_token=14366,
        side="SELL", price=13, quantity=quantity,
    )  # fmt: skip


def told(*arguments: str | Path) -> Lines:
    """Return the lines that ``kavach journal`` prints as JSON; it ends well."""
    ended = ask("journal", *arguments, "--json")
    assert (ended.exit_code, ended.stderr) == (0, ""), ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TwinServer, Path]]:
    """A server that goes on, and its directory: an order of 100, filled by 40 and by 30."""
    data = tmp_path_factory.mktemp("served") / "data"
    with running("--data-dir", data) as server:
        place(server, 1)
        sell(server, 40)
        sell(server, 30)
        yield server, data


def test_a_journal_is_read_while_it_is_served(served: tuple[TwinServer, Path]) -> None:
    """What is on disk is printed and verified, to the state that the server has."""
    server, data = served
    assert [line["fields"]["quantity"] for line in told(data, "--kind", "OrderTraded")] == [40, 30]
    ended = ask("verify", data)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert server.audit()["state_hash"] in ended.stdout


def test_what_is_chosen(served: tuple[TwinServer, Path]) -> None:
    """Kinds, times and the last lines can be chosen, alone and together."""
    _server, data = served
    everything = told(data)
    assert told(data, "--tail", "5") == everything[-5:]
    assert told(data, "--tail", "0") == []
    assert told(data, "--tail", "100000") == everything
    assert told(data, "--tail", "1", "--kind", "CoverOrderPlaced")[0]["event"] == "CoverOrderPlaced"
    assert told(data, "--tail", "3", "--client", "DEMO1") == told(data, "--client", "DEMO1")[-3:]
    two = told(data, "--kind", "traded", "--kind", "ORDERTRADED")
    assert {line["event"] for line in two} == {"Traded", "OrderTraded"}
    moment = everything[-1]["at"]
    since = told(data, "--since", moment)
    assert since == [line for line in everything if line["at_ns"] >= since[0]["at_ns"]]
    assert since[-1] == everything[-1]
    later = datetime.fromisoformat(moment) + timedelta(seconds=1)
    assert told(data, "--since", later.isoformat()) == []


def test_a_wrong_kind_is_answered_with_close_ones(served: tuple[TwinServer, Path]) -> None:
    """The answer names events that are spelled nearly so; the exit code is 2."""
    ended = ask("journal", served[1], "--kind", "OrderTrade")
    assert ended.exit_code == 2 and "OrderTraded" in ended.stderr


def test_the_last_lines_need_no_more_than_the_last_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long journal only its end is read for them."""
    with running("--data-dir", tmp_path / "data") as server:
        for number in range(1, 61):
            place(server, number)
    decoded: list[bytes] = []
    decode = record.decode_record

    def counting(body: bytes) -> Any:
        decoded.append(body)
        return decode(body)

    monkeypatch.setattr("kavach.cli.journal_lines.decode_record", counting)
    assert [line["event"] for line in told(tmp_path / "data", "--tail", "2")]
    assert len(decoded) == 2
    decoded.clear()
    assert len(told(tmp_path / "data", "--tail", "1", "--kind", "ClientOpened")) == 1
    assert len(decoded) <= 1 + 8 + 64 + 61


@contextmanager
def following(*arguments: str | Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """Give what reads the next line of a ``kavach journal --follow``; Ctrl-C ends it well."""
    process = subprocess.Popen(
        command("journal", *arguments, "--follow", "--json"),
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = threading.Timer(60, process.kill)
    watch.start()
    assert process.stdout is not None

    def following_line() -> dict[str, Any]:
        assert process.stdout is not None
        line: dict[str, Any] = json.loads(process.stdout.readline())
        return line

    try:
        yield following_line
        process.send_signal(signal.SIGINT)
        _output, errors = process.communicate()
        assert process.returncode == 0, errors
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def test_it_follows_through_restarts_and_resets(tmp_path: Path) -> None:
    """It prints what is there, then each event as it comes, whatever becomes of the server."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        place(server, 1)
        with following(
            data, "--tail", "1", "--kind", "OrderTraded", "--kind", "ClientOpened"
        ) as line:
            assert line()["event"] == "ClientOpened"
            sell(server, 40)
            assert line()["fields"]["quantity"] == 40
            server.stop()
            with running("--data-dir", data) as again:
                sell(again, 30)
                assert line()["fields"]["quantity"] == 30
                again.room("POST", "reset")
                assert line()["event"] == "ClientOpened"
                place(again, 2)
                sell(again, 7)
                assert line()["fields"]["quantity"] == 7


def test_a_follower_keeps_no_server_from_starting(tmp_path: Path) -> None:
    """While it follows a journal that is not served, the directory is free."""
    data = tmp_path / "data"
    with running("--data-dir", data):
        pass
    with following(data, "--tail", "1") as line:
        line()
        for _ in range(3):
            with running("--data-dir", data) as server:
                assert server.stop()[0] == 0


def test_it_is_verified_under_load(tmp_path: Path) -> None:
    """Again and again, while orders come and fill, all that is on disk is found right."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        ended = threading.Event()

        def load() -> None:
            number = 0
            while not ended.is_set():
                number += 1
                place(server, number)
                sell(server, 60)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            seen = []
            for _ in range(4):
                found = run("verify", data)
                assert (found.returncode, found.stderr) == (0, "")
                seen.append(int(found.stdout.partition(" records")[0].rpartition(" ")[2]))
        finally:
            ended.set()
            thread.join()
    assert seen == sorted(set(seen)), seen
