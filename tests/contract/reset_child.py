"""
Resets, or backs up, in a process that is killed at the n-th change of a directory's names.

``python -m tests.contract.reset_child WHAT DIRECTORY N``: WHAT is ``reset`` or ``backup``. An audit
hook sees every open for writing, rename, link, removal and making of a directory that Python asks
of the system below DIRECTORY, once the work has begun, and kills the process (SIGKILL) before the
N-th of them. Exit code 0: the work ended before that.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Final

from kavach.cli.backup import backup
from kavach.program.options import ServeOptions, WorldOptions
from kavach.program.serve import serve
from kavach.program.twin import Twin
from kavach.ready_files import Ready

CHANGES: Final = frozenset(
    {"os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod"}
)
WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Killer:
    """Counts changes, and ends the process before one of them."""

    def __init__(self, directory: Path, number: int) -> None:
        self.begun = False
        self._below = str(directory)
        self._left = number

    def __call__(self, event: str, given: tuple[object, ...]) -> None:
        """Look at what the interpreter is about to ask of the system."""
        if not self.begun:
            return
        changes = event in CHANGES
        if event == "open" and isinstance(given[2], int):
            changes = bool(given[2] & WRITES)
        if changes and any(self._below in str(one) for one in given):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def reset(directory: Path, killer: Killer) -> None:
    """Serve the directory's world, and become a fresh one."""

    async def visit(ready: Ready, twin: Twin) -> None:
        killer.begun = True
        twin.reset()
        killer.begun = False

    world = WorldOptions(data_dir=directory, demo_token="demo", operator_token="room")
    serve(world, ServeOptions(port=0), visit)


def back_up(directory: Path, killer: Killer) -> None:
    """Copy the directory beside itself."""
    killer.begun = True
    backup.main([str(directory), f"{directory}-copy"], standalone_mode=False)


def main() -> None:
    """Do what the command line says."""
    what, directory, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    killer = Killer(directory, number)
    sys.addaudithook(killer)
    {"reset": reset, "backup": back_up}[what](directory, killer)


if __name__ == "__main__":
    main()
