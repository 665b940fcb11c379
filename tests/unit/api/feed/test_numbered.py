"""Numbered updates: nothing is missed across lost connections, restarts and kills."""

import signal
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from kavach.api.feed.audience import RING_ENTRIES_MAX, Ring
from kavach.api.feed.stories import Told
from kavach.wire.feed.updates import Kind, Numbered
from tests.twin_server import TwinServer, running
from tests.unit.api.feed.stage import Reader, feed_url
from tests.unit.api.feed.test_orders import place, rows, sell


def subscribe(reader: Reader, epoch: str = "", number: int = 0) -> Numbered:
    """Return the first numbered update of a subscription that resumes here."""
    reader.subscribe("numbered_updates", "DEMO1", epoch, number)
    first: Numbered = reader.numbered()
    return first


def statuses(snapshot: Numbered) -> list[str]:
    """Return the statuses of the rows of a snapshot."""
    return [row["order_status"] for row in snapshot.data["orders"]]


def test_a_new_reader_gets_all_rows_and_then_changes(fresh: TwinServer) -> None:
    """The snapshot is the order book; what happens after it is numbered from there."""
    place(fresh, quantity=100)
    sell(fresh, 40, 13)
    with Reader(feed_url(fresh.url)) as reader:
        first = subscribe(reader)
        assert (first.kind, first.data["complete"]) == (Kind.SNAPSHOT, True)
        book = rows(fresh)
        assert [r["oms_order_id"] for r in first.data["orders"]] == [
            r["oms_order_id"] for r in book
        ]
        assert statuses(first) == [r["order_status"] for r in book]
        assert [t["filled_quantity"] for t in first.data["trades"]] == [40]
        assert [p["net_quantity"] for p in first.data["positions"]] == [40]
        sell(fresh, 60, 13)
        seen = [reader.numbered() for _ in range(5)]
        assert reader.silent()
    assert [update.number for update in seen] == [first.number + n for n in range(1, 6)]
    assert [update.kind for update in seen] == [
        Kind.ORDER,
        Kind.TRADE,
        Kind.ORDER,
        Kind.ORDER,
        Kind.POSITION,
    ]


def test_who_comes_back_gets_what_was_missed(fresh: TwinServer) -> None:
    """Updates of the time without a connection come in order, and no snapshot."""
    with Reader(feed_url(fresh.url)) as reader:
        first = subscribe(reader)
        place(fresh, quantity=100)
        last = reader.numbered()
    sell(fresh, 100, 13)
    with Reader(feed_url(fresh.url)) as reader:
        resumed = subscribe(reader, first.epoch, last.number)
        assert (resumed.kind, resumed.number) == (Kind.RESUMED, last.number)
        seen = [reader.numbered() for _ in range(4)]
        place(fresh, quantity=7, user_order_id=9)
        seen.append(reader.numbered())
        assert reader.silent()
    assert [update.number for update in seen] == list(range(last.number + 1, last.number + 6))
    assert {update.epoch for update in seen} == {first.epoch}


@pytest.mark.parametrize(("epoch", "ahead"), [("", 0), ("another", 0), (None, 1_000), (None, 1)])
def test_who_comes_from_elsewhere_gets_all_rows(
    fresh: TwinServer, epoch: str | None, ahead: int
) -> None:
    """No epoch, another epoch, or a number that was not told yet: a snapshot."""
    with Reader(feed_url(fresh.url)) as reader:
        first = subscribe(reader)
        place(fresh, quantity=100)
        last = reader.numbered()
    with Reader(feed_url(fresh.url)) as reader:
        again = subscribe(reader, first.epoch if epoch is None else epoch, last.number + ahead)
        assert (again.kind, statuses(again)) == (Kind.SNAPSHOT, ["CONFIRMED"])
        assert (again.epoch, again.number) == (first.epoch, last.number)


