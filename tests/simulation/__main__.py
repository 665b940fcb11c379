"""
Many worlds from many seeds, with a report; ``make sim``.

    python -m tests.simulation --runs 10000 --seed 1 [--world NAME] [--jobs 2]

A seed that fails is shrunk and printed with the decisions that are left; the command that plays
it again is printed, too.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

from kavach.units import NS_PER_SECOND
from tests.simulation.auctions import NearAuctions
from tests.simulation.days import FarDays, NearDays
from tests.simulation.far import FarWorld
from tests.simulation.near import NearWorld
from tests.simulation.restless import FarRestless, NearRestless
from tests.simulation.schedule import Decision, plan, shrink
from tests.simulation.thin import FarThin, NearThin
from tests.simulation.whole import FarWhole, NearWhole
from tests.simulation.world import Failure, World, attempt
from tests.unit.core.scenario import START_NS

WORLDS: Final[dict[str, type[World]]] = {
    "far": FarWorld,
    "near": NearWorld,
    "far-whole": FarWhole,
    "near-whole": NearWhole,
    "far-days": FarDays,
    "near-days": NearDays,
    "near-auctions": NearAuctions,
    "far-thin": FarThin,
    "near-thin": NearThin,
    "far-restless": FarRestless,
    "near-restless": NearRestless,
}
SHRINK_TRIES: Final = 150
CHUNK: Final = 25


class Report(NamedTuple):
    """What some runs came to."""

    runs: int
    events: int
    virtual_ns: int
    tally: Counter[str]
    failures: list[Failure]


def run(kind: type[World], seeds: range) -> Report:
    """Return what these seeds came to."""
    events = virtual_ns = 0
    tally: Counter[str] = Counter()
    failures = []
    for seed in seeds:
        world = attempt(kind, seed)
        if isinstance(world, Failure):
            failures.append(world)
            continue
        events += world.events
        virtual_ns += world.true_ns - START_NS
        tally += world.faults()
    return Report(len(seeds), events, virtual_ns, tally, failures)


def shortest(failure: Failure) -> list[Decision]:
    """Return decisions that make the same invariant fail, as few as can be found soon."""

    def fails(decisions: object) -> bool:
        again = attempt(failure.kind, failure.seed, decisions)  # type: ignore[arg-type]
        return isinstance(again, Failure) and again.label == failure.label

    return shrink(plan(failure.seed, failure.kind.deeds), fails, SHRINK_TRIES)


def told(failure: Failure) -> str:
    """Return a failure in words, with the shortest schedule that shows it."""
    name = next(name for name, kind in WORLDS.items() if kind is failure.kind)
    left = shortest(failure)
    again = attempt(failure.kind, failure.seed, left)
    text = again.text if isinstance(again, Failure) else failure.text
    decisions = ",".join(str(decision.number) for decision in left)
    replay = f'make sim SEED={failure.seed} RUNS=1 ARGS="--world {name} --only {decisions}"'
    return "\n".join(
        [
            f"FAILED: world {name}, seed {failure.seed}: {failure.text}",
            f"  shrunk to {len(left)} decisions: {text}",
            *(f"    {decision.number:3} {decision.name}" for decision in left),
            f"  again: {replay}",
        ]
    )


def main(arguments: list[str]) -> int:
    """Return 0 if every run of every world held."""
    parser = argparse.ArgumentParser(prog="tests.simulation")
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", choices=[*WORLDS, "all"], default="all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="numbers of the decisions to keep, with commas between")
    options = parser.parse_args(arguments)
    names = list(WORLDS) if options.world == "all" else [options.world]
    seeds = range(options.seed, options.seed + options.runs)
    broken = 0
    for name in names:
        kind = WORLDS[name]
        if options.only is not None:
            kept = {int(number) for number in options.only.split(",")}
            chosen = [d for d in plan(options.seed, kind.deeds) if d.number in kept]
            story: list[str] = []
            world = attempt(kind, options.seed, chosen, story)
            print(*story, sep="\n")
            print(world.text if isinstance(world, Failure) else "it held")
            broken += isinstance(world, Failure)
        else:
            broken += _run_all(name, kind, seeds, options.jobs)
    return 1 if broken else 0


def _run_all(name: str, kind: type[World], seeds: range, jobs: int) -> int:
    started = time.perf_counter()
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    if jobs > 1 and len(chunks) > 1:
        with ProcessPoolExecutor(jobs) as pool:
            reports = list(pool.map(run, [kind] * len(chunks), chunks))
    else:
        reports = [run(kind, chunk) for chunk in chunks]
    seconds = time.perf_counter() - started
    events = sum(report.events for report in reports)
    hours = sum(report.virtual_ns for report in reports) / NS_PER_SECOND / 3600
    tally: Counter[str] = Counter()
    for report in reports:
        tally += report.tally
    failures = [failure for report in reports for failure in report.failures]
    print(
        f"world {name}: {len(seeds)} runs from seed {seeds[0]}, {events} events, "
        f"{hours:.1f} simulated hours, {seconds:.1f} s, {events / seconds:.0f} events/s, "
        f"{len(failures)} failed"
    )
    for what, count in sorted(tally.items()):
        print(f"    {count:9} {what}")
    for label, count in Counter(failure.label for failure in failures).items():
        print(f"    {count:9} failed by {label}")
    for failure in list({f.label: f for f in reversed(failures)}.values())[:5]:
        print(told(failure))
    return len(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
