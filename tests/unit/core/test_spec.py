"""The documents of the state machines are printed from the code, and explain all of it."""

from pathlib import Path
from typing import Final

import pytest

from kavach.core.model.cover.tables import State
from kavach.core.print_spec import DOCUMENTS, TABLES, written_anew
from kavach.core.rules.decisions import ClockAction, Decision, Obligation, ReportEffect

ROOT: Final = Path(__file__).parents[3]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_hold_the_tables_of_the_code(name: str) -> None:
    """Every table between its marks is the one that the code has now; ``make spec`` sees to it."""
    document = (ROOT / name).read_text(encoding="utf-8")
    assert written_anew(document) == document, "run make spec"


def test_no_table_is_left_out() -> None:
    """Each table of the code stands in one of the documents."""
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
    assert [name for name in TABLES if f"<!-- table {name} -->" not in text] == []


def test_a_changed_table_is_noticed() -> None:
    """A document whose table says something else is not left as it is."""
    document = (ROOT / DOCUMENTS[1]).read_text(encoding="utf-8")
    wrong = document.replace("| `sent` | `waiting` |", "| `sent` | `filled` |")
    assert wrong != document
    assert written_anew(wrong) == document


@pytest.mark.parametrize("words", [State, Decision, ReportEffect, ClockAction, Obligation])
def test_every_word_of_the_tables_is_explained(
    words: type[State] | type[Decision] | type[ReportEffect] | type[ClockAction] | type[Obligation],
) -> None:
    """Whatever may stand in a cell is said in prose what it means."""
    document = (ROOT / DOCUMENTS[0]).read_text(encoding="utf-8")
    prose = "\n".join(line for line in document.splitlines() if not line.startswith("| `"))
    marks = "`{}`", "**{}**", "*{}*"
    missing = [
        word.name
        for word in words
        if not any(
            mark.format(spelling) in prose
            for mark in marks
            for spelling in (word.name, word.name.lower().replace("_", " "))
        )
    ]
    assert missing == []
