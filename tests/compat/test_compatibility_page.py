"""
``docs/compatibility.md`` speaks of every route, and names only tests that exist.
"""

import ast
import re
from pathlib import Path

import pytest

from kavach.api.routes.every_route import ROUTES
from kavach.wire.feed.wishes import Mode

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/.]+)::(\w+)`")
ENDPOINT = re.compile(r"^\| `([A-Z]+ /\S+)` \|")
# Served beside the routes of the API, by code of their own.
BESIDE = {"GET /oauth2/auth", "POST /oauth2/token"}
WORDS = ("documented", "observed", "assumed", "known", "ours", "method")


def rows() -> list[list[str]]:
    """Return the cells of every row of a table with four columns, heads and rules left out."""
    found = []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if len(cells) == 4 and cells[3] not in ("test", "---"):
            found.append(cells)
    return found


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    """A route that the page forgets, or a row of what is not served, is a mistake."""
    told = [match[1] for line in PAGE.splitlines() if (match := ENDPOINT.match(line))]
    served = {f"{route.method} {route.path}" for route in ROUTES} | BESIDE
    assert len(told) == len(set(told))
    assert sorted(served - set(told)) == []
    assert sorted(set(told) - served) == []


def test_every_mode_of_the_feed_has_a_row() -> None:
    """A mode that the server knows is on the page, and no other."""
    feed = PAGE.partition("## Feed")[2]
    told = re.findall(r"^\| `(\w+)` \|", feed, re.MULTILINE)
    assert sorted(told) == sorted(mode.value for mode in Mode)


def test_every_row_says_where_it_is_known_from_and_names_its_test() -> None:
    """No cell is left open: each choice has a source and a test."""
    assert len(rows()) > len(ROUTES)
    for cells in rows():
        assert any(word in cells[1] for word in WORDS), cells
        assert TEST.fullmatch(cells[3]), cells


@pytest.mark.parametrize("named", sorted(set(TEST.findall(PAGE))), ids="::".join)
def test_every_test_that_it_names_exists(named: tuple[str, str]) -> None:
    """A test that was renamed or removed takes its promise with it, so the page must follow."""
    path, name = named
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in module.body if isinstance(node, functions)}
