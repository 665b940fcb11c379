"""
Engine in process, one core: cover orders placed and cancelled, beside a well-known engine.

Ours: a cover order is placed, its entry accepted by the embedded exchange, then cancelled to its
end (C1); both steps are hashed records of a journal in memory. Theirs: NautilusTrader's backtest
engine, where a plain limit order is submitted, accepted and cancelled (``nautilus.py``). Both run
in one process, with the garbage collector set as ``kavach serve`` sets it.
"""

import gc
import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from bench.apart import apart
from bench.desk import Trader
from bench.finding import Finding
from bench.measure import Sample, in_turns, ratios, spread, timed
from kavach.journal.memory import MemoryJournal
from kavach.program.process import spare_the_collector

AIM_RATIO: Final = 10.0
AIM_RATIO_LEAST: Final = 5.0  # 25 000 pairs/s where the other does 5 000.
OTHER: Final = "NautilusTrader 1.221.0"
WARM_UP: Final = 200  # Pairs.


def run(repetitions: int, pairs: int, other_pairs: int) -> list[Finding]:
    """Return the rates of both engines, measured in turns, and their ratio."""
    ours, theirs = apart(measure, repetitions, pairs, other_pairs)
    findings = [Finding("cover orders placed and cancelled, pairs/s", _rates(ours))]
    if not theirs:
        return [*findings, Finding(OTHER, "not installed; it is in the extra `bench`")]
    by_wall = ratios([s.rate for s in ours], [s.rate for s in theirs])
    by_cpu = ratios([s.cpu_rate for s in ours], [s.cpu_rate for s in theirs])
    return [
        *findings,
        Finding(f"{OTHER}, plain limit orders, pairs/s", _rates(theirs)),
        Finding(
            "ratio by wall clock",
            by_wall.text(".1f"),
            f"{AIM_RATIO:.0f}, or at least {AIM_RATIO_LEAST:.0f} (25 000 to its 5 000)",
            by_wall.middle >= AIM_RATIO_LEAST,
        ),
        Finding("ratio by processor time", by_cpu.text(".1f")),
    ]


def measure(repetitions: int, pairs: int, other_pairs: int) -> tuple[list[Sample], list[Sample]]:
    """Return the samples of both engines, those of the other empty when it is not installed."""
    spare_the_collector()
    other = _other()
    if other is None:
        return [our_pairs(pairs) for _ in range(repetitions)], []
    return in_turns(repetitions, lambda: our_pairs(pairs), lambda: other(other_pairs))


def our_pairs(pairs: int) -> Sample:
    """Return how long so many cover orders take to be placed and cancelled, one by one."""
    trader = Trader(MemoryJournal())

    def act() -> None:
        for _ in range(pairs):
            trader.cancel(trader.place())

    for _ in range(WARM_UP):
        trader.cancel(trader.place())
    gc.collect()
    sample = timed(pairs, act)
    assert trader.resting() == 0, "every one was cancelled to its end"
    return sample


def _other() -> Callable[[int], Sample] | None:
    """Return the measurement of the other engine, or None when it is not installed."""
    if find_spec("nautilus_trader") is None:
        return None
    module = importlib.import_module("bench.nautilus")
    measure: Callable[[int], Sample] = module.their_pairs
    return measure


def _rates(samples: list[Sample]) -> str:
    wall = spread([sample.rate for sample in samples])
    cpu = spread([sample.cpu_rate for sample in samples])
    return f"{wall.text()}; of processor time {cpu.middle:,.0f}"
