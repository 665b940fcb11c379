"""
Where a later version shows another row than the one that wrote it, on purpose, and why.

Each entry is a fault that was mended: what was shown then was wrong, and what is stored says so.
A difference that has no entry here fails ``test_older_directories.py``.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple


class Difference(NamedTuple):
    """One kind of row that is shown otherwise now."""

    why: str
    applies: Callable[[str, str, str], bool]  # To this directory, client and book.
    change: Callable[[Any], Any]  # From what was shown then to what is shown now.


DIFFERENCES: Final[tuple[Difference, ...]] = ()


def as_shown_now(name: str, client_id: str, book: str, content: Any) -> Any:
    """Return what a book shown then shows now."""
    for difference in DIFFERENCES:
        if difference.applies(name, client_id, book):
            content = difference.change(content)
    return content
