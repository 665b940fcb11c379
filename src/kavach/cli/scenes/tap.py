"""
HTTP with nothing hidden: the very bytes of a request and of its answer.

One request a connection, so that what is shown is all there was. Understands just what the
twin sends: a status line, headers, and a body of a stated length.

Source: RFC 9112.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

_END_OF_HEAD: Final = b"\r\n\r\n"


class Exchanged(msgspec.Struct, frozen=True):
    """A request and its answer, as they went over the wire."""

    request: bytes
    head: bytes  # Status line and headers of the answer.
    body: bytes

    @property
    def answer(self) -> Any:
        """The answer's JSON."""
        return msgspec.json.decode(self.body)

    @property
    def status(self) -> int:
        """The answer's HTTP status."""
        return int(self.head.split(b" ", 2)[1])


class Tap:
    """A client of one server, with one token."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port, url
        self._host, self._port, self._token = parts.hostname, parts.port, token

    async def exchange(self, method: str, path: str, body: object = None) -> Exchanged:
        """Return what was sent and what came back."""
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Authorization: Bearer {self._token}",
            "Connection: close",
        ]
        if content:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        request = "\r\n".join(lines).encode() + _END_OF_HEAD + content
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(request)
            answer = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        head, _, answer_body = answer.partition(_END_OF_HEAD)
        return Exchanged(request, head, answer_body)
