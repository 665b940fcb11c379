"""
``python -m bench``: run all parts, or those that are named, and print what they found.

The defaults take about eight minutes. ``--write`` puts the findings, and the machine they were
made on, into docs/benchmarks.md.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Final

from bench import engine, feed, growth, http, neighbours
from bench.finding import Finding, say, show
from bench.machine import machine
from bench.report import write

PARTS: Final[dict[str, Callable[[argparse.Namespace], list[Finding]]]] = {
    "engine": lambda given: engine.run(given.repetitions, given.pairs, given.other_pairs),
    "http": lambda given: http.run(given.repetitions, given.requests, given.paced_seconds),
    "feed": lambda given: feed.run(
        given.repetitions, given.readers, given.instruments, given.rounds, given.idlers
    ),
    "neighbours": lambda given: neighbours.run(
        given.neighbour_seconds, given.rows, given.few_ended, given.many_ended, given.asked
    ),
    "growth": lambda given: growth.run(given.batches, given.few, given.many, given.batch),
}

BUSY: Final = 0.5  # Programs that want a processor, on average over the last minute.


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for."""
    parser = _parser()
    given = parser.parse_args(arguments)
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part called {', '.join(sorted(unknown))}")
    where = machine()
    say(where)
    if os.getloadavg()[0] > BUSY:
        say("Other programs are running: ratios and processor times say more than rates.")
    for part in given.parts or PARTS:
        started = time.monotonic()
        findings = PARTS[part](given)
        say(f"\n{part} ({time.monotonic() - started:.0f} s)")
        show(findings)
        if given.write:
            write(part, findings, where)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--repetitions", type=int, default=5, help="turns of engine and http")
    parser.add_argument("--pairs", type=int, default=20_000, help="engine: ours a turn")
    parser.add_argument("--other-pairs", type=int, default=10_000, help="engine: theirs a turn")
    parser.add_argument("--requests", type=int, default=8_000, help="http: cancels a turn")
    parser.add_argument("--paced-seconds", type=float, default=3.0, help="http: a turn at half")
    parser.add_argument("--readers", type=int, default=1_000, help="feed: connections")
    parser.add_argument("--instruments", type=int, default=20, help="feed: of each connection")
    parser.add_argument("--rounds", type=int, default=20, help="feed: changes of each, a turn")
    parser.add_argument("--idlers", type=int, default=10_000, help="feed: idle connections")
    parser.add_argument("--neighbour-seconds", type=float, default=3.0, help="neighbours: each")
    parser.add_argument("--rows", type=int, default=6_000, help="neighbours: of the book read")
    parser.add_argument("--few-ended", type=int, default=500, help="neighbours: ended orders")
    parser.add_argument("--many-ended", type=int, default=8_000, help="neighbours: beside them")
    parser.add_argument("--asked", type=int, default=300, help="neighbours: readings of each")
    parser.add_argument("--few", type=int, default=1_000, help="growth: orders of the one engine")
    parser.add_argument("--many", type=int, default=1_000_000, help="growth: of the other")
    parser.add_argument("--batch", type=int, default=250, help="growth: cancels a turn")
    parser.add_argument("--batches", type=int, default=40, help="growth: turns")
    return parser


if __name__ == "__main__":
    main()
