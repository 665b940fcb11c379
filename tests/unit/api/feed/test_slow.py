"""Slow readers, crowds and mischief: bounded memory, nobody else waits, updates are not lost."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from kavach.api.feed.channel import UPDATE_BYTES_MAX, Backlog
from kavach.api.feed.connection import GARBAGE_MAX, MESSAGES_MAX, SUBSCRIPTIONS_MAX
from kavach.api.feed.topics import Topic
from kavach.units import Exchange
from kavach.wire.feed import packets
from kavach.wire.feed.wishes import Mode
from tests.twin_server import TwinServer, running
from tests.unit.api.feed.stage import Reader, feed_url, raw_reader, text_frame
from tests.unit.api.feed.test_market import IDEA, quote
from tests.unit.api.feed.test_orders import place, sell


class Pipe:
    """Where frames go; takes so many bytes before it is full."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.written: list[bytes] = []
        self.backlog: Backlog | None = None

    def write(self, frames: bytes) -> None:
        """Take frames, and say so when there is no more room."""
        assert self.backlog is not None
        self.written.append(frames)
        self.room -= len(frames)
        if self.room <= 0:
            self.backlog.hold_back()


def topic(number: int) -> Topic:
    """Return a topic whose frame tells its version."""
    made = Topic(Mode.MARKETDATA, Exchange.NSE, None)
    made.frame = b"%d:0" % number
    return made


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.integers(0, 3)),
        st.tuples(st.just("update"), st.integers(0, 0)),
        st.tuples(st.just("read"), st.integers(1, 30)),
    ),
    max_size=60,
)


@given(DEEDS, st.integers(0, 40))
def test_a_backlog_against_a_naive_one(deeds: list[tuple[str, int]], room: int) -> None:
    """All updates arrive in order; of each topic the last version arrives; marks are bounded."""
    pipe = Pipe(room)
    backlog = pipe.backlog = Backlog(pipe)
    if room == 0:
        backlog.hold_back()
    topics = [topic(number) for number in range(4)]
    updates, shown, waits, conflated = 0, set(), set(), 0
    for version, (deed, number) in enumerate(deeds, 1):
        if deed == "show":
            topics[number].frame = b"%d:%d" % (number, version)
            conflated += number in waits
            clear = backlog.clear
            backlog.show(topics[number])
            if not clear:
                waits.add(number)
            shown.add(number)
        elif deed == "update":
            updates += 1
            assert backlog.update(b"u%d" % updates)
        else:
            pipe.room = number
            backlog.go_on()
            waits = {n for n in waits if topics[n].frame not in pipe.written}
        assert backlog.marks <= len(topics)
    pipe.room = 10**6
    backlog.go_on()
    assert [frame for frame in pipe.written if frame[:1] == b"u"] == [
        b"u%d" % number for number in range(1, updates + 1)
    ]
    for number in shown:
        mine = [frame for frame in pipe.written if frame.startswith(b"%d:" % number)]
        assert mine[-1] == topics[number].frame
        assert len(set(mine)) == len(mine), "no version is sent twice"
    assert (backlog.held_bytes, backlog.marks) == (0, 0)
    assert backlog.sent == len(pipe.written)
    assert backlog.conflated == conflated


