"""
The one place where the parts are joined: journal, venue, engine, clock, sessions, market, API.

A ``World`` is what lives and dies together; ``open_world`` makes one on what the journal holds.
``serve`` puts it behind a socket until it is told to stop, and can put a fresh world in its place.

Everything that keeps the program from starting is a ``StartError``: one sentence for a person,
said before anything on disk has changed.

Source: ARCHITECTURE.md; docs/twin.md (command line).
"""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
import uvloop
from starlette.types import ASGIApp

from kavach import __version__
from kavach.api.app import create_app
from kavach.api.feed.door import READERS_MAX
from kavach.api.feed.hub import Hub
from kavach.api.feed.socket import FeedSocket
from kavach.api.http.connection import CONNECTIONS_MAX, Connection
from kavach.api.http.options import ApiOptions
from kavach.api.routes.every_route import ROUTES
from kavach.contracts.archive import ContractsError
from kavach.contracts.known import Contracts, known_contracts
from kavach.core.commands import Leg, OpenClient, RenewToken
from kavach.core.model.limits.commands import ChooseLimits
from kavach.core.model.limits.profiles import Profile
from kavach.core.model.people.commands import IssueToken, RegisterApp, SetCredentials
from kavach.core.settings import Settings
from kavach.credentials import is_secret, secret_digest, token_digest
from kavach.engine.calendar import NSE_HOURS, Calendar
from kavach.engine.engine import Engine, accepted
from kavach.engine.journal_port import (
    Journal,
    JournalCorrupt,
    JournalError,
    JournalUnavailable,
)
from kavach.engine.service import Service
from kavach.exchange.messages import Phase
from kavach.journal.directory import probe
from kavach.journal.erase import erase
from kavach.journal.memory import MemoryJournal
from kavach.journal.snapshot_keeper import SnapshotKeeper
from kavach.journal.sqlite import SqliteJournal
from kavach.kept_prices import PriceKeeper, resume
from kavach.kept_prices import load as load_prices
from kavach.kept_tokens import Tokens, TokensError, completed, keep_key, load_key
from kavach.market.candles import Candle, CandleError, load_candles
from kavach.market.replay import ReplayMarket
from kavach.market.synthetic import SyntheticMarket
from kavach.private_files import replacing
from kavach.telemetry.logs import Note
from kavach.telemetry.telemetry import Telemetry
from kavach.twin.clock import TwinClock
from kavach.twin.control_room import PREFIX, ControlRoom, control_room_routes
from kavach.twin.door import CLOSED, Reach
from kavach.units import Exchange, InstrumentKey, Paise, TimestampNs
from kavach.venues.embedded import EmbeddedVenue, HeardNow, LatePost
from kavach.venues.faults import Fault, FaultEffect, FaultOn

NO_INSTRUMENT: Final = InstrumentKey("")
DEMO_CLIENT: Final = "DEMO1"
DEMO_APP: Final = "DEMOAPP"
RECORDS_CHECKED: Final = 1_000_000  # Under a snapshot, at a start: two seconds.
NO_APP: Final = "-"  # In place of the secret of an app that is not there.
REPLAYED: Final = "FUTIDX"  # The one instrument that follows a replayed file.
DEMO_CASH: Final = Paise(10_000_000_00)
STOP_SECONDS_MAX: Final = 10  # How long requests that were begun may take to end.
OTHER_FILES: Final = 100  # Journal, logs, and room to spare.
OPEN_FILES: Final = READERS_MAX + CONNECTIONS_MAX + OTHER_FILES
KEEP_ALIVE_SECONDS: Final = 75  # Longer than clients keep idle connections, so that they close.
PATHS_COUNTED: Final = (
    *((route.method, route.path) for route in ROUTES),
    *((method, f"{PREFIX}/{{call}}") for method in ("GET", "POST", "DELETE")),
    *(("GET", path) for path in ("/openapi.json", "/docs", "/oauth2/auth")),
    *(("POST", path) for path in ("/oauth2/auth", "/oauth2/token")),
)

_LOG: Final = logging.getLogger(__name__)


