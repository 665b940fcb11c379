"""
``kavach standby``: follow the owner of a journal in PostgreSQL, and take its place.

Source: docs/twin.md (command line); docs/spec/journal.md, "In PostgreSQL".
"""

from typing import Any

import click

from kavach.cli.serve import run
from kavach.cli.serve import serve as serve_command
from kavach.program.options import ServeOptions, WorldOptions
from kavach.program.serve import Visit
from kavach.program.standby import stand_by


def _standby(**given: Any) -> None:
    if given["journal"] is None:
        raise click.UsageError("--journal URL names what is to be followed.")
    takes = given.pop("take")

    def follow(world: WorldOptions, options: ServeOptions, visit: Visit) -> None:
        stand_by(world, options, visit, takes=takes)

    run(given, follow)


standby = click.Command(
    "standby",
    callback=_standby,
    params=[
        *serve_command.params,
        click.Option(["--take"], is_flag=True, help="Have the owner hand over at once."),
    ],
    help="Follow the owner of the journal at URL, and serve in its place when it is gone.",
    short_help="Follow a server on another machine, and take its place.",
)
