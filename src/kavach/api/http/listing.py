"""
Answers that may be long: worded a few rows at a time, sent a few rows at a time.

A handler gives a *plan*: a generator that words rows, pauses whenever it has done as much as one
step may cost, and in the end returns every row as bytes. Between two steps the event loop is
free for others (``kavach.api.http.turns``). What a plan does behind its last pause it does at one
instant. A row that was worded is kept by whoever wrote the plan, so that a second reading only
collects bytes.

Source: docs/decisions/0026-what-is-open-and-what-was.md.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Final

import msgspec

Plan = Generator[int, None, list[bytes]]  # What it yields is the weight of its next step.

ROWS_PER_STEP: Final = 16  # Worded at once; some 0.4 ms.
LOOKED_AT_PER_STEP: Final = 4_096  # Rows that are there already, or objects that have none.
ROWS_PER_PIECE: Final = 48  # Sent at once; some 64 kB.

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of rows that makes up an answer, before it is worded."""

    plan: Plan
    head: bytes  # What stands before the first row, the opening bracket included.
    tail: bytes  # What stands behind the last.


class Pieces:
    """A body in pieces, each made when it is asked for."""

    def __init__(self, listing: Listing, rows: Sequence[bytes]) -> None:
        self._listing = listing
        self._rows = rows
        commas = max(0, len(rows) - 1)
        self.size = len(listing.head) + sum(map(len, rows)) + commas + len(listing.tail)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def __iter__(self) -> Iterator[bytes]:
        rows = self._rows
        before = self._listing.head
        for at in range(0, len(rows), ROWS_PER_PIECE):
            yield before + b",".join(rows[at : at + ROWS_PER_PIECE])
            before = b","
        yield (before if not rows else b"") + self._listing.tail


def listing(plan: Plan, empty_answer: msgspec.Struct) -> Listing:
    """Return the listing of a plan within an answer; ``empty_answer`` is the one without rows."""
    head, _, tail = _encode(empty_answer).partition(b"[]")
    return Listing(plan, head + b"[", b"]" + tail)


def rows_of(rows: Iterable[msgspec.Struct]) -> Plan:
    """Return the plan that words these rows, which are made one by one."""
    return worded(rows, _encode)


def worded(items: Iterable[Any], word: Callable[[Any], bytes]) -> Plan:
    """Return the plan that words each of these items."""
    found: list[bytes] = []
    left = iter(items)
    while True:
        some = [word(item) for item in islice(left, ROWS_PER_STEP)]
        found += some
        if len(some) < ROWS_PER_STEP:
            return found
        yield 1


def weight_of(looked_at: int) -> int:
    """Return the weight of a step that looks at so many rows which are there already."""
    return 1 + looked_at // LOOKED_AT_PER_STEP


class Steps:
    """Counts what a plan does, and tells when a step has done enough."""

    def __init__(self) -> None:
        self._looked = count(1)
        self._worded = 0

    def looked(self) -> bool:
        """Count something that was looked at; return whether it is time to pause."""
        return next(self._looked) % LOOKED_AT_PER_STEP == 0

    def worded(self, rows: int) -> bool:
        """Count rows that were worded; return whether it is time to pause."""
        self._worded += rows
        if self._worded < ROWS_PER_STEP:
            return False
        self._worded = 0
        return True
