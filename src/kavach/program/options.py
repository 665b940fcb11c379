"""
What a world is made from, and where and how it is served.

Source: docs/twin.md, "The command line".
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from kavach.api.http.options import ApiOptions
from kavach.core.model.limits.profiles import Profile
from kavach.trading_days import HolidayFile


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
class Database:
    """A journal in PostgreSQL, and who wants to own it."""

    address: str
    url: str = ""  # Where clients find this process.


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """What a world is made from; the same options make the same world."""

    data_dir: Path | None = None  # None: keep nothing, unless there is a database.
    database: Database | None = None  # In place of a directory.
    contracts: Path | None = None  # A published file, where there is no directory.
    market: MarketKind = MarketKind.QUIET
    replay: Path | None = None  # What MarketKind.REPLAY replays.
    speed: Fraction = Fraction(1)
    sessions: Sessions = Sessions.ALWAYS_OPEN
    holidays: HolidayFile | None = None  # What an operator changes of the published days.
    start_at_ns: int | None = None  # None: what the wall shows.
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
    ready_file: Path | None = None  # A copy of what the state directory tells.
    publish: bool = False  # Tell in the user's state directory that this twin runs.
    insecure: bool = False  # Let the control room be reached from other machines in the clear.
    advertise: str = ""  # Where clients find it; empty: where it listens.
    proxy_header: str = ""  # Where a proxy says "https" of a client; else the room is closed.
    api: ApiOptions = field(default_factory=ApiOptions)
