"""
Offsets from the entry's price, made into prices: how a bracket's exits are wished for.

Prices and offsets are pips.

Source: docs/wire/README.md, "Rows"; docs/wire/README.md, "Decisions".
"""

from kavach.units import Pips, Side


def from_reference(
    side: Side, reference_pips: int, stop_offset_pips: int, target_offset_pips: int
) -> tuple[Pips, Pips]:
    """Return the prices of stop and target for a position on ``side``."""
    sign = 1 if side is Side.BUY else -1
    stop = reference_pips - sign * stop_offset_pips
    return Pips(stop), Pips(reference_pips + sign * target_offset_pips)
