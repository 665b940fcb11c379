"""E4 to E10: what a process leaves behind, who may read it, and what strangers can do to it."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
import httpx
import pytest

from kavach.api.people.guesses import GUESSES_MAX, WINDOW_NS
from kavach.api.people.logins import Logins
from kavach.core.commands import Leg, OpenClient
from kavach.core.refusals import Answer
from kavach.engine.venue_port import ExecutionReport
from kavach.journal.sqlite import SqliteJournal
from kavach.program.options import WorldOptions
from kavach.program.world import open_world
from kavach.ready_files import Ready, write_ready_file
from kavach.twin.audit import audit
from kavach.units import Paise, Pips, Quantity, Side, TimestampNs
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.reliability.hostile.raw import Raw
from tests.twin_server import TOKEN, ask, environment, running
from tests.unit.api.people.stage import AUTH, PASSWORD, Page, People, asked, people
from tests.unit.market.stage import IDEA, SECOND, Street

POINTS_MAX: Final = 60  # More changes of a directory than any of these makes.


# --- E4: every change of the data directory is whole or not there ---------------------------------


def child(what: str, directory: Path, number: int) -> int:
    """Return how the work ended that was to be killed at its ``number``-th change."""
    command = [
        sys.executable,
        "-m",
        "tests.contract.reset_child",
        what,
        str(directory),
        str(number),
    ]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, env=environment(), cwd=root, capture_output=True, check=False)
    assert ended.returncode in (0, -9), ended.stderr.decode()
    return ended.returncode


def old_world(directory: Path) -> str:
    """Leave a world with an account of its own, a snapshot and a log; return its hash."""
    world = open_world(WorldOptions(data_dir=directory, demo_token=TOKEN))
    with closing(world.engine.journal):
        opened = world.engine.execute(OpenClient(client_id="OLD1", cash_paise=Paise(1)))
        assert isinstance(opened, Answer)
        world.engine.save_snapshot()
        return world.engine.state_hash()


def clients_of(directory: Path) -> set[str]:
    """Return who has an account after a start."""
    world = open_world(WorldOptions(data_dir=directory, demo_token=TOKEN))
    with closing(world.engine.journal):
        return set(world.engine.state.clients)


def test_e4_a_kill_in_reset_leaves_the_old_state_or_an_empty_one(tmp_path: Path) -> None:
    """Wherever a reset is killed, the next start finds all that was, or a fresh world."""
    before = tmp_path / "before"
    old_world(before)
    found = []
    for number in range(1, POINTS_MAX):
        directory = tmp_path / f"killed-{number}"
        shutil.copytree(before, directory)
        ended = child("reset", directory, number)
        found.append(clients_of(directory))
        if ended == 0:
            break
    assert ended == 0, "it changes the directory more often than this test looks"
    assert all(clients in ({"DEMO1", "OLD1"}, {"DEMO1"}) for clients in found), found
    assert found[0] == {"DEMO1", "OLD1"}
    assert found[-1] == {"DEMO1"}


def test_e4_a_kill_in_backup_leaves_a_whole_copy_or_none(tmp_path: Path) -> None:
    """What a killed backup leaves is no data directory, and the next backup takes its place."""
    directory, copy = tmp_path / "data", tmp_path / "data-copy"
    old_world(directory)
    for number in range(1, POINTS_MAX):
        ended = child("backup", directory, number)
        whole = ask("verify", copy).exit_code == 0
        assert whole or ended != 0
        if whole:
            assert list(copy.glob("snapshot-*")), "a copy without what belongs to it"
            shutil.rmtree(copy)
        elif copy.exists() and any(copy.iterdir()):
            started = running("--data-dir", copy)
            with pytest.raises(AssertionError, match="backup"), started:
                pass
            assert ask("backup", directory, copy).exit_code == 0
            assert clients_of(copy) == {"DEMO1", "OLD1"}
            shutil.rmtree(copy)
        if ended == 0:
            return
    raise AssertionError("it changes the directory more often than this test looks")


# --- E5: nobody else reads it ---------------------------------------------------------------------


def modes(directory: Path) -> dict[str, int]:
    """Return the rights of a directory and of all that lies there, by name."""
    paths = [directory, *directory.rglob("*")]
    return {str(p.relative_to(directory)): stat.S_IMODE(p.lstat().st_mode) for p in paths}


def expect_private(directory: Path) -> None:
    """Nobody but the owner may look at a directory or a file of it."""
    for name, mode in modes(directory).items():
        assert mode == (0o700 if (directory / name).is_dir() else 0o600), (name, oct(mode))


@pytest.fixture
def no_umask() -> Iterator[None]:
    """A process that takes no rights away from what it makes."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
