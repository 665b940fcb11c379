"""A change is noticed however the test of it ends, and not where all passes."""

import pytest

from tests.tidy.mutants.__main__ import every_change
from tests.tidy.mutants.trial import Copy

BODIES = {
    "assert True": "survived",
    "assert False": "noticed",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": "noticed",
}


@pytest.mark.parametrize(("body", "told"), BODIES.items())
def test_how_the_test_ends_decides(body: str, told: str) -> None:
    """One that is killed says nothing on its way, and has not passed."""
    change = next(iter(every_change()))
    with Copy() as copy:
        test = copy.root / "tests" / "test_made_here.py"
        test.write_text(f'"""One test."""\n\n\ndef test_it() -> None:\n    """It."""\n    {body}\n')
        assert copy.judge(change, [["tests/test_made_here.py"]]).told == told
