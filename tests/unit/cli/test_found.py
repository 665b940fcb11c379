"""A twin tells the clients of its user where it runs, and a client with nothing set finds it."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kavach.ready_files import Ready, running
from kavach.sdk import AsyncPocket, BadArgument, Feed, Pocket, Snapshot
from kavach.sdk.found import DEFAULT_URL, door
from tests import twin_server
from tests.twin_server import OPERATOR_TOKEN, TOKEN


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's state directory in which no twin is yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "kavach"


@pytest.fixture
def twin(state: Path) -> Iterator[twin_server.TwinServer]:
    """A twin that runs."""
    with twin_server.running("--data-dir", ":memory:") as server:
        yield server


def test_a_twin_tells_where_it_is(twin: twin_server.TwinServer, state: Path) -> None:
    """While it runs there is a file with all that a client needs, for its owner's eyes."""
    [path] = state.iterdir()
    assert path.name == f"ready-{twin.url.rpartition(':')[2]}.json"
    assert (path.stat().st_mode & 0o777, state.stat().st_mode & 0o777) == (0o600, 0o700)
    expected = Ready(twin.url, "DEMO1", TOKEN, OPERATOR_TOKEN, twin.process.pid)
    assert msgspec.json.decode(path.read_bytes(), type=Ready) == expected
    assert running() == [expected]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_an_end_takes_the_file_away(
    twin: twin_server.TwinServer, state: Path, ending: signal.Signals
) -> None:
    """After a clean end there is no file."""
    assert twin.stop(ending)[0] == 0
    assert list(state.iterdir()) == []


def test_one_that_was_killed_counts_for_nothing(state: Path) -> None:
    """The file of a process that is gone, and one that is damaged, are passed over."""
    with twin_server.running("--data-dir", ":memory:") as gone:
        gone.process.kill()
        gone.process.wait()
    (state / "ready-1.json").write_text("{")
    assert len(list(state.iterdir())) == 2
    with twin_server.running("--data-dir", ":memory:") as server:
        assert [ready.url for ready in running()] == [server.url]
        assert door(None, None, None).base_url == server.url
    assert door(None, None, None) == (DEFAULT_URL, "", "")


def test_a_client_with_nothing_set_finds_it(twin: twin_server.TwinServer) -> None:
    """Client and feed of either kind talk to the one twin that runs, as its demo client."""

    async def ask() -> str:
        async with AsyncPocket() as pocket:
            return (await pocket.profile()).client_id

    with Pocket() as pocket, Feed() as feed:
        feed.subscribe_account()
        assert isinstance(feed.receive(10), Snapshot)
        assert pocket.profile().client_id == "DEMO1"
    assert asyncio.run(ask()) == "DEMO1"
    assert twin.room("GET", "audit")["violations"] == []


def test_what_is_said_comes_before_what_is_found(
    twin: twin_server.TwinServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client gets the address alone; an address or a token given ends the search."""
    assert door(None, None, "OTHER") == (twin.url, "", "OTHER")
    assert door(None, None, "DEMO1") == (twin.url, TOKEN, "DEMO1")
    assert door(None, "t", None) == (DEFAULT_URL, "t", "")
    assert door("http://127.0.0.1:1", None, None) == ("http://127.0.0.1:1", "", "")
    monkeypatch.setenv("KAVACH_URL", "http://127.0.0.1:2")
    assert door(None, None, None) == ("http://127.0.0.1:2", "", "")
    monkeypatch.delenv("KAVACH_URL")
    monkeypatch.setenv("KAVACH_TOKEN", "t")
    assert door(None, None, None) == (DEFAULT_URL, "t", "")


def test_of_two_none_is_chosen(
    twin: twin_server.TwinServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two running both are named, and the sentence says what to do; KAVACH_URL chooses."""
    with twin_server.running("--data-dir", ":memory:") as other:
        for kind in (Pocket, AsyncPocket, Feed):
            with pytest.raises(BadArgument) as refused:
                kind()
            told = str(refused.value)
            assert twin.url in told and other.url in told and "KAVACH_URL" in told
            assert TOKEN not in told
        monkeypatch.setenv("KAVACH_URL", other.url)
        assert door(None, TOKEN, None).base_url == other.url


def test_a_home_that_cannot_be_written_stops_nothing(state: Path) -> None:
    """Without a place for the file the twin runs, and says that clients won't find it."""
    state.parent.write_text("no directory")
    with twin_server.running("--data-dir", ":memory:") as server:
        assert server.http.get("/healthz").status_code == 200
        assert "clients can't find this twin by themselves" in server.said()
        assert running() == []


def test_every_option_is_read_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KAVACH_<OPTION> is an option of serve; what the command line says goes before it."""
    monkeypatch.setenv("KAVACH_DEMO_TOKEN", "from-the-environment")
    monkeypatch.setenv("KAVACH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KAVACH_ERRORS_AS_200", "1")
    monkeypatch.setenv("KAVACH_DEMO_APP_REDIRECT", "http://127.0.0.1:1/a http://127.0.0.1:1/b")
    with twin_server.running("--demo-token", "") as server:
        assert server.access_token == "from-the-environment" and server.app_id == "DEMOAPP"
        assert server.http.get("/api/v1/orders").status_code == 200
        assert (tmp_path / "data" / "journal.db").exists()
    with twin_server.running("--data-dir", ":memory:") as server:
        assert server.access_token == TOKEN
    monkeypatch.setenv("KAVACH_PORT", "many")
    refused = twin_server.ask("serve", "--data-dir", ":memory:")
    assert refused.exit_code == 2 and "KAVACH_PORT" in refused.output