def test_a_backlog_is_full_at_its_limit() -> None:
    """Updates beyond the limit find no room; a snapshot that was asked for is not counted."""
    pipe = Pipe(0)
    backlog = pipe.backlog = Backlog(pipe)
    backlog.hold_back()
    assert backlog.update(b"s" * (2 * UPDATE_BYTES_MAX), bulk=True)
    assert backlog.has_bulk
    frame = b"u" * 1_024
    room = [backlog.update(frame) for _ in range(UPDATE_BYTES_MAX // 1_024 + 1)]
    assert room.count(False) == 1 and not room[-1]
    assert backlog.held_bytes == UPDATE_BYTES_MAX + 1_024


def test_a_slow_reader_gets_the_newest_quote(fresh: TwinServer) -> None:
    """Who does not read for thousands of changes is sent few packets, the last of them new."""
    instruments = [[1, 14366], [1, 11915], [1, 10666], [1, 3045], [1, 1333], [1, 2885]]
    wish = json.dumps({"a": "subscribe", "v": instruments, "m": "full_snapquote"})
    with raw_reader(feed_url(fresh.url)) as raw:
        raw.sendall(text_frame(wish))
        with Reader(feed_url(fresh.url)) as quick:
            quick.subscribe("full_snapquote", IDEA)
            quick.packet()
            for number in range(600):
                quote(fresh, (1_200 + 5 * (number % 10)) / 100, 13.5)
            quote(fresh, 12.75, 13.5)
            newest = b"\x82\x7e\x00\xa6" + last(quick)
        data = b""
        while not data.endswith(newest):
            part = raw.recv(65_536)
            assert part
            data += part
        assert data.count(newest) == 1


def last(reader: Reader) -> bytes:
    """Return the last frame of those that come."""
    frame = b""
    while True:
        try:
            frame = reader.frame(0.5)
        except TimeoutError:
            return frame


def test_who_does_not_fetch_updates_is_told_why(fresh: TwinServer) -> None:
    """Order updates are not dropped in silence: 1013 with a reason, and others lose nothing."""
    with raw_reader(feed_url(fresh.url)) as raw, Reader(feed_url(fresh.url)) as quick:
        raw.sendall(text_frame('{"a":"subscribe","v":["DEMO1","web"],"m":"updates"}'))
        quick.subscribe("updates", "DEMO1", "web")
        quick.settle()
        place(fresh, quantity=100_000)
        told = 1
        while closed(fresh) == 0:
            for _ in range(200):
                sell(fresh, 1, 13)
            told += 200
            assert told < 20_000, "it was never closed"
        trades = 0
        while trades < told - 1:
            mode, _ = quick.update()
            trades += mode == 51
        data = b""
        while part := raw.recv(1 << 20):
            data += part
        assert b"too slow: order updates could not be delivered" in data[-200:]


def closed(server: TwinServer) -> int:
    """Return how many readers were closed because they are slow."""
    text = server.http.get("/metrics").text
    [line] = [
        x for x in text.splitlines() if x.startswith('kavach_feed_closed_total{reason="slow"}')
    ]
    return int(float(line.split()[-1]))


def test_too_much_is_closed_with_a_reason(fresh: TwinServer) -> None:
    """Garbage, floods, endless subscriptions and huge messages end the connection, and say why."""
    wish = {"a": "subscribe", "m": "marketdata"}
    with Reader(feed_url(fresh.url)) as reader:
        for _ in range(GARBAGE_MAX + 1):
            reader.connection.send("{")
        code, reason = reader.end()
        assert code == 1008 and "not understood" in reason
    with Reader(feed_url(fresh.url)) as reader:
        # So many must come between two sweeps; on a busy machine a sweep comes in between.
        with suppress(ConnectionClosed):
            for _ in range(20 * MESSAGES_MAX):
                reader.connection.send('{"a":"h"}')
        assert reader.end() == (1008, "too many messages")
    with Reader(feed_url(fresh.url)) as reader:
        reader.connection.send(json.dumps(wish | {"v": "x" * 70_000}))
        assert reader.end()[0] == 1009
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("dpr", IDEA)
        assert reader.packet().mode == 7, "and the server lives"
    assert SUBSCRIPTIONS_MAX > 3_000


@pytest.mark.parametrize("garbage", ["", "x", "[1]", '{"v":1}', "null", "\x00", '{"a":{}}'])
def test_a_little_garbage_is_forgiven(fresh: TwinServer, garbage: str) -> None:
    """What is not understood is passed over, text or not."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.connection.send(garbage)
        reader.connection.send(garbage.encode() + b"\xff\xfe")
        reader.connection.send(b'{"a":"subscribe","v":[[1,14366]],"m":"dpr"}')
        assert reader.packet().mode == 7


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x01x",  # Not masked.
        b"\x83\x80\0\0\0\0",  # An opcode that nobody knows.
        b"\xc1\x80\0\0\0\0",  # A reserved bit.
        b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126,  # A ping that is too long.
        b"\x80\x80\0\0\0\0",  # A continuation of nothing.
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # A message of 2**63 bytes.
    ],
)
def test_what_is_no_websocket_is_closed(fresh: TwinServer, frame: bytes) -> None:
    """Bytes that break the protocol end that connection, with a close frame, and no other."""
    with raw_reader(feed_url(fresh.url)) as raw, Reader(feed_url(fresh.url)) as other:
        raw.sendall(frame)
        data = b""
        while part := raw.recv(4_096):
            data += part
        assert data[:1] == b"\x88"
        other.subscribe("dpr", IDEA)
        assert other.packet().mode == 7
    assert "Traceback" not in fresh.said()


def test_a_message_in_parts_is_one_message(fresh: TwinServer) -> None:
    """Fragments are put together; a ping between them is answered."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.connection.send(iter(['{"a":"subscribe",', '"v":[[1,14366]],', '"m":"dpr"}']))
        assert reader.packet().mode == 7


def test_a_storm_of_reconnects_is_weathered(fresh: TwinServer) -> None:
    """Hundreds of connections that come, subscribe and go at once leave nothing behind."""
    url = feed_url(fresh.url)

    def visit(number: int) -> int:
        with Reader(url) as reader:
            reader.subscribe("marketdata", IDEA)
            reader.subscribe("numbered_updates", "DEMO1")
            first = reader.frame()
            if number % 3 == 0:
                reader.connection.socket.shutdown(socket.SHUT_RDWR)
            return first[0]

    with ThreadPoolExecutor(16) as pool:
        seen = set(pool.map(visit, range(300)))
    assert seen <= {1, 90}
    deadline = time.monotonic() + 10
    while readers(fresh) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert readers(fresh) == 0
    assert fresh.process.poll() is None and "Traceback" not in fresh.said()


def readers(server: TwinServer) -> int:
    """Return how many connections of the feed there are."""
    text = server.http.get("/metrics").text
    [line] = [x for x in text.splitlines() if x.startswith("kavach_feed_connections ")]
    return int(float(line.split()[-1]))


def test_more_readers_than_http_connections() -> None:
    """Twelve hundred readers hold no place of an HTTP connection, and each hears a quote."""
    with running("--data-dir", ":memory:") as server, ExitStack() as stack:
        wish = text_frame('{"a":"subscribe","v":[[1,14366]],"m":"compact_marketdata"}')
        crowd = [
            stack.enter_context(raw_reader(feed_url(server.url), 16_384)) for _ in range(1_200)
        ]
        for raw in crowd:
            raw.sendall(wish)
        for raw in crowd:
            assert take(raw, 44)[:4] == b"\x82\x2a\x02\x01"
        assert readers(server) == 1_200
        quote(server, 12.9, 13.05)
        for raw in crowd:
            packet = packets.decode(take(raw, 44)[2:])
            assert isinstance(packet, packets.CompactMarketdata)
            assert packet.bid_price == 1_290


def take(raw: socket.socket, size: int) -> bytes:
    """Return so many bytes."""
    data = b""
    while len(data) < size:
        part = raw.recv(size - len(data))
        assert part, data
        data += part
    return data
