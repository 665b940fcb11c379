"""The hub on a disk that waits and fails: nothing is told too early, nothing is lost in between."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw
import pytest

from kavach.api.feed import hub as hub_module
from kavach.api.feed.hub import Hub
from kavach.api.feed.socket import FeedSocket, Listener
from kavach.core.commands import OpenClient, PlaceCoverOrder, RenewToken
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.journal_port import JournalError, JournalPaused, JournalUnavailable
from kavach.engine.service import Pace, Service
from kavach.journal.sqlite import SqliteJournal
from kavach.units import InstrumentKey, OrderType, Paise, Pips, Product, Quantity, Side, Validity
from kavach.venues.embedded import EmbeddedVenue
from kavach.wire.feed.updates import NUMBERED, Kind, read_numbered, read_update
from tests.reliability.crash.test_repair import Standing
from tests.reliability.crash.world import HandClock
from tests.unit.journal.faulty_disk import FaultyDisk, faulty_disk

IDEA = InstrumentKey("NSE:14366")
INSTRUMENTS = load_instruments()
TOKEN = sha256(b"token").hexdigest()


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    """A disk that does as it is told."""
    with faulty_disk() as disk:
        yield disk


class Sink(FeedSocket):
    """A socket whose frames are kept, and whose other side is this test."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.listener: Listener | None = None
        self.goodbye: tuple[int, str] | None = None
        self.pings = 0
        self.heard_at = asyncio.get_running_loop().time()

    def welcome(self, listener: Listener) -> None:
        """Note who listens."""
        self.listener = listener

    def write(self, frames: bytes) -> None:
        """Keep what is sent, without the frame's own head."""
        head = 2 if frames[1] < 126 else 4
        self.frames.append(frames[head:])

    def ping(self) -> None:
        """Count it."""
        self.pings += 1

    def close(self, code: int, reason: str) -> None:
        """Note why."""
        self.goodbye = code, reason

    def say(self, message: str) -> None:
        """Let the client say something."""
        assert self.listener is not None
        self.listener.heard(message.encode())

    def statuses(self) -> list[str]:
        """Return the statuses of the order updates so far."""
        found = []
        for frame in self.frames:
            if frame[0] == NUMBERED:
                numbered = read_numbered(frame)
                if numbered.kind is Kind.ORDER:
                    found.append(f"{numbered.number} {numbered.data['order_status']}")
                elif numbered.kind is Kind.SNAPSHOT:
                    rows = [row["order_status"] for row in numbered.data["orders"]]
                    found.append(f"snapshot {numbered.number} {rows}")
            elif frame[0] == 50:
                found.append(read_update(frame)[1]["order_status"])
        return found


