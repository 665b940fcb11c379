"""
Changes drawn at random, one at a time, and whether the tests notice; ``make mutants SAMPLE=200``.

    python -m tests.tidy.mutants --sample 200 --seed 7 [--subtle] [--jobs 2] [--package core]

Two draws, if not told otherwise: one uniform over every change that could be made, one over the
subtle kinds. Each change is made in a copy of the tree, never here. A change that no stage of its
part notices is a *survivor*, unless it stands in ``equivalent.txt`` with the reason why nobody
could notice it; ``--all`` shows survivors to the whole suite before they are called so.
``--remember`` adds what was noticed, and by which test, to ``noticed.txt``: of these a few are
made again in every ``make test``.
"""

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from tests.tidy.mutants.changes import SUBTLE, Change, changes_in
from tests.tidy.mutants.relevant import EVERYWHERE, PACKAGES, stages
from tests.tidy.mutants.trial import ROOT, Copy, Verdict

EQUIVALENT: Final = Path(__file__).parent / "equivalent.txt"
NOTICED: Final = Path(__file__).parent / "noticed.txt"
PACKAGE: Final = ROOT / "src" / "kavach"


@cache
def every_change(packages: tuple[str, ...] = PACKAGES) -> list[Change]:
    """Return every change to these packages that could be made, in a fixed order."""
    files = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return [
        change
        for file in files
        if file.parts[0].removesuffix(".py") in packages
        for change in changes_in(PACKAGE, file.as_posix())
    ]


def drawn(changes: list[Change], sample: int, seed: int, *, subtle: bool) -> list[Change]:
    """Return a sample of the changes, or of the subtle ones among them."""
    pool = [change for change in changes if not subtle or change.kind in SUBTLE]
    chance = random.Random(f"{seed}/{'subtle' if subtle else 'uniform'}")
    return chance.sample(pool, min(sample, len(pool)))


def told_of(path: Path) -> dict[str, str]:
    """Return what a list says of changes, by their names.

    ``EQUIVALENT`` says why nobody could notice one, ``NOTICED`` which test does.
    """
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, arrow, reason = line.rpartition(" => ")
            assert arrow and reason, f"nothing is said of it: {line}"
            found[name] = reason
    return found


def main(arguments: list[str]) -> int:
    """Return 0; what survives is printed, and is for a person to judge."""
    parser = argparse.ArgumentParser(prog="tests.tidy.mutants")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draw", choices=["uniform", "subtle", "both"], default="both")
    parser.add_argument("--package", choices=PACKAGES, action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1e9, help="judge no more after this long")
    parser.add_argument("--all", action="store_true", help="show survivors to the whole suite")
    parser.add_argument("--remember", action="store_true", help="add what is noticed to a list")
    options = parser.parse_args(arguments)
    changes = every_change(tuple(options.package or PACKAGES))
    draws = ("uniform", "subtle") if options.draw == "both" else (options.draw,)
    end = time.monotonic() + options.seconds
    for draw in draws:
        chosen = drawn(changes, options.sample, options.seed, subtle=draw == "subtle")
        print(f"{draw}: {len(chosen)} of {len(changes)} changes, seed {options.seed}", flush=True)
        asked = Asked(end, everywhere=options.all, remember=options.remember)
        _report(_judge(chosen, options.jobs, asked))
    return 0


Judged = list[tuple[Change, Verdict]]


class Asked(NamedTuple):
    """How changes are judged."""

    end: float  # By the monotonic clock: none is begun afterwards.
    everywhere: bool
    remember: bool


def _judge(chosen: list[Change], jobs: int, asked: Asked) -> Judged:
    known, one_at_a_time = told_of(EQUIVALENT), Lock()
    found: Judged = []

    def work(share: list[Change]) -> None:
        with Copy() as copy:
            for change in share:
                if time.monotonic() > asked.end:
                    return
                verdict = Verdict("equivalent", known.get(change.name, ""), 0)
                if change.name not in known:
                    told = (*stages(change.file), *([EVERYWHERE] if asked.everywhere else []))
                    verdict = copy.judge(change, told)
                with one_at_a_time:
                    found.append((change, verdict))
                    print(
                        f"  {verdict.told:10} {verdict.seconds:5.0f} s  {_where(change)}",
                        flush=True,
                    )
                    if asked.remember and verdict.told == "noticed" and "::" in verdict.by:
                        _remember(change, verdict)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, [chosen[at::jobs] for at in range(jobs)]))
    return found


def _remember(change: Change, verdict: Verdict) -> None:
    """Add what was noticed by a test to the list, in order, each once."""
    known = told_of(NOTICED) | {change.name: verdict.by}
    head = NOTICED.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    lines = [f"{name} => {by}\n" for name, by in sorted(known.items())]
    NOTICED.write_text("".join([head, *lines]), encoding="utf-8")


def _where(change: Change) -> str:
    return f"{change.file}:{change.line} {change.name.partition(' | ')[2]}"


def _report(judged: Judged) -> None:
    """Print how many were noticed, by package, and those that were not."""
    noticed: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for change, verdict in judged:
        if verdict.told != "equivalent":
            counter = noticed if verdict.told == "noticed" else survived
            counter[change.file.partition("/")[0]] += 1
    print("\n| package | noticed | survived |\n|---|---:|---:|")
    for package in sorted(noticed | survived):
        print(f"| {package} | {noticed[package]} | {survived[package]} |")
    total = noticed.total() + survived.total()
    print(f"| all | {noticed.total()} | {survived.total()} |")
    print(f"\n{noticed.total()} of {total} noticed, {len(judged) - total} equivalent")
    for change, verdict in judged:
        if verdict.told == "survived":
            print(f"SURVIVED {_where(change)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
