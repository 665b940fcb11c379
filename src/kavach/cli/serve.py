"""
``kavach serve``: options in, where it answers and how to begin out.

Source: docs/twin.md (command line); docs/wire/README.md (switches).
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
from click.core import ParameterSource

from kavach.api.http.options import ApiOptions
from kavach.cli.environment import read_environment
from kavach.cli.panel import panel
from kavach.cli.values import (
    ADDRESS,
    DATA_DIR,
    HOLIDAYS,
    MOMENT,
    ORIGIN,
    REDIRECT,
    SPEED,
    TOKEN,
)
from kavach.core.model.limits.profiles import Profile
from kavach.engine.journal_port import JournalError, JournalFenced
from kavach.journal.place import Place
from kavach.program.options import (
    Database,
    MarketKind,
    ServeOptions,
    Sessions,
    StartError,
    WorldOptions,
)
from kavach.program.process import STOP_SIGNALS
from kavach.program.serve import Visit
from kavach.program.serve import serve as serve_world
from kavach.program.twin import Twin
from kavach.ready_files import Ready
from kavach.telemetry.logs import LogFormat, LogLevel, Note, start_logging

_SECRETS: Final = (
    "demo_token",
    "operator_token",
    "demo_password",
    "demo_pin",
    "demo_app_secret",
)

FENCED: Final = 3  # Another process owns the journal now.
_LOG: Final = logging.getLogger(__name__)


@click.command(short_help="Serve the trading API, with a stock exchange inside.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--insecure",
    is_flag=True,
    help="Open the control room although --host is beyond this machine, where all see its token.",
)
@click.option(
    "--proxy-header",
    metavar="NAME",
    default="",
    help="Open it to requests of which a proxy says https in this header, as X-Forwarded-Proto.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="0: a free one."
)
@click.option(
    "--data-dir",
    type=DATA_DIR,
    default="./kavach-data",
    show_default=True,
    help="Where the journal is kept; :memory: keeps nothing.",
)
@click.option(
    "--journal",
    type=ADDRESS,
    help="postgresql://user@host/database to keep the journal in, in place of --data-dir.",
)
@click.option(
    "--advertise",
    metavar="URL",
    default="",
    help="Where clients find this server, for --journal; else where it listens.",
)
@click.option(
    "--contracts",
    type=click.Path(path_type=Path),
    help="ZIP of contracts to trade beside the bundled ones; not with a data directory.",
)
@click.option(
    "--market",
    type=click.Choice([kind.value for kind in MarketKind]),
    default=MarketKind.SYNTHETIC.value,
    show_default=True,
    help="Where prices come from.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help="CSV of minutes that the NIFTY future follows.",
)
@click.option(
    "--speed",
    type=SPEED,
    default="1.0",
    show_default=True,
    help="Seconds of the twin's clock per second of ours.",
)
@click.option(
    "--sessions",
    type=click.Choice([sessions.value for sessions in Sessions]),
    default=Sessions.ALWAYS_OPEN.value,
    show_default=True,
    help="When the exchanges are open; nse has auctions, square-off, holidays.",
)
@click.option(
    "--holidays",
    type=HOLIDAYS,
    help="JSON of days, beside the published holidays; with --sessions nse.",
)
@click.option(
    "--start-at",
    type=MOMENT,
    help="What the twin's clock shows at the start, as 2026-12-01T09:00 in India.",
)
@click.option(
    "--limits",
    type=click.Choice([profile.value for profile in Profile]),
    default=Profile.OFF.value,
    show_default=True,
    help="How often clients may ask, and the rules that go with it.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="What the market grows from.")
@click.option(
    "--demo-token",
    type=TOKEN,
    help="Access token of DEMO1; else as before, or made up.",
)
@click.option("--operator-token", type=TOKEN, help="Token of the control room; the same holds.")
@click.option("--demo-password", help="Password of DEMO1; without one nobody logs in as DEMO1.")
@click.option("--demo-pin", help="PIN of DEMO1, which a login asks for after the password.")
@click.option(
    "--demo-app-redirect",
    "demo_app_redirects",
    type=REDIRECT,
    multiple=True,
    metavar="URI",
    help="Let an app DEMOAPP send people to /oauth2/auth and have them back here; repeatable.",
)
@click.option("--demo-app-secret", type=TOKEN, help="Secret of DEMOAPP; the same holds.")
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="A copy of the file by which clients on this machine find it.",
)
@click.option(
    "--log-format",
    type=click.Choice([log_format.value for log_format in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    help="What the lines on stderr look like.",
)
@click.option(
    "--log-level",
    type=click.Choice([level.value for level in LogLevel]),
    default=LogLevel.INFO.value,
    show_default=True,
    help="From which level on there are lines; debug tells every command.",
)
@click.option("--errors-as-200", is_flag=True, help="Say refusals under HTTP status 200.")
@click.option("--error-type", is_flag=True, help="Add error_type to refusals.")
@click.option("--blank-basket-id", is_flag=True, help="Answer modify and cancel without basket_id.")
@click.option("--documented-history", is_flag=True, help="Nest order history as documented.")
@click.option("--enveloped-updates", is_flag=True, help="Envelop updates of the feed.")
@click.option(
    "--cors",
    type=ORIGIN,
    multiple=True,
    metavar="ORIGIN",
    help="Let pages of another origin, as https://example.com, use the API; repeatable; *: all.",
)
def serve(**given: Any) -> None:
    """Serve the trading API on http://HOST:PORT until Ctrl-C."""
    run(given, serve_world)


