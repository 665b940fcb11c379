"""A client that sends any bytes it likes, and reads what comes back for what it is."""

import json
import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.twin_server import TOKEN

TOKEN_LINE = f"Authorization: Bearer {TOKEN}\r\n".encode()
KART = "/api/v1/orders/kart"
LOOK = b"GET /api/v1/trades HTTP/1.1\r\n" + TOKEN_LINE + b"\r\n"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def word(self) -> str:
        """The stable word for a refusal, or ""."""
        return self.headers.get("x-error-reason", "")

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Closed(Exception):
    """The server ended the connection; ``reset`` if not in the orderly way."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Raw:
    """One connection, byte by byte."""

    def __init__(self, url: str, *, seconds: float = 15, window: int = 0) -> None:
        address = urlsplit(url)
        self.socket = socket.socket()
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(seconds)
        self.socket.connect((address.hostname, address.port))
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> "Raw":
        """Send bytes; raises ``Closed`` if the server does not want them, or ``TimeoutError``."""
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(reset=True) from error
        return self

    def answer(self) -> Answer:
        """Return the next answer; raises ``Closed`` if there is none, ``TimeoutError``."""
        head = self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if status == "100":
            return self.answer()
        return Answer(int(status), headers, self._take(int(headers["content-length"])))

    def ended(self) -> bool:
        """Return whether the server ends the connection within the time of the socket."""
        try:
            self._more()
        except Closed:
            return True
        return False

    def everything(self) -> list[Answer]:
        """Return all answers until the server ends the connection."""
        found = []
        try:
            while True:
                found.append(self.answer())
        except Closed:
            return found

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, self._read = self._read.split(mark, 1)
        return found

    def _take(self, count: int) -> bytes:
        while len(self._read) < count:
            self._more()
        found, self._read = self._read[:count], self._read[count:]
        return found

    def _more(self) -> None:
        try:
            data = self.socket.recv(65_536)
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(reset=True) from error
        if not data:
            raise Closed(reset=False)
        self._read += data


def check_envelope(answer: Answer, status: int) -> None:
    """Fail unless this is envelope A under this status."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert set(told) == {"data", "error_code", "message", "status"}
    assert (told["data"], told["status"]) == ({}, "error")
    assert isinstance(told["error_code"], int) and told["message"]


def request(
    method: str, path: str, body: bytes = b"", *lines: str, token: bytes = TOKEN_LINE
) -> bytes:
    """Return a well-formed request."""
    more = "".join(f"{line}\r\n" for line in lines)
    head = f"{method} {path} HTTP/1.1\r\nHost: twin\r\nContent-Length: {len(body)}\r\n{more}"
    return head.encode("latin-1") + token + b"\r\n" + body


def within(seconds: float, started: float) -> bool:
    """Return whether less than this has passed since ``started`` (``time.monotonic``)."""
    return time.monotonic() - started < seconds
