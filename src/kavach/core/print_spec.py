"""
Prints the grids of the state machines as Markdown, into the documents that explain them.

The documents below are prose by hand and tables by this program: between ``<!-- table NAME -->``
and ``<!-- end -->`` stands the table of that name. Run in the root of the repository, ``python -m
kavach.core.print_spec`` writes the tables anew; a test holds documents and code equal.

Source: core.model.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, TypeVar

from kavach.core.model.cover import tables as cover_life
from kavach.core.model.gtt import tables as gtt_tables
from kavach.core.model.orders import life as order_life
from kavach.core.model.orders.life import Illegal
from kavach.core.model.regular import tables as regular_life
from kavach.core.rules.cover import tables as cover
from kavach.core.rules.regular import tables as regular

DOCUMENTS: Final = (
    "docs/spec/cover_order.md",
    "docs/spec/order_life.md",
    "docs/spec/regular_order.md",
    "docs/spec/gtt.md",
)
_BEGIN: Final = "<!-- table "
_END: Final = "<!-- end -->"

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def words(cell: Enum) -> str:
    """Return a member of a grid as a person reads it."""
    states = order_life.Life | cover_life.State | regular_life.RegularState | gtt_tables.GttState
    if isinstance(cell, states):
        return f"`{cell.value}`"
    return cell.name.lower().replace("_", " ")


def grid_table(grid: Mapping[S, Mapping[E, Enum]]) -> list[str]:
    """Return a grid as the lines of a Markdown table: a row a state, a column an event."""
    events = list(next(iter(grid.values())))
    rows = [[words(state), *(_cell(cell) for cell in row.values())] for state, row in grid.items()]
    return _lines(["state", *map(words, events)], rows)


def _cell(cell: Enum) -> str:
    return f"*{words(cell)}*" if isinstance(cell, Illegal) or cell.name == "NEVER" else words(cell)


def obligation_table() -> list[str]:
    """Return the obligation of each state."""
    pairs = cover.OBLIGATION.items()
    return _lines(
        ["state", "obligation"], [[words(state), words(obligation)] for state, obligation in pairs]
    )


def moves_table(moves: Mapping[S, frozenset[S]]) -> list[str]:
    """Return what each state may become, in the order of the states."""
    rows = []
    for state, targets in moves.items():
        said = ", ".join(words(target) for target in type(state) if target in targets)
        rows.append([words(state), said])
    return _lines(["state", "may become"], rows)


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


TABLES: Final[Mapping[str, list[str]]] = {
    "request": grid_table(cover.REQUEST),
    "entry_report": grid_table(cover.ENTRY_REPORT),
    "stop_report": grid_table(cover.STOP_REPORT),
    "target_report": grid_table(cover.TARGET_REPORT),
    "clock": grid_table(cover.CLOCK),
    "obligation": obligation_table(),
    "moves": moves_table(cover_life.MOVES),
    "life": grid_table(order_life.LIFE),
    "in_flight": grid_table(order_life.REQUEST),
    "regular_request": grid_table(regular.REQUEST),
    "regular_report": grid_table(regular.REPORT),
    "regular_clock": grid_table(regular.CLOCK),
    "square_off_clock": grid_table(regular.SQUARE_OFF_CLOCK),
    "regular_moves": moves_table(regular_life.MOVES),
    "gtt": grid_table(gtt_tables.GTT),
}


def written_anew(document: str) -> str:
    """Return a document with its tables as the code has them; ``KeyError`` for an unknown one."""
    lines: list[str] = []
    inside = False
    for line in document.splitlines():
        if line == _END:
            inside = False
        if not inside:
            lines.append(line)
        if line.startswith(_BEGIN):
            lines += TABLES[line.removeprefix(_BEGIN).removesuffix(" -->")]
            inside = True
    assert not inside, "a table has no end"
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the tables of the documents anew and say so."""
    for name in DOCUMENTS:
        with open(name, encoding="utf-8") as file:
            before = file.read()
        after = written_anew(before)
        with open(name, "w", encoding="utf-8") as file:
            file.write(after)
        print(f"{name}: {'as it was' if after == before else 'written anew'}")


if __name__ == "__main__":
    main()
