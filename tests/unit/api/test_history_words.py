"""Every line that the core writes into an order's history has a word on the wire."""

import ast
from pathlib import Path

from kavach.api.rows import history
from kavach.core.events import Closing

EVOLVE = Path(__file__).parents[3] / "src/kavach/core/evolve"


def test_every_line_of_a_history_has_a_word() -> None:
    """What ``evolve`` notes, and the API has no word for, would be an error of the program."""
    noted = set(map(str, Closing))
    nodes = (node for path in EVOLVE.glob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if node.func.id in {"_note", "add_line"}:
                noted |= {one for one in words if isinstance(one, str) and one}
    assert noted >= {"accepted", "traded", "request_lost"}
    assert noted - {"accepted", "traded"} == set(history._CHANGES)
