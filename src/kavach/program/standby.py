"""
A standby: follows the owner of a journal in PostgreSQL, and serves when that is gone.

A thread reads the records and applies them to an engine, as a start does; meanwhile the socket
answers NOT_OWNER. When the journal becomes this process's, the last records are applied and the
engine is served. A journal that goes another way than was followed is read anew from its snapshot.

Source: docs/spec/journal.md, "In PostgreSQL"; docs/twin.md, "The command line".
"""

import asyncio
import gc
import logging
import os
import threading
import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

from kavach.api.standby import Switch
from kavach.contracts.universe import Contracts, known_contracts
from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalError,
    JournalMissing,
    JournalNewer,
)
from kavach.journal.chain import GENESIS
from kavach.journal.place import postgres
from kavach.program.home import home_of, process_name
from kavach.program.options import Database, ServeOptions, StartError, WorldOptions
from kavach.program.process import allow_open_files, new_event_loop, spare_the_collector
from kavach.program.serve import Process, Visit
from kavach.program.server import Server, http_config, listen, url_of
from kavach.program.world import Followed, engine_on, open_world, wall_ns
from kavach.telemetry.logs import Note
from kavach.twin.clock import TwinClock

AGAIN_SECONDS: Final = 0.1  # After a failure to reach the database.
# What no waiting mends: an operator must do something.
_FINAL: Final = (JournalCorrupt, JournalMissing, JournalNewer)
_LOG: Final = logging.getLogger(__name__)


class Owned(NamedTuple):
    """A journal that is this process's, and an engine that holds all of it."""

    journal: Any
    followed: Followed


class Following:
    """The thread that follows, and what can be told of it."""

    def __init__(self, options: WorldOptions, database: Database, *, takes: bool) -> None:
        """Begin to follow; raises ``JournalError`` if there is nothing to follow."""
        self._database = database
        self._takes = takes
        self._contracts: Contracts = known_contracts(None, options.contracts)
        self._owner = postgres("tenure").Owner(process_name(), database.url)
        self._stopping = threading.Event()
        self._sequence, self._link = 0, GENESIS
        self._followed: Followed | None = None
        self._spared = False
        self._follower = self._connect()

    @property
    def contracts(self) -> Contracts:
        """What is traded."""
        return self._contracts

    def owner(self) -> str:
        """Return where the owner is, empty if that is not known."""
        address: str = self._follower.seen.address
        return address

    def figures(self) -> dict[str, object]:
        """Return how far it has got."""
        seen = self._follower.seen
        return {"role": "standby", "epoch": seen.epoch, "sequence": self._sequence}

    def until_owned(self) -> Owned | None:
        """Return the journal once it is this process's, None if it was stopped before."""
        while not self._stopping.is_set():
            try:
                self._catch_up()
                if self._follower.wait(self._sequence):
                    return self._own()
            except _FINAL:
                self._follower.stop()
                raise
            except JournalError as error:
                _LOG.warning("standby: %s", error)
                self._reconnect()
        self._follower.stop()
        return None

    def stop(self) -> None:
        """Follow no more; any thread may say so."""
        self._stopping.set()

    def _own(self) -> Owned:
        journal = self._follower.own()
        try:
            self._catch_up()
            followed = self._followed
            assert followed is not None, "it was followed"
            if (self._sequence, self._link) != journal.head():
                raise JournalCorrupt(self._sequence, "the journal ends elsewhere than was read")
        except BaseException:
            journal.close()
            raise
        self._follower.stop(owns=True)
        return Owned(journal, followed)

    def _catch_up(self) -> None:
        """Apply what there is."""
        if self._followed is None:
            self._restore()
        followed = self._followed
        assert followed is not None, "it was restored"
        for sequence, body, link in self._follower.records(self._sequence, self._link):
            followed.engine.follow(sequence, body)
            self._sequence, self._link = sequence, link
        if not self._spared:  # Now, while no client waits for an answer.
            self._spared = True
            spare_the_collector()

    def _restore(self) -> None:
        """Begin with the newest snapshot, or with nothing."""
        clock = TwinClock(wall_ns, start_ns=time.time_ns())
        journal = postgres("journal").PostgresJournal(self._database.address)
        followed = engine_on(self._contracts, journal, clock)
        self._sequence = followed.engine.restore()
        self._link = journal.link_of(self._sequence) or GENESIS
        journal.close()
        self._followed = followed

    def _connect(self) -> Any:
        follower = postgres("follow").Follower(self._database.address, self._owner, os.getpid())
        if self._takes:
            follower.ask_for_it()
        return follower

    def _reconnect(self) -> None:
        """Connect anew, and trust nothing of what was read if the journal has gone elsewhere."""
        self._follower.stop()
        self._followed = None
        self._sequence, self._link = 0, GENESIS
        while not self._stopping.wait(AGAIN_SECONDS):
            try:
                self._follower = self._connect()
            except _FINAL:
                raise
            except JournalError as error:
                _LOG.warning("standby: %s", error)
            else:
                return


def stand_by(
    world_options: WorldOptions, options: ServeOptions, visit: Visit, *, takes: bool
) -> None:
    """Follow the journal of these options, and serve it once it is this process's.

    ``takes``: the owner is asked to hand it over. Raises ``StartError`` if there is nothing to
    follow, and afterwards whatever broke the server.
    """
    assert world_options.database is not None, "a standby follows a journal in a database"
    with listen(options.host, options.port) as listener:
        database = replace(world_options.database, url=options.advertise or url_of(listener))
        world_options = replace(world_options, database=database)
        gc.disable()
        try:
            following = Following(world_options, database, takes=takes)
        except JournalError as error:
            raise StartError(str(error)) from error
        allow_open_files()
        process = Process(world_options, options, listener, visit)
        switch = Switch(following.owner, following.figures)

        async def take_over() -> None:
            try:
                owned = await asyncio.to_thread(following.until_owned)
                if owned is None:
                    return
                world = open_world(
                    world_options,
                    contracts=following.contracts,
                    home=home_of(owned.journal),
                    followed=owned.followed,
                )
            except BaseException as error:
                if not isinstance(error, asyncio.CancelledError):
                    process.stop()
                raise
            switch.become(process.take(world))
            _LOG.info(Note("own", epoch=owned.journal.held.epoch, sequence=world.engine.sequence))
            process.begin(world)

        def begin() -> None:
            _LOG.info(Note("standby", url=database.url, owner=following.owner()))
            process.accompany(take_over())

        def farewell() -> None:
            following.stop()
            process.farewell()

        server = Server(http_config(switch), begin, farewell)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(process.run(server))
