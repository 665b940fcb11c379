"""What is seen when the disk fails or a step breaks off; requests and batches in detail."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from kavach.core.commands import Kill
from kavach.engine.journal_port import JournalUnavailable
from kavach.journal.sqlite import SqliteJournal
from kavach.telemetry.health import alive, readiness
from kavach.telemetry.http_watch import HttpWatch
from kavach.telemetry.journal_watch import JournalWatch
from kavach.telemetry.metrics import BATCH, COMMIT
from kavach.telemetry.telemetry import Telemetry
from kavach.units import NS_PER_SECOND
from tests.unit.core.scenario import Scene
from tests.unit.telemetry.reading import Figures


def test_a_broken_step_is_neither_alive_nor_ready() -> None:
    """Once a step broke off, health, readiness and the figures say so."""
    scene = Scene()
    telemetry = Telemetry(scene.engine)
    assert alive(scene.engine)
    scene.engine.journal.close()
    with pytest.raises(JournalUnavailable):
        scene.engine.execute(Kill("C"))
    assert not alive(scene.engine)
    assert readiness(scene.engine) == {
        "ready": False,
        "engine": "stopped",
        "journal": "up",
        "venue": "up",
    }
    assert Figures(telemetry.exposition().decode())["kavach_engine_stopped"] == 1


class FailedJournal(SqliteJournal):
    """A journal whose disk is full."""

    @property
    def failure(self) -> JournalUnavailable:
        """Why nothing more becomes durable."""
        return JournalUnavailable("The disk is full.")


def test_a_failed_journal_is_not_ready(tmp_path: Path) -> None:
    """Readiness names the journal without telling strangers more."""
    scene = Scene()
    scene.engine.journal = FailedJournal(tmp_path)
    telemetry = Telemetry(scene.engine)
    found = readiness(scene.engine)
    assert (found["ready"], found["journal"]) == (False, "failed")
    assert "full" not in json.dumps(found)
    assert Figures(telemetry.exposition().decode())["kavach_journal_up"] == 0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """A journal on disk."""
    journal = SqliteJournal(tmp_path / "data")
    yield journal
    journal.close()


def test_every_record_is_in_one_batch_and_some_are_timed(journal: SqliteJournal) -> None:
    """Batches add up to the records; a record that came to disk ends its timing."""
    watch = JournalWatch()
    watch.watch(journal)
    for _ in range(20):
        for _ in range(50):
            watch.appended(journal.append(b"body"))
        journal.wait_durable(journal.append(b"last"))
    journal.close()
    families = {family.name: family for family in watch.collect(journal.durable_sequence)}
    batches = {s.name: s.value for s in families[BATCH.name].samples}
    commits = {s.name: s.value for s in families[COMMIT.name].samples}
    assert batches[f"{BATCH.name}_sum"] == 20 * 51
    assert 1 <= commits[f"{COMMIT.name}_count"] <= batches[f"{BATCH.name}_count"]
    assert 0 < commits[f"{COMMIT.name}_sum"] < 60


def test_an_idle_journal_ages_no_record(journal: SqliteJournal) -> None:
    """A record that is on disk before its timing could begin is not timed until the next one."""
    watch = JournalWatch()
    watch.watch(journal)
    sequence = journal.append(b"body")
    journal.wait_durable(sequence)
    watch.appended(sequence)
    journal.wait_durable(journal.append(b"another"))
    commits = next(iter(watch.collect(2)))
    assert [s.value for s in commits.samples if s.name.endswith("_count")] == [0]


def requests(watch: HttpWatch) -> dict[tuple[str, ...], float]:
    """Return the counts of requests by method, route and status."""
    family = next(iter(watch.collect()))
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def ask(watch: HttpWatch, method: str, path: str) -> list[Message]:
    """Return what a request is answered."""
    answer: list[Message] = []

    async def send(message: Message) -> None:
        answer.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope: Scope = {"type": "http", "method": method, "path": path}
    asyncio.run(watch(scope, receive, send))
    return answer


def test_a_client_that_left_and_an_application_that_broke_are_counted() -> None:
    """Without an answer the status is none; what the application raises goes on to the server."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/broken":
            await send({"type": "http.response.start", "status": 500, "headers": []})
            raise LookupError("broken")

    watch = HttpWatch(application, [("GET", "/gone"), ("GET", "/broken")])
    assert ask(watch, "GET", "/gone") == []
    with pytest.raises(LookupError):
        ask(watch, "GET", "/broken")
    assert requests(watch) == {("GET", "/gone", "none"): 1, ("GET", "/broken", "500"): 1}


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/order/1/history", "/order/{id}/history"),
        ("GET", "/order/1/2/history", "/order/{id}/history"),
        ("GET", "/order/1", "other"),
        ("POST", "/order/1/history", "other"),
        ("DELETE", "/kart/1", "/kart/{id}"),
        ("DELETE", "/kart", "/kart"),
    ],
)
def test_a_path_is_counted_under_its_pattern(method: str, path: str, route: str) -> None:
    """Method and both ends of the pattern must fit."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    patterns = [("GET", "/order/{id}/history"), ("DELETE", "/kart/{id}"), ("DELETE", "/kart")]
    watch = HttpWatch(application, patterns)
    ask(watch, method, path)
    known: Any = "other" if route == "other" else method
    assert requests(watch) == {(known, route, "204"): 1}


def test_seconds_are_told_of_nanoseconds() -> None:
    """The longest naked time of the state is told in seconds."""
    scene = Scene()
    scene.engine.state.naked_ns_max = 3 * NS_PER_SECOND // 2
    seen = Figures(Telemetry(scene.engine).exposition().decode())
    assert seen["kavach_naked_ever_seconds_max"] == 1.5
