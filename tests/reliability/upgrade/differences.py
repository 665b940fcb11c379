"""
Where a later version shows another row than the one that wrote it, on purpose, and why.

Each entry is a fault that was mended: what was shown then was wrong, and what is stored says so.
A difference that has no entry here fails ``test_older_directories.py``.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tests.reliability.upgrade.cells import cells, patched


class Difference(NamedTuple):
    """One kind of row that is shown otherwise now."""

    why: str
    applies: Callable[[str, str, str], bool]  # To this directory, client and book.
    change: Callable[[str, str, str, Any], Any]  # From what was shown then to what is now.


DIFFERENCES: Final[tuple[Difference, ...]] = (
    Difference(
        "Rows are what the venue's reports imply (INV-22): nothing is left of a stop that was "
        "rejected. A version changes with the row (INV-23). What has ended and what is past stays "
        "as it was (INV-24): a line of history has the leg's own quantity, prices and order type "
        "of that time, no exchange id before there was one, and its place in time; a trade has "
        "the order's terms of that time; an entry that is over keeps the stop and target it had. "
        "What was carried lives on: the start opens a session, in which orders left over by the "
        "one before are squared off or get stop and target again (decision 24).",
        lambda name, client_id, book: (name, client_id, book) in cells(),
        patched,
    ),
)


def as_shown_now(name: str, client_id: str, book: str, content: Any) -> Any:
    """Return what a book shown then shows now."""
    for difference in DIFFERENCES:
        if difference.applies(name, client_id, book):
            content = difference.change(name, client_id, book, content)
    return content
