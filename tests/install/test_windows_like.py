"""Server, client and command work with what Windows has: there, or where Linux plays it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kavach.engine.journal_port import JournalLocked
from kavach.journal import directory
from tests.twin_server import TwinServer, run, running

WINDOWS_LIKE = (str(Path(__file__).with_name("windows_like.py")),)

# None: it is killed; on Windows there is nothing else that another process can do.
ENDINGS = [None] if sys.platform == "win32" else [signal.SIGTERM, signal.SIGINT, None]
BOOK = {"type": "pending", "client_id": "DEMO1"}

PLACE = """
from kavach.sdk import Feed, Pocket
with Feed("DEMO1", base_url={url!r}, access_token={token!r}) as feed:
    feed.subscribe_account()
    assert type(feed.receive(10)).__name__ == "Snapshot"
    with Pocket(base_url={url!r}, access_token={token!r}) as pocket:
        pocket.place_cover_order(
            exchange="NSE", instrument_token=14366, side="BUY",
            quantity=10, price="13.00", stop_loss="12.50",
        )
    assert type(feed.receive(10)).__name__ == "OrderChange"
"""


@contextmanager
def serving(place: Path) -> Iterator[TwinServer]:
    """Give a server without what Windows lacks, on a data directory."""
    with running("--data-dir", place / "data", directory=place, program=WINDOWS_LIKE) as server:
        yield server


def kavach(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit code of the command, and all that it said."""
    done = run(*arguments, program=WINDOWS_LIKE)
    return done.returncode, done.stdout + done.stderr


def test_a_client_finds_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing set the client finds the server that runs, and none that was killed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    ask = "from kavach.ready_files import running; print([twin.url for twin in running()])"
    with serving(tmp_path) as server:
        assert kavach("-c", ask) == (0, f"['{server.url}']\n")
        server.process.kill()
        server.process.wait()
        assert kavach("-c", ask) == (0, "[]\n")
    with serving(tmp_path) as server:
        assert kavach("-c", ask) == (0, f"['{server.url}']\n")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_order_outlives_the_server(tmp_path: Path, ending: int | None) -> None:
    """A client places an order that fills; after any end of the server all of it is there."""
    with serving(tmp_path) as server:
        code, said = kavach("-c", PLACE.format(url=server.url, token=server.access_token))
        assert code == 0, said
        server.room(
            "POST", "market/order", exchange="NSE", instrument_token=14366,
            side="SELL", quantity=10, price=13,
        )  # fmt: skip
        before = server.http.get("/api/v1/orders", params=BOOK).text
        assert "TRIGGER" in before and "DEMO1" in before  # The stop stands.
        if ending is None:
            server.process.kill()
            server.process.wait()
        else:
            code, _output, errors = server.stop(ending)
            assert code == 0, errors
    assert kavach("verify", tmp_path / "data")[0] == 0
    with serving(tmp_path) as again:
        after = again.http.get("/api/v1/orders", params=BOOK).text
        assert after == before
        assert again.audit()["violations"] == []


def test_one_server_a_directory(tmp_path: Path) -> None:
    """A second server ends with a sentence and 2; commands that read work beside the first."""
    data = tmp_path / "data"
    with serving(tmp_path):
        code, said = kavach("serve", "--port", "0", "--data-dir", data)
        assert (code, said) == (2, f"kavach: The journal in {data} is in use by another process.\n")
        for command in ("journal", "verify"):
            assert kavach(command, data)[0] == 0
    assert kavach("journal", data)[0] == 0


def test_readers_share_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many read a journal that is not served, and none writes it; then one writes, none reads."""
    monkeypatch.setattr(directory, "_HAS_FLOCK", False)
    readers = [directory.lock_directory(tmp_path, shared=True) for _ in range(2)]
    with pytest.raises(JournalLocked):
        directory.lock_directory(tmp_path, shared=False)
    for lock in readers:
        directory.unlock(lock)
    writer = directory.lock_directory(tmp_path, shared=False)
    with pytest.raises(JournalLocked):
        directory.lock_directory(tmp_path, shared=True)
    directory.unlock(writer)
    assert [path.name for path in tmp_path.iterdir()] == [directory.LOCK_FILE]


def test_a_backup_and_a_reset_work(tmp_path: Path) -> None:
    """A journal is copied while it is served, into an empty directory and no other, and reset."""
    with serving(tmp_path) as server:
        server.room("POST", "clients", client_id="C2", cash=1000)
        for again in (False, True):
            code, said = kavach("backup", tmp_path / "data", tmp_path / "copy")
            assert (code == 2 and "is not empty" in said) if again else code == 0, said
        server.room("POST", "reset")
        assert kavach("snapshot", tmp_path / "data")[0] == 0
        assert server.audit()["violations"] == []
    code, said = kavach("journal", tmp_path / "copy", "--client", "C2")
    assert code == 0 and "ClientOpened" in said, said
    assert "ClientOpened" not in kavach("journal", tmp_path / "data", "--client", "C2")[1]
