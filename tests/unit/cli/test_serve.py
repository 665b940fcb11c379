"""``kavach serve``: what it says, what it writes, how it ends."""

import json
import signal
import socket
import sqlite3
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.twin_server import (
    OPERATOR_TOKEN,
    TOKEN,
    ask,
    command,
    environment,
    run,
    running,
)

PENDING = "/api/v1/orders?type=pending&client_id=DEMO1"


def files(directory: Path) -> dict[str, bytes]:
    """Return everything in a directory, so that two looks at it can be compared."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def refused(*arguments: str | Path) -> str:
    """Return the one sentence with which ``serve`` refuses to begin; its exit code is 2."""
    ended = run("serve", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("kavach: ") and ended.stderr.endswith(".\n"), ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr.removeprefix("kavach: ").strip()


def test_the_ready_file_tells_a_script_all_it_needs(tmp_path: Path) -> None:
    """It holds address, client, tokens and process id, and only its owner may read it."""
    with running("--data-dir", ":memory:", directory=tmp_path) as server:
        ready_file = tmp_path / "ready.json"
        ready = json.loads(ready_file.read_bytes())
        assert ready == {
            "url": server.url,
            "client_id": "DEMO1",
            "access_token": TOKEN,
            "operator_token": OPERATOR_TOKEN,
            "pid": server.process.pid,
        }
        assert stat.S_IMODE(ready_file.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(signal_number: int, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM end it with exit code 0, and the journal is closed and whole."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        assert server.http.get(PENDING).status_code == 200
        code, output, errors = server.stop(signal_number)
    assert code == 0
    said = [line.split()[1:3] for line in errors.splitlines()]
    assert said == [["INFO", "start"], ["INFO", "stop"]]
    assert output.startswith("kavach ") and server.url in output.splitlines()[0]
    assert [path.name for path in data.iterdir()] == ["journal.db"]


def test_tokens_are_made_up_when_none_are_given(tmp_path: Path) -> None:
    """Tokens are made up once for a directory, and written nowhere in it."""
    data = tmp_path / "data"
    tokens = set()
    for _ in range(2):
        ready_file = tmp_path / "ready.json"
        ready_file.unlink(missing_ok=True)
        process = subprocess.Popen(
            command("serve", "--port", "0", "--data-dir", data, "--ready-file", ready_file),
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            process.stdout.readline()
            ready = json.loads(ready_file.read_bytes())
            with httpx.Client(base_url=ready["url"], trust_env=False) as client:
                bearer = {"Authorization": f"Bearer {ready['access_token']}"}
                assert client.get(PENDING, headers=bearer).status_code == 200
        finally:
            process.terminate()
            process.communicate()
        tokens |= {ready["access_token"], ready["operator_token"]}
        stored = b"".join(files(data).values())
        assert not any(token.encode() in stored for token in tokens)
    assert len(tokens) == 2
    assert all(len(token) >= 32 for token in tokens)


def test_memory_keeps_nothing(tmp_path: Path) -> None:
    """With :memory: not a file is written, whatever happens."""
    process = subprocess.Popen(
        command("serve", "--port", "0", "--data-dir", ":memory:"),
        env=environment(),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate()
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_default_directory_is_kavach_data(tmp_path: Path) -> None:
    """Without --data-dir the journal is in ./kavach-data."""
    process = subprocess.Popen(
        command("serve", "--port", "0"),
        env=environment(),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["kavach-data"]


def test_an_occupied_port_is_a_sentence(tmp_path: Path) -> None:
    """Nothing on disk is made for a server that can't listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refused("--port", str(port), "--data-dir", tmp_path / "data")
    assert sentence == f"Port {port} of 127.0.0.1 can't be used: Address already in use."
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_host_is_a_sentence(tmp_path: Path) -> None:
    """A host that is no address of this machine is named."""
    sentence = refused("--host", "192.0.2.1", "--port", "0", "--data-dir", tmp_path / "data")
    assert sentence.startswith("Port 0 of 192.0.2.1 can't be used: ")
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    """Where a file is in the way, it is left as it is."""
    path = tmp_path / "data"
    path.write_text("mine")
    assert refused("--port", "0", "--data-dir", path) == f"{path} is not a directory."
    assert path.read_text() == "mine"


def test_a_corrupt_journal_is_a_sentence(tmp_path: Path) -> None:
    """A file that is no journal is named and not touched."""
    (tmp_path / "journal.db").write_bytes(b"something else entirely" * 400)
    before = files(tmp_path)
    sentence = refused("--port", "0", "--data-dir", tmp_path)
    assert sentence.startswith("The journal is damaged: ") and "journal.db" in sentence
    assert files(tmp_path) == before


