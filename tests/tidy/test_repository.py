"""The repository keeps its house rules: each of ``rules.py``, over every file it is meant for."""

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.tidy import rules

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "kavach"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PURE = [
    path
    for path in SOURCES
    if path.relative_to(PACKAGE).parts[0] in {"core", "exchange", "instruments.py", "units.py"}
]
PRINTERS = {"cli", "__main__.py", "core/print_spec.py"}
SPEAKERS = [
    path
    for path in SOURCES
    if not {path.relative_to(PACKAGE).parts[0], path.relative_to(PACKAGE).as_posix()} & PRINTERS
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def broken(rule: Callable[[str], list[str]], paths: Iterable[Path]) -> list[str]:
    """Every violation of a rule in these files, one a line, with the file's name before it."""
    paths = list(paths)
    assert paths, "a rule that looks at no file proves nothing"
    return [
        f"{path.relative_to(ROOT)}:{violation}"
        for path in paths
        for violation in rule(path.read_text(encoding="utf-8"))
    ]


def tracked() -> list[Path]:
    """Every text file of the repository, those not yet committed included."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


def test_money_is_never_a_float() -> None:
    """The rules of orders and of the exchange hold no float: no name, literal or true division."""
    assert broken(rules.floats, PURE) == []


def test_the_rules_import_nothing_that_acts() -> None:
    """Core and exchange import msgspec, each other's lower rooms and a few quiet modules only."""
    assert broken(rules.impure_imports, [p for p in PURE if p.name != "print_spec.py"]) == []


def test_imports_stand_at_the_top() -> None:
    """No import hides in a function, where it would dodge a cycle."""
    assert broken(rules.local_imports, SOURCES) == []


def test_functions_fit_in_the_head() -> None:
    """No function of the package is longer than 70 lines."""
    assert broken(rules.long_functions, SOURCES) == []


def test_no_notes_to_oneself() -> None:
    """The package holds no note of things to do."""
    assert broken(rules.leftovers, SOURCES) == []


def test_only_the_command_line_prints() -> None:
    """What a person reads is printed by the command line, and by nothing else."""
    assert broken(rules.prints, SPEAKERS) == []


def test_no_exception_is_swallowed() -> None:
    """Whoever catches everything raises again or says why not, in the package and in its tests."""
    assert broken(rules.swallowed_exceptions, [*SOURCES, *TESTS]) == []


def test_every_module_says_what_it_is_for() -> None:
    """Each module with code in it opens with a docstring."""
    assert broken(rules.missing_docstring, SOURCES) == []


def test_every_test_says_and_asserts_something() -> None:
    """Each test has a docstring of what should be true, and can fail."""
    assert broken(rules.weak_tests, TESTS) == []


def test_no_test_is_skipped() -> None:
    """A test that does not run is deleted, not skipped; only a browser may be missing."""
    browser = ROOT / "tests" / "browser" / "conftest.py"  # An error where CI is set.
    others = [path for path in TESTS if path.parent != Path(__file__).parent and path != browser]
    assert broken(rules.skipped_tests, others or TESTS) == []


def test_names_mean_something() -> None:
    """No file and no room of the package or its tests is called utils or the like."""
    names = [path.relative_to(ROOT).as_posix() for path in [*SOURCES, *TESTS]]
    assert [violation for name in names for violation in rules.vague_name(name)] == []


def test_the_repository_speaks_of_itself_alone() -> None:
    """No file names a path of one machine or the address of a package registry.

    What others made is not ours to change.
    """
    vendored = ROOT / "src" / "kavach" / "static" / "swagger-ui"
    ours = [path for path in tracked() if path.parent != vendored]
    assert broken(rules.foreign_addresses, ours) == []


def test_the_changelog_has_room_for_the_next_change() -> None:
    """What is not yet released is written down under its own heading."""
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text()


def test_make_can_be_learned_in_a_minute() -> None:
    """The Makefile has few recipes, and one for each command that README names."""
    recipes = rules.make_recipes((ROOT / "Makefile").read_text())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w+)", readme))
    assert named - set(recipes) == set()
    assert {"run", "test", "check", "demo", "bench", "sim", "spec"} <= set(recipes)
    assert len(recipes) <= rules.MAKE_RECIPES_MAX


@pytest.mark.parametrize("lock", ["run", "test", "bench"])
def test_locks_pin_everything_with_hashes(lock: str) -> None:
    """Each lock holds exact versions with hashes and no address, and what pyproject asks for."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    extras = PROJECT["optional-dependencies"]
    asked = PROJECT["dependencies"] + extras["server"] + extras.get(lock, [])
    assert rules.loose_pins(text) == []
    assert {rules.requirement_name(name) for name in asked} - rules.pinned_names(text) == set()


def test_locks_agree() -> None:
    """One distribution has one version in all locks, since they share an environment."""
    pins: dict[str, set[str]] = {}
    for path in (ROOT / "requirements").glob("*.txt"):
        for line in path.read_text().splitlines():
            if match := rules.PIN.match(line):
                pins.setdefault(match[1], set()).add(match[2])
    assert pins
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}
