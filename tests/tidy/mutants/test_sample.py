"""
A few changes that were noticed once are made again: they are noticed still.

That those tests pass without a change is seen where they run by themselves.
"""

import hashlib
import random
import subprocess
from typing import Final

from tests.tidy.mutants.__main__ import NOTICED, every_change, told_of
from tests.tidy.mutants.trial import ROOT, Copy

SAMPLE: Final = 3  # Each costs the start of one test.


def commit() -> str:
    """Return the hash of the commit, or of the list where there is no repository."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return told or hashlib.sha256(NOTICED.read_bytes()).hexdigest()


def test_what_was_noticed_is_noticed_still() -> None:
    """Other changes for each commit, the same for the same one; each fails the test it failed."""
    there = {change.name: change for change in every_change()}
    noticed = {name: by for name, by in told_of(NOTICED).items() if name in there}
    assert len(noticed) >= 5, "make mutants SAMPLE=200 ARGS=--remember finds others"
    chosen = random.Random(commit()).sample(sorted(noticed), SAMPLE)
    with Copy() as copy:
        for name in chosen:
            by = noticed[name]
            assert copy.judge(there[name], [[by]]).told == "noticed", f"{by} lets pass: {name}"