def test_a_ring_gives_what_it_has_and_nothing_else() -> None:
    """Within what is kept the rest is exact; beyond it there is none; memory is bounded."""
    ring = Ring()
    for _ in range(RING_ENTRIES_MAX + 100):
        ring.add(Told(Kind.ORDER, b"{}"))
    assert len(ring) == RING_ENTRIES_MAX
    assert ring.since(ring.epoch, ring.number) == []
    kept = ring.since(ring.epoch, ring.number - RING_ENTRIES_MAX)
    assert kept is not None and len(kept) == RING_ENTRIES_MAX
    assert ring.since(ring.epoch, ring.number - RING_ENTRIES_MAX - 1) is None
    ring.add(Told(Kind.ORDER, b"x" * 900_000))
    ring.add(Told(Kind.ORDER, b"y" * 900_000))
    assert len(ring) == 1 and ring.held_bytes < 1024 * 1024
    assert ring.since(ring.epoch, ring.number - 2) is None


def test_a_reset_is_another_epoch(fresh: TwinServer) -> None:
    """A reader that stays is given the rows of the new world, of which there are none."""
    with Reader(feed_url(fresh.url)) as reader:
        first = subscribe(reader)
        place(fresh, quantity=100)
        reader.numbered()
        fresh.room("POST", "reset")
        again = reader.numbered()
        assert (again.kind, again.data["orders"]) == (Kind.SNAPSHOT, [])
        assert again.epoch != first.epoch
        place(fresh, quantity=5)
        assert reader.numbered().number == again.number + 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_loses_nothing(tmp_path: Path, how: signal.Signals) -> None:
    """After a stop or a kill the rows of the snapshot hold all that was told before, and more."""
    data = tmp_path / "data"
    with (
        running("--data-dir", data, directory=tmp_path) as server,
        Reader(feed_url(server.url)) as reader,
    ):
        first = subscribe(reader)
        place(server, quantity=100)
        sell(server, 40, 13)
        told = [reader.numbered() for _ in range(5)]
        server.process.send_signal(how)
        if how is signal.SIGTERM:
            assert reader.end() == (1012, "the server is stopping")
        server.process.wait(30)
    with (
        running("--data-dir", data, directory=tmp_path) as server,
        Reader(feed_url(server.url)) as reader,
    ):
        again = subscribe(reader, first.epoch, told[-1].number)
        assert (again.kind, again.epoch != first.epoch) == (Kind.SNAPSHOT, True)
        assert statuses(again) == ["PARTIAL_TRADE", "TRIGGER_PENDING"]
        trades = {trade["trade_id"] for trade in again.data["trades"]}
        assert {u.data["trade_id"] for u in told if u.kind is Kind.TRADE} <= trades


def test_what_was_told_survives_a_kill(tmp_path: Path) -> None:
    """Kill a server under load: every update that a reader has seen is in the book afterwards."""
    data = tmp_path / "data"
    for turn in range(3):
        with running("--data-dir", data, directory=tmp_path) as server:
            reader = Reader(feed_url(server.url))
            reader.subscribe("updates", "DEMO1", "web")
            reader.settle()
            load = threading.Thread(target=place_on, args=(server, 1_000 * turn))
            load.start()
            told = {update["oms_order_id"] for _, update in reader.updates(10 + 5 * turn)}
            server.process.kill()
            load.join()
            told |= rest(reader)
        with running("--data-dir", data, directory=tmp_path) as server:
            assert told <= {row["oms_order_id"] for row in rows(server)}


def place_on(server: TwinServer, user_order_id: int) -> None:
    """Place orders until the server is gone."""
    with suppress(httpx.HTTPError):
        while True:
            place(server, quantity=1, user_order_id=user_order_id)
            user_order_id += 1


def rest(reader: Reader) -> set[str]:
    """Return the orders whose updates had still arrived when the server died."""
    found = set()
    with suppress(ConnectionClosed), reader:
        while True:
            found.add(reader.update()[1]["oms_order_id"])
    return found
