"""Bytes that are no request, or two at once: refused in the one error shape, nobody hurt."""

import httpx
import pytest

from tests.reliability.hostile.raw import (
    KART,
    LOOK,
    TOKEN_LINE,
    Answer,
    Closed,
    Raw,
    check_envelope,
    request,
)
from tests.twin_server import TwinServer

POST = f"POST {KART} HTTP/1.1\r\n".encode() + TOKEN_LINE
GET = b"GET /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: 2\r\n"
CHUNKS = b"\r\n2\r\n{}\r\n0\r\n\r\n"

# Where two readers could disagree about where a request ends.
SMUGGLED = {
    "two equal lengths": POST + LENGTH + LENGTH + b"\r\n{}",
    "two lengths": POST + LENGTH + b"Content-Length: 20\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a hexadecimal length": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "an empty length": POST + b"Content-Length: \r\n\r\n{}",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "length and chunks": POST + LENGTH + CHUNKED + CHUNKS,
    "chunks and length": POST + CHUNKED + LENGTH + CHUNKS,
    "chunks twice": POST + CHUNKED + CHUNKED + CHUNKS,
    "chunks not last": POST + b"Transfer-Encoding: chunked, identity\r\n" + CHUNKS,
    "a coding like chunked": POST + b"Transfer-Encoding: xchunked\r\n" + CHUNKS,
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n{}",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n" + CHUNKS,
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n" + CHUNKS,
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n" + CHUNKS,
    "a chunk of no size": POST + CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk of negative size": POST + CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond 64 bits": POST + CHUNKED + b"\r\nFFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "chunks ended by line feeds": POST + CHUNKED + b"\r\n2\n{}\n0\n\n",
    "lines ended by line feeds": GET.replace(b"\r\n", b"\n") + b"\n",
    "lines ended by returns": GET.replace(b"\r\n", b"\r") + b"\r\n",
}
JUNK = {
    "TLS": bytes.fromhex("16030100a5010000a10303") + bytes(154),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH": b"SSH-2.0-client\r\n",
    "nothing known": b"\r\n\r\n\x00\xff\xfe\r\n\r\n",
    "HTTP of no version": b"GET /api/v1/trades HTTP/1.2\r\n\r\n",
    "no slash": b"GET api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "no host": b"GET http:///api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "a tunnel": b"CONNECT other.example:80 HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "NUL in a path": b"GET /api/v1/tra\0des HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "a path that is not ASCII": b"GET /api/v1/tr\xc3\xa9 HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "a space in a path": b"GET /api/v1/tra des HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "NUL in a name": GET + b"A\0b: c\r\n\r\n",
    "NUL in a value": GET + b"Ab: c\0d\r\n\r\n",
    "a return in a value": GET + b"Ab: c\rd: e\r\n\r\n",
    "no colon": GET + b"Abcd\r\n\r\n",
    "no name": GET + b": x\r\n\r\n",
    "a space in a name": GET + b"A b: x\r\n\r\n",
    "a space before a name": b"GET /api/v1/trades HTTP/1.1\r\n Ab: x\r\n" + TOKEN_LINE + b"\r\n",
    "a small method": b"get /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "a method of no one": b"BREW /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "a method without end": b"G" * 100_000,
}
TOO_LARGE = {
    "8000 lines": GET + b"".join(b"X-%d: y\r\n" % n for n in range(8_000)) + b"\r\n",
    "101 lines": GET + b"X: y\r\n" * 100 + b"\r\n",
    "a long line": GET + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",
    "a line without end": GET + b"X: " + b"y" * 1_000_000,
    "a long name": GET + b"X" * 1_000_000 + b": y\r\n\r\n",
    "a long path": b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n",
    "a path without end": b"GET /" + b"y" * 400_000,
    "17 kB in ten lines": GET
    + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1_700) for n in range(10))
    + b"\r\n",
    "a trailer without end": POST + CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX: " + b"y" * 1_000_000,
    "crumbs": POST + CHUNKED + b"\r\n" + b"1\r\n{\r\n" * 60_000,
}


@pytest.mark.parametrize("name", [*SMUGGLED, *JUNK])
def test_what_is_no_request_is_refused(twin: TwinServer, name: str) -> None:
    """Envelope A under 400, then the end of the connection, and nothing has happened."""
    before = twin.audit()["state_hash"]
    with Raw(twin.url) as raw:
        raw.send((SMUGGLED | JUNK)[name])
        answers = raw.everything()
    assert len(answers) == 1
    check_envelope(answers[0], 400)
    assert answers[0].word == "MALFORMED"
    assert answers[0].headers["connection"] == "close"
    assert twin.audit()["state_hash"] == before


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_head_has_an_end(twin: TwinServer, name: str) -> None:
    """More than 16 kB or 100 lines of head, or 64 kB around a body, is 431 and the end."""
    with Raw(twin.url) as raw:
        try:
            raw.send(TOO_LARGE[name])
            answers = raw.everything()
        except Closed:  # The rest of it was refused while it was being sent.
            answers = raw.everything()
    assert [answer.word for answer in answers] == ["HEAD_TOO_LARGE"]
    check_envelope(answers[0], 431)


