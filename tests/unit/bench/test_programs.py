"""The benchmark programs run end to end at minimal sizes; what they measure is not judged here."""

from collections.abc import Callable

import pytest

from bench import engine, feed, growth, http, neighbours
from bench.__main__ import PARTS, main
from bench.finding import Finding
from bench.machine import machine
from bench.report import REPORT, written

RUNS: list[tuple[str, Callable[[], list[Finding]]]] = [
    ("engine", lambda: engine.run(repetitions=1, pairs=20, other_pairs=20)),
    ("http", lambda: http.run(repetitions=1, requests=40, paced_seconds=0.05)),
    (
        "feed",
        lambda: feed.run(repetitions=1, readers=4, instruments=3, rounds=2, idlers=10),
    ),
    (
        "neighbours",
        lambda: neighbours.run(seconds=0.1, rows=60, few=5, many=20, asked=5),
    ),
    ("growth", lambda: growth.run(repetitions=2, few=10, many=50, batch=5)),
]


@pytest.mark.parametrize(("part", "run"), RUNS, ids=[part for part, _ in RUNS])
def test_a_part_runs_to_its_end(part: str, run: Callable[[], list[Finding]]) -> None:
    """Each part does its work, checks it, and says what it found."""
    findings = run()
    assert part in PARTS
    assert all(finding.what and finding.result for finding in findings)


def test_a_part_that_does_not_exist_is_refused() -> None:
    """A misspelt part ends the program before anything is measured."""
    with pytest.raises(SystemExit, match="2"):
        main(["engin"])


def test_the_report_has_a_place_for_every_part() -> None:
    """Findings replace the older ones of their part, and nothing else changes."""
    text = REPORT.read_text(encoding="utf-8")
    for part in PARTS:
        finding = Finding(f"cost of {part}", "1 to 2", "at most 3", met=False)
        once = written(text, part, [finding], "a machine")
        assert f"| cost of {part} | 1 to 2 | at most 3: missed |" in once
        assert written(once, part, [finding], "a machine") == once
        assert len(once.split("<!-- ")) == len(text.split("<!-- "))


def test_the_machine_is_named() -> None:
    """The line above the findings says on what they were found."""
    line = machine()
    assert "cores" in line and "Python 3" in line and line.endswith(".")
