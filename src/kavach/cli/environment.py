"""
Options that are read from the environment, too: ``--data-dir`` from ``KAVACH_DATA_DIR``.

Source: docs/twin.md (command line).
"""

from typing import Final

import click

PREFIX: Final = "KAVACH_"


def read_environment(command: click.Command) -> None:
    """Let every option of a command be read from the variable of its name.

    The command line wins. Help and errors name the variable, so that a value which was set long ago
    elsewhere is found.
    """
    for option in command.params:
        if isinstance(option, click.Option):
            option.envvar = PREFIX + option.opts[0].removeprefix("--").replace("-", "_").upper()
            option.show_envvar = True
