"""
What the auditor checks of a client's money: positions, profit and blocked margin, added up anew.

Values are pips times shares; profit and margin are paise.

Source: cover-order 5.8 (INV-11).
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

from kavach.core.accounts import Client
from kavach.core.state import OmsState
from kavach.twin.audit_seen import SeenOrder, Violation
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product, Side, opposite

Sums = dict[Side, tuple[int, int]]  # By side: quantity and value.


def check_money(state: OmsState, client: Client, looks: Sequence[SeenOrder]) -> Iterator[Violation]:
    """Yield what of an account differs from the fold of its distinct trades."""
    for detail in _differences(state, client, looks):
        yield Violation("INV-11", 0, f"{client.client_id}: {detail}")


def _differences(state: OmsState, client: Client, looks: Sequence[SeenOrder]) -> Iterator[str]:
    folded = _fold(looks)
    kept = {
        (position.instrument, position.product): {
            Side.BUY: (position.buy_quantity, position.buy_value),
            Side.SELL: (position.sell_quantity, position.sell_value),
        }
        for position in client.positions
        if position.buy_quantity or position.sell_quantity
    }
    for key in folded.keys() | kept.keys():
        if folded.get(key) != kept.get(key):
            name = f"{key[0]} {key[1].value}"
            yield f"the position {name} is {_told(kept.get(key))}, trades {_told(folded.get(key))}"
    profit = sum(
        _profit(sums, state.instruments[instrument].multiplier)
        for (instrument, _), sums in folded.items()
    )
    if profit != client.realised_paise:
        yield f"the realised profit is {client.realised_paise} paise, trades make {profit}"
    blocked = sum(seen.parent.blocked_paise for seen in looks)
    blocked += sum(position.blocked_paise for position in client.positions)
    if blocked != client.blocked_paise:
        yield f"blocked are {client.blocked_paise} paise, its orders block {blocked}"
    for seen in looks:
        parent = seen.parent
        if parent.over and seen.position == 0 and parent.blocked_paise:
            yield f"{parent.order_id} has ended and still blocks {parent.blocked_paise} paise"


def _fold(looks: Sequence[SeenOrder]) -> dict[tuple[InstrumentKey, Product], Sums]:
    folded: dict[tuple[InstrumentKey, Product], Sums] = {}
    for seen in looks:
        parent = seen.parent
        for orders, side in ((parent.entries, parent.side), (parent.exits, opposite(parent.side))):
            for order in orders:
                if order.tag not in seen.filled:
                    continue
                quantity, value = seen.filled[order.tag]
                key = (parent.instrument, parent.product)
                sums = folded.setdefault(key, {Side.BUY: (0, 0), Side.SELL: (0, 0)})
                sums[side] = (sums[side][0] + quantity, sums[side][1] + value)
    return folded


def _profit(sums: Sums, multiplier: int) -> int:
    """Return the profit of what was both bought and sold, at average prices, in paise."""
    (bought, paid), (sold, earned) = sums[Side.BUY], sums[Side.SELL]
    closed = min(bought, sold)
    if closed == 0:
        return 0
    # The account rounds down twice, to whole pips and then to paise.
    pips = floor(Fraction(earned * closed, sold) - Fraction(paid * closed, bought))
    return pips * multiplier // PIPS_PER_PAISA


def _told(sums: Sums | None) -> str:
    if sums is None:
        return "none"
    return ", ".join(f"{side.value} {q} for {value}" for side, (q, value) in sums.items())
