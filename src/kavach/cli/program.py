"""
The command ``kavach``: what can be asked of it, and how it ends.

Exit codes: 0 done; 1 something was found or broke; 2 it could not begin, or was asked wrongly.

Source: docs/twin.md (command line).
"""

import click

from kavach import __version__
from kavach.cli.backup import backup, snapshot
from kavach.cli.cluster import cluster
from kavach.cli.demo import demo
from kavach.cli.import_contracts import import_contracts
from kavach.cli.journal import journal
from kavach.cli.serve import serve
from kavach.cli.standby import standby
from kavach.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kavach")
def main() -> None:
    """An order management system whose cover orders are never naked."""


for command in (serve, standby, cluster, demo, verify, journal, backup, snapshot, import_contracts):
    main.add_command(command)
