"""
The command ``kavach``, also as ``python -m kavach``.

The client can be installed without the server. The command then ends with one sentence that says
what to install, and exit code 2.

Source: UPGRADE.md, "What is installed".
"""

import sys
from importlib import import_module


def main() -> None:
    """Run the command, or say in a sentence what it lacks (exit code 2)."""
    try:
        program = import_module("kavach.cli.program")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "kavach"):
            raise
        print(
            f"kavach: {missing} is missing, since only the client is installed;"
            ' the command needs: pip install "kavach-oms[server]"',
            file=sys.stderr,
        )
        sys.exit(2)
    program.main(prog_name="kavach")


if __name__ == "__main__":
    main()
