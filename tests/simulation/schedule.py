"""
What is to happen, drawn from one seed, and the shortest schedule that still fails.

A schedule is a list of decisions. A decision is a number and the name of a deed; everything else
that it needs (whom, how much, how late the messages are that it causes) it draws from a stream of
its own, seeded with the seed and the number. So a decision that is left out shifts none of the
others, and a schedule can be shrunk by leaving out.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

DECISIONS: Final = 90


class Decision(NamedTuple):
    """One thing that happens."""

    number: int
    name: str


def stream(seed: int, name: object) -> Random:
    """Return the source of chance that belongs to this name, and to nothing else."""
    return Random(f"{seed}/{name}")


def plan(seed: int, deeds: Mapping[str, int]) -> list[Decision]:
    """Return what a seed stands for; ``deeds`` says how often each kind happens."""
    chance = stream(seed, "plan")
    names = chance.choices(list(deeds), weights=list(deeds.values()), k=DECISIONS)
    return [Decision(number, name) for number, name in enumerate(names)]


def shrink(
    decisions: Sequence[Decision], fails: Callable[[Sequence[Decision]], bool], tries_max: int
) -> list[Decision]:
    """Return decisions of which, within the tries, no part can be left out: delta debugging."""
    kept = list(decisions)
    size = max(1, len(kept) // 2)
    tries = 0
    while tries < tries_max:
        start, shorter = 0, False
        while start < len(kept) and tries < tries_max:
            rest = kept[:start] + kept[start + size :]
            tries += 1
            if fails(rest):
                kept, shorter = rest, True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return kept
