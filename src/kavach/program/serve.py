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

from kavach import __version__
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
    failures: list[BaseException] = []
    visits: list[asyncio.Task[None]] = []

    def on_failure(error: BaseException) -> None:
        failures.append(error)
        _LOG.error(Note("failure", error=str(error)))
        server.stop()

    def on_ready() -> None:
        ready = Ready(
            url=url_of(listener),
            client_id=DEMO_CLIENT,
            access_token=twin.tokens.demo_token,
            operator_token=twin.tokens.operator_token,
            pid=os.getpid(),
            app_id=DEMO_APP if world_options.demo_app_redirects else "",
            app_secret=twin.tokens.demo_app_secret if world_options.demo_app_redirects else "",
        )
        announce(ready)
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
        visits.append(asyncio.create_task(visit(ready, twin)))
        visits[0].add_done_callback(lambda _: server.stop())
        if twin.keeper is not None:
            visits.append(asyncio.create_task(twin.keeper.keep()))
            visits.append(asyncio.create_task(twin.prices.keep()))

    twin = Twin(world_options, world, on_failure)
    reach = reach_of(listener, options)
    if reach.beyond and not (reach.insecure or reach.proxy_header):
        _LOG.warning("the control room %s or --proxy-header", CLOSED)
    server = Server(http_config(twin.app(options.api, reach)), on_ready, twin.farewell)
    made_known = announcing(options.ready_file, options.publish)
    with on_stop_signals(server.interrupt), made_known as announce:
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in visits:
                task.cancel()
            ended = await asyncio.gather(*visits, return_exceptions=True)
            failures += [e for e in ended if e and not isinstance(e, asyncio.CancelledError)]
            twin.prices.keep_now()
            await twin.service.close()
            _LOG.info(Note("stop", sequence=twin.world.engine.sequence))
    if failures:
        raise failures[0]
