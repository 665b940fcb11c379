"""
From the broker's file to contracts: read every line, name what can't be read, price the rest.

A line that is no contract is counted and named, and does not stop the others; of two lines with one
token the first counts. A file in which no line is a contract is not taken.

Source: docs/wire/contracts.md, "Importing".
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kavach.contracts.archive import Archive, ContractsError, Progress, Table
from kavach.contracts.estimates import priced
from kavach.contracts.rows import BadRow, Row, read_row
from kavach.contracts.store import Stored
from kavach.instruments import Instrument

FAULTS_NAMED: Final = 20
ROWS_MAX: Final = 1_000_000


class Faults:
    """The lines that are no contracts."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[str] = []  # The first of them.

    def add(self, table: str, line: int, what: str) -> None:
        """Count a line, and name it if it is one of the first."""
        self.count += 1
        if len(self.named) < FAULTS_NAMED:
            self.named.append(f"{table}, line {line}: {what}")


class Imported:
    """What a file held."""

    def __init__(self, current: list[Instrument], faults: Faults, rows: int) -> None:
        self.current = current  # But for bundled instruments, which keep their own data.
        self.faults = faults
        self.rows = rows  # Those that are contracts, bundled ones included.


def _silent(done: int, total: int) -> None:
    """Say nothing of how far it is."""


def read_contracts(
    path: Path, bundled: Sequence[Instrument], progress: Progress = _silent
) -> Imported:
    """Return what a published file holds; raises ``ContractsError`` if it is none."""
    faults = Faults()
    rows: dict[tuple[str, int], Row] = {}
    for table in Archive(path, progress).tables():
        _read_table(table, rows, faults)
        if len(rows) > ROWS_MAX:
            raise ContractsError(f"{path} has more than {ROWS_MAX} contracts.")
    if not rows:
        raise ContractsError(
            f"{path} holds no contract: {faults.named[0] if faults.named else 'it is empty'}."
        )
    listed = list(rows.values())
    return Imported(list(priced(listed, bundled).values()), faults, len(listed))


def _read_table(table: Table, rows: dict[tuple[str, int], Row], faults: Faults) -> None:
    columns, width = table.columns, len(table.columns)
    for number, cells in table.lines:
        if not any(cells):
            continue  # An empty line says nothing.
        if len(cells) != width:
            faults.add(table.name, number, f"it has {len(cells)} cells where {width} are named")
            continue
        try:
            row = read_row(dict(zip(columns, cells, strict=True)), table.name)
        except BadRow as error:
            faults.add(table.name, number, str(error))
            continue
        name = (row.exchange.value, row.token)
        if name in rows:
            faults.add(table.name, number, f"exchange_token: {row.token} was there already")
        else:
            rows[name] = row


def merged(before: Stored, imported: Imported, source: str) -> Stored:
    """Return what is to be stored: the new contracts, and those that are no longer listed."""
    keys = {instrument.key for instrument in imported.current}
    former = [one for one in (*before.current, *before.former) if one.key not in keys]
    return Stored(source, imported.current, former)
