"""Where a docstring names its source, a reader finds it: in this repository, or as a standard."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "src").rglob("*.py"))
PAGE = re.compile(r"((?:docs/[\w/-]+|README|ARCHITECTURE|SECURITY|UPGRADE|CONTRIBUTING)(?:\.md)?)")
HEADING = re.compile(r'\.md, "([^"]+)"')
MODULE = re.compile(r"`{0,2}(kavach|core|api|wire|sdk)\.([\w.]+)`{0,2}")
# Public documents, which are no part of the repository.
STANDARD = re.compile(
    r"RFC \d+|WCAG 2|FIX \d|ISO \d+|POSIX|[a-z]+\(2\)|the SQLite page|the vendor's (?:page|SDK)"
    r"|the Fetch standard"
    r"|the ZIP file format|httpx2's documented|httpcore2's|uvicorn's"
    r"|instruments\.json beside this file|SEBI|Prometheus"
    r"|the PostgreSQL pages? "
)


def sources(text: str) -> Iterator[str]:
    """Yield what the ``Source:`` paragraphs of a text name, one by one."""
    for paragraph in re.findall(r"^\s*Source: (.*?)(?:\n\s*\n|\Z)", text, re.S | re.M):
        for item in re.split(r";\s", " ".join(paragraph.split())):
            yield item.strip(" .")


def docstrings(path: Path) -> Iterator[str]:
    """Yield the docstrings of a module."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, kinds):
            yield ast.get_docstring(node) or ""


@cache
def headings(page: Path) -> frozenset[str]:
    """Return the headings of a page, as they stand there."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return frozenset(line.lstrip("#").strip() for line in lines if line.startswith("#"))


def dangling(item: str) -> str:
    """Return what is wrong with a source; nothing, if a reader finds it."""
    page = PAGE.match(item)
    if page:
        name = page[1]
        path = ROOT / (name if name.endswith(".md") else f"{name}.md")
        if not path.is_file():
            found = list(path.parent.glob(f"{path.stem}-*.md"))  # A decision by its number.
            return "" if len(found) == 1 else f"no such page: {item}"
        heading = HEADING.search(item)
        if heading and not any(heading[1] in one for one in headings(path)):
            return f"no such heading: {item}"
        return ""
    module = MODULE.match(item)
    if module:
        top = "kavach" if module[1] == "kavach" else f"kavach.{module[1]}"
        parts = f"{top}.{module[2]}".split(".")
        place = ROOT / "src" / Path(*parts)
        here = place.with_suffix(".py").is_file() or place.is_dir()
        inside = place.parent.with_suffix(".py").is_file()  # A name within a module.
        return "" if here or inside else f"no such module: {item}"
    return "" if STANDARD.match(item) else f"neither a file nor a standard: {item}"


def test_every_source_is_found() -> None:
    """No docstring of the package names a source that a reader cannot open."""
    found = [
        f"{path.relative_to(ROOT)}: {wrong}"
        for path in FILES
        for text in docstrings(path)
        for item in sources(text)
        if (wrong := dangling(item))
    ]
    assert found == []


@pytest.mark.parametrize(
    "item",
    [
        'docs/wire/README.md, "No such heading"',
        "docs/wire/nowhere.md",
        "kavach.core.nowhere.at_all",
        "wire 1.2",
    ],
)
def test_what_is_not_there_is_found(item: str) -> None:
    """A page, a heading, a module, a document that do not exist are each reported."""
    assert dangling(item)
