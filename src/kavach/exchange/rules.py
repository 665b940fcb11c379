"""
What an order must be to enter a book: a column of early returns, the first that fails answers.

Source: docs/spec/exchange.md (the checks, in order); docs/wire/limits.md.
"""

from typing import Final

from kavach.exchange.codes import Code
from kavach.exchange.protection import too_far_from_trigger
from kavach.instruments import Instrument
from kavach.units import OrderType, Pips, Side

LIMIT: Final = OrderType.LIMIT
MARKET: Final = OrderType.MARKET
SLM: Final = OrderType.SLM

Band = tuple[int, int]  # The lowest and the highest price that is taken, in pips.


def fault(
    instrument: Instrument,
    band: Band,
    last_price: Pips,
    side: Side,
    order_type: OrderType,
    quantity: int,
    disclosed: int,
    price: int,
    trigger: int,
) -> Code:
    """Return the first thing wrong with the order, or ``Code.NONE``; a band's ends are in it."""
    lot = instrument.lot
    if quantity < lot:
        return Code.QUANTITY_BELOW_LOT
    if quantity % lot:
        return Code.QUANTITY_NOT_IN_LOTS
    if quantity > instrument.freeze_quantity:
        return Code.QUANTITY_ABOVE_FREEZE
    if disclosed:
        if not 0 < disclosed <= quantity:
            return Code.DISCLOSED_ABOVE_QUANTITY
        if disclosed % lot:
            return Code.DISCLOSED_NOT_IN_LOTS
    if order_type is LIMIT:
        if trigger:
            return Code.PRICES_DO_NOT_FIT_TYPE
        return _price_fault(instrument, band, price, Code.PRICE_NOT_ON_TICK)
    if order_type is MARKET:
        return Code.PRICES_DO_NOT_FIT_TYPE if price or trigger else Code.NONE
    return _stop_fault(instrument, band, last_price, side, order_type, price, trigger)


def _price_fault(instrument: Instrument, band: Band, price: int, off_tick: Code) -> Code:
    if price % instrument.tick_pips:
        return off_tick
    if not band[0] <= price <= band[1]:
        return Code.PRICE_OUT_OF_BAND
    return Code.NONE


def _stop_fault(
    instrument: Instrument,
    band: Band,
    last_price: Pips,
    side: Side,
    order_type: OrderType,
    price: int,
    trigger: int,
) -> Code:
    if order_type is SLM:
        if not instrument.slm_allowed:
            return Code.STOP_NOT_ALLOWED
        if price:
            return Code.PRICES_DO_NOT_FIT_TYPE
    elif code := _price_fault(instrument, band, price, Code.PRICE_NOT_ON_TICK):
        return code
    if code := _price_fault(instrument, band, trigger, Code.TRIGGER_NOT_ON_TICK):
        return code
    buying = side is Side.BUY
    if order_type is not SLM and (price < trigger if buying else price > trigger):
        return Code.LIMIT_WORSE_THAN_TRIGGER
    if order_type is not SLM and too_far_from_trigger(instrument, price, trigger):
        return Code.LIMIT_FAR_FROM_TRIGGER
    if trigger <= last_price if buying else trigger >= last_price:
        return Code.TRIGGER_THROUGH_LAST_PRICE
    return Code.NONE
