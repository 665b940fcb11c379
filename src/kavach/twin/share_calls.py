"""
The calls of the control room that give shares.

Source: docs/twin.md.
"""

from collections.abc import Sequence
from typing import Any, Final

from kavach.core.commands import Shares
from kavach.core.model.money.commands import GrantHoldings
from kavach.core.model.money.holding import QUANTITY_MAX, VALUE_MAX, Holding, fit
from kavach.engine.engine import accepted
from kavach.twin.door import Refused
from kavach.twin.fields import Fields
from kavach.twin.world_port import World
from kavach.units import PIPS_PER_RUPEE

HOLDINGS_MAX: Final = 200
RUPEES_MAX: Final = VALUE_MAX // PIPS_PER_RUPEE


async def give_holdings(world: World, fields: Fields) -> dict[str, Any]:
    """Let a client own shares, and return how many of each there are."""
    fields.only(("client_id", "holdings"))
    client_id = fields.name("client_id")
    client = world.service.engine.state.clients.get(client_id)
    if client is None:
        raise Refused("client_id", f"there is no client {client_id}")
    given = GrantHoldings(client_id=client_id, holdings=shares_of(world, fields, client.holdings))
    accepted(world.service.execute(given))
    instruments = world.service.engine.instruments
    return {
        "client_id": client_id,
        "holdings": [
            {
                "exchange": instruments[holding.instrument].exchange.value,
                "instrument_token": instruments[holding.instrument].token,
                "quantity": holding.quantity,
            }
            for holding in client.holdings
        ],
    }


def shares_of(world: World, fields: Fields, held: Sequence[Holding] = ()) -> tuple[Shares, ...]:
    """Return the shares that a call names for who holds these; raises ``Refused``."""
    shares = []
    for one in fields.objects("holdings", HOLDINGS_MAX):
        one.only(("exchange", "instrument_token", "quantity", "average_price"))
        instrument = one.instrument(world.service.engine.instruments)
        if instrument.segment != "Capital":
            raise Refused("instrument_token", "must be a share: contracts are not owned")
        shares.append(Shares(instrument.key, one.quantity("quantity"), one.price("average_price")))
    if not fit(held, shares):
        wrong = f"must be {QUANTITY_MAX} of a share at most, for {RUPEES_MAX} rupees at most"
        raise Refused("holdings", wrong)
    return tuple(shares)
