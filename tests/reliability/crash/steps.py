"""A step of the day that is played to a world which may die after it."""

from collections.abc import Callable
from dataclasses import dataclass

from kavach.core.refusals import Outcome
from tests.reliability.crash.world import World

Act = Callable[[World], Outcome | None]


@dataclass(frozen=True)
class Step:
    """One thing that happens."""

    name: str
    act: Act
    keyed: bool = False  # A client's command: telling it again must change nothing.
