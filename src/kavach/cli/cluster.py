"""
``kavach cluster``: a cluster on this machine, for development; and how it stands with any.

Source: docs/twin.md (command line).
"""

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click
import msgspec

from kavach.cli.reading import NOT_BEGUN, told
from kavach.cli.values import ADDRESS
from kavach.cli.verify import verify as verify_command
from kavach.cluster.up import Cluster, ClusterError, write_ready
from kavach.journal.place import postgres, shown
from kavach.program.process import STOP_SIGNALS


@click.group(short_help="Two servers on one journal: try it here, ask how it stands.")
def cluster() -> None:
    """Two servers on one journal in PostgreSQL; one takes the other's place."""


@cluster.command(short_help="Run PostgreSQL, an owner and a standby on this machine.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("./kavach-cluster"),
    show_default=True,
    help="Where all of it is kept.",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="Written when orders are taken: addresses, tokens, processes.",
)
@click.option("--market", default="synthetic", show_default=True, help="As for serve.")
def up(data_dir: Path, ready_file: Path | None, market: str) -> None:
    """Run PostgreSQL, an owner and a standby on loopback until Ctrl-C; for development.

    Whichever of them dies is started anew, owner and standby as standbys.
    """
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set():
            sys.exit(NOT_BEGUN)
        stopped.set()

    def tell(text: str) -> None:
        click.echo(f"kavach: {text}", err=True)

    running = Cluster(data_dir, ["--market", market], tell)
    try:
        try:
            ready = running.start()
        except ClusterError as error:
            tell(str(error))
            sys.exit(NOT_BEGUN)
        for number in STOP_SIGNALS:
            signal.signal(number, stop)
        if ready_file is not None:
            write_ready(ready_file, ready)
        click.echo(f"An owner answers on {ready.urls[0]}, a standby follows on {ready.urls[1]}.")
        click.echo(f"The journal is {ready.journal}; Ctrl-C stops all.")
        click.echo(f"export KAVACH_URL={','.join(ready.urls)} KAVACH_CLIENT_ID={ready.client_id}")
        click.echo(f"export KAVACH_TOKEN={ready.access_token}")
        sys.stdout.flush()
        running.keep(stopped)
    finally:
        running.stop()


@cluster.command(short_help="Who owns a journal, and who follows it.")
@click.option("--journal", type=ADDRESS, required=True, envvar="KAVACH_JOURNAL", help="Its URL.")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object.")
def status(journal: str, json_wanted: bool) -> None:
    """Say who owns the journal at URL, how far it has got, and who follows."""
    with told():
        found: Any = postgres("status").status(journal)
    if json_wanted:
        click.echo(msgspec.json.encode(found))
        return
    owner = f"{found.owner_url} (process {found.owner_pid})" if found.owner_pid else "none"
    click.echo(f"{shown(journal)}: epoch {found.epoch}, {found.head} records, owned by {owner}.")
    for one in found.standbys:
        click.echo(f"  {one.url} (process {one.pid}) follows, {one.lag} records behind.")


@cluster.command(short_help="Check a journal from its first record.")
@click.option("--journal", type=ADDRESS, required=True, envvar="KAVACH_JOURNAL", help="Its URL.")
@click.pass_context
def verify(context: click.Context, journal: str) -> None:
    """Check chain, snapshots and invariants of the journal at URL; exit codes of kavach verify."""
    context.invoke(verify_command, place=journal)
