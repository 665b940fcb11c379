"""
Which cells of the rows shown then are shown otherwise now: found, written down, applied.

Run as a program it compares every directory with what was shown of it and writes the cells that
differ to ``by_6ae260f/cells.json.xz``, one as [directory, client, book, row, column, then, now].
A line that a history has gained at its end stands there whole, without a column.
Look at what it prints before it is committed: each column must be one that ``differences.py``
gives a reason for.
"""

import json
import lzma
import tempfile
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

CELLS: Final = Path(__file__).parent / "by_6ae260f" / "cells.json.xz"
WHOLE: Final = ""  # Instead of a column: the line is a new one.
Cell = tuple[str, str, str, int, str, Any, Any]


def lines_of(content: Any) -> list[dict[str, Any]]:
    """Return the rows of a book, which is a list or holds one."""
    if isinstance(content, dict):
        (content,) = content.values()
    lines: list[dict[str, Any]] = content
    return lines


@cache
def cells() -> dict[tuple[str, str, str], list[Cell]]:
    """Return the cells that differ, by directory, client and book."""
    found: dict[tuple[str, str, str], list[Cell]] = {}
    with lzma.open(CELLS, "rt") as file:
        for cell in json.load(file):
            found.setdefault((cell[0], cell[1], cell[2]), []).append(tuple(cell))
    return found


def patched(name: str, client_id: str, book: str, content: Any) -> Any:
    """Return a book with its cells as they are shown now."""
    mine = cells().get((name, client_id, book), [])
    content = deepcopy(content) if mine else content
    lines = lines_of(content) if mine else []
    for _, _, _, row, column, then, now in mine:
        if column == WHOLE:
            assert len(lines) == row, (name, client_id, book, row)
            lines.append(now)
            continue
        assert lines[row][column] == then, (name, client_id, book, row, column)
        lines[row][column] = now
    return content


def main() -> None:
    """Compare, print how many cells differ in which columns, and write them down."""
    from tests.reliability.upgrade.reading import rows
    from tests.reliability.upgrade.test_older_directories import NAMES, shown_then, unpacked

    found: list[Cell] = []
    for name in NAMES:
        with tempfile.TemporaryDirectory() as place:
            now = json.loads(json.dumps(rows(unpacked(name, Path(place)))))
        for client_id, books in shown_then()[name].items():
            for book, content in books.items():
                after = now[client_id][book]
                if after == content:
                    continue
                before, lines = lines_of(content), lines_of(after)
                grows = len(lines) - len(before)
                assert grows == 0 or (grows > 0 and book.startswith("life of")), (name, book)
                found += [
                    (name, client_id, book, row, column, one[column], other[column])
                    for row, (one, other) in enumerate(zip(before, lines, strict=False))
                    for column in one
                    if one[column] != other[column]
                ]
                found += [
                    (name, client_id, book, row, WHOLE, None, lines[row])
                    for row in range(len(before), len(lines))
                ]
    for (kind, column), times in sorted(Counter((c[2].split()[0], c[4]) for c in found).items()):
        print(f"{times:5} {kind} {column}")
    with lzma.open(CELLS, "wt") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
