"""
The tables of the core, watched: which cells a scenario looks up, and one cell changed at a time.

What is looked up is recorded by the rows themselves, so that a cell counts as entered only if the
program has read it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final, NamedTuple

from kavach.core.model.gtt.tables import GTT
from kavach.core.model.orders.life import LIFE, REQUEST
from kavach.core.rules.cover import tables as cover
from kavach.core.rules.regular import tables as regular

Grid = dict[Any, dict[Any, Any]]

GRIDS: Final[Mapping[str, Grid]] = {
    "request": cover.REQUEST,
    "entry report": cover.ENTRY_REPORT,
    "stop report": cover.STOP_REPORT,
    "target report": cover.TARGET_REPORT,
    "clock": cover.CLOCK,
    "regular request": regular.REQUEST,
    "regular report": regular.REPORT,
    "regular clock": regular.CLOCK,
    "square-off clock": regular.SQUARE_OFF_CLOCK,
    "gtt": GTT,
    "life": LIFE,
    "in flight": REQUEST,
}


class Cell(NamedTuple):
    """A cell of a table; of ``OBLIGATION``, which has one column, the column is empty."""

    table: str
    state: Enum
    column: Enum | None = None

    def __str__(self) -> str:
        column = "" if self.column is None else f", {self.column.name}"
        return f"{self.table}: {self.state.name}{column}"


class _Row(dict[Any, Any]):
    """A row that notes which of its cells are read."""

    def __init__(self, row: Mapping[Any, Any], note: Callable[[Any], None]) -> None:
        super().__init__(row)
        self._note = note

    def __getitem__(self, column: Any) -> Any:
        self._note(column)
        return super().__getitem__(column)

    def get(self, column: Any, default: Any = None) -> Any:
        if column in self:
            self._note(column)
        return super().get(column, default)


@contextmanager
def watching() -> Iterator[set[Cell]]:
    """Yield the set of cells that are read meanwhile."""
    entered: set[Cell] = set()
    plain = {name: dict(grid) for name, grid in GRIDS.items()}
    obligations = dict(cover.OBLIGATION)

    def noting(name: str, state: Enum) -> Callable[[Any], None]:
        return lambda column: entered.add(Cell(name, state, column))

    for name, grid in GRIDS.items():
        for state, row in plain[name].items():
            grid[state] = _Row(row, noting(name, state))
    try:
        yield entered
    finally:
        for name, grid in GRIDS.items():
            grid.update(plain[name])
        assert cover.OBLIGATION == obligations


def every_cell() -> list[Cell]:
    """Return every cell that may be entered."""
    cells = [
        Cell(name, state, column)
        for name, grid in GRIDS.items()
        for state, row in grid.items()
        for column, value in row.items()
        if value.name != "NEVER"
    ]
    return cells + [Cell("obligation", state) for state in cover.OBLIGATION]


def others(cell: Cell) -> list[Any]:
    """Return what else could lawfully stand in a cell: any other word of its column."""
    now = value_of(cell)
    if cell.column is None:
        return [one for one in type(now) if one is not now]
    words = {row[cell.column] for row in GRIDS[cell.table].values()}
    return sorted((one for one in words if one is not now), key=str)


def value_of(cell: Cell) -> Any:
    """Return what stands in a cell."""
    if cell.column is None:
        return cover.OBLIGATION[cell.state]  # type: ignore[index]
    return GRIDS[cell.table][cell.state][cell.column]


@contextmanager
def changed(cell: Cell, value: Any) -> Iterator[None]:
    """Put another value into a cell, for a while."""
    row: Any = cover.OBLIGATION if cell.column is None else GRIDS[cell.table][cell.state]
    key: Any = cell.state if cell.column is None else cell.column
    before = row[key]
    row[key] = value
    try:
        yield
    finally:
        row[key] = before