class StartError(Exception):
    """The program can't start; the text is a sentence for a person."""


class MarketKind(StrEnum):
    """Where prices come from."""

    SYNTHETIC = "synthetic"
    QUIET = "quiet"
    REPLAY = "replay"


class Sessions(StrEnum):
    """When the exchanges are open."""

    ALWAYS_OPEN = "always-open"
    NSE = "nse"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """What a world is made from; the same options make the same world."""

    data_dir: Path | None = None  # None: keep nothing.
    contracts: Path | None = None  # A published file, where nothing is kept.
    market: MarketKind = MarketKind.QUIET
    replay: Path | None = None  # What MarketKind.REPLAY replays.
    speed: Fraction = Fraction(1)
    sessions: Sessions = Sessions.ALWAYS_OPEN
    seed: int = 1
    demo_token: str = ""  # Empty: what DEMO1 had stays; at first it is made up.
    operator_token: str = ""  # Empty: made up, the same in each world of a data directory.
    demo_password: str = ""  # Empty: as it was, and at first nobody can log in as DEMO1.
    demo_pin: str = ""
    demo_app_redirects: tuple[str, ...] = ()  # Empty: no demo app.
    demo_app_secret: str = ""  # Empty: the same.
    limits: Profile = Profile.OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where and how a world is served."""

    host: str = "127.0.0.1"
    port: int = 8080
    ready_file: Path | None = None
    insecure: bool = False  # Let the control room be reached from other machines in the clear.
    proxy_header: str = ""  # Where a proxy says "https" of a client; else the room is closed.
    api: ApiOptions = field(default_factory=ApiOptions)


class Ready(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a script needs to know of a running server; the content of the ready file."""

    url: str
    client_id: str
    access_token: str
    operator_token: str
    pid: int
    app_id: str = ""  # These two only if there is a demo app.
    app_secret: str = ""


@dataclass(slots=True)
class World:
    """What lives and dies together."""

    engine: Engine
    venue: EmbeddedVenue
    clock: TwinClock
    contracts: Contracts
    tokens: Tokens  # All of them.


def wall_ns() -> int:
    """Return the nanoseconds since the machine started, its sleep included where that is known.

    Unlike the time of day it is never set back, so a timer that guards a position can't stall.
    """
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


Recovered = Callable[[Engine, EmbeddedVenue], None]


def open_world(
    options: WorldOptions,
    clock: TwinClock | None = None,
    contracts: Contracts | None = None,
    recovered: Recovered | None = None,
    tokens: Tokens | None = None,
    standing: str = "",
) -> World:
    """Return a world as the journal remembers it, with the demo client in it.

    It goes by this clock, or by a new one that shows the time of day, and trades these contracts,
    or those that its options name. ``recovered`` is told of the engine before that does anything
    of its own. ``tokens`` are those of the world in whose place it comes, ``standing`` the digest
    of DEMO1's there. Raises ``StartError`` if the journal can't be opened or isn't understood.
    """
    candles = _read_candles(options)
    contracts = contracts or _read_contracts(options)
    key = _load_key(options.data_dir)
    given = _given_tokens(options)
    tokens = tokens or completed(given, key)
    journal = open_journal(options.data_dir)
    starts = clock is None

    def begin(engine: Engine, venue: EmbeddedVenue) -> None:
        if starts:
            _check_spared(engine)
        if options.data_dir is not None and tokens != given:
            _keep_key(options.data_dir, key)  # Before a token of it is on record.
        if recovered is not None:
            recovered(engine, venue)

    clock = clock or new_clock(options)
    try:
        return _build(options, journal, candles, clock, contracts, begin, tokens, standing)
    except BaseException:
        journal.close()
        raise


def _read_candles(options: WorldOptions) -> list[Candle]:
    if options.market is not MarketKind.REPLAY:
        return []
    assert options.replay is not None, "a replay needs a file"
    try:
        return load_candles(options.replay)
    except CandleError as error:
        raise StartError(str(error)) from error


def _check_spared(engine: Engine) -> None:
    """Read also what a snapshot spared the replay: a start is when damage must be told."""
    try:
        engine.journal.check(engine.sequence - engine.replayed, RECORDS_CHECKED)
    except JournalError as error:
        raise StartError(str(error)) from error


