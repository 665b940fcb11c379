"""
A list that only grows, and that finds its members by a key once it is long.

Orders keep their trades and clients their positions in lists, since that is how they are stored.
Most are short, and looking through them is quick; one of thousands was looked through with every
fill. Such a list becomes one of these, with the same members: nothing of it is state, and it is
written as the list that it is.
"""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

FEW: Final = 16  # Up to here looking is cheaper than remembering.


class Indexed(list[T], Generic[T]):
    """Members in their order, the first of each key findable."""

    __slots__ = ("_found", "_key", "_known")

    def __init__(self, members: list[T], key: Callable[[T], Hashable]) -> None:
        super().__init__(members)
        self._key = key
        self._found: dict[Hashable, T] = {}
        self._known = 0  # Of how many members the keys are known.

    def find(self, key: Hashable) -> T | None:
        """Return the first member with this key, if there is one."""
        if self._known < len(self):
            for at in range(self._known, len(self)):
                self._found.setdefault(self._key(self[at]), self[at])
            self._known = len(self)
        return self._found.get(key)