def run(given: dict[str, Any], serve: Callable[[WorldOptions, ServeOptions, Visit], None]) -> None:
    """Serve with the options that were given, and end the program with the right exit code."""
    world, options = options_of(given)
    for signal_number in STOP_SIGNALS:
        signal.signal(signal_number, _leave)
    log_format = LogFormat(given["log_format"])
    start_logging(log_format, LogLevel(given["log_level"]), sys.stderr)
    try:
        serve(world, options, _announcing(where(world)))
    except StartError as error:
        _complain(log_format, error)
        sys.exit(2)
    except JournalFenced as error:
        _complain(log_format, error)
        sys.exit(FENCED)
    except JournalError as error:
        _complain(log_format, error)
        sys.exit(1)


def options_of(given: dict[str, Any]) -> tuple[WorldOptions, ServeOptions]:
    """Return what a world is made from, and how it is served; ``UsageError``."""
    if given["market"] == MarketKind.REPLAY and given["replay"] is None:
        raise click.UsageError("--market replay needs --replay FILE.")
    if given["market"] != MarketKind.REPLAY and given["replay"] is not None:
        raise click.UsageError("--replay FILE needs --market replay.")
    if given["holidays"] is not None and given["sessions"] != Sessions.NSE:
        raise click.UsageError("--holidays FILE needs --sessions nse.")
    if given["demo_app_secret"] and not given["demo_app_redirects"]:
        raise click.UsageError("--demo-app-secret SECRET needs --demo-app-redirect URI.")
    if given["journal"] is not None:
        check_journal(given)
    if given["contracts"] is not None and given["data_dir"] is not None:
        raise click.UsageError(
            "--contracts FILE needs --data-dir :memory: or --journal; for a data directory there is"
            " kavach import-contracts FILE."
        )
    secrets = {name: given[name] for name in _SECRETS if given[name]}
    world = WorldOptions(
        data_dir=given["data_dir"],
        database=None if given["journal"] is None else Database(address=given["journal"]),
        contracts=given["contracts"],
        market=MarketKind(given["market"]),
        replay=given["replay"],
        speed=given["speed"],
        sessions=Sessions(given["sessions"]),
        holidays=given["holidays"],
        start_at_ns=given["start_at"],
        seed=given["seed"],
        demo_app_redirects=given["demo_app_redirects"],
        limits=Profile(given["limits"]),
        **secrets,
    )
    options = ServeOptions(
        host=given["host"],
        port=given["port"],
        ready_file=given["ready_file"],
        publish=True,
        insecure=given["insecure"],
        advertise=given["advertise"],
        proxy_header=given["proxy_header"],
        api=ApiOptions(
            errors_as_200=given["errors_as_200"],
            error_type=given["error_type"],
            blank_basket_id=given["blank_basket_id"],
            documented_history=given["documented_history"],
            enveloped_updates=given["enveloped_updates"],
            cors=given["cors"],
        ),
    )
    return world, options


read_environment(serve)


def check_journal(given: dict[str, Any]) -> None:
    """Return if the options fit a journal that other machines go on with; sets no data directory.

    Its time is that of the day, and it has no directory of its own.
    """
    source = click.get_current_context().get_parameter_source("data_dir")
    if source is ParameterSource.COMMANDLINE:
        raise click.UsageError("--journal URL is given in place of --data-dir DIRECTORY.")
    given["data_dir"] = None
    if given["start_at"] is not None or given["speed"] != 1:
        raise click.UsageError("--journal URL goes by the time of day: no --start-at, no --speed.")


def _complain(log_format: LogFormat, error: Exception) -> None:
    """Say why it ends, to a person or to a program that reads every line as JSON."""
    if log_format is LogFormat.TEXT:
        click.echo(f"kavach: {error}", err=True)
    else:
        _LOG.error(Note("end", error=str(error)))


def _leave(signal_number: int, frame: FrameType | None) -> None:
    """End while the journal is still being read; once it answers, the server has the signals."""
    sys.exit(0)


def where(world: WorldOptions) -> Place | None:
    """Return where a world keeps its journal, None if nowhere."""
    return world.data_dir if world.database is None else world.database.address


def _announcing(place: Place | None) -> Visit:
    """Return what prints where it answers, and stays until the server is stopped."""

    async def announce(ready: Ready, twin: Twin) -> None:
        click.echo(panel(ready, place))
        sys.stdout.flush()
        await asyncio.Event().wait()

    return announce