def _given_tokens(options: WorldOptions) -> Tokens:
    """Return the tokens that were given; a secret that no app has needs no making up."""
    return Tokens(
        demo_token=options.demo_token,
        operator_token=options.operator_token,
        demo_app_secret=options.demo_app_secret or ("" if options.demo_app_redirects else NO_APP),
    )


def _load_key(directory: Path | None) -> bytes:
    try:
        return load_key(directory)
    except TokensError as error:
        raise StartError(str(error)) from error


def _keep_key(directory: Path, key: bytes) -> None:
    try:
        keep_key(directory, key)
    except TokensError as error:
        raise StartError(str(error)) from error


def _read_contracts(options: WorldOptions) -> Contracts:
    try:
        return known_contracts(options.data_dir, options.contracts)
    except ContractsError as error:
        raise StartError(str(error)) from error


def open_journal(directory: Path | None) -> Journal:
    """Return the journal in a directory, made if there is none; raises ``StartError``."""
    if directory is None:
        return MemoryJournal()
    try:
        return SqliteJournal(directory)
    except JournalError as error:
        raise StartError(str(error)) from error


def new_clock(options: WorldOptions) -> TwinClock:
    """Return a clock that shows the time of day."""
    return TwinClock(wall_ns, start_ns=time.time_ns(), speed=options.speed)


def _build(
    options: WorldOptions,
    journal: Journal,
    candles: Sequence[Candle],
    clock: TwinClock,
    contracts: Contracts,
    recovered: Recovered,
    tokens: Tokens,
    standing: str,
) -> World:
    instruments = contracts.listing()
    venue = EmbeddedVenue(instruments)
    engine = Engine(instruments, Settings(), journal, venue, clock, real_ns=wall_ns)
    try:
        engine.recover()
    except JournalError as error:
        raise StartError(str(error)) from error
    except (msgspec.MsgspecError, AssertionError, LookupError) as error:
        # The chain is whole, so these are the bytes that were written: by another program.
        sentence = JournalCorrupt(engine.sequence, f"it can't be replayed ({error!r})")
        raise StartError(str(sentence)) from error
    kept = None if options.data_dir is None else load_prices(options.data_dir)
    latest_ns = max(engine.core.now_ns, resume(engine, venue, kept))
    if clock.now_ns() < latest_ns:
        clock.set(latest_ns)  # It had been set ahead: time goes on from there.
    recovered(engine, venue)
    engine.add_source(LatePost(engine, venue))
    if engine.state.venue_disconnected or venue.post.untold():
        engine.restore_link()  # A start is a return: what was never told is told now.
    world = World(engine, venue, clock, contracts, tokens)
    engine.quotes = venue
    accepted(engine.execute(ChooseLimits(profile=options.limits)))  # Kept for every replay.
    _open_sessions(world, options.sessions)
    _open_demo_client(engine, options, tokens, standing)
    _open_market(world, options, candles)
    return world


def _open_market(world: World, options: WorldOptions, candles: Sequence[Candle]) -> None:
    engine, venue = world.engine, world.venue
    bundled = world.contracts.bundled
    if options.market is MarketKind.SYNTHETIC:
        attended = _at_work(world)
        market = SyntheticMarket(
            engine, venue, bundled, options.seed, world.clock, attended=attended
        )
        engine.add_source(market)
        engine.attention = market
    elif options.market is MarketKind.REPLAY:
        future = next(one for one in bundled if one.instrument_name == REPLAYED)
        engine.add_source(ReplayMarket(engine, venue, future, candles, options.seed))


def _at_work(world: World) -> list[InstrumentKey]:
    """Return, in order, what has traded, what is in a book, and what an order is open in."""
    state = world.engine.state
    wanted = set(world.venue.exchange.opened())
    for orders in state.by_client.values():
        wanted.update(parent.instrument for parent in orders if not parent.over)
    return sorted(wanted)


