"""The sampler makes the changes it says it makes, the same ones for the same seed."""

from pathlib import Path

import pytest

from tests.tidy.mutants.__main__ import EQUIVALENT, PACKAGE, drawn, every_change, told_of
from tests.tidy.mutants.changes import SUBTLE, changes_in
from tests.tidy.mutants.relevant import PACKAGES, STAGES, stages
from tests.tidy.mutants.trial import ROOT

SOURCE = '''"""A docstring is left alone."""

LIMIT: int = 3


def least(first: int, second: int, *, more: bool = True) -> int:
    """And so is this one."""
    assert first, "and what an assertion says"
    if first < second and not more:
        return min(first, second) + LIMIT
    sorted([first], key=None)
    list(zip([first], [second], strict=True))
    return max(second - first, 0)
'''


def made(tmp_path: Path) -> set[tuple[str, str, str]]:
    """Return kind, before and after of every change to a small file."""
    (tmp_path / "small.py").write_text(SOURCE)
    return {(one.kind, one.was, one.now) for one in changes_in(tmp_path, "small.py")}


def test_every_kind_of_slip_is_made(tmp_path: Path) -> None:
    """Boundaries, swaps, extremes, counts, words and statements, where they stand."""
    assert made(tmp_path) == {
        ("by one", "3", "4"),
        ("by one", "3", "2"),
        ("by one", "0", "1"),
        ("constant", "True", "False"),
        ("boundary", "first < second", "(first <= second)"),
        ("opposite", "first < second", "(first >= second)"),
        ("and or", "first < second and not more", "(first < second or not more)"),
        ("opposite", "first < second and not more", "(not (first < second and (not more)))"),
        ("not", "not more", "(more)"),
        ("returned", "return min(first, second) + LIMIT", "return None"),
        ("operator", "min(first, second) + LIMIT", "(min(first, second) - LIMIT)"),
        ("extreme", "min(first, second)", "(max(first, second))"),
        ("dropped", "sorted([first], key=None)", "pass"),
        ("dropped", "sorted([first], key=None)", "(sorted([first]))"),
        ("dropped", "list(zip([first], [second], strict=True))", "pass"),
        ("swap", "zip([first], [second], strict=True)", "(zip([second], [first], strict=True))"),
        ("returned", "return max(second - first, 0)", "return None"),
        ("extreme", "max(second - first, 0)", "(min(second - first, 0))"),
        ("operator", "second - first", "(second + first)"),
        ("swap", "second - first", "(first - second)"),
    }


def test_every_change_leaves_a_program() -> None:
    """Each changed file compiles, a few of every package looked at."""
    changes = every_change()
    assert len(changes) > 20_000
    for change in changes[:: len(changes) // 400]:
        compile(change.made_in((PACKAGE / change.file).read_bytes()), change.file, "exec")


def test_a_seed_is_a_draw() -> None:
    """The same seed draws the same changes, another draws others; subtle ones are subtle."""
    changes = every_change(("exchange", "venues"))
    one = drawn(changes, 20, 7, subtle=True)
    assert one == drawn(changes, 20, 7, subtle=True) != drawn(changes, 20, 8, subtle=True)
    assert {change.kind for change in one} <= SUBTLE
    assert {change.kind for change in drawn(changes, 200, 7, subtle=False)} - SUBTLE


def test_tests_that_are_named_are_there() -> None:
    """Each stage names tests of this tree, and each package that is drawn from has stages."""
    for named in STAGES.values():
        assert [one for stage in named for one in stage if not (ROOT / one).exists()] == []
    for change in every_change():
        assert stages(change.file), change.file


def test_all_of_the_code_is_drawn_from() -> None:
    """No package is left out, nor a module that belongs to all."""
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix in (".py", "")}
    assert there - {"__pycache__", "__init__", "__main__"} == set(PACKAGES)


def test_what_is_called_equivalent_is_still_there() -> None:
    """A line of the list names a change that can be made, and why nobody could notice it."""
    names = {change.name for change in every_change()}
    assert [name for name in told_of(EQUIVALENT) if name not in names] == []


@pytest.mark.parametrize("package", ["core", "sdk"])
def test_the_longest_name_tells_the_stages(package: str) -> None:
    """A part with tests of its own is shown to those first."""
    assert stages("core/model/money/position.py")[0] == ("tests/unit/core/money",)
    assert stages(f"{package}/x.py") == stages(f"{package}/y.py")