class Stage:
    """A service and a hub on a disk that a test can stop, as a server joins them."""

    def __init__(self, directory: Path, disk: FaultyDisk) -> None:
        self._directory = directory
        self._disk = disk
        self.failures: list[Exception] = []
        self.attended: list[InstrumentKey] = []
        engine, venue = self._engine(SqliteJournal(directory, vfs=disk.name))
        engine.recover()
        self.service = Service(engine, Standing(), self.failures.append, self)
        self.hub = Hub(engine, venue, attend=self.attended.append)
        client = OpenClient(client_id="A", cash_paise=Paise(10**9), token_digest=TOKEN)
        self.service.execute(client)

    def _engine(self, journal: SqliteJournal) -> tuple[Engine, EmbeddedVenue]:
        venue = EmbeddedVenue(INSTRUMENTS)
        return Engine(INSTRUMENTS, Settings(), journal, venue, HandClock()), venue

    def looked_back(self) -> tuple[Engine, Pace]:
        """Return an engine that holds what is durable."""
        journal = self.service.engine.journal
        assert isinstance(journal, SqliteJournal)
        engine, venue = self._engine(journal)
        engine.recover(until=journal.durable_sequence)
        self.hub.look_back(engine, venue)
        return engine, Standing()

    def reopened(self) -> tuple[Engine, Pace]:
        """Return an engine on the journal, opened anew once the disk works."""
        with suppress(JournalError):
            self.service.engine.journal.close()
        if self._disk.write_error or self._disk.sync_error:
            raise JournalUnavailable("The disk does not work.")
        engine, venue = self._engine(SqliteJournal(self._directory, vfs=self._disk.name))
        engine.recover()
        self.hub.go_on(engine, venue)
        return engine, Standing()

    def reader(self, *wishes: str) -> Sink:
        """Return a client that has said this."""
        sink = Sink()
        self.hub.welcome(sink, "A", TOKEN)
        for wish in wishes:
            sink.say(wish)
        return sink

    def place(self, user_order_id: int = 1) -> None:
        """Place a cover order that rests."""
        self.service.execute(
            PlaceCoverOrder(
                client_id="A",
                idempotency_key="",
                fingerprint="",
                instrument=IDEA,
                side=Side.BUY,
                order_type=OrderType.LIMIT,
                quantity=Quantity(10),
                disclosed_quantity=Quantity(0),
                price_pips=Pips(130_000),
                trigger_price_pips=Pips(0),
                validity=Validity.DAY,
                product=Product.MIS,
                stop_price_pips=Pips(125_000),
                trailing_step_pips=Pips(0),
                user_order_id=user_order_id,
                device="",
            )
        )

    async def until_repaired(self) -> None:
        """Return when commands are taken again."""
        for _ in range(100):
            try:
                self.service.execute(
                    OpenClient(client_id="probe", cash_paise=Paise(0), token_digest="probe")
                )
                return
            except JournalPaused:
                await asyncio.sleep(0.05)
        raise AssertionError("it stays paused")


UPDATES = '{"a":"subscribe","v":["A","web"],"m":"updates"}'
NUMBERED_WISH = '{"a":"subscribe","v":["A","",0],"m":"numbered_updates"}'
COMPACT = '{"a":"subscribe","v":[[1,14366]],"m":"compact_marketdata"}'


def live(
    directory: Path, disk: FaultyDisk, act: Callable[[Stage], Coroutine[Any, Any, None]]
) -> None:
    """Run something on a stage, and end it cleanly."""

    async def run() -> None:
        stage = Stage(directory, disk)
        await stage.service.until_durable()
        await act(stage)
        stage.hub.close()
        await stage.service.close()

    asyncio.run(run())


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    """Return when something is true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def test_nothing_is_told_before_the_disk_has_it(tmp_path: Path, disk: FaultyDisk) -> None:
    """While the disk waits, no update, no quote and no snapshot leaves; then all do, in order."""

    async def act(stage: Stage) -> None:
        reader = stage.reader(UPDATES, COMPACT)
        await until(lambda: len(reader.frames) == 1)
        disk.may_sync.clear()
        stage.place(1)
        late = stage.reader(NUMBERED_WISH)
        stage.place(2)
        await asyncio.sleep(0.2)
        assert (reader.statuses(), len(reader.frames), late.frames) == ([], 1, [])
        disk.may_sync.set()
        await until(lambda: len(reader.frames) == 4 and len(late.frames) == 2)
        assert reader.statuses() == ["CONFIRMED", "CONFIRMED"]
        assert late.statuses() == ["snapshot 1 ['CONFIRMED']", "2 CONFIRMED"]

    live(tmp_path, disk, act)


@pytest.mark.parametrize("error", ["write", "sync"])
def test_what_a_failed_disk_did_not_take_is_not_told(
    tmp_path: Path, disk: FaultyDisk, error: str
) -> None:
    """Lost updates are never told; what the disk holds after all is told when it works again."""

    async def act(stage: Stage) -> None:
        reader = stage.reader(UPDATES)
        numbered = stage.reader(NUMBERED_WISH)
        stage.place(1)
        await until(lambda: len(reader.frames) == 1 and len(numbered.frames) == 2)
        if error == "write":
            disk.write_error = apsw.FullError
        else:
            disk.sync_error = apsw.IOError
        stage.place(2)
        late = stage.reader(NUMBERED_WISH)
        with pytest.raises(JournalUnavailable):
            await stage.service.until_durable()
        await asyncio.sleep(0.3)
        assert reader.statuses() == ["CONFIRMED"]
        assert late.statuses() == ["snapshot 1 ['CONFIRMED']"], "what is durable, and no more"
        disk.write_error = disk.sync_error = None
        await stage.until_repaired()
        kept = len(stage.service.state.covers_of("A"))
        await until(lambda: len(reader.frames) == kept)
        stage.place(3)
        await until(lambda: len(reader.frames) == kept + 1)
        assert reader.statuses() == ["CONFIRMED"] * (kept + 1)
        told = [f"{number} CONFIRMED" for number in range(1, kept + 2)]
        assert numbered.statuses() == ["snapshot 0 []", *told]
        assert late.statuses() == ["snapshot 1 ['CONFIRMED']", *told[1:]]
        assert kept == 1 or error == "sync"

    live(tmp_path, disk, act)


def test_who_stays_silent_is_asked_and_then_closed(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that is heard stays; a silent one gets a ping, and is closed in the end."""
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(hub_module, "PING_AFTER_SECONDS", 0.2)
    monkeypatch.setattr(hub_module, "IDLE_AFTER_SECONDS", 0.6)

    async def act(stage: Stage) -> None:
        silent, lively = stage.reader(UPDATES), stage.reader(UPDATES)
        loop = asyncio.get_running_loop()
        while silent.goodbye is None:
            lively.heard_at = loop.time()
            await asyncio.sleep(0.02)
        assert silent.goodbye == (1008, "nothing was heard for too long")
        assert silent.pings and not lively.pings
        assert lively.goodbye is None and list(stage.hub.connections) == [lively.listener]
        assert stage.hub.closed["idle"] == 1

    live(tmp_path, disk, act)


