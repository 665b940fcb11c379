"""
What a part found, as people read it: on the terminal while it runs, and as rows of a table.
"""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was measured, what came out, and what was aimed at."""

    what: str
    result: str
    aim: str = ""
    met: bool | None = None  # None: nothing was aimed at, or it could not be measured.

    @property
    def verdict(self) -> str:
        """The aim and whether it was met."""
        if self.met is None:
            return self.aim
        return f"{self.aim}: {'met' if self.met else 'missed'}"


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show(findings: list[Finding]) -> None:
    """Print findings, one a line."""
    for finding in findings:
        verdict = f"  [{finding.verdict}]" if finding.verdict else ""
        say(f"  {finding.what}: {finding.result}{verdict}")
