"""ARCHITECTURE.md names functions that exist, where it says that they are."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+\?) \| \[`([\w.]+)`\]\(([\w/.]+)\) \|$", re.MULTILINE)
QUESTIONS = {question: (name, path) for question, name, path in ROW.findall(PAGE)}


def test_a_newcomer_has_questions() -> None:
    """The table answers at least twenty-five of them, each once."""
    assert len(QUESTIONS) >= 25
    assert len(set(QUESTIONS.values())) == len(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_there(question: str) -> None:
    """The function that answers it is in the file that the link opens."""
    name, path = QUESTIONS[question]
    module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    found = importlib.import_module(module)
    for part in f"kavach.{name}".removeprefix(f"{module}.").split("."):
        found = getattr(found, part)
    assert callable(found) or isinstance(found, property)