def test_a_token_that_is_valid_no_longer_ends_the_connection(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a sweep, who came in with a token that was replaced is closed, and told why."""
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 0.05)

    async def act(stage: Stage) -> None:
        reader = stage.reader(UPDATES)
        await asyncio.sleep(0.15)
        assert reader.goodbye is None
        stage.service.execute(RenewToken(client_id="A", token_digest="another"))
        await until(lambda: reader.goodbye is not None)
        assert reader.goodbye == (1008, "the access token is valid no longer")
        stage.place(1)
        await asyncio.sleep(0.1)
        assert reader.frames == []

    live(tmp_path, disk, act)


def test_a_ring_outlives_its_readers_for_a_while(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that comes back in time resumes; after that, all is forgotten and costs nothing."""
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(hub_module, "RING_KEPT_SECONDS", 0.4)

    async def act(stage: Stage) -> None:
        reader = stage.reader(NUMBERED_WISH)
        await until(lambda: len(reader.frames) == 1)
        epoch = read_numbered(reader.frames[0]).epoch
        assert reader.listener is not None
        reader.listener.left()
        stage.place(1)
        wish = f'{{"a":"subscribe","v":["A","{epoch}",0],"m":"numbered_updates"}}'
        back = stage.reader()
        await until(lambda: len(stage.hub._outbox) == 0)
        back.say(wish)
        assert read_numbered(back.frames[0]).kind is Kind.RESUMED
        assert read_numbered(back.frames[1]).number == 1
        assert back.listener is not None
        back.listener.left()
        await until(lambda: not stage.hub._audiences)
        late = stage.reader(wish)
        await until(lambda: len(late.frames) == 1)
        assert late.statuses() == ["snapshot 0 ['CONFIRMED']"]

    live(tmp_path, disk, act)


def test_who_subscribes_looks_for_as_long_as_he_stays(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A market is asked for at once, again with every sweep, and no more when nobody reads."""
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 0.05)

    async def act(stage: Stage) -> None:
        reader = stage.reader(COMPACT)
        assert stage.attended == [IDEA]
        await until(lambda: len(stage.attended) >= 3)
        reader.say(COMPACT.replace('"subscribe"', '"unsubscribe"'))
        told = len(stage.attended)
        await asyncio.sleep(0.2)
        assert stage.attended == [IDEA] * told

    live(tmp_path, disk, act)
