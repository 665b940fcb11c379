"""
Every scene in words that the tests of the core play, by name, for whoever wants them all.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from tests.unit.core import (
    bracket_cells,
    cells,
    gtt_scene,
    repeat_cells,
    test_brackets,
    test_gtt,
    test_lost_requests,
    test_races,
    test_regular,
    test_silence,
)
from tests.unit.core.scenario import play
from tests.unit.core.stocks import stock

TABLES: Final = {
    "request": cells.USER,
    "entry report": cells.ENTRY_REPORT,
    "exit report": cells.EXIT_REPORT,
    "clock": cells.CLOCK,
    "silence": cells.SILENCE,
    "target report": bracket_cells.TARGET_REPORT,
    "repeats": repeat_cells.REPEATS,
}
SETUPS: Final = {**cells.SETUPS, **bracket_cells.SETUPS}
_SMALL: Final = ("TWO_STOPS", "ONE_STOP_LOST", "DENIED_SLICE")


def _played(setup: str, lines: str) -> None:
    small = setup.startswith("SLICED") or setup in _SMALL
    play(f"{SETUPS[setup].strip()}\n{lines}", stock(freeze=60) if small else stock())


def of_cells() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield a name and a scene, setup included, for each line that is not a ``then``."""
    for name, table in TABLES.items():
        for block in re.split(r"\n(?!  then)", table.strip()):
            setup, first = block.split(maxsplit=1)
            lines = re.sub(r"\n  then\s+", "\n", first)
            asked = "; ".join(line.split("->")[0].strip() for line in lines.splitlines())
            yield f"{name}-{setup}-{asked}", partial(_played, setup, lines)


def every_scene() -> dict[str, Callable[[], object]]:
    """Return all scenes of the core by name; each raises if it does not end as it says."""
    found = dict(of_cells())
    for story in test_brackets.STORIES:
        found[f"bracket {story}"] = partial(play, test_brackets.STORIES[story])
    for story in test_races.RACES:
        found[f"race {story}"] = partial(play, test_races.RACES[story])
    for story in test_races.SLICES:
        found[f"slices {story}"] = partial(play, test_races.SLICES[story], stock(freeze=60))
    for story in test_silence.STORIES:
        found[f"silence {story}"] = partial(play, test_silence.STORIES[story])
    for story in test_lost_requests.LOST:
        found[f"lost {story}"] = partial(play, test_lost_requests.LOST[story])
    for story in test_regular.SCENES:
        found[f"regular {story}"] = partial(test_regular.play, test_regular.SCENES[story])
    for story in test_gtt.SCENES:
        found[f"gtt {story}"] = partial(gtt_scene.check_scene, test_gtt.SCENES[story])
    return found
