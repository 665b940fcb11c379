"""
Puts findings into docs/benchmarks.md, between the markers of their part.

    <!-- bench:engine -->
    ...
    <!-- /bench:engine -->

What stands outside the markers is written by people.
"""

import re
from pathlib import Path
from typing import Final

from bench.finding import Finding

REPORT: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def written(text: str, part: str, findings: list[Finding], where: str) -> str:
    """Return the report with these findings in the place of the part's older ones."""
    rows = [f"| {f.what} | {f.result} | {f.verdict} |" for f in findings]
    table = "\n".join(["| measured | result | aim |", "|---|---|---|", *rows])
    block = f"<!-- bench:{part} -->\n{table}\n\n{where}\n<!-- /bench:{part} -->"
    pattern = rf"<!-- bench:{part} -->.*?<!-- /bench:{part} -->"
    report, places = re.subn(pattern, lambda _: block, text, flags=re.DOTALL)
    assert places == 1, f"the report has {places} places for {part}"
    return report


def write(part: str, findings: list[Finding], where: str) -> None:
    """Write findings into the report."""
    text = REPORT.read_text(encoding="utf-8")
    REPORT.write_text(written(text, part, findings, where), encoding="utf-8")
