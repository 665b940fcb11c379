"""
What a world left in its journal, as one line a seed: proof that a redesign changed nothing.

    python -m tests.simulation.projection near 60000 60100 > before
    python -m tests.simulation.projection --compare before after

A journal holds every request to the venue, report, trade, alarm, ledger line and answer, in order,
as bytes that classes and files do not show in. So the same line from two trees means that nothing
which happened was different; rows are made of that, and are read by the auditors of each tree.
"""

import argparse
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.simulation.__main__ import WORLDS
from tests.simulation.world import Failure, World, attempt


def digest(world: World) -> str:
    """Return how many records a world wrote, and the hash of all of them."""
    whole, count = sha256(), 0
    for _, body in world.journal.records():
        whole.update(body)
        count += 1
    return f"{count} {whole.hexdigest()[:32]}"


def lines(name: str, first: int, last: int) -> Iterator[str]:
    """Yield a line for each seed from the first up to the last, the last one not included."""
    for seed in range(first, last):
        found = attempt(WORLDS[name], seed)
        text = found.text.splitlines()[0] if isinstance(found, Failure) else digest(found)
        yield f"{name} {seed} {text}"


def differing(before: str, after: str) -> list[str]:
    """Return which worlds and seeds have other lines, or are in one of the texts alone."""

    def read(text: str) -> dict[str, str]:
        split = (line.split(" ", 2) for line in text.splitlines())
        return {f"{name} {seed}": rest for name, seed, rest in split}

    old, new = read(before), read(after)
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def main(arguments: list[str]) -> int:
    """Print the lines, or compare two files of them; 1 if some differ."""
    parser = argparse.ArgumentParser(prog="tests.simulation.projection")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    parser.add_argument("world", nargs="?", choices=sorted(WORLDS))
    parser.add_argument("first", nargs="?", type=int, default=60_000)
    parser.add_argument("last", nargs="?", type=int, default=60_100)
    options = parser.parse_args(arguments)
    if options.compare:
        before, after = (path.read_text(encoding="utf-8") for path in options.compare)
        others = differing(before, after)
        print("\n".join(others) or "no seed differs")
        return 1 if others else 0
    for line in lines(options.world or "near", options.first, options.last):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