def test_e5_only_the_owner_reads_a_data_directory(tmp_path: Path) -> None:
    """Whatever the umask: directory 0700, and every file of a server, a backup, a snapshot 0600."""
    directory = tmp_path / "data"
    published = tmp_path / "contracts.csv"
    columns = "exchange_token,trading_symbol,lot_size,tick_size,exchange,company_name"
    published.write_text(f"{columns}\n99999,FIELD-EQ,1,0.05,NSE,FIELD\n")
    assert ask("import-contracts", published, "--data-dir", directory).exit_code == 0
    expect_private(directory)
    with running("--data-dir", directory, directory=tmp_path) as server:
        server.room("POST", "clients", client_id="NEW1", cash=1)
        assert ask("snapshot", directory).exit_code == 0
        assert ask("backup", directory, tmp_path / "copy").exit_code == 0
        expect_private(directory)
        assert {"journal.db-wal", "journal.db-shm"} <= modes(directory).keys()
        assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600
    expect_private(tmp_path / "copy")


def test_e5_what_was_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    """A directory that an earlier version left readable is mended; other people's files are not."""
    directory = tmp_path / "data"
    old_world(directory)
    (directory / "notes.txt").write_text("mine")
    for path in (directory, *directory.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    clients_of(directory)
    found = modes(directory)
    assert found.pop("notes.txt") == 0o644
    assert found.pop(".") == 0o700
    assert set(found.values()) == {0o600}


# --- E6: strangers take nobody's place ------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[People]:
    """A server with people who can log in."""
    with people() as started:
        yield started


def test_e6_invented_names_take_nobodys_place(server: People) -> None:
    """However many log in as nobody at once, a right password is looked at, and nobody is BUSY."""

    async def crowd() -> list[str]:
        logins = Logins(server.world.desk)
        strangers = [logins.first(f"N{number}", "x") for number in range(400)]
        right = [logins.first(name, PASSWORD) for name in ("PIN1", "PIN2", "TOTP1")]
        ended = await asyncio.gather(*strangers, *right, return_exceptions=True)
        return [type(one).__name__ for one in ended]

    assert asyncio.run(crowd()) == ["Refused"] * 400 + ["Pending"] * 3


def test_e6_inventing_names_does_not_tell_who_exists(server: People) -> None:
    """A name that may not be guessed at stays so, whoever has it, whatever else is invented."""

    async def guess() -> set[str]:
        logins = Logins(server.world.desk)
        names = ("PIN1", "NOBODY")
        for name in names:
            for _ in range(GUESSES_MAX):
                logins._guess(name)
        for number in range(20_000):
            logins._guess(f"N{number}")
        ended = [logins.first(name, "x") for name in names]
        return {type(e).__name__ for e in await asyncio.gather(*ended, return_exceptions=True)}

    assert asyncio.run(guess()) == {"TooManyGuesses"}


# --- E7: no link is followed ----------------------------------------------------------------------


READY: Final = Ready("http://127.0.0.1:1", "DEMO1", "secret", "secret", 4242)


@pytest.mark.parametrize("name", ["ready.json", ".ready.json.4242"])
def test_e7_the_ready_file_follows_no_link(tmp_path: Path, name: str) -> None:
    """A link that waits where the tokens are written is replaced or left, never followed."""
    shared = tmp_path / "shared"
    shared.mkdir()
    bait = tmp_path / "bait"
    bait.write_text("bait")
    (shared / name).symlink_to(bait)
    write_ready_file(shared / "ready.json", READY)
    assert bait.read_text() == "bait"
    ready = shared / "ready.json"
    assert not ready.is_symlink()
    assert b"secret" in ready.read_bytes()
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600


# --- E8: guesses count on real time ---------------------------------------------------------------


def test_e8_a_fast_clock_forgives_no_guess() -> None:
    """With ``--speed 3600`` a quarter of an hour of the twin passes in 0.25 s, and guesses stay."""
    options = ("--data-dir", ":memory:", "--speed", "3600")
    with running(*options, "--demo-password", "right", "--demo-pin", "0417") as fast:
        login = {"channel_id": "DEMO1", "channel_secret": "wrong"}
        answers = []
        for _ in range(3 * GUESSES_MAX):
            answers.append(fast.http.post("/api/v3/user/login", json=login).status_code)
            fast.room("POST", "clock", action="advance", seconds=WINDOW_NS // SECOND)
        assert answers == [401] * GUESSES_MAX + [429] * 2 * GUESSES_MAX


def test_e8_a_fast_clock_ends_no_login_between_its_steps() -> None:
    """The token between both steps lives for five real minutes, also at ``--speed 3600``."""
    options = ("--data-dir", ":memory:", "--speed", "3600")
    with running(*options, "--demo-password", "right", "--demo-pin", "0417") as fast:
        login = {"channel_id": "DEMO1", "channel_secret": "right"}
        first = fast.http.post("/api/v3/user/login", json=login)
        token = first.json()["data"]["twofa"]["twofa_token"]
        fast.room("POST", "clock", action="advance", seconds=600)
        answer = {"twofa": [{"question_id": 22, "answer": "0417"}], "type": "PIN"}
        body = {"login_id": "DEMO1", "twofa_token": token, "device_type": "web"} | answer
        second = fast.http.post("/api/v3/user/twofa", json=body)
        assert second.status_code == 200, second.text


# --- E9: how long a position was naked ------------------------------------------------------------


def test_e9_a_stall_shows_in_the_longest_naked_time() -> None:
    """A timer that is due after 3 s and fires after 13.4 s leaves 13.4 s, not 3, in the figures."""
    street = Street()
    refusal = Fault(
        fault_id="no-stop",
        on=FaultOn.NEW,
        leg=Leg.THIRD,
        client_id=None,
        effect=FaultEffect.REJECT,
        code=1,
        reason="no",
        times=3,
        delay_ns=0,
    )
    street.venue.faults.add(refusal)
    cover = street.place(quantity=Quantity(100), stop_price_pips=Pips(125_000))
    market(street, bid=cover.price_pips)
    assert cover.naked_since_ns
    street.wall_ns += 13_400_000_000  # Nobody calls the engine for so long.
    street.engine.catch_up(street.engine.now_ns())
    street.pass_time(5)
    assert cover.over
    report = audit(street.engine.state, street.venue.exchange.snapshot(), street.engine.now_ns())
    assert report.violations == []
    assert 13_400_000_000 <= report.naked_ns_max < 14_000_000_000
    assert street.again().state.naked_ns_max == report.naked_ns_max  # A replay finds it, too.


def market(street: Street, *, bid: int) -> None:
    """Let the house sell to who bids this, and then bid it for much."""
    exchange, key = street.venue.exchange, IDEA

    def sell(at_ns: int) -> ExecutionReport:
        price, quantity = Pips(bid), Quantity(100)
        _, _, events = exchange.liquidity_order(key, Side.SELL, price, quantity, TimestampNs(at_ns))
        return street.venue.reports_of(events, key)

    def buy(at_ns: int) -> ExecutionReport:
        bids = [(Pips(bid - 500), Quantity(10_000))]
        events = exchange.liquidity_quotes(key, bids, [], TimestampNs(at_ns))
        return street.venue.reports_of(events, key)

    street.engine.market(sell)
    street.engine.market(buy)


# --- E10: cookies, doubled lines, damage ----------------------------------------------------------


def test_e10_a_login_cookie_is_ours(server: People) -> None:
    """A cookie that the browser brings is replaced by one made here; the brought one is worth 0."""
    chosen = "A" * 43
    headers = {"Cookie": f"kavach-login={chosen}"}
    page = Page(server.http.get(AUTH, params=asked(), headers=headers))
    assert chosen not in page.answer.headers["set-cookie"]
    filled = page.fields | {"login_id": "PIN1", "password": PASSWORD}
    answer = httpx.post(f"{server.world.url}{page.action}", data=filled, headers=headers)
    assert answer.status_code == 403


DOUBLED: Final = {
    "Host": ("Host: a\r\nHost: b\r\n", True),
    "the same Host": ("Host: a\r\nHost: a\r\n", True),
    "Content-Length": ("Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n", True),
    "Transfer-Encoding": (
        "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        True,
    ),
    "Authorization": (f"Host: a\r\nAuthorization: Bearer {TOKEN}\r\n", False),
    "Idempotency-Key": ("Host: a\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n", True),
}


@pytest.fixture(scope="module")
def quiet() -> Iterator[str]:
    """The address of a real server."""
    with running("--data-dir", ":memory:") as started:
        yield started.url


def test_e10_a_line_that_may_stand_once_stands_once(quiet: str) -> None:
    """Two lines of what routes, frames, opens or repeats a request: 400, whether they agree."""
    statuses = {}
    for name, (lines, _) in DOUBLED.items():
        with Raw(quiet) as raw:
            token = f"Authorization: Bearer {TOKEN}\r\n"
            head = f"GET /api/v1/trades HTTP/1.1\r\n{token}{lines}\r\n"
            body = "0\r\n\r\n" if "chunked" in lines else ""
            statuses[name] = raw.send((head + body).encode()).answer().status
    assert statuses == dict.fromkeys(DOUBLED, 400)


def test_e10_a_damaged_record_under_a_snapshot_is_told_at_start(tmp_path: Path) -> None:
    """A start says that a record is damaged, also one that a good snapshot stands for: code 2."""
    directory = tmp_path / "data"
    old_world(directory)
    with closing(SqliteJournal(directory, read_only=True)) as journal:
        stored = journal.latest_snapshot()
    assert stored is not None
    with closing(apsw.Connection(str(directory / "journal.db"))) as connection:
        connection.execute("UPDATE records SET body = zeroblob(9) WHERE sequence = 1")
    with (
        pytest.raises(AssertionError, match="Journal record 1 is damaged"),
        running("--data-dir", directory),
    ):
        pass
