"""
The least that a feed could do: send the bytes that it is told to everybody who is connected.

It stands on the ``websockets`` library's own server and its ``broadcast``, on uvloop. What it
leaves out is everything else: tokens, subscriptions, an exchange, a journal, readers that are
slow. On the path ``/go`` it takes packets, one behind the other, and sends each to all others.
Run with the path of the ready file and the size of a packet.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from kavach.ready_files import Ready, write_ready_file


async def run(ready_file: Path, size: int) -> None:
    """Serve until the process is ended."""
    everybody: set[ServerConnection] = set()

    async def hold(connection: ServerConnection) -> None:
        assert connection.request is not None
        if connection.request.path.startswith("/go"):
            async for told in connection:
                assert isinstance(told, bytes)
                for start in range(0, len(told), size):
                    broadcast(everybody, told[start : start + size])
            return
        everybody.add(connection)
        with suppress(ConnectionClosed):  # However it ended, it has ended.
            async for _ in connection:
                pass
        everybody.discard(connection)

    async with serve(hold, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        [listener] = server.sockets
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ready = Ready(url=url, client_id="", access_token="", operator_token="", pid=os.getpid())
        write_ready_file(ready_file, ready)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(Path(sys.argv[1]), int(sys.argv[2])))
