"""
Worlds that still show a fault: name, seed, what is broken, and which fault it is.

Each is a test that is expected to fail (``test_rows.py``); who mends the fault takes the line away.

``turns``    an exit that is told to leave keeps its stop waiting, and nobody says for what
``resumed``  an entry that was COMPLETE gets a version and a line because its position was carried
"""

from typing import Final

OPEN: Final[tuple[tuple[str, int, str, str], ...]] = (
    ("near-thin", 1, "INV-9", "turns"),
    ("far", 30, "INV-24 ended", "resumed"),
    ("far-whole", 20, "INV-24 ended", "resumed"),
    ("far-restless", 9, "INV-24 ended", "resumed"),
    ("far-days", 12, "INV-24 ended", "resumed"),
)
