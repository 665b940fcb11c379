"""
A copy of the tree in which changes are made one at a time, and the tests that are run there.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from tests.tidy.mutants.changes import Change

ROOT: Final = Path(__file__).parents[3]
SECONDS_MAX: Final = 600  # Of a stage: a change after which something goes round is noticed.
PARTS: Final = ("src", "tests", "docs", "examples", "bench", "pyproject.toml", "README.md")
# House rules look at the text, not at what the program does; mutants in mutants say nothing.
LEFT_OUT: Final = ("tests/tidy", "tests/tidy/mutants", "tests/simulation/test_mutants.py")
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


class Verdict(NamedTuple):
    """What became of a change."""

    told: str  # noticed, survived or equivalent
    by: str  # The test that failed, or a reason.
    seconds: float


class Copy:
    """A copy of the tree; one change at a time is in it."""

    def __enter__(self) -> Self:
        self._place = tempfile.TemporaryDirectory(prefix="mutants-")
        self.root = Path(self._place.name)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*")
                shutil.copytree(source, self.root / part, ignore=ignored)
            elif source.exists():
                shutil.copy2(source, self.root / part)
        return self

    def __exit__(self, *_: object) -> None:
        self._place.cleanup()

    def judge(self, change: Change, stages: Sequence[Sequence[str]]) -> Verdict:
        """Return whether a stage fails with this change, and what fails first."""
        path = self.root / "src" / "kavach" / change.file
        whole = path.read_bytes()
        began = time.monotonic()
        path.write_bytes(change.made_in(whole))
        try:
            for stage in stages:
                by = self.failing(stage)
                if by:
                    return Verdict("noticed", by, time.monotonic() - began)
            return Verdict("survived", "", time.monotonic() - began)
        finally:
            path.write_bytes(whole)

    def failing(self, tests: Sequence[str]) -> str:
        """Return the first of these tests that fails here, empty if none does."""
        present = [one for one in tests if (self.root / one.partition("::")[0]).exists()]
        if not present:
            return ""
        command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += [f"--ignore={one}" for one in LEFT_OUT if one not in present]
        process = subprocess.Popen(
            [*command, *present],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": f"{self.root / 'src'}{os.pathsep}{self.root}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Servers that a test started end with it.
        )
        try:
            said, _ = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return "it never ends"
        finally:
            _end(process)
        if process.returncode == 0:
            return ""
        failed = _FAILED.search(said)
        return failed[1] if failed else said[-300:] or f"ended with {process.returncode}"


def _end(process: "subprocess.Popen[str]") -> None:
    """Let no process of this session live on."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # All have ended by themselves.
    process.wait()
