"""
Conversions and gifts: whether they may be, and what moves.

A part of a position can be taken for another product as far as regular orders hold it: what
belongs to a cover or bracket order, carried ones included, gets out by that order. Delivery
needs shares where something is sold, and both products together need their margin. After the
square-off time what becomes intraday is given back at once, and what is being given back stays.

Source: docs/wire/portfolio.md, "Converting"; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Sequence

import msgspec

from kavach.core.commands import Shares
from kavach.core.evolve.money import move
from kavach.core.model.money.commands import ConvertPosition, GrantHoldings
from kavach.core.model.money.events import HoldingGranted, PositionConverted
from kavach.core.model.money.holding import Holding, fit
from kavach.core.model.money.margin import position_margin_paise
from kavach.core.model.money.position import Position
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.orders.answers import means_text
from kavach.core.rules.pending import PendingRequest
from kavach.core.rules.regular.square_off import square_off_position
from kavach.core.settings import Settings
from kavach.instruments import Instrument
from kavach.units import Product, Quantity, Side, opposite


def convert_position(context: StepContext, command: ConvertPosition) -> PendingRequest | Refusal:
    """Take a part of a position for another product."""
    state = context.state
    instrument = state.instruments.get(command.instrument)
    if instrument is None:
        return Refusal(Reason.INSTRUMENT_MUST_EXIST, command.instrument)
    if not offers(instrument, state.settings, command.new_product):
        return Refusal(Reason.NEW_PRODUCT_MUST_BE_OFFERED)
    if command.new_product is command.product:
        return Refusal(Reason.NEW_PRODUCT_MUST_DIFFER)
    if command.quantity <= 0:
        return Refusal(Reason.QUANTITY_MUST_BE_POSITIVE)
    if command.quantity % instrument.lot:
        return Refusal(Reason.QUANTITY_MUST_BE_MULTIPLE_OF_LOT)
    client = state.clients[command.client_id]
    position = client.position(instrument.key, command.product)
    if position is None or (position.net_quantity == 0 and position.plain_net == 0):
        return Refusal(Reason.POSITION_MUST_EXIST, f"nothing is held in {command.product.value}")
    held = position.plain_net if command.side is Side.BUY else -position.plain_net
    if held < 0 or (held == 0 and (position.net_quantity > 0) is not (command.side is Side.BUY)):
        return Refusal(Reason.SIDE_MUST_BE_THE_POSITIONS)
    delivery = command.product if command.side is Side.BUY else command.new_product
    shares = state.sellable(command.client_id, instrument.key, delivery)
    most = held if shares is None else min(held, shares)
    stopped = state.sessions.squares_off(instrument)
    if stopped and command.product is Product.MIS:  # What is being given back stays intraday.
        most = max(0, most - position.open_of(opposite(command.side)).quantity)
    if command.quantity > most:
        return Refusal(Reason.QUANTITY_MUST_BE_CONVERTIBLE, f"{most} can be converted")
    event = _moved(command, position)
    new = client.position(instrument.key, command.new_product)
    new = new or Position(instrument.key, command.new_product, instrument.multiplier)
    more = sum(
        position_margin_paise(client, after, instrument, state.settings) - before.blocked_paise
        for before, after in (
            (position, _with(event, position, -1)),
            (new, _with(event, new, 1)),
        )
    )
    if more > max(0, client.available_paise):
        figures = means_text(client.available_paise, more)
        return Refusal(Reason.MARGIN_MUST_SUFFICE, figures)
    # After this point it must succeed.
    context.emit(event)
    if command.new_product is Product.MIS:
        square_off_position(context, command.client_id, instrument.key)
    return PendingRequest()


def offers(instrument: Instrument, settings: Settings, product: Product) -> bool:
    """Return whether a position in this product can be held of an instrument."""
    if product not in settings.margin_permille:
        return False
    if product is Product.CNC or product is Product.MTF:
        return instrument.segment == "Capital"
    return product is not Product.MIS or instrument.intraday_allowed


def grant_holdings(context: StepContext, command: GrantHoldings) -> PendingRequest | Refusal:
    """Grant a client shares that were not bought here."""
    client = context.state.clients.get(command.client_id)
    if client is None:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    reason = check_gift(context, client.holdings, command.holdings)
    if reason is not None:
        return Refusal(reason)
    give(context, command.client_id, command.holdings)
    return PendingRequest()


def check_gift(
    context: StepContext, held: Sequence[Holding], holdings: tuple[Shares, ...]
) -> Reason | None:
    """Return why these shares cannot be added to what is held."""
    for shares in holdings:
        instrument = context.state.instruments.get(shares.instrument)
        if instrument is None:
            return Reason.INSTRUMENT_MUST_EXIST
        if instrument.segment != "Capital":
            return Reason.PRODUCT_MUST_BE_OFFERED
        if shares.quantity <= 0:
            return Reason.QUANTITY_MUST_BE_POSITIVE
    return None if fit(held, holdings) else Reason.QUANTITY_MUST_BE_WITHIN_LIMIT


def give(context: StepContext, client_id: str, holdings: tuple[Shares, ...]) -> None:
    """Grant a client these shares."""
    for shares in holdings:
        context.emit(
            HoldingGranted(client_id, shares.instrument, shares.quantity, shares.price_pips)
        )


def _moved(command: ConvertPosition, position: Position) -> PositionConverted:
    """Return what moves: today's trades first, at their average, then what was carried in.

    Values are rounded down; what is left keeps the rest, so nothing is lost.
    """
    if command.side is Side.BUY:
        today, value = position.buy_quantity, position.buy_value
        carried, carried_value = position.carried_buy_quantity, position.carried_buy_value
    else:
        today, value = position.sell_quantity, position.sell_value
        carried, carried_value = position.carried_sell_quantity, position.carried_sell_value
    first = min(command.quantity, today)
    second = command.quantity - first
    assert second <= carried, "more is held than was traded and carried in"
    return PositionConverted(
        command.client_id,
        command.instrument,
        command.product,
        command.new_product,
        command.side,
        Quantity(first),
        value * first // today if first else 0,
        Quantity(second),
        carried_value * second // carried if second else 0,
    )


def _with(event: PositionConverted, position: Position, sign: int) -> Position:
    """Return the position as it would be afterwards."""
    after = msgspec.structs.replace(position)
    move(event, after, sign)
    return after
