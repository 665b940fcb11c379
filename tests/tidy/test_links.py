"""Links of the documents lead somewhere: to a file of this tree, and to a heading that it has."""

import re
import runpy
from pathlib import Path

import pytest

from tests.tidy.test_repository import ROOT, tracked

PAGES = [path for path in tracked() if path.suffix == ".md"]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def headings(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and mkdocs make them."""
    found = re.findall(r"^#{1,6} (.+)$", FENCED.sub("", text), re.MULTILINE)
    plain = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).strip().lower() for heading in found]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def broken(page: Path, text: str) -> list[str]:
    """Return every link of a page that leads nowhere; other hosts are not asked."""
    found = []
    for link in LINK.findall(FENCED.sub("", text)):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT):
            found.append(f"{link}: no such file")
        elif anchor and anchor not in headings(text if target == page else target.read_text()):
            found.append(f"{link}: no such heading")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link of a page leads to a file, and to a heading, that is there."""
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_every_page_is_in_the_site() -> None:
    """Each document has a section in the site of `make docs`, and each page there exists."""
    sections = runpy.run_path(str(ROOT / "docs" / "site_pages.py"))["SECTIONS"]
    patterns = [pattern for patterns in sections.values() for pattern in patterns]
    listed = {path for pattern in patterns for path in ROOT.glob(pattern)}
    assert set(PAGES) - listed == set()
    assert [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []


def test_a_broken_link_is_found() -> None:
    """A file or a heading that is not there is found; what stands in a block of code is no link."""
    text = "# A b\n[x](#a-b) [x](#c) [x](none.md) [x](LICENSE)\n```\n[x](gone.md)\n```\n"
    assert broken(ROOT / "README.md", text) == ["#c: no such heading", "none.md: no such file"]
