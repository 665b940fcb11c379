"""Each scenario of ``docs/scenarios.md`` is played by the test that it names."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "kavach"
PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
CONNECTS = re.compile(r"\bhttpx\b|urllib\.request|create_connection|open_connection|http\.client")
NAMED = re.compile(r"\[`([^`]+)`\]\(([^)]+)\)")


def test_every_scenario_names_a_test_that_is_there() -> None:
    """The file is there, and so is the story or the test in it."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) > 10
    missing = []
    for row in rows[1:]:
        named = NAMED.search(row.split("|")[-2])
        assert named is not None, row
        story, path = named.groups()
        file = (PAGE.parent / path).resolve()
        if not file.is_file() or (file.name != story and story not in file.read_text("utf-8")):
            missing.append((story, path))
    assert missing == []


def test_only_the_client_opens_connections() -> None:
    """No room of the server can send an order anywhere: it has nothing to connect with."""
    connects = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if CONNECTS.search(path.read_text(encoding="utf-8"))
    }
    assert connects <= {"sdk", "cli"}, connects
