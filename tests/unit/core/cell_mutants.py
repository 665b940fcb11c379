"""
Change every cell of the core's tables to each other lawful word: some scene must notice.

    python -m tests.unit.core.cell_mutants [--sample 12]

A cell is shown to the scenes that enter it. One that none of them notices *survives*: then it is
a decoration, or a scene is missing. With ``--sample`` so many changes are drawn by the hash of the
commit that is checked out, so that another part is looked at with every commit.
"""

import argparse
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.unit.core.scenes import every_scene
from tests.unit.core.watched import Cell, changed, every_cell, others, value_of, watching

ROOT: Final = Path(__file__).parents[3]
UNNOTICED: Final = Path(__file__).parent / "unnoticed_cells.txt"
Scenes = Mapping[str, Callable[[], object]]


class Change(NamedTuple):
    """Another word in a cell."""

    cell: Cell
    value: Any

    def __str__(self) -> str:
        return f"{self.cell}: {value_of(self.cell).name} -> {self.value.name}"


def every_change() -> list[Change]:
    """Return every change of one cell to another word of its table."""
    return [Change(cell, value) for cell in every_cell() for value in others(cell)]


def scenes_of(scenes: Scenes) -> dict[Cell, list[str]]:
    """Return which scenes enter a cell; obligations are read in all of them."""
    found: dict[Cell, list[str]] = {}
    for name, scene in scenes.items():
        with watching() as entered:
            scene()
            seen = set(entered)
        for cell in seen:
            found.setdefault(cell, []).append(name)
    return found


def known() -> frozenset[str]:
    """Return the changes of which it is known that no scene notices them."""
    lines = UNNOTICED.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def notices(change: Change, scenes: Scenes, names: list[str]) -> str:
    """Return the first of these scenes that fails with the change; empty if none does."""
    with changed(change.cell, change.value):
        for name in names:
            try:
                scenes[name]()
            except Exception:  # Whatever it is: the scene no longer ends as it says.
                return name
    return ""


def survivors(changes: list[Change]) -> list[Change]:
    """Return the changes that no scene notices."""
    scenes = every_scene()
    entered = scenes_of(scenes)
    every = list(scenes)
    return [
        change
        for change in changes
        if not notices(
            change, scenes, entered.get(change.cell, []) if change.cell.column else every
        )
    ]


def drawn(changes: list[Change], sample: int) -> list[Change]:
    """Return a sample that the commit's hash decides; without a repository always the same."""
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return random.Random(git.stdout.strip()).sample(changes, min(sample, len(changes)))


def main(arguments: list[str]) -> int:
    """Print the changes that survive; return 1 if one does that was noticed before."""
    parser = argparse.ArgumentParser(prog="cell_mutants")
    parser.add_argument("--sample", type=int)
    options = parser.parse_args(arguments)
    changes, unnoticed = every_change(), known()
    if options.sample:
        changes = drawn([one for one in changes if str(one) not in unnoticed], options.sample)
    left = [str(change) for change in survivors(changes)]
    new = [one for one in left if one not in unnoticed]
    for one in new:
        print(f"survived: {one}")
    if not options.sample:
        for one in sorted(unnoticed - set(left)):
            print(f"is noticed now, take it out of {UNNOTICED.name}: {one}")
    print(f"{len(changes) - len(left)} of {len(changes)} changes of a cell are noticed")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
