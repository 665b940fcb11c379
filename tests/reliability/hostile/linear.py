"""
Whether a history of overlapping requests could have happened one after the other.

A history is *linearizable* if its operations can be put in one order such that each stands
somewhere between its call and its return, and a sequential model, asked in that order, gives the
very answers that were seen. Operations whose answer never came may stand anywhere after their
call, or nowhere.

The search is Wing and Gong's: take any operation that nobody returned before, ask the model,
compare, go on; go back when stuck. It is exponential in how many overlap, so histories are short,
positions already tried are remembered (Lowe), and of operations that ask and saw the same only
the one that returned first is tried.

Source: Wing, Gong: Testing and Verifying Concurrent Objects (1993).
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
UNANSWERED = math.inf


@dataclass(frozen=True)
class Operation:
    """What one client asked, and what it saw."""

    called: float
    returned: float  # UNANSWERED if no answer came.
    ask: Hashable
    saw: Hashable = None

    @property
    def answered(self) -> bool:
        """Whether an answer was seen."""
        return self.returned != UNANSWERED


class Search(Generic[S]):
    """One search for an order that explains a history."""

    def __init__(
        self,
        history: Sequence[Operation],
        step: Callable[[S, Hashable], tuple[S, Hashable]],
    ) -> None:
        self._history = sorted(history, key=lambda one: one.returned)
        self._step = step
        self._whole = sum(1 << n for n, one in enumerate(self._history) if one.answered)
        self._tried: set[tuple[int, S]] = set()

    def explains(self, start: S) -> bool:
        """Return whether the history is linearizable from this state on."""
        stack = [(0, start)]
        while stack:
            done, state = stack.pop()
            if done & self._whole == self._whole:
                return True
            if (done, state) in self._tried:
                continue
            self._tried.add((done, state))
            stack.extend(self._successors(done, state))
        return False

    def _successors(self, done: int, state: S) -> list[tuple[int, S]]:
        open_ones = [(n, one) for n, one in enumerate(self._history) if not done >> n & 1]
        first_return = min(one.returned for _, one in open_ones)
        found = []
        seen = set()
        for number, one in open_ones:
            same = (one.ask, one.saw, one.answered)
            if one.called > first_return or same in seen:
                continue
            seen.add(same)
            after, answer = self._step(state, one.ask)
            if not one.answered or answer == one.saw:
                found.append((done | 1 << number, after))
        return found
