"""
``kavach import-contracts``: the broker's list of contracts into a data directory.

What can't be read is told on standard error: a line that is no contract by its number, a file
that is no list of contracts in one sentence. The directory then is as it was.

Source: docs/twin.md (command line); docs/wire/contracts.md, "Importing".
"""

import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from kavach.cli.values import DATA_DIR
from kavach.contracts.archive import ContractsError
from kavach.contracts.importing import Faults, Imported, merged, read_contracts
from kavach.contracts.store import Stored, load, save
from kavach.data import load_instruments


@click.command("import-contracts", short_help="Trade the whole market.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--data-dir",
    type=DATA_DIR,
    default="./kavach-data",
    show_default=True,
    help="The data directory of the server that shall trade them.",
)
def import_contracts(file: Path, data_dir: Path | None) -> None:
    """Take every contract of FILE, the ZIP that the broker publishes or one CSV of it.

    A server on the same data directory trades them from its next start on. Exit code 0: taken,
    lines that are no contracts named. 2: FILE is no list of contracts, nothing has changed.
    """
    if data_dir is None:
        raise click.UsageError("--data-dir :memory: keeps nothing; use serve --contracts FILE.")
    try:
        before = _before(data_dir)
        imported = _read(file)
        stored = merged(before, imported, file.name)
        save(data_dir, stored)
    except ContractsError as error:
        click.echo(f"kavach: {error}", err=True)
        sys.exit(2)
    _name_faults(imported.faults)
    by_exchange = Counter(one.exchange.value for one in imported.current)
    each = ", ".join(f"{name} {count}" for name, count in sorted(by_exchange.items()))
    click.echo(f"{data_dir}: {len(imported.current)} contracts ({each}).")
    told = [
        (imported.rows - len(imported.current), "are bundled and keep their own data"),
        (len(stored.former), "of earlier imports are listed no more, and kept aside"),
        (imported.faults.count, "lines are no contracts"),
    ]
    for number, what in told:
        if number:
            click.echo(f"{number} {what}.")


def _before(data_dir: Path) -> Stored:
    """Return what was imported before; what is damaged is made anew by this import."""
    try:
        return load(data_dir)
    except ContractsError as error:
        click.echo(f"kavach: {error}", err=True)
        return Stored("", [])


def _read(file: Path) -> Imported:
    """Read the file under a bar that shows how far it is, where somebody sees it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        return read_contracts(
            file,
            load_instruments(),
            lambda done, total: bar.update(task, completed=done, total=total),
        )


def _name_faults(faults: Faults) -> None:
    for fault in faults.named:
        click.echo(fault, err=True)
    unnamed = faults.count - len(faults.named)
    if unnamed:
        click.echo(f"... and {unnamed} more.", err=True)
