"""Every cell of Tables A to E that a talking venue can reach, played in words."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from kavach.core.model.cover.tables import (
    CLOCK,
    ENTRY_REPORT,
    EXIT_REPORT,
    USER,
    Ask,
    ClockEvent,
    EntryReport,
    ExitReport,
    Meaning,
    State,
)
from kavach.core.rules.cover.target_tables import TARGET_REPORT, TargetReport
from tests.unit.core import bracket_cells, cells
from tests.unit.core.scenario import Cell, play
from tests.unit.core.stocks import stock

TABLES: Final = {
    "A": cells.USER,
    "B": cells.ENTRY_REPORT,
    "C": cells.EXIT_REPORT,
    "D": cells.CLOCK,
    "silence": cells.SILENCE,
    "E": bracket_cells.TARGET_REPORT,
}
SETUPS: Final = {**cells.SETUPS, **bracket_cells.SETUPS}
# Cells that hold something, and that nobody can get to, with the reason.
UNREACHABLE: Final[dict[Cell, str]] = {
    **{
        (State.NEW, event): "placing and sending are one step: nobody meets an order in between"
        for event in (*Ask, *ClockEvent)
    },
    (State.ENTRY_SENT, EntryReport.A5_CANCEL_REFUSED): "no cancel is sent before the ack",
    (State.ENTRY_SENT, EntryReport.A7_STRANGER): "to deny a slice is an answer: ENTRY_OPEN",
}
# Reports that only another report of the same order can have overtaken.
_ENDED: Final = (State.REJECTED, State.CANCELLED, State.EXPIRED, State.EXITED, State.CARRIED)
OVERTAKEN: Final[frozenset[Cell]] = frozenset(
    {
        *((state, EntryReport.A1_ACK) for state in (State.COVERED, *_ENDED)),
        *((state, ExitReport.B1_ACK) for state in (State.COVERED_OPEN, State.COVERED)),
        *((state, ExitReport.B2_REJECT) for state in (State.COVERED_OPEN, State.COVERED)),
        *((state, ExitReport.B1_ACK) for state in (State.EXITED, State.CARRIED)),
        *((state, ExitReport.B4_FILL) for state in (State.EXITED, State.CARRIED)),
        *((state, TargetReport.E1_ACK) for state in (State.EXITED, State.CARRIED)),
        *((state, TargetReport.E3_FILL) for state in (State.EXITED, State.CARRIED)),
    }
)


def _cases() -> Iterator[tuple[str, str]]:
    """Yield an id and a whole scenario, setup included, for each line that is not a ``then``."""
    for name, table in TABLES.items():
        for block in re.split(r"\n(?!  then)", table.strip()):
            setup, first = block.split(maxsplit=1)
            lines = re.sub(r"\n  then\s+", "\n", first)
            asked = "; ".join(line.split("->")[0].strip() for line in lines.splitlines())
            yield f"{name}-{setup}-{asked}", f"{setup}\n{lines}"


@cache
def _played(scenario: str) -> frozenset[Cell]:
    setup, lines = scenario.split("\n", maxsplit=1)
    small = setup.startswith("SLICED") or setup in ("TWO_STOPS", "ONE_STOP_LOST", "DENIED_SLICE")
    table = SETUPS[setup].strip() + "\n" + lines
    return frozenset(play(table, stock(freeze=60) if small else stock()))


CASES: Final = dict(_cases())


@pytest.mark.parametrize("scenario", CASES.values(), ids=CASES.keys())
def test_a_cell(scenario: str) -> None:
    """What the event causes is all that the table says, for a long and for a short position."""
    assert _played(scenario), "no cell was entered"


def test_every_cell_has_a_scenario() -> None:
    """No cell that means something is left without a scenario, unless it can't be reached."""
    wanted: set[Cell] = set()
    for state in State:
        wanted |= {(state, ask) for ask in USER[state]}
        for reports in (ENTRY_REPORT, EXIT_REPORT, TARGET_REPORT):
            wanted |= {
                (state, report)
                for report, meaning in reports[state].items()
                if meaning is not Meaning.NEVER
            }
        wanted |= {(state, kind) for kind in CLOCK[state]}
    wanted = {cell for cell in wanted if cell not in OVERTAKEN}
    visited = set().union(*map(_played, CASES.values()))
    assert wanted - visited - set(UNREACHABLE) == set()


def test_the_unreachable_is_not_reached() -> None:
    """What is called unreachable is indeed entered by no scenario."""
    visited = set().union(*map(_played, CASES.values()))
    assert visited & set(UNREACHABLE) == set()
