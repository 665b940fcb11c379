"""Who may come in, on which path, and what a stranger is told."""

import socket
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from tests.reliability.hostile.raw import LOOK, TOKEN_LINE, Raw
from tests.twin_server import TOKEN, TwinServer
from tests.unit.api.feed.stage import Reader, feed_url, text_frame, upgrade

FEED = "/ws/v1/feeds"


@pytest.mark.parametrize(
    "target",
    [
        f"{FEED}?login_id=DEMO1&access_token={TOKEN}",
        f"{FEED}/?login_id=DEMO1&access_token={TOKEN}",
        f"{FEED}?token={TOKEN}&login_id=DEMO1",
        f"{FEED}?token={TOKEN}&access_token={TOKEN}",
        f"{FEED}?access_token={TOKEN}&login_id=",
    ],
)
def test_the_ways_in(server: TwinServer, target: str) -> None:
    """Both paths and both names of the token lead in; the client's name may be left out."""
    with Reader(f"ws://{urlsplit(server.url).netloc}{target}") as reader:
        reader.subscribe("marketdata", [1, 14366])
        assert reader.packet().mode == 1


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ("login_id=DEMO1&access_token=nobody", 401, "UNAUTHORISED"),
        ("login_id=DEMO1", 401, "UNAUTHORISED"),
        ("", 401, "UNAUTHORISED"),
        (f"access_token={TOKEN}&token=other", 401, "UNAUTHORISED"),
        (f"login_id=DEMO2&access_token={TOKEN}", 403, "FORBIDDEN"),
        ("login_id=DEMO1&access_token=%FF%00%F0", 401, "UNAUTHORISED"),
    ],
)
def test_strangers_are_refused_before_the_upgrade(
    server: TwinServer, query: str, status: int, word: str
) -> None:
    """A bad token is 401, somebody else's name 403, in the one error shape."""
    with pytest.raises(InvalidStatus) as refused:
        Reader(f"ws://{urlsplit(server.url).netloc}{FEED}?{query}")
    response = refused.value.response
    assert (response.status_code, response.headers["x-error-reason"]) == (status, word)
    assert b'"error_code":40000' in bytes(response.body or b"")


def test_an_origin_is_not_looked_at(server: TwinServer) -> None:
    """The official client sends one; any will do."""
    with Reader(feed_url(server.url), origin="http://elsewhere.example") as reader:
        reader.subscribe("dpr", [1, 14366])
        assert reader.packet().mode == 7


def test_compression_is_not_offered(server: TwinServer) -> None:
    """One frame goes to all, so it can't be compressed for each."""
    with Reader(feed_url(server.url), compression="deflate") as reader:
        assert reader.connection.protocol.extensions == []


@pytest.mark.parametrize("path", ["/ws/v1/feed", "/", "/api/v1/trades", "/ws/v1/feeds/x"])
def test_elsewhere_the_wish_is_ignored(server: TwinServer, path: str) -> None:
    """Other paths answer such a request as HTTP, as they always did."""
    with Raw(server.url) as raw:
        raw.send(upgrade(path).replace(b"\r\n\r\n", b"\r\n" + TOKEN_LINE + b"\r\n"))
        assert raw.answer().status == (200 if path == "/api/v1/trades" else 404)
        assert raw.send(LOOK).answer().status == 200


def test_the_feed_without_a_wish_is_no_route(server: TwinServer) -> None:
    """A plain GET of the feed's path is HTTP, and there is nothing there."""
    with Raw(server.url) as raw:
        assert raw.send(f"GET {FEED} HTTP/1.1\r\n\r\n".encode()).answer().status == 404


@pytest.mark.parametrize(
    "line",
    [b"Upgrade: h2c\r\n", b"Upgrade: websocket, h2c\r\n", b"Upgrade: websocket\r\nUpgrade: x\r\n"],
)
def test_other_protocols_are_not_spoken(server: TwinServer, line: bytes) -> None:
    """A wish for anything but a WebSocket alone is ignored."""
    target = f"{FEED}?access_token={TOKEN}"
    with Raw(server.url) as raw:
        raw.send(upgrade(target).replace(b"Upgrade: websocket\r\n", line))
        assert raw.answer().status == 404


def test_a_pipelined_wish_is_ignored(server: TwinServer) -> None:
    """An upgrade behind a request that is not answered yet would overtake the answer."""
    with Raw(server.url) as raw:
        raw.send(LOOK + upgrade(f"{FEED}?access_token={TOKEN}"))
        assert [raw.answer().status, raw.answer().status] == [200, 404]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"", b"400"),
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 7", b"400"),
        (b"Sec-WebSocket-Key: dGhl", b"Sec-WebSocket-Key: x", b"400"),
    ],
)
def test_a_bad_handshake_is_refused(
    server: TwinServer, old: bytes, new: bytes, status: bytes
) -> None:
    """What is no WebSocket handshake gets a 4xx, and the connection ends."""
    with Raw(server.url) as raw:
        raw.send(upgrade(f"{FEED}?access_token={TOKEN}").replace(old, new))
        data = b""
        while part := raw.socket.recv(4_096):
            data += part
        assert data.startswith(b"HTTP/1.1 4"), data


def test_a_frame_may_come_with_the_upgrade(server: TwinServer) -> None:
    """What is sent in one piece with the handshake is heard once the client is let in."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), 10) as raw:
        wish = text_frame('{"a":"subscribe","v":[[1,14366]],"m":"compact_marketdata"}')
        raw.sendall(upgrade(f"{FEED}?access_token={TOKEN}") + wish)
        data = b""
        while b"\x82\x2a\x02\x01" not in data:
            part = raw.recv(4_096)
            assert part, data
            data += part


def test_a_large_head_is_refused_here_too(server: TwinServer) -> None:
    """The limits of HTTP hold for the head of an upgrade."""
    head = upgrade(f"{FEED}?access_token={TOKEN}")
    with Raw(server.url) as raw:
        raw.send(head.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 20_000 + b"\r\n\r\n"))
        assert raw.answer().status == 431
