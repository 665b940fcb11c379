"""
Worlds that still show a fault: name, seed, what is broken, and which fault it is.

Each is a test that is expected to fail (``test_rows.py``); who mends the fault takes the line away.

``turns``    an exit that is told to leave keeps its stop waiting, and nobody says for what
"""

from typing import Final

OPEN: Final[tuple[tuple[str, int, str, str], ...]] = (("near-thin", 1, "INV-9", "turns"),)