def test_a_changed_record_is_a_sentence(tmp_path: Path) -> None:
    """A journal in which a record was changed is refused, by number, and not touched."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        server.stop()
    with sqlite3.connect(data / "journal.db") as database:
        database.execute("UPDATE records SET body = zeroblob(length(body)) WHERE sequence = 1")
    database.close()
    before = files(data)
    sentence = refused("--port", "0", "--data-dir", data)
    assert sentence.startswith("Journal record 1 is damaged: ")
    assert files(data) == before


def test_a_newer_journal_is_a_sentence(tmp_path: Path) -> None:
    """A journal of a later format is left to the later program."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        server.stop()
    with sqlite3.connect(data / "journal.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = files(data)
    assert "newer version of kavach" in refused("--port", "0", "--data-dir", data)
    assert files(data) == before


def test_a_directory_in_use_is_a_sentence(tmp_path: Path) -> None:
    """Two servers never write one journal."""
    with running("--data-dir", tmp_path / "data"):
        sentence = refused("--port", "0", "--data-dir", tmp_path / "data")
    assert sentence == f"The journal in {tmp_path / 'data'} is in use by another process."


def test_a_ready_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """A script that would wait for it in vain hears of it, and nothing is made on disk."""
    ready_file = tmp_path / "nowhere" / "ready.json"
    sentence = refused("--port", "0", "--data-dir", tmp_path / "data", "--ready-file", ready_file)
    assert sentence == f"The ready file {ready_file} can't be written."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "65536"], "--port"),
        (["--port", "eighty"], "--port"),
        (["--market", "loud"], "--market"),
        (["--market", "replay"], "--replay"),
        (["--replay", "minutes.csv"], "--market"),
        (["--sessions", "bse"], "--sessions"),
        (["--limits", "sebi"], "--limits"),
        (["--speed", "0"], "--speed"),
        (["--speed", "nan"], "--speed"),
        (["--speed", "1e9"], "--speed"),
        (["--demo-token", "two words"], "--demo-token"),
        (["--operator-token", ""], "--operator-token"),
        (["--seed", "x"], "--seed"),
        (["--cors", "example.com"], "--cors"),
        (["--cors", "https://example.com/path"], "--cors"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_bad_option_is_named(arguments: list[str], named: str, tmp_path: Path) -> None:
    """What can't be understood ends with exit code 2 and a text that names the option."""
    ended = ask("serve", "--data-dir", tmp_path / "data", *arguments)
    assert ended.exit_code == 2
    assert named in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_switches_of_the_wire_reach_it() -> None:
    """Each switch changes the answers as its name says."""
    switches = ["--errors-as-200", "--error-type", "--blank-basket-id", "--documented-history"]
    with running("--data-dir", ":memory:", *switches) as server:
        answer = server.http.get("/api/v1/order/1/history?client_id=DEMO1")
        assert answer.status_code == 200
        assert {"status", "error_code", "error_type"} <= answer.json().keys()


def test_a_newcomer_finds_a_market() -> None:
    """The synthetic market quotes five levels on both sides of every open instrument."""
    with running("--data-dir", ":memory:", "--market", "synthetic") as server:
        market = server.room("GET", "market/NSE/14366")
    assert (len(market["bids"]), len(market["asks"])) == (5, 5)
    assert market["low"] <= market["bids"][-1][0] < market["asks"][0][0] <= market["high"]


def test_a_day_is_played_again(tmp_path: Path) -> None:
    """The NIFTY future begins at its close and follows the minutes of the file."""
    minutes = tmp_path / "minutes.csv"
    rows = ["time_ist,open,high,low,close", "2022-02-10T09:15:00,17500,17850,17500,17850"]
    minutes.write_text("\n".join(rows))
    options = ("--market", "replay", "--replay", minutes)
    with running("--data-dir", ":memory:", *options) as server:
        before = server.room("GET", "market/NFO/35001")["last_price"]
        server.room("POST", "clock", action="advance", seconds=60)
        after = server.room("GET", "market/NFO/35001")["last_price"]
    assert after == pytest.approx(before * 1.02, rel=0.0001)


def test_a_file_that_cannot_be_replayed_is_a_sentence(tmp_path: Path) -> None:
    """The file is read before anything on disk is made."""
    options = ("--market", "replay", "--replay", tmp_path / "none.csv")
    sentence = refused("--port", "0", "--data-dir", tmp_path / "data", *options)
    assert sentence.startswith(f"The file {tmp_path / 'none.csv'} can't be read: ")
    assert list(tmp_path.iterdir()) == []


def test_sessions_follow_the_clock() -> None:
    """With nse the exchange opens and closes by the twin's clock, and refuses when closed."""
    with running("--data-dir", ":memory:", "--sessions", "nse") as server:
        phases = []
        for clock in ("08:59:59", "09:00:00", "09:10:00", "09:15:00", "15:30:00", "15:35:00"):
            moment = f"2027-01-04T{clock}"
            server.room("POST", "clock", action="pause")
            server.room("POST", "clock", action="set", to=f"{moment}+05:30")
            phases.append(server.room("GET", "market/NSE/3045")["phase"])
    assert phases[:4] == ["closed", "pre_open", "buffer", "open"]
    assert phases[-1] == "closed"


def test_a_start_at_a_time(tmp_path: Path) -> None:
    """The clock shows it; a directory that has been at a later time is refused, in a sentence."""
    options = ("--data-dir", tmp_path / "data", "--sessions", "nse")
    with running(*options, "--start-at", "2026-12-01T15:16") as server:
        assert server.room("GET", "clock")["now"].startswith("2026-12-01T15:16")
        assert server.room("GET", "market/NSE/3045")["phase"] == "closing_reference"
    sentence = refused("--port", "0", *options, "--start-at", "2026-12-01T09:00")
    assert "time does not run backwards" in sentence
    with running(*options, "--start-at", "2026-12-02T10:00") as server:
        assert server.room("GET", "market/NSE/3045")["phase"] == "open"


def test_an_operator_changes_the_holidays(tmp_path: Path) -> None:
    """A day that a file calls a holiday is one; a file that says something else is refused."""
    file = tmp_path / "holidays.json"
    file.write_text('{"holidays": ["2026-12-01"], "special": {"2026-12-02": ["11:00", "12:00"]}}')
    nse = ("--port", "0", "--data-dir", ":memory:", "--sessions", "nse", "--holidays", file)
    for moment, phase in (
        ("2026-12-01T10:00", "closed"),
        ("2026-12-02T10:59", "closed"),
        ("2026-12-02T11:30", "open"),
        ("2026-12-03T10:59", "open"),
    ):
        with running(*nse[2:], "--start-at", moment) as server:
            assert server.room("GET", "market/NSE/3045")["phase"] == phase, moment
    for wrong, said in (
        ('{"holidays": ["tomorrow"]}', "holidays"),
        ('{"special": {"2026-12-02": ["11:00", "11:10"]}}', "30 minutes later at least"),
        ('{"special": {"2026-12-02": ["11.00", "12:00"]}}', "no time of day"),
        ('{"feasts": []}', "feasts"),
    ):
        file.write_text(wrong)
        ended = run("serve", *nse)
        assert ended.returncode == 2
        assert said in ended.stderr


def test_version_and_help() -> None:
    """The program says who it is and what it can do."""
    assert run("--version").stdout.startswith("kavach, version ")
    told = ask("--help").stdout
    assert all(f"  {name} " in told for name in ("serve", "demo", "verify", "journal"))


REDIRECT = "http://127.0.0.1:5000/back"


def test_a_demo_app_is_told_to_scripts_and_people(tmp_path: Path) -> None:
    """The ready file and the output have its id and secret; what was given is not repeated."""
    options = (
        "--demo-app-redirect",
        REDIRECT,
        "--demo-password",
        "pass-w0rd",
        "--demo-pin",
        "9876",
    )
    with running("--data-dir", ":memory:", *options, directory=tmp_path) as server:
        ready = json.loads((tmp_path / "ready.json").read_bytes())
        assert (ready["app_id"], len(ready["app_secret"])) == ("DEMOAPP", 87)
        code, output, errors = server.stop()
    assert code == 0
    assert f"client_id DEMOAPP, client_secret {ready['app_secret']}" in output
    for secret in ("pass-w0rd", "9876"):
        assert secret not in output + errors


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (("--demo-app-redirect", "javascript:alert(1)"), "must begin with http://"),
        (("--demo-app-redirect", REDIRECT + "#x"), "without a fragment"),
        (("--demo-app-secret", "x"), "needs --demo-app-redirect URI"),
        (("--demo-app-redirect", REDIRECT, "--demo-app-secret", "a b"), "without blanks"),
    ],
)
def test_a_bad_demo_app_is_refused(options: tuple[str, ...], wrong: str) -> None:
    """An address that is dangerous, or a secret for no app, keeps it from starting."""
    ended = ask("serve", *options)
    assert ended.exit_code == 2
    assert wrong in ended.output
