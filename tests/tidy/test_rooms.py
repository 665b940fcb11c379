"""The rooms of the package: a file or folder directly under a package, and the imports between."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = SOURCE / "kavach"
FILES_MAX = 20
FLOORS = ("model", "evolve", "rules")

Rooms = dict[str, dict[str, set[str]]]


def _modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }


def _imported(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def rooms() -> Rooms:
    """Return, by package, which of its rooms each of its rooms imports."""
    modules = _modules()
    found: Rooms = defaultdict(lambda: defaultdict(set))
    for module, path in modules.items():
        for other in _imported(path, modules):
            mine, its = module.split("."), other.split(".")
            shared = 0
            while shared < min(len(mine), len(its)) and mine[shared] == its[shared]:
                shared += 1
            if 0 < shared < min(len(mine), len(its)):
                found[".".join(mine[:shared])][mine[shared]].add(its[shared])
    return found


def _reaches(arrows: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for room in arrows.get(ahead.pop(), ()):
            if room not in seen:
                seen.add(room)
                ahead.append(room)
    return seen


def test_no_room_imports_itself_by_way_of_others() -> None:
    """In no package do rooms import each other in a circle."""
    packages = rooms()
    assert len(packages) > 10, "the rooms were found"
    circles = {
        package: sorted(room for room in arrows if room in _reaches(arrows, room))
        for package, arrows in packages.items()
    }
    assert not any(circles.values()), circles


def test_a_circle_is_found() -> None:
    """The search finds a circle of three rooms, and none where there is none."""
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert [room for room in arrows if room in _reaches(arrows, room)] == ["a", "b", "c"]
    assert "a" not in _reaches({"a": {"b"}, "b": {"c"}}, "a")


def test_no_folder_is_crowded() -> None:
    """A folder has at most twenty files."""
    crowded = {
        ".".join(folder.relative_to(SOURCE).parts)
        for folder in {path.parent for path in PACKAGE.rglob("*.py")}
        if len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) > FILES_MAX
    }
    assert not crowded


def test_a_feature_has_the_same_name_on_every_floor() -> None:
    """What the rules or ``evolve`` know of a feature stands in the model under the same name."""
    core = PACKAGE / "core"
    model = {path.name for path in (core / "model").iterdir() if path.is_dir()} - {"__pycache__"}
    rules = {path.name for path in (core / "rules").iterdir() if path.is_dir()} - {"__pycache__"}
    evolve = {path.stem for path in (core / "evolve").glob("*.py")} - {"__init__"}
    assert rules <= model, rules - model
    assert model <= evolve, model - evolve
    assert evolve - model == {"apply", "entry", "sessions"}, "of no feature: the state's own"
