"""
Kinds of values that options take: a directory or none, a speed, a token, an address.

Source: docs/twin.md (command line).
"""

from fractions import Fraction
from pathlib import Path
from typing import Final

import click

from kavach.wire.redirects import redirect_fault

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


DATA_DIR: Final = DataDir()
REDIRECT: Final = Redirect()
SPEED: Final = Speed()
TOKEN: Final = Token()
