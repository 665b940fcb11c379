"""
The prices that everybody saw last, beside the journal: a restart goes on from them.

Prices that no rule looked at are in no record, so a start would show those of the last order of
each instrument. This file holds every instrument's day, and the time, as of a second ago at most.
Like a snapshot it may be thrown away at any time, and it counts only if the journal has the very
record that was its last when the file was made: nothing in it is then ahead of what is durable.

Source: docs/decisions/0028-prices-beside-the-journal.md.
"""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Final, Protocol, runtime_checkable

import msgspec

from kavach.engine.engine import Engine
from kavach.engine.journal_port import Journal
from kavach.exchange.messages import DayNoted
from kavach.private_files import replacing
from kavach.units import NS_PER_SECOND
from kavach.venues.embedded import EmbeddedVenue

FILE_NAME: Final = "market.bin"
UNFINISHED: Final = "market.new-"
MAGIC: Final = b"kavach market 1\n"
DIGEST_BYTES: Final = 32
SECONDS: Final = 1.0

_LOG: Final = logging.getLogger(__name__)


@runtime_checkable
class Chained(Protocol):
    """A journal that knows the link of its records."""

    def head(self) -> tuple[int, bytes]:
        """Return the sequence and the link of the last record, durable or not."""

    def link_of(self, sequence: int) -> bytes | None:
        """Return the link of a durable record, None if there is none."""


class KeptPrices(msgspec.Struct, frozen=True, array_like=True):
    """What everybody saw after the record of this sequence and link."""

    sequence: int
    link: bytes
    at_ns: int
    days: list[DayNoted]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(KeptPrices)


def load(directory: Path) -> KeptPrices | None:
    """Return what is kept in a directory; None where nothing is, or nothing whole."""
    try:
        content = (directory / FILE_NAME).read_bytes()
        head = len(MAGIC) + DIGEST_BYTES
        body = content[head:]
        if content[:head] != MAGIC + sha256(body).digest():
            return None
        return _DECODER.decode(body)
    except (OSError, msgspec.MsgspecError):
        return None


def save(directory: Path, kept: KeptPrices) -> None:
    """Return when this is what is kept; raises ``OSError``. It is not synced: it may be lost."""
    body = _ENCODER.encode(kept)
    for left in directory.glob(f"{UNFINISHED}*"):
        left.unlink(missing_ok=True)  # By a process that was killed.
    with replacing(directory / FILE_NAME, UNFINISHED, sync=False) as file:
        file.write(MAGIC + sha256(body).digest() + body)


def resume(engine: Engine, venue: EmbeddedVenue, kept: KeptPrices | None) -> int:
    """Let a recovered market go on from what was seen last; return until when, 0: from nothing."""
    journal = engine.journal
    seen_ns = 0
    if kept is not None and _is_of(journal, kept, engine.sequence):
        venue.go_on(kept.days)
        seen_ns = kept.at_ns
    venue.days.remember(venue.traded())  # Of what a snapshot or a file told there is no record.
    engine.core.prices.update(venue.prices())
    return seen_ns


def _is_of(journal: Journal, kept: KeptPrices, end: int) -> bool:
    """Return whether the journal, read to this record, has the one that was the last then."""
    if kept.sequence > end or not isinstance(journal, Chained):
        return False
    return journal.link_of(kept.sequence) == kept.link


class PriceKeeper:
    """Keeps the prices of the world that is served, as long as they change."""

    def __init__(
        self, directory: Path | None, world: Callable[[], tuple[Engine, EmbeddedVenue]]
    ) -> None:
        self._directory = directory
        self._world = world
        self._changes: object = None  # Of what was kept last.
        self.latest: KeptPrices | None = None

    async def keep(self) -> None:
        """Keep them for as long as this is not cancelled."""
        while self._directory is not None:
            await asyncio.sleep(SECONDS)
            kept = self.look()
            if kept is not None:
                await asyncio.to_thread(self._save, self._directory, kept)

    def keep_now(self) -> None:
        """Keep what is to be seen now, if it is news."""
        kept = self.look()
        if kept is not None and self._directory is not None:
            self._save(self._directory, kept)

    def look(self) -> KeptPrices | None:
        """Return what is to be kept; None if nothing has changed that a start could not know."""
        engine, venue = self._world()
        journal = engine.journal
        if not isinstance(journal, Chained) or journal.failure is not None:
            return None
        now_ns = engine.now_ns()
        ahead = now_ns > time_ns() + NS_PER_SECOND  # A start takes the time of day for the time.
        changes = (engine, venue.days.changes, now_ns if ahead else 0)
        if changes in (self._changes, (engine, 0, 0)):
            return None  # Also where the records tell all that there is.
        self._changes = changes
        sequence, link = journal.head()
        self.latest = KeptPrices(sequence, link, now_ns, venue.every_day())
        return self.latest

    def _save(self, directory: Path, kept: KeptPrices) -> None:
        try:
            save(directory, kept)
        except OSError as error:
            _LOG.warning("prices are not kept: %s", error.strerror)
