"""
Growth: what a million resting cover orders cost, in time, in memory and at the start.

*Cancel*: two engines stand side by side in one process, one with few resting orders and one with
many; a batch of orders drawn at random is cancelled in each in turn, and replaced before the next
turn, so that the numbers stay. *Memory*: what the process holds more than before, divided by the
orders. *Restart*: a fresh process opens the journal and recovers, once from the records alone and
once from a snapshot.
"""

import gc
import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.apart import apart, resident_bytes
from bench.desk import Trader
from bench.finding import Finding
from bench.measure import Sample, in_turns, ratios, spread, timed
from kavach.journal.sqlite import SqliteJournal
from kavach.program.process import spare_the_collector

AIM_RATIO: Final = 1.3
AIM_BYTES: Final = 2_000
AIM_RESTART_SECONDS: Final = 20.0
SEED: Final = 20
FEW, MANY = "few", "many"  # The directories of the two journals.


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of placing many orders."""

    placed: Sample
    bytes_per_order: float
    few: list[Sample]  # Batches of cancels with few orders resting, and
    many: list[Sample]  # with many.
    snapshot_seconds: float
    state_hash: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """What came of a restart."""

    took: Sample
    replayed: int  # Records.
    resting: int
    bytes_per_order: float
    state_hash: str


class Crowd:
    """A trader and its resting orders, from which batches are cancelled and replaced."""

    def __init__(self, trader: Trader, resting: int) -> None:
        self._trader = trader
        self._chance = random.Random(SEED)
        self._ids = trader.place_many(resting)

    def cancel(self, orders: int) -> Sample:
        """Return how long so many cancels take; afterwards as many orders rest as before."""
        chosen = self._chance.sample(range(len(self._ids)), orders)
        cover_ids = [self._ids[place] for place in chosen]
        engine = self._trader.engine
        engine.journal.wait_durable(engine.sequence)  # What came before is not measured.

        def act() -> None:
            for cover_id in cover_ids:
                self._trader.cancel(cover_id)

        sample = timed(orders, act)
        for place in chosen:
            self._ids[place] = self._trader.place()
        return sample


def run(repetitions: int, few: int, many: int, batch: int) -> list[Finding]:
    """Return the cost of a cancel, of a resting order and of a restart with many orders."""
    directory = Path(tempfile.mkdtemp(prefix="kavach-bench-"))
    try:
        filled = apart(fill, directory, repetitions, few, many, batch)
        from_snapshot = apart(restart, directory / MANY)
        for snapshot in (directory / MANY).glob("snapshot-*"):
            snapshot.unlink()
        from_records = apart(restart, directory / MANY)
    finally:
        shutil.rmtree(directory)
    for restarted in (from_snapshot, from_records):
        assert restarted.state_hash == filled.state_hash, "a restart changes nothing"
    assert from_snapshot.replayed == 0 and from_records.replayed >= many
    return [
        *_cancel_findings(filled, few, many),
        _memory_finding("memory per resting cover order, as placed", filled.bytes_per_order),
        _memory_finding("after a restart from the records", from_records.bytes_per_order),
        _memory_finding("after a restart from a snapshot", from_snapshot.bytes_per_order),
        _restart_finding(f"restart from a snapshot of {many:,}", from_snapshot),
        _restart_finding("restart from the records alone", from_records),
        Finding(
            "placing them, durable journal, orders/s",
            f"{filled.placed.rate:,.0f}; of processor time {filled.placed.cpu_rate:,.0f}",
        ),
        Finding("writing the snapshot, seconds", f"{filled.snapshot_seconds:.1f}"),
    ]


def fill(directory: Path, repetitions: int, few: int, many: int, batch: int) -> Filled:
    """Place many orders through a durable journal; measure them; leave journal and snapshot."""
    spare_the_collector()
    small_journal = SqliteJournal(directory / FEW)
    small = Crowd(Trader(small_journal), few)
    journal = SqliteJournal(directory / MANY)
    trader = Trader(journal)
    trader.cancel(trader.place())
    before = resident_bytes()
    started, started_cpu = time.perf_counter(), time.process_time()
    crowd = Crowd(trader, many)
    journal.wait_durable(trader.engine.sequence)
    placed = Sample(many, time.perf_counter() - started, time.process_time() - started_cpu)
    bytes_per_order = (resident_bytes() - before) / many
    gc.collect()
    few_samples, many_samples = in_turns(
        repetitions, lambda: small.cancel(batch), lambda: crowd.cancel(batch)
    )
    assert trader.resting() == many
    started = time.perf_counter()
    trader.engine.save_snapshot()
    snapshot_seconds = time.perf_counter() - started
    state_hash = trader.engine.state_hash()
    small_journal.close()
    journal.close()
    return Filled(placed, bytes_per_order, few_samples, many_samples, snapshot_seconds, state_hash)


def restart(directory: Path) -> Restarted:
    """Open the journal in this process and recover."""
    before = resident_bytes()
    started, started_cpu = time.perf_counter(), time.process_time()
    journal = SqliteJournal(directory)
    trader = Trader(journal)
    wall, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    resting = trader.resting()
    bytes_per_order = (resident_bytes() - before) / max(resting, 1)
    state_hash = trader.engine.state_hash()
    journal.close()
    took = Sample(resting, wall, cpu)
    return Restarted(took, trader.engine.replayed, resting, bytes_per_order, state_hash)


def _cancel_findings(filled: Filled, few: int, many: int) -> list[Finding]:
    by_wall = ratios([1 / s.rate for s in filled.many], [1 / s.rate for s in filled.few])
    by_cpu = ratios([1 / s.cpu_rate for s in filled.many], [1 / s.cpu_rate for s in filled.few])
    costs = [spread([1e6 / s.rate for s in samples]) for samples in (filled.few, filled.many)]
    met = by_wall.middle <= AIM_RATIO
    return [
        Finding(f"cancel with {few:,} resting, µs", costs[0].text(".1f")),
        Finding(f"cancel with {many:,} resting, µs", costs[1].text(".1f")),
        Finding("ratio", by_wall.text(".2f"), f"at most {AIM_RATIO}", met),
        Finding("ratio by processor time", by_cpu.text(".2f")),
    ]


def _memory_finding(what: str, size: float) -> Finding:
    return Finding(f"{what}, bytes", f"{size:,.0f}", f"at most {AIM_BYTES:,}", size <= AIM_BYTES)


def _restart_finding(what: str, restarted: Restarted) -> Finding:
    aim = f"at most {AIM_RESTART_SECONDS:.0f} with a million"
    return Finding(
        f"{what}, seconds",
        f"{restarted.took.wall:.1f}, of processor time {restarted.took.cpu:.1f}",
        aim,
        restarted.took.wall <= AIM_RESTART_SECONDS,
    )
