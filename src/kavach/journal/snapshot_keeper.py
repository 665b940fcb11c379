"""
Sees to it that a start has little to replay: has a snapshot made whenever enough has happened.

Theory. Encoding the state of a million orders takes ten seconds and more, in which an event loop
would answer nobody. So the server does not do it. A process of its own (``kavach snapshot``)
reads the journal beside the server, from the last snapshot on, and writes the next one; it needs
no lock and no copy of anybody's memory, and what it stores is by construction what the records
lead to. It costs a second core for as long, and as much memory again as the state takes.

The number of records between two snapshots grows with the journal: the state that must be loaded
and written each time grows with it, and so the work stays a fixed share.

Source: docs/spec/journal.md, "Snapshots".
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from typing import Final

from kavach.engine.journal_port import JournalError
from kavach.journal.place import Place, newest_snapshot, without_password

LOOK_SECONDS: Final = 1.0
RECORDS_MIN: Final = 50_000  # About a second of replay.
SHARE: Final = 10  # Or a tenth of all records there are, if that is more.

_LOG: Final = logging.getLogger(__name__)


class SnapshotKeeper:
    """Watches how far the journal has got, and starts one maker of snapshots at a time."""

    def __init__(
        self,
        place: Place,
        durable_sequence: Callable[[], int],
        *,
        records_min: int = RECORDS_MIN,
    ) -> None:
        self._place = place
        self._durable_sequence = durable_sequence
        self._records_min = records_min
        self._maker: Process | None = None

    async def keep(self) -> None:
        """Make snapshots for as long as this is not cancelled."""
        try:
            tried = await asyncio.to_thread(newest_snapshot, self._place)
        except JournalError as error:
            _LOG.warning("snapshots can't be looked at: %s", error)
            tried = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            end = self._durable_sequence()
            if end < tried:
                tried = 0  # Another journal has taken the place of the one we knew.
            if end - tried >= max(self._records_min, end // SHARE):
                tried = end
                await self._make()

    def stop(self) -> None:
        """Let no snapshot be made any more of what is there now."""
        if self._maker is not None and self._maker.returncode is None:
            self._maker.kill()

    async def _make(self) -> None:
        """Return when a snapshot was made, or why not was said; the next one is tried anyway."""
        place, secrets = without_password(self._place)  # Others can read a command line.
        command = (sys.executable, "-m", "kavach", "snapshot", "--if-served", place)
        try:
            self._maker = await asyncio.create_subprocess_exec(
                *command, stdout=DEVNULL, stderr=PIPE, env=os.environ | secrets
            )
        except OSError as error:
            _LOG.warning("no snapshot: %s", error.strerror)
            return
        try:
            _output, errors = await self._maker.communicate()
        finally:
            self.stop()
            await self._maker.wait()
        if self._maker.returncode != 0:
            _LOG.warning("no snapshot: %s", errors.decode(errors="replace").strip())
