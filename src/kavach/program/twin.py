"""
The world that is served: behind the API and its control room, replaced by a fresh or a mended one.

Source: ARCHITECTURE.md; docs/twin.md.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from starlette.types import ASGIApp

from kavach.api.app import create_app
from kavach.api.feed.hub import Hub
from kavach.api.http.options import ApiOptions
from kavach.api.routes.every_route import ROUTES
from kavach.contracts.catalogue import Catalogue
from kavach.core.commands import Leg
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.engine.journal_port import (
    JournalError,
    JournalUnavailable,
)
from kavach.engine.service import Service
from kavach.journal.directory import probe
from kavach.journal.erase import erase
from kavach.journal.snapshot_keeper import SnapshotKeeper
from kavach.program.demo_account import DEMO_CLIENT
from kavach.program.home import held_of, open_home
from kavach.program.kept_prices import PriceKeeper, resume
from kavach.program.options import StartError, WorldOptions
from kavach.program.process import readers_max
from kavach.program.world import World, open_world, wall_ns
from kavach.telemetry.logs import Note
from kavach.telemetry.telemetry import Telemetry
from kavach.twin.clock import TwinClock
from kavach.twin.control_room import PREFIX, ControlRoom, control_room_routes
from kavach.twin.door import Reach
from kavach.venues.embedded import EmbeddedVenue
from kavach.venues.faults import Fault, FaultEffect, FaultOn

PATHS_COUNTED: Final = (
    *((route.method, route.path) for route in ROUTES),
    *((method, f"{PREFIX}/{{call}}") for method in ("GET", "POST", "DELETE")),
    *(("GET", path) for path in ("/openapi.json", "/docs", "/favicon.ico", "/oauth2/auth")),
    *(("POST", path) for path in ("/oauth2/auth", "/oauth2/token")),
)

_LOG: Final = logging.getLogger(__name__)


class Twin:
    """One world behind the API, and the way to a fresh one."""

    def __init__(
        self, options: WorldOptions, world: World, on_failure: Callable[[Exception], None]
    ) -> None:
        self._options = options
        self.tokens = world.tokens  # The same for every world after it.
        self.world = world
        repair = self if options.data_dir is not None or options.database is not None else None
        self.service = Service(world.engine, world.clock, on_failure, repair)
        self.telemetry = Telemetry(world.engine)
        self._catalogue = _catalogue(world)
        self.hub: Hub | None = None  # From the moment on that it is known how to word updates.
        self.prices = PriceKeeper(options.data_dir, lambda: (self.world.engine, self.world.venue))
        self.keeper: SnapshotKeeper | None = None
        place = options.data_dir if options.database is None else options.database.address
        if place is not None:
            self.keeper = SnapshotKeeper(place, lambda: self.world.engine.journal.durable_sequence)

    def on_successor(self, leave: Callable[[], None]) -> None:
        """Have this called, in the running loop, when another process is to own the journal."""
        loop = asyncio.get_running_loop()
        hear = getattr(self.world.engine.journal, "on_successor", None)
        if hear is not None:
            hear(lambda name: loop.call_soon_threadsafe(leave))

    def app(self, options: ApiOptions, reach: Reach = Reach()) -> ASGIApp:  # noqa: B008  # Frozen.
        """Return the application that serves this world, its control room and its figures."""
        room = ControlRoom(self, self.tokens.operator_token, reach)
        beside = [*control_room_routes(room), *self.telemetry.routes()]
        self.hub = Hub(
            self.world.engine,
            self.world.venue,
            attend=self.service.attend,
            enveloped=options.enveloped_updates,
        )
        self.telemetry.watch_feed(self.hub)
        app = create_app(
            self.service,
            options,
            extra_routes=beside,
            catalogue=lambda: self._catalogue,
            hub=self.hub,
            readers_max=readers_max(),
        )
        return self.telemetry.around(app, PATHS_COUNTED)

    # --- What the control room controls -------------------------------------------------------

    @property
    def clock(self) -> TwinClock:
        """The clock that the engine reads."""
        return self.world.clock

    @property
    def venue(self) -> EmbeddedVenue:
        """The venue that the engine sends to."""
        return self.world.venue

    @property
    def in_cluster(self) -> bool:
        """Whether other machines may go on with it, so that its time and past are not its own."""
        return self._options.database is not None

    def reset(self) -> None:
        """Begin anew with the same options: nothing that happened is remembered."""
        self.service.replace(self._fresh)

    def _fresh(self) -> tuple[Engine, TwinClock]:
        if self.keeper is not None:
            self.keeper.stop()
        with _as_journal_error():
            if self._options.data_dir is not None:
                erase(self._options.data_dir)
            contracts, clients = self.world.contracts, self.world.engine.state.clients
            standing = clients[DEMO_CLIENT].token_digest
            self._take(
                open_world(
                    self._options, contracts=contracts, tokens=self.tokens, standing=standing
                )
            )
        self._catalogue = _catalogue(self.world)  # Nothing is on record any more.
        if self.hub is not None:
            self.hub.begin_anew(self.world.engine, self.world.venue)
        return self.world.engine, self.world.clock

    # --- A disk that fails and works again ----------------------------------------------------

    def looked_back(self) -> tuple[Engine, TwinClock] | None:
        """Return an engine that holds what is durable of a journal that has failed.

        None if that is in a database: it can't be read, or another process may own it by now.
        """
        journal, clock = self.world.engine.journal, self.world.clock
        _LOG.error(Note("failure", error=str(journal.failure)))
        if self._options.database is not None:
            return None
        contracts = self.world.contracts
        instruments = contracts.listing()
        venue = EmbeddedVenue(instruments)
        engine = Engine(instruments, Settings(), journal, venue, clock, real_ns=wall_ns)
        engine.quotes = venue
        engine.recover(until=journal.durable_sequence)
        resume(engine, venue, self.prices.latest)
        self._take(World(engine, venue, clock, contracts, self.tokens))
        if self.hub is not None:
            self.hub.look_back(engine, venue)
        return engine, clock

    def reopened(self) -> tuple[Engine, TwinClock]:
        """Return an engine on a journal that works; raises ``JournalError`` while none does."""
        journal, directory = self.world.engine.journal, self._options.data_dir
        with suppress(JournalError):
            journal.close()  # It says once more why it failed.
        if directory is not None:
            probe(directory)
        with _as_journal_error():
            home = open_home(self._options, held_of(journal))
            go_on = None if self.hub is None else self.hub.go_on
            contracts = self.world.contracts
            clock = self.world.clock
            self._take(open_world(self._options, clock, contracts, go_on, self.tokens, home=home))
        sequence = self.world.engine.sequence
        _LOG.info(Note("repair", sequence=sequence, replayed=self.world.engine.replayed))
        return self.world.engine, self.world.clock

    def farewell(self) -> None:
        """Say goodbye to those who are fed."""
        if self.hub is not None:
            self.hub.close()

    def _take(self, world: World) -> None:
        self.world = world
        self.telemetry.watch(world.engine)

    def audited(self, violations: int) -> None:
        """Remember how much an audit found wrong."""
        self.telemetry.audited(violations)

    def add_fault(
        self,
        *,
        fault_id: str,
        on: str,
        leg: Leg | None,
        client_id: str | None,
        effect: str,
        code: int,
        reason: str,
        times: int,
        delay_ns: int,
    ) -> None:
        """Let the next ``times`` matching requests to the venue suffer this effect."""
        fault = Fault(
            fault_id=fault_id,
            on=FaultOn(on),
            leg=leg,
            client_id=client_id,
            effect=FaultEffect(effect),
            code=code,
            reason=reason,
            times=times,
            delay_ns=delay_ns,
        )
        self.world.venue.faults.add(fault)

    def set_link(self, *, up: bool) -> None:
        """Cut the link to the venue, or mend it and let a snapshot reconcile."""
        self.world.venue.set_link(up=up)
        if up:
            self.service.restore_link()
        else:
            self.service.lose_link()

    def clear_faults(self) -> None:
        """Let no request suffer any more."""
        self.world.venue.faults.clear()


def _catalogue(world: World) -> Catalogue:
    """Return what is listed, by the terms that orders go by in this world."""
    return world.contracts.catalogue_of(world.engine.state.listed)


@contextmanager
def _as_journal_error() -> Iterator[None]:
    """Tell a running service as its journal's failure what would have kept it from starting."""
    try:
        yield
    except StartError as error:
        if isinstance(error.__cause__, JournalError):
            raise error.__cause__ from error
        raise JournalUnavailable(str(error)) from error
