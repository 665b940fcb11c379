"""
The least that a server could do: parse a cancel, answer it, and know nothing.

It stands on the very server that ``kavach serve`` uses, with the same settings; what it leaves
out is everything else: access tokens, orders, an engine, a journal. Run with the path of the
ready file as its argument.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from starlette.types import Receive, Scope, Send

from kavach.program.process import spare_the_collector
from kavach.program.server import Server, http_config, listen, url_of
from kavach.ready_files import Ready, write_ready_file
from kavach.wire.orders import answers
from kavach.wire.orders.requests import cancel_decoder

_ENCODE: Final = msgspec.json.Encoder().encode
_BASKET_ID: Final = "202606010000001"


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer any request as if it were a cancel that came in time."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    cancel_decoder.decode(body)
    answer = _ENCODE(answers.cancelled(_BASKET_ID, answers.CANCELLED))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(answer)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def main(ready_file: Path) -> None:
    """Serve until the process is ended."""
    with listen("127.0.0.1", 0) as listener:
        ready = Ready(
            url=url_of(listener), client_id="", access_token="", operator_token="", pid=os.getpid()
        )
        spare_the_collector()
        server = Server(http_config(bare), lambda: write_ready_file(ready_file, ready))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
