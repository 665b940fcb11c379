"""
A program that uses both clients and both feeds, carelessly: run with ``-X dev -W error``.

Its arguments are url, client and token. It prints nothing, and nothing may be left to warn of.
"""

import asyncio
import gc
import sys
import threading
import time
from typing import Any, Final

from kavach.sdk import AsyncFeed, AsyncPocket, Feed, Pocket

URL, CLIENT, TOKEN = sys.argv[1:]
IDEA: Final = ("NSE", 14366)


def bear_a_busy_machine() -> None:
    """Warn of no callback for its time alone."""
    asyncio.get_running_loop().slow_callback_duration = 10


async def again(pocket: AsyncPocket) -> None:
    """Use a client in another loop."""
    bear_a_busy_machine()
    await pocket.orders()


async def careless() -> Any:
    """Forget one client and one feed, and leave another of each open when the loop ends."""
    bear_a_busy_machine()
    async with AsyncPocket(CLIENT, TOKEN, base_url=URL) as closed:
        await closed.orders()
    forgotten = AsyncPocket(CLIENT, TOKEN, base_url=URL)
    await forgotten.orders()
    feed = AsyncFeed(CLIENT, TOKEN, base_url=URL)
    await feed.subscribe("compact", IDEA)
    await feed.receive(5)
    del forgotten, feed
    gc.collect()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if len(asyncio.all_tasks()) == 1:
            break
    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()
    left_open = AsyncPocket(CLIENT, TOKEN, base_url=URL), AsyncFeed(CLIENT, TOKEN, base_url=URL)
    await left_open[0].orders()
    await left_open[1].subscribe_account()
    await left_open[1].receive(5)
    return left_open


def main() -> None:
    """Use everything once, and look for threads."""
    with Pocket(CLIENT, TOKEN, base_url=URL) as closed:
        closed.orders()
    forgotten = Pocket(CLIENT, TOKEN, base_url=URL)
    forgotten.orders()
    pocket, _ = asyncio.run(careless())
    asyncio.run(again(pocket))
    feed = Feed(CLIENT, TOKEN, base_url=URL)
    feed.subscribe("depth", IDEA)
    feed.receive(5)
    del forgotten, feed, pocket
    gc.collect()
    for _ in range(100):
        time.sleep(0.01)
        if threading.active_count() == 1:
            return
    raise AssertionError(threading.enumerate())


if __name__ == "__main__":
    main()
