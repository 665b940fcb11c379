"""
What has to be there to hold something, and to order it: margins, and shares to sell.

A cover or bracket order blocks for itself. What regular orders hold and could still trade is
blocked by position, from sums alone, so that the order of things does not matter:

- what they hold, at the average price of its side;
- what open buys could buy beyond closing a short, and open sells sell beyond closing a long, at
  the average price of the open orders of that side.

What a new order must find free is how much more would be blocked with it. So an order that
reduces asks for nothing (INV-12), two orders that reduce the same shares are counted once, and a
delivery is paid in full. Delivery is never sold short, by no kind of order: a sell needs shares,
a regular one no money.

Values are pips times shares until they become paise, rounded up by less than one paisa.

Source: docs/spec/cover_order.md, "What must hold"; docs/wire/limits.md; docs/wire/portfolio.md,
"Margin calculator".
"""

from kavach.core.model.money.account import Client
from kavach.core.model.money.position import NOTHING, Open, Position
from kavach.core.settings import PERMILLE, Settings
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product, Side


def margin_paise(
    instrument: Instrument, settings: Settings, product: Product, quantity: int, price_pips: int
) -> int:
    """Return what must be free to hold ``quantity`` at ``price_pips``, rounded up to a paisa."""
    return value_margin_paise(instrument, settings, product, quantity * price_pips)


def value_margin_paise(
    instrument: Instrument, settings: Settings, product: Product, value: int
) -> int:
    """Return the margin of a value in pips times quantity, rounded up to a paisa."""
    whole = value * instrument.multiplier * settings.margin_permille[product]
    return -(-whole // (PERMILLE * PIPS_PER_PAISA))


def order_margin_paise(
    client: Client,
    instrument: Instrument,
    settings: Settings,
    product: Product,
    side: Side,
    quantity: int,
    price_pips: int,
    *,
    instead_of: Open = NOTHING,
) -> int:
    """Return what a regular order must find free, and blocks while it is open.

    ``instead_of`` is what the living order that it would change is counted with now. What reduces
    asks for nothing; delivery asks for its whole value, a sale of shares for nothing.
    """
    position = client.position(instrument.key, product)
    if position is None:
        position = Position(instrument.key, product, instrument.multiplier)
    holding = client.holding(instrument.key)
    shares = holding.quantity if holding is not None else 0
    more = Open(quantity, quantity * price_pips)
    opens = {Side.BUY: position.open_buy, Side.SELL: position.open_sell}
    before = _blocked(position, instrument, settings, shares, opens)
    opens[side] = opens[side] - instead_of + more
    return max(0, _blocked(position, instrument, settings, shares, opens) - before)


def position_margin_paise(
    client: Client, position: Position, instrument: Instrument, settings: Settings
) -> int:
    """Return what is blocked for what regular orders hold of a position and could still trade."""
    if not (position.plain_net or position.open_buy.quantity or position.open_sell.quantity):
        return 0
    holding = client.holding(position.instrument)
    shares = holding.quantity if holding is not None else 0
    opens = {Side.BUY: position.open_buy, Side.SELL: position.open_sell}
    return _blocked(position, instrument, settings, shares, opens)


def sellable_quantity(
    client: Client, instrument: InstrumentKey, product: Product, lent: int = 0
) -> int | None:
    """Return how much more an order of any kind may sell; None: as much as its margin allows.

    Of delivery, that is what is held and was bought today by regular orders, less what they have
    sold and could still sell, and less ``lent``: what cover orders have sold of it and not bought
    back, and could still sell. Of MTF, which a broker pays in part and holds itself, it is what
    regular orders hold in that product.
    """
    if product is not Product.CNC and product is not Product.MTF:
        return None
    shares = -lent
    if product is Product.CNC:
        holding = client.holding(instrument)
        shares += holding.quantity if holding is not None else 0
    position = client.position(instrument, product)
    if position is not None:
        shares += position.plain_net - position.open_sell.quantity
    return max(0, shares)


def holding_text(shares: int, quantity: int) -> str:
    """Return the text of a refusal to sell shares that the client does not have."""
    return f"Holding Available : {shares} : Required : {quantity}"


def _blocked(
    position: Position,
    instrument: Instrument,
    settings: Settings,
    shares: int,
    opens: dict[Side, Open],
) -> int:
    net, product = position.plain_net, position.product
    delivery = product is Product.CNC
    # Shares that were sold for delivery are delivered from the holding.
    held = max(0, -net - shares) if delivery and net < 0 else abs(net)
    buys = _share(opens[Side.BUY], max(0, opens[Side.BUY].quantity - max(0, -net)))
    sells = _share(opens[Side.SELL], max(0, opens[Side.SELL].quantity - max(0, net)))
    total = value_margin_paise(instrument, settings, product, _held_value(position, held))
    total += value_margin_paise(instrument, settings, product, buys)
    if not delivery:
        total += value_margin_paise(instrument, settings, product, sells)
    return total


def _held_value(position: Position, quantity: int) -> int:
    """Return the value of what regular orders hold, at the average price of its side."""
    bought = Open(position.bought, position.bought_value)
    sold = Open(position.sold, position.sold_value)
    own, other = (bought, sold) if position.plain_net > 0 else (sold, bought)
    return _share(own if own.quantity else other, quantity)


def _share(whole: Open, quantity: int) -> int:
    """Return the value of ``quantity`` at the average price of the whole, rounded up."""
    if quantity == 0 or whole.quantity == 0:
        return 0
    return -(-whole.value * quantity // whole.quantity)
