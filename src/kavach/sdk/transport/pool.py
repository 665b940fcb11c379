"""
A pool of connections, and how many calls are using it.

An interrupt or a cancellation can strike between two lines of the HTTP library's own accounts. Then
a connection stays in use for ever that no call uses, and after a hundred of them no call finds one
any more. So a pool on which a call was cut off is retired: new calls get another one, and it is
closed when the last call on it has ended.

Source: httpcore2's ``ConnectionPool``; docs/decisions/0032-one-deadline-one-guard.md.
"""

import threading
from typing import Generic, TypeVar

import httpx2

H = TypeVar("H", httpx2.Client, httpx2.AsyncClient)


class Pool(Generic[H]):
    """An httpx2 client with its connections."""

    def __init__(self, client: H) -> None:
        self.client: H = client
        self.is_retired = False
        self._calls = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Note that a call uses the pool."""
        with self._lock:
            self._calls += 1

    def end(self) -> bool:
        """Note that a call is over; returns whether the pool is to be closed now."""
        with self._lock:
            self._calls -= 1
            return self.is_retired and self._calls <= 0

    def retire(self) -> None:
        """Take no new calls."""
        self.is_retired = True
