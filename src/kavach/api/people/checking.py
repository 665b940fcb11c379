"""
Comparing secrets with digests, which is slow on purpose, where strangers take nobody's place.

Theory. A comparison costs 20 ms of a processor, so it runs on threads, two at a time, and only so
many may wait. If a login by a name that is nobody's took such a place, a few connections with
invented names would keep everybody out. It takes none: its answer is known, and only has to come
as late as that of a name that exists. One stranger at a time is really compared, on a thread of
their own, which keeps what is known of the time that it takes at present; all others wait for as
long as one of the last comparisons took, those of clients and their waiting for a place included.

Source: docs/wire/login.md, "How often one may guess"; RFC 9106; docs/decisions/0027.
"""

import asyncio
import random
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from kavach.credentials import is_secret

THREADS: Final = 2
WAITING_MAX: Final = 32  # Comparisons that wait for a thread: less than a second's worth.
TIMES_KEPT: Final = 32
NO_DIGEST: Final = ""  # Of nobody; comparing with it takes as long as with any.


class TooManyLogins(Exception):
    """All threads are busy, and enough wait for them."""


class Checking:
    """Threads that compare, and how long they took for the last."""

    def __init__(self) -> None:
        # Their threads are begun when they are first needed.
        self._clients = ThreadPoolExecutor(THREADS, "login")
        self._strangers = ThreadPoolExecutor(1, "stranger")
        self._waiting = 0
        self._took: deque[float] = deque(maxlen=TIMES_KEPT)  # Seconds, waiting included.
        self._stranger: asyncio.Future[bool] | None = None  # The one that is compared.
        self._chance = random.SystemRandom()

    def check_room(self) -> None:
        """Raise ``TooManyLogins`` if too many wait; asked of strangers, too, before all else."""
        if self._waiting >= WAITING_MAX:
            raise TooManyLogins

    async def is_secret(self, secret: str, digest: str) -> bool:
        """Return whether a client's secret is the one of the digest."""
        begun = time.monotonic()
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._clients, is_secret, secret, digest)
        finally:
            self._waiting -= 1
            self._took.append(time.monotonic() - begun)

    async def be_as_slow(self, secret: str) -> None:
        """Return after as long as a comparison takes."""
        if self._stranger is None:
            await self._compare_for_nothing(secret)
        elif self._took:
            await asyncio.sleep(self._chance.choice(self._took))
        else:
            await asyncio.wait([self._stranger])

    async def _compare_for_nothing(self, secret: str) -> None:
        begun = time.monotonic()
        loop = asyncio.get_running_loop()
        self._stranger = loop.run_in_executor(self._strangers, is_secret, secret, NO_DIGEST)
        try:
            await self._stranger
        finally:
            self._stranger = None
            self._took.append(time.monotonic() - begun)
