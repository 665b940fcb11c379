"""
The end of a day: what is paid, what is delivered, and with what the next day begins.

Theory. Everything that a client has on an exchange is valued at the day's closing prices. What
regular orders bought for delivery and kept becomes shares on their way in (T1), what they sold of
it leaves the shares that are there, both against the whole price in cash. Every other position is
marked to the close: the difference is paid, and the position begins the next day at that price.
A contract that ends on this day is paid out. So a settlement moves worth from one place to
another and makes none: cash, shares and positions are worth the same before and after, to the
pip, and that is asserted.

What belongs to cover and bracket orders is always carried, whatever its product, because they
will get out by orders of their own; of a contract that ends it is paid out with those that
have ended. Delivery that a cover order has sold of the shares is carried as well.

Cash is paise and a rest of pips; values are pips times quantity.

Source: docs/wire/portfolio.md, "Holdings"; docs/decisions/0015-the-end-of-a-day.md.
"""

from collections.abc import Mapping

from kavach.core.model.money.account import Client
from kavach.core.model.money.position import Position
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product

Closes = Mapping[InstrumentKey, int]
Released = Mapping[tuple[InstrumentKey, Product], int]


def settle_client(
    client: Client,
    instruments: Mapping[InstrumentKey, Instrument],
    closes: Closes,
    day: int,
    released: Released,
) -> None:
    """Settle what a client has of the instruments that have a close.

    ``released`` is what orders that have ended hold of contracts that end on this day.
    """
    before = worth_pips(client, instruments, closes)
    for holding in client.holdings:
        if holding.instrument in closes:
            holding.deliver()
    paid_pips = client.cash_rest_pips
    for position in client.positions:
        if position.instrument in closes:
            gone = released.get((position.instrument, position.product), 0)
            instrument = instruments[position.instrument]
            close = closes[position.instrument]
            paid_pips += _settle_position(client, position, instrument, close, day, gone)
    paid_paise, client.cash_rest_pips = divmod(paid_pips, PIPS_PER_PAISA)
    client.cash_paise += paid_paise
    client.holdings = [holding for holding in client.holdings if holding.quantity]
    client.realised_paise = sum(position.realised_paise for position in client.positions)
    after = worth_pips(client, instruments, closes)
    assert after == before, f"{client.client_id}: worth {before} before the end of the day, {after}"


def worth_pips(
    client: Client, instruments: Mapping[InstrumentKey, Instrument], prices: Closes
) -> int:
    """Return cash, shares and positions at these prices, as far as there is one, in pips."""
    total = client.cash_paise * PIPS_PER_PAISA + client.cash_rest_pips
    for holding in client.holdings:
        if holding.instrument in prices:
            multiplier = instruments[holding.instrument].multiplier
            total += holding.quantity * prices[holding.instrument] * multiplier
    for position in client.positions:
        if position.instrument in prices:
            held = position.net_quantity * prices[position.instrument]
            flow = position.sold_value - position.bought_value
            total += (flow + held) * position.multiplier
    return total


def has_expired(instrument: Instrument, day: int) -> bool:
    """Return whether a contract ends on this day (YYYYMMDD), or did before."""
    return instrument.expiry != "" and int(instrument.expiry.replace("-", "")) <= day


def _settle_position(
    client: Client, position: Position, instrument: Instrument, close: int, day: int, gone: int
) -> int:
    """Carry what stays of a position, and return what is paid for the rest, in pips."""
    net, plain, bound = position.net_quantity, position.plain_net, position.bound_net
    delivered = 0
    if has_expired(instrument, day):
        plain, bound = 0, bound - gone
    elif position.product is Product.CNC and instrument.segment == "Capital":
        delivered = _deliver(client, position)
        plain -= delivered
    flow = position.sold_value - position.bought_value
    position.carry(plain, bound, close)
    # What is delivered is paid at the prices it was traded at, all else at the close.
    return (flow + (net - delivered) * close) * instrument.multiplier


def _deliver(client: Client, position: Position) -> int:
    """Move what regular orders hold of a delivery into the shares, or out of them."""
    plain = position.plain_net
    holding = client.holding_in(position.instrument)
    if plain > 0:
        holding.take_in(plain, position.bought_value * plain // max(1, position.bought))
        return plain
    sold = min(-plain, holding.free_quantity)
    holding.give_out(sold)
    return -sold