@pytest.mark.parametrize("piece", [1, 7, 1_460])
def test_a_head_of_permitted_size(twin: TwinServer, piece: int) -> None:
    """100 lines and nearly 16 kB are served, in whatever pieces they come."""
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 140) for n in range(98))
    whole = b"GET /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + lines + b"\r\n"
    assert len(whole) < 16_000
    with Raw(twin.url) as raw:
        for start in range(0, len(whole), piece):
            raw.send(whole[start : start + piece])
        assert raw.answer().status == 200


@pytest.mark.parametrize("name", ["junk", "smuggled", "a long head"])
def test_requests_before_the_junk_are_answered_first(twin: TwinServer, name: str) -> None:
    """What follows an order is never the answer to the order."""
    junk = {
        "junk": b"\x16\x03\x01junk\r\n\r\n",
        "smuggled": SMUGGLED["length and chunks"],
        "a long head": TOO_LARGE["8000 lines"],
    }[name]
    body = (
        b'{"exchange":"NSE","instrument_token":14366,"client_id":"DEMO1","order_type":"LIMIT",'
        b'"price":12.9,"quantity":1,"validity":"DAY","product":"MIS","order_side":"BUY",'
        b'"execution_type":"CO","stop_loss_value":12.5}'
    )
    with Raw(twin.url) as raw:
        raw.send(request("POST", KART, body) + LOOK + junk)
        answers = raw.everything()
    assert [answer.status for answer in answers[:2]] == [200, 200]
    assert "basket_id" in answers[0].json()["data"]["data"]
    assert [answer.word for answer in answers[2:]] in (["MALFORMED"], ["HEAD_TOO_LARGE"])


def test_an_answer_to_a_broken_body_comes_once(twin: TwinServer) -> None:
    """A body that breaks off in nonsense is refused as a whole, after the answers before it."""
    broken = POST + CHUNKED + b"\r\n2\r\n{}\r\nnonsense\r\n\r\n"
    with Raw(twin.url) as raw:
        raw.send(LOOK * 3 + broken + LOOK)
        answers = raw.everything()
    assert [answer.status for answer in answers] == [200, 200, 200, 400]
    assert answers[-1].word == "MALFORMED"


@pytest.mark.parametrize(
    ("raw_request", "status"),
    [
        (b"GET http://other.example/api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n", 200),
        (b"GET https://x@other.example:1/api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n", 404),
        (b"GET /api/v1/trades#all HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n", 200),
        (b"GET /api/v1/trades HTTP/1.0\r\n" + TOKEN_LINE + b"\r\n", 200),
        (b"GET /api/v1/trades\r\n\r\n", 401),
        (b"TRACE /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n", 405),
        (GET + b"Content-Length: 5\r\n\r\nhello", 200),
        (POST + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n{}", 400),
        (POST + CHUNKED + b"\r\n2;extension=1\r\n{}\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n" + CHUNKS, 400),
    ],
)
def test_odd_but_permitted(twin: TwinServer, raw_request: bytes, status: int) -> None:
    """What HTTP allows is answered by the API itself, with its request id."""
    with Raw(twin.url) as raw:
        answer = raw.send(raw_request).answer()
    assert answer.status == status
    assert "x-request-id" in answer.headers


def test_a_trailer_is_no_header(twin: TwinServer) -> None:
    """A token behind the body opens nothing: whoever checks headers on the way has not seen it."""
    path = f"POST {KART} HTTP/1.1\r\n".encode()
    with Raw(twin.url) as raw:
        raw.send(path + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + TOKEN_LINE + b"\r\n" + LOOK)
        assert raw.answer().status == 401
        assert raw.answer().status == 200


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0"])
def test_a_wish_for_another_protocol_is_ignored(twin: TwinServer, protocol: bytes) -> None:
    """As HTTP allows; the body of such a request is read, and so is what follows it."""
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
    with Raw(twin.url) as raw:
        raw.send(POST + wish + LENGTH + b"\r\n{}" + GET + wish + b"\r\n" + LOOK)
        answers: list[Answer] = [raw.answer() for _ in range(3)]
    assert [answer.status for answer in answers] == [400, 200, 200]
    assert answers[0].word == "BLANK"  # The body {} was read: its first field is missing.


def test_others_are_served_meanwhile(twin: TwinServer) -> None:
    """While one connection sends each of these shapes, a neighbour gets its answers."""
    with httpx.Client(base_url=twin.url, headers=dict(twin.http.headers)) as neighbour:
        for shape in (SMUGGLED | JUNK | TOO_LARGE).values():
            with Raw(twin.url) as raw:
                raw.socket.settimeout(5)
                raw.socket.setblocking(False)
                raw.socket.send(shape[:65_536])
                assert neighbour.get("/api/v1/trades").status_code == 200
    assert twin.audit()["violations"] == []