def _open_sessions(world: World, sessions: Sessions) -> None:
    venue = world.venue

    def set_phase(exchange: Exchange, phase: Phase, at_ns: int) -> HeardNow:
        # A change of phase trades nothing, so it moves no instrument's price.
        return venue.heard(
            venue.exchange.set_phase(exchange, phase, TimestampNs(at_ns)), NO_INSTRUMENT
        )

    calendar = Calendar(world.engine, set_phase, NSE_HOURS if sessions is Sessions.NSE else {})
    calendar.start()
    world.engine.add_source(calendar)


def _open_demo_client(engine: Engine, options: WorldOptions, tokens: Tokens, standing: str) -> None:
    digest = token_digest(tokens.demo_token)
    if DEMO_CLIENT not in engine.state.clients:
        client = OpenClient(
            client_id=DEMO_CLIENT, cash_paise=DEMO_CASH, token_digest=standing or digest
        )
        accepted(engine.execute(client))
    elif options.demo_token:
        accepted(engine.execute(RenewToken(client_id=DEMO_CLIENT, token_digest=digest)))
    if engine.state.client_of_token(digest, engine.now_ns()) is None:
        # An earlier start was given another one, which stays; what is told now is good today.
        accepted(engine.execute(IssueToken(client_id=DEMO_CLIENT, token_digest=digest)))
    _set_demo_credentials(engine, options)
    if options.demo_app_redirects:
        _register_demo_app(engine, options, tokens)


def _set_demo_credentials(engine: Engine, options: WorldOptions) -> None:
    """Let DEMO1 have the password and PIN that were given; what was not stays as it was."""
    client = engine.state.clients[DEMO_CLIENT]
    given = ((options.demo_password, client.password_digest), (options.demo_pin, client.pin_digest))
    if all(not secret or is_secret(secret, digest) for secret, digest in given):
        return  # A digest is another each time; an unchanged secret must not end any session.
    digests = [secret_digest(secret) if secret else digest for secret, digest in given]
    accepted(
        engine.execute(
            SetCredentials(
                client_id=DEMO_CLIENT,
                password_digest=digests[0],
                pin_digest=digests[1],
                totp_secret=client.totp_secret,
            )
        )
    )


def _register_demo_app(engine: Engine, options: WorldOptions, tokens: Tokens) -> None:
    digest = token_digest(tokens.demo_app_secret)
    known = engine.state.people.apps.get(DEMO_APP)
    wanted = (digest, options.demo_app_redirects)
    if known is None or (known.secret_digest, known.redirect_uris) != wanted:
        command = RegisterApp(
            app_id=DEMO_APP,
            name=DEMO_APP,
            secret_digest=digest,
            redirect_uris=options.demo_app_redirects,
            owner=DEMO_CLIENT,
            replace=True,
        )
        accepted(engine.execute(command))


# --- Serving -------------------------------------------------------------------------------------


class Server(uvicorn.Server):
    """uvicorn, told when to stop by whoever runs it, and telling when it answers."""

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        farewell: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._farewell = farewell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to those who stay for as long as they are let, then wait for the rest."""
        self._farewell()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: the loop has them, and a stop asked for is no failure."""
        yield

    def stop(self) -> None:
        """Finish what was accepted, refuse the rest, and return."""
        self.should_exit = True

    def interrupt(self) -> None:
        """Stop; at the second time without waiting for clients that are slow to ask or to read."""
        self.force_exit = self.should_exit
        self.stop()


