"""The auditor can see: a sample of rules broken on purpose; ``make mutants`` breaks all."""

from pathlib import Path
from typing import Final

import pytest

from tests.simulation.mutants import MUTANTS, ROOT, SAMPLE, SILENCED, Mutant, hunt, judge

RUNS_MAX: Final = 60


@pytest.mark.parametrize("rule", SAMPLE)
def test_a_broken_rule_is_noticed(rule: str) -> None:
    """Within a few worlds an invariant fails, and says which."""
    mutant = next(mutant for mutant in MUTANTS if mutant.rule == rule)
    verdict = judge(mutant, RUNS_MAX)
    assert verdict.caught, f"nobody notices that this is broken: {rule}"
    assert verdict.by.startswith(("INV-", "AMO", "GTT")), verdict.by


def test_nothing_is_noticed_where_nothing_is_broken() -> None:
    """The same worlds hold when the rules do."""
    assert hunt(20) == (20, "")


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.rule for mutant in MUTANTS])
def test_what_is_to_be_broken_is_there(mutant: Mutant) -> None:
    """Each mutant still finds its place in the source, so that the table does not rot."""
    for change in (*mutant.changes, *SILENCED):
        source = Path(ROOT, "src", "kavach", change.file).read_text(encoding="utf-8")
        assert source.count(change.text) == 1, change.text
        assert change.broken != change.text
