"""
Kinds of values that options take: directories, speeds, tokens, addresses, times, holidays.

Source: docs/twin.md (command line).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Final

import click
import msgspec
from click.core import ParameterSource

from kavach.journal.place import has_password, is_address
from kavach.trading_days import HolidayFile, TradingDays
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND
from kavach.wire.redirects import origin_of, redirect_fault

SPEED_MAX: Final = 1_000_000
DIGITS_MAX: Final = 20
IN_MEMORY: Final = ":memory:"


class DataDir(click.ParamType[Path | None]):
    """A directory, or None for ``:memory:``."""

    name = "directory"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | None:
        """Return the path."""
        return None if value == IN_MEMORY else Path(str(value))


class AddressType(click.ParamType[str]):
    """An address of PostgreSQL, without a password if it stands on the command line."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the address."""
        address = str(value)
        if not is_address(address):
            self.fail("must begin with postgresql://", param, ctx)
        source = ctx.get_parameter_source(param.name or "") if ctx and param else None
        if source is ParameterSource.COMMANDLINE and has_password(address):
            self.fail(
                "holds a password, which every program of this machine can read there; put it into"
                " PGPASSWORD, a service file or ~/.pgpass (mode 0600)",
                param,
                ctx,
            )
        return address


class PlaceType(AddressType):
    """Where a journal is: a directory, or an address of PostgreSQL."""

    name = "place"

    def convert(  # type: ignore[override]  # A directory, too.
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        """Return the path or the address."""
        return super().convert(value, param, ctx) if is_address(str(value)) else Path(str(value))


class Speed(click.ParamType[Fraction]):
    """How fast the twin's clock runs, exact."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Return the speed."""
        try:
            speed = Fraction(str(value)) if len(str(value)) <= DIGITS_MAX else Fraction(0)
        except (ValueError, ZeroDivisionError):
            speed = Fraction(0)
        if not 0 < speed <= SPEED_MAX:
            self.fail(f"must be a number above 0 and at most {SPEED_MAX}", param, ctx)
        return speed


class Token(click.ParamType[str]):
    """A secret that fits into an HTTP header."""

    name = "token"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the token, if a header can carry it."""
        token = str(value)
        if not token or not (token.isascii() and token.isprintable()) or " " in token:
            self.fail("must be printable ASCII without blanks", param, ctx)
        return token


class Redirect(click.ParamType[str]):
    """An address to which a login may send people back."""

    name = "uri"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the address, if it is a safe one."""
        fault = redirect_fault(str(value))
        if fault:
            self.fail(fault, param, ctx)
        return str(value)


class Origin(click.ParamType[str]):
    """What a browser calls the server that a page is from, or ``*`` for every one."""

    name = "origin"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the origin, without a slash behind it."""
        origin = str(value).removesuffix("/").lower()
        if origin == "*":
            return origin
        web = origin.startswith(("http://", "https://"))
        if not web or redirect_fault(origin) or origin_of(origin) != origin:
            self.fail("must be an origin like https://example.com:8443, or *", param, ctx)
        return origin


class Moment(click.ParamType[int]):
    """A time of day on a day, of India unless it has another offset, in nanoseconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the instant, nanoseconds since the epoch."""
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("must be a time like 2026-12-01T09:00", param, ctx)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone(timedelta(seconds=IST_OFFSET_SECONDS)))
        if not 2000 <= moment.year < 2200:
            self.fail("must be a time from 2000 to 2199", param, ctx)
        return int(moment.timestamp()) * NS_PER_SECOND


class Kind(click.ParamType[str]):
    """One of many names, in any case; a wrong one is answered with those that are close."""

    name = "event"

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.lower(): name for name in names}

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the name as it is spelled."""
        wanted = str(value).lower()
        if wanted not in self._names:
            close = get_close_matches(wanted, self._names, n=3) or sorted(self._names)[:3]
            told = ", ".join(self._names[name] for name in close)
            self.fail(
                f"{value!r} is no event; there are {told} and {len(self._names)} in all", param, ctx
            )
        return self._names[wanted]


class Holidays(click.ParamType[HolidayFile]):
    """A file of days that the exchanges trade or do not, beside the published ones."""

    name = "file"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> HolidayFile:
        """Return what the file says, if it says it of days and times."""
        if isinstance(value, HolidayFile):
            return value
        path = Path(str(value))
        try:
            changes = msgspec.json.decode(path.read_bytes(), type=HolidayFile)
            TradingDays(changes)
        except OSError as error:
            self.fail(f"{path} can't be read: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(f"{path}: {error}", param, ctx)
        return changes


DATA_DIR: Final = DataDir()
ADDRESS: Final = AddressType()
PLACE: Final = PlaceType()
HOLIDAYS: Final = Holidays()
MOMENT: Final = Moment()
ORIGIN: Final = Origin()
REDIRECT: Final = Redirect()
SPEED: Final = Speed()
TOKEN: Final = Token()