class Twin:
    """One world behind the API, and the way to a fresh one."""

    def __init__(
        self, options: WorldOptions, world: World, on_failure: Callable[[Exception], None]
    ) -> None:
        self._options = options
        self.tokens = world.tokens  # The same for every world after it.
        self.world = world
        repair = self if options.data_dir is not None else None
        self.service = Service(world.engine, world.clock, on_failure, repair)
        self.telemetry = Telemetry(world.engine)
        self.hub: Hub | None = None  # From the moment on that it is known how to word updates.
        self.prices = PriceKeeper(options.data_dir, lambda: (self.world.engine, self.world.venue))
        self.keeper: SnapshotKeeper | None = None
        if options.data_dir is not None:
            self.keeper = SnapshotKeeper(
                options.data_dir, lambda: self.world.engine.journal.durable_sequence
            )

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
            catalogue=self.world.contracts.catalogue,
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
        if self.hub is not None:
            self.hub.begin_anew(self.world.engine, self.world.venue)
        return self.world.engine, self.world.clock

    # --- A disk that fails and works again ----------------------------------------------------

    def looked_back(self) -> tuple[Engine, TwinClock]:
        """Return an engine that holds what is durable of a journal that has failed."""
        journal, clock = self.world.engine.journal, self.world.clock
        _LOG.error(Note("failure", error=str(journal.failure)))
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
        directory = self._options.data_dir
        assert directory is not None, "memory does not fail"
        with suppress(JournalError):
            self.world.engine.journal.close()  # It says once more why it failed.
        probe(directory)
        with _as_journal_error():
            go_on = None if self.hub is None else self.hub.go_on
            contracts = self.world.contracts
            clock = self.world.clock
            self._take(open_world(self._options, clock, contracts, go_on, self.tokens))
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


@contextmanager
def _as_journal_error() -> Iterator[None]:
    """Tell a running service as its journal's failure what would have kept it from starting."""
    try:
        yield
    except StartError as error:
        if isinstance(error.__cause__, JournalError):
            raise error.__cause__ from error
        raise JournalUnavailable(str(error)) from error


Visit = Callable[[Ready, Twin], Coroutine[None, None, None]]


def serve(world_options: WorldOptions, options: ServeOptions, visit: Visit) -> None:
    """Serve for as long as ``visit`` lasts, or until SIGTERM or Ctrl-C.

    The visit begins as soon as requests are answered. Raises ``StartError`` if that can't be, and
    afterwards whatever broke the server or the visit.
    """
    check_ready_file(options.ready_file)
    with listen(options.host, options.port) as listener:
        gc.disable()  # What the journal brings back is no garbage: a quarter less time to load it.
        world = open_world(world_options)
        spare_the_collector()
        allow_open_files()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
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
        write_ready_file(options.ready_file, ready)
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
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, server.interrupt)
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


def http_config(app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn is run: quick, quiet, with limits on what a connection may cost."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws=FeedSocket,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Give a bound socket, so that an occupied port is known before anything else is touched."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"The host {host} can't be used: {error.strerror}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen()  # Only now is it certain that nobody else has the port.
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise StartError(f"Port {port} of {host} can't be used: {why}.") from error
        yield listener


def url_of(listener: socket.socket) -> str:
    """Return the address under which a socket answers."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reach_of(listener: socket.socket, options: ServeOptions) -> Reach:
    """Return from where the control room may be asked."""
    address = ip_address(str(listener.getsockname()[0]).partition("%")[0])
    return Reach(
        beyond=not address.is_loopback,
        insecure=options.insecure,
        proxy_header=options.proxy_header,
    )


def check_ready_file(path: Path | None) -> None:
    """Return if the ready file could be written."""
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK)):
        raise StartError(f"The ready file {path} can't be written.")


def write_ready_file(path: Path | None, ready: Ready) -> None:
    """Write it whole or not at all, for its owner's eyes: there are tokens in it."""
    if path is not None:
        with replacing(path, f".{path.name}.", sync=False) as file:
            file.write(msgspec.json.encode(ready) + b"\n")


def allow_open_files() -> None:
    """Let as many files be open as connections may need, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def readers_max() -> int:
    """Return how many connections of the feed the open files leave room for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return READERS_MAX
    return max(OTHER_FILES, min(READERS_MAX, files - CONNECTIONS_MAX - OTHER_FILES))


def spare_the_collector() -> None:
    """Let the garbage collector look at young objects only.

    Orders live as long as the program and form no cycles, yet a full collection walks all of
    them: 90 ms with 200 000 orders, and longer with more. Those that the journal brought back
    are set aside; for new ones a full collection waits for some seven million objects instead of
    seventy thousand. The young are looked at as often as ever, because a larger heap of them
    means longer pauses (7 ms now, 30 ms with a threshold of 50 000) and saves nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 1_000)
    gc.enable()
