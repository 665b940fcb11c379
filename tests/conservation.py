"""
What the end of a day must not change, for auditors that only saw the trades.

Settlements move worth between cash, shares and positions. So over all of them together, the
quantity of each instrument and the money of a client are what the trades made of them.
"""

from collections.abc import Mapping

from kavach.core.model.state import OmsState
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product

Row = list[int]  # What was bought, for what, what was sold, for what.


def check_conservation(
    state: OmsState, client_id: str, rows: Mapping[tuple[InstrumentKey, Product], Row]
) -> None:
    """Assert that nothing was lost or made (INV-11); ``rows`` are the distinct trades."""
    client = state.clients[client_id]
    traded: dict[InstrumentKey, int] = {}
    money = 0
    for (key, _), (bought, paid, sold, earned) in rows.items():
        traded[key] = traded.get(key, 0) + bought - sold
        money += (earned - paid) * state.instruments[key].multiplier
    held: dict[InstrumentKey, int] = {}
    for position in client.positions:
        held[position.instrument] = held.get(position.instrument, 0) + position.net_quantity
    for holding in client.holdings:
        held[holding.instrument] = held.get(holding.instrument, 0) + holding.quantity
    for key in held.keys() | traded.keys():
        assert held.get(key, 0) == traded.get(key, 0), f"INV-11: {client_id} {key}"
    assert client.deposit_paise is not None
    has = (client.cash_paise - client.deposit_paise) * PIPS_PER_PAISA + client.cash_rest_pips
    has += sum((p.sold_value - p.bought_value) * p.multiplier for p in client.positions)
    assert has == money, f"INV-11: {client_id} has {has} pips, trades make {money}"
