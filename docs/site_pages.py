"""
Which pages the site of ``make docs`` has, and in which order: every document, none forgotten.

Source: docs/decisions/0040-the-documents-are-the-site.md.
"""

from pathlib import Path
from typing import Any

SECTIONS = {
    "Start here": ("README.md", "docs/what_is_there.md", "docs/twin.md", "docs/questions.md"),
    "Use it": ("docs/client.md", "docs/scenarios.md", "docs/operating.md", "UPGRADE.md"),
    "The API": ("docs/wire/README.md", "docs/wire/*.md", "docs/compatibility.md"),
    "The rules": ("docs/spec/*.md",),
    "How it is known": ("docs/reliability.md", "docs/benchmarks.md", "tests/**/*.md"),
    "How it is built": ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
    "Decisions": ("docs/decisions/*.md",),
}


def on_config(config: Any) -> Any:
    """Return the settings with the list of pages; called by mkdocs."""
    root, listed = Path(config.docs_dir), set[str]()
    config.nav = []
    for title, patterns in SECTIONS.items():
        found = [path for pattern in patterns for path in sorted(root.glob(pattern))]
        pages = dict.fromkeys(path.relative_to(root).as_posix() for path in found)
        config.nav.append({title: [page for page in pages if page not in listed]})
        listed |= set(pages)
    return config
