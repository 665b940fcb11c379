"""
Serve a world behind a socket until its visit ends or a signal stops it.

Source: ARCHITECTURE.md; docs/twin.md, "The command line".
"""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Final

from starlette.types import ASGIApp

from kavach import __version__
from kavach.engine.journal_port import JournalError, JournalFenced
from kavach.program.demo_account import DEMO_APP, DEMO_CLIENT
from kavach.program.options import ServeOptions, WorldOptions
from kavach.program.process import (
    allow_open_files,
    announcing,
    check_ready_file,
    new_event_loop,
    on_stop_signals,
    spare_the_collector,
)
from kavach.program.server import Server, http_config, listen, reach_of, url_of
from kavach.program.twin import Twin
from kavach.program.world import World, open_world
from kavach.ready_files import Ready
from kavach.telemetry.logs import Note
from kavach.twin.door import CLOSED

_LOG: Final = logging.getLogger(__name__)
Visit = Callable[[Ready, Twin], Coroutine[None, None, None]]


def serve(world_options: WorldOptions, options: ServeOptions, visit: Visit) -> None:
    """Serve for as long as ``visit`` lasts, or until SIGTERM or Ctrl-C.

    The visit begins as soon as requests are answered. Raises ``StartError`` if that can't be, and
    afterwards whatever broke the server or the visit.
    """
    check_ready_file(options.ready_file)
    with listen(options.host, options.port) as listener:
        if world_options.database is not None:
            url = options.advertise or url_of(listener)
            world_options = replace(
                world_options, database=replace(world_options.database, url=url)
            )
        gc.disable()  # What the journal brings back is no garbage: a quarter less time to load it.
        world = open_world(world_options)
        spare_the_collector()
        allow_open_files()
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_serve(world_options, options, world, listener, visit))


async def _serve(
    world_options: WorldOptions,
    options: ServeOptions,
    world: World,
    listener: socket.socket,
    visit: Visit,
) -> None:
    process = Process(world_options, options, listener, visit)
    server = Server(
        http_config(process.take(world)), lambda: process.begin(world), process.farewell
    )
    await process.run(server)


class Process:
    """One socket, and the world that is served there, from the moment on that there is one."""

    def __init__(
        self,
        world_options: WorldOptions,
        options: ServeOptions,
        listener: socket.socket,
        visit: Visit,
    ) -> None:
        self._world_options = world_options
        self._options = options
        self._listener = listener
        self._visit = visit
        self._failures: list[BaseException] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._server: Server | None = None
        self._twin: Twin | None = None
        self._announce: Callable[[Ready], None] = lambda ready: None

    def take(self, world: World) -> ASGIApp:
        """Return the application that serves this world from now on."""
        self._twin = twin = Twin(self._world_options, world, self.fail)
        twin.on_successor(self.stop)
        reach = reach_of(self._listener, self._options)
        if reach.beyond and not (reach.insecure or reach.proxy_header):
            _LOG.warning("the control room %s or --proxy-header", CLOSED)
        return twin.app(self._options.api, reach)

    def begin(self, world: World) -> None:
        """Tell where the world is served, and do what goes on beside it."""
        twin, given = self._twin, self._world_options
        assert twin is not None, "a world was taken"
        ready = Ready(
            url=url_of(self._listener),
            client_id=DEMO_CLIENT,
            access_token=twin.tokens.demo_token,
            operator_token=twin.tokens.operator_token,
            pid=os.getpid(),
            app_id=DEMO_APP if given.demo_app_redirects else "",
            app_secret=twin.tokens.demo_app_secret if given.demo_app_redirects else "",
        )
        self._announce(ready)
        sequence, replayed = world.engine.sequence, world.engine.replayed
        if world.engine.passed_over:
            _LOG.warning(Note("snapshot", passed_over=world.engine.passed_over, replayed=replayed))
        _LOG.info(
            Note(
                "start",
                url=ready.url,
                version=__version__,
                pid=ready.pid,
                sequence=sequence,
                replayed=replayed,
            )
        )
        visiting = self.accompany(self._visit(ready, twin))
        visiting.add_done_callback(lambda _: self.stop())
        if twin.keeper is not None:
            self.accompany(twin.keeper.keep())
            self.accompany(twin.prices.keep())

    def accompany(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do this for as long as the process runs; what breaks it is raised at the end."""
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    def fail(self, error: BaseException) -> None:
        """Stop, because of this."""
        self._failures.append(error)
        _LOG.error(Note("failure", error=str(error)))
        if isinstance(error, JournalFenced) and self._server is not None:
            self._server.force_exit = True  # Nothing that is under way may be told any more.
        self.stop()

    def stop(self) -> None:
        """Finish what was accepted, refuse the rest, and end."""
        if self._server is not None:
            self._server.stop()

    def farewell(self) -> None:
        """Say goodbye to those who are fed."""
        if self._twin is not None:
            self._twin.farewell()

    async def run(self, server: Server) -> None:
        """Serve until it is stopped; raises what broke it."""
        self._server = server
        made_known = announcing(self._options.ready_file, self._options.publish)
        with on_stop_signals(server.interrupt), made_known as self._announce:
            try:
                await server.serve(sockets=[self._listener])
            finally:
                for task in self._tasks:
                    task.cancel()
                ended = await asyncio.gather(*self._tasks, return_exceptions=True)
                self._failures += [
                    e for e in ended if e and not isinstance(e, asyncio.CancelledError)
                ]
                if self._twin is not None:
                    self._twin.prices.keep_now()
                    try:
                        await self._twin.service.close()
                    except JournalError:
                        if not any(isinstance(e, JournalFenced) for e in self._failures):
                            raise
                    _LOG.info(Note("stop", sequence=self._twin.world.engine.sequence))
        if self._failures:
            raise self._failures[0]
