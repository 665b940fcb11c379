"""
Every way to die that is tried, at every operation.

    killed    the process dies before operation i; what it wrote is kept
    torn      operation i is a write, and only its first bytes are written
    power     the machine stops before operation i; syncs were honoured
    lied      the same, but the last syncs were not honoured: answers may be lost, and are told
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.reliability.crash.disk import (
    SECTOR,
    Files,
    Operation,
    SomeBeginning,
    SomeSectors,
    Sync,
    Write,
    after_power_loss,
    kept,
    nothing,
    torn,
)

POWER_DRAWS: Final = 2  # Of sectors and of beginnings, at each operation.
LIED_SYNCS: Final = (1, 3)  # So many syncs, the latest, were not honoured.


@dataclass(frozen=True)
class Case:
    """One way to die."""

    kind: str
    operation: int
    variant: int = 0

    def __str__(self) -> str:
        return f"{self.kind} at {self.operation}, variant {self.variant}"


def every_case(log: Sequence[Operation]) -> Iterator[Case]:
    """Yield every case of a log, by operation."""
    for number in range(len(log) + 1):
        yield Case("killed", number)
        if number < len(log):
            for size in splits(log[number]):
                yield Case("torn", number, size)
        for variant in range(1 + 2 * POWER_DRAWS):
            yield Case("power", number, variant)
        for lied in LIED_SYNCS:
            for variant in range(2):
                yield Case("lied", number, lied * 2 + variant)


def splits(operation: Operation) -> list[int]:
    """Return after how many bytes a write is torn: after the first, at sectors, before the last."""
    if not isinstance(operation, Write):
        return []
    size = len(operation.data)
    return sorted({at for at in (1, SECTOR, size // 2, size - SECTOR, size - 1) if 0 < at < size})


def survivors(log: Sequence[Operation], case: Case) -> Files:
    """Return what is left."""
    done = log[: case.operation]
    if case.kind == "killed":
        return kept(done)
    if case.kind == "torn":
        write = log[case.operation]
        assert isinstance(write, Write)
        return kept([*done, torn(write, case.variant)])
    random = Random(f"{case}")
    if case.kind == "power":
        if case.variant == 0:
            return after_power_loss(done, len(done), nothing)
        draw = SomeSectors if case.variant % 2 else SomeBeginning
        return after_power_loss(done, len(done), draw(random))
    lied, variant = divmod(case.variant, 2)
    draw = SomeSectors if variant else SomeBeginning
    syncs = [number for number, operation in enumerate(done) if isinstance(operation, Sync)]
    honoured = syncs[-lied] if len(syncs) >= lied else 0
    return after_power_loss(done, honoured, draw(random))
