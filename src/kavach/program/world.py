"""
A world: journal, venue, engine, clock, sessions and market, joined on what the journal holds.

Everything that keeps a world from opening is a ``StartError``: one sentence for a person, raised
before anything on disk has changed.

Source: ARCHITECTURE.md; docs/twin.md, "The command line".
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

import msgspec

from kavach.contracts.archive import ContractsError
from kavach.contracts.universe import Contracts, known_contracts
from kavach.core.model.limits.commands import ChooseLimits
from kavach.core.settings import Settings
from kavach.engine.calendar import Calendar
from kavach.engine.engine import Engine, accepted
from kavach.engine.journal_port import (
    Journal,
    JournalCorrupt,
    JournalError,
)
from kavach.engine.trading_hours import NSE_HOURS, TradingHours
from kavach.market.candles import Candle, CandleError, load_candles
from kavach.market.replay import ReplayMarket
from kavach.market.synthetic import SyntheticMarket
from kavach.program.demo_account import open_demo_client
from kavach.program.home import Home, open_home
from kavach.program.kept_prices import load as load_prices
from kavach.program.kept_prices import resume
from kavach.program.kept_tokens import Tokens, TokensError, completed, keep_key
from kavach.program.options import MarketKind, Sessions, StartError, WorldOptions
from kavach.trading_days import TradingDays
from kavach.twin.clock import TwinClock
from kavach.units import (
    IST_OFFSET_SECONDS,
    NS_PER_SECOND,
    InstrumentKey,
)
from kavach.venues.embedded import DelayedReportSource, EmbeddedVenue

RECORDS_CHECKED: Final = 1_000_000  # Under a snapshot, at a start: two seconds.
NO_APP: Final = "-"  # In place of the secret of an app that is not there.
REPLAYED: Final = "FUTIDX"  # The one instrument that follows a replayed file.


@dataclass(slots=True)
class World:
    """What lives and dies together."""

    engine: Engine
    venue: EmbeddedVenue
    clock: TwinClock
    contracts: Contracts
    tokens: Tokens  # All of them.


class Followed(NamedTuple):
    """An engine that holds what a journal leads to, and has decided nothing yet."""

    engine: Engine
    venue: EmbeddedVenue


def engine_on(contracts: Contracts, journal: Journal, clock: TwinClock) -> Followed:
    """Return an engine that knows of these contracts and of nothing else yet."""
    instruments = contracts.listing()
    venue = EmbeddedVenue(instruments)
    engine = Engine(instruments, Settings(), journal, venue, clock, real_ns=wall_ns)
    return Followed(engine, venue)


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
    home: Home | None = None,
    followed: Followed | None = None,
) -> World:
    """Return a world as the journal remembers it, with the demo client in it.

    It goes by this clock, or by a new one that shows the time of day, and trades these contracts,
    or those that its options name. ``recovered`` is told of the engine before that does anything
    of its own. ``tokens`` are those of the world in whose place it comes, ``standing`` the digest
    of DEMO1's there. ``home`` is where it is kept, if that is open already, and ``followed``
    is what has followed its journal to the end. Raises ``StartError``
    if the journal can't be opened or isn't understood.
    """
    with _explained():
        candles = _read_candles(options)
        contracts = contracts or known_contracts(options.data_dir, options.contracts)
        journal, beside, key = home or open_home(options)
    given = _given_tokens(options)
    tokens = tokens or completed(given, key)
    starts = clock is None

    def begin(engine: Engine, venue: EmbeddedVenue) -> None:
        with _explained():
            if starts and followed is None:
                _check_spared(engine)
            if beside is not None and tokens != given:
                keep_key(beside, key)  # Before a token of it is on record.
        if recovered is not None:
            recovered(engine, venue)

    start_ns = time.time_ns() if options.start_at_ns is None else options.start_at_ns
    clock = clock or TwinClock(wall_ns, start_ns=start_ns, speed=options.speed)
    try:
        return _build(
            options, journal, candles, clock, contracts, begin, tokens, standing, followed
        )
    except BaseException:
        with suppress(JournalError):
            journal.close()
        raise


def _read_candles(options: WorldOptions) -> list[Candle]:
    if options.market is not MarketKind.REPLAY:
        return []
    assert options.replay is not None, "a replay needs a file"
    return load_candles(options.replay)


@contextmanager
def _explained() -> Iterator[None]:
    """Raise as a ``StartError`` what keeps a world from opening."""
    try:
        yield
    except (CandleError, ContractsError, JournalError, TokensError) as error:
        raise StartError(str(error)) from error


def _check_spared(engine: Engine) -> None:
    """Read also what a snapshot spared the replay: a start is when damage must be told."""
    engine.journal.check(engine.sequence - engine.replayed, RECORDS_CHECKED)


def _given_tokens(options: WorldOptions) -> Tokens:
    """Return the tokens that were given; a secret that no app has needs no making up."""
    return Tokens(
        demo_token=options.demo_token,
        operator_token=options.operator_token,
        demo_app_secret=options.demo_app_secret or ("" if options.demo_app_redirects else NO_APP),
    )


def _build(
    options: WorldOptions,
    journal: Journal,
    candles: Sequence[Candle],
    clock: TwinClock,
    contracts: Contracts,
    recovered: Recovered,
    tokens: Tokens,
    standing: str,
    followed: Followed | None,
) -> World:
    engine, venue = followed or engine_on(contracts, journal, clock)
    try:
        with _explained():
            if followed is None:
                engine.recover()
            else:
                engine.journal, engine.clock = journal, clock
                engine.take_over()
    except (msgspec.MsgspecError, AssertionError, LookupError) as error:
        # The chain is whole, so these are the bytes that were written: by another program.
        sentence = JournalCorrupt(engine.sequence, f"it can't be replayed ({error!r})")
        raise StartError(str(sentence)) from error
    kept = None if options.data_dir is None else load_prices(options.data_dir)
    latest_ns = max(engine.core.now_ns, resume(engine, venue, kept))
    if options.start_at_ns is not None and options.start_at_ns < latest_ns:
        raise StartError(
            f"--start-at: the clock of this directory has been at {_in_india(latest_ns)} already,"
            " and time does not run backwards; start later, or in another directory."
        )
    if clock.now_ns() < latest_ns:
        clock.set(latest_ns)  # It had been set ahead: time goes on from there.
    recovered(engine, venue)
    engine.add_source(DelayedReportSource(engine, venue))
    if engine.state.venue_disconnected or venue.delayed.undelivered():
        engine.restore_link()  # A start is a return: what was never told is told now.
    world = World(engine, venue, clock, contracts, tokens)
    engine.quotes = venue
    accepted(engine.execute(ChooseLimits(profile=options.limits)))  # Kept for every replay.
    _open_sessions(world, options)
    open_demo_client(engine, options, tokens, standing)
    _open_market(world, options, candles)
    return world


def _in_india(at_ns: int) -> str:
    zone = timezone(timedelta(seconds=IST_OFFSET_SECONDS))
    return datetime.fromtimestamp(at_ns // NS_PER_SECOND, zone).isoformat()


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


def _open_sessions(world: World, options: WorldOptions) -> None:
    hours = None
    if options.sessions is Sessions.NSE:
        hours = TradingHours(NSE_HOURS, TradingDays(options.holidays))
    calendar = Calendar(world.engine, world.venue.set_phase, hours, options.seed)
    calendar.start()
    world.engine.add_source(calendar)
