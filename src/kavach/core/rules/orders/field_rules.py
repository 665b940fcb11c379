"""
What an order must satisfy, as columns of early returns in the order of ``Reason``.

Each function returns the first reason that does not hold, or None. They read; they change
nothing. What only the exchange can know (is it open, is there liquidity) is left to it.

Source: docs/wire/limits.md; docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md,
"Rows"; docs/wire/README.md, "Decisions".
"""

from typing import Final

from msgspec.structs import replace

from kavach.core.commands import PlaceCoverOrder
from kavach.core.refusals import Reason
from kavach.core.rules.orders.pricing import beyond
from kavach.core.settings import Settings
from kavach.instruments import Instrument
from kavach.units import OrderType, Product, Side, Validity

LIMIT, MARKET, SL, SLM = OrderType
BUY = Side.BUY
COVER_PRODUCTS: Final = frozenset({Product.CNC, Product.MIS, Product.NRML})


def check_placement(
    order: PlaceCoverOrder, instrument: Instrument, settings: Settings, last_pips: int
) -> Reason | None:
    """Return why this cover order cannot be placed as it is written."""
    if order.product not in COVER_PRODUCTS:
        return Reason.PRODUCT_MUST_BE_OFFERED
    if not instrument.intraday_allowed:
        return Reason.PRODUCT_MUST_BE_OFFERED
    if order.product is Product.CNC and instrument.segment != "Capital":
        return Reason.PRODUCT_MUST_BE_OFFERED
    return (
        check_terms(
            instrument,
            replace(settings, slices_max=1) if order.bracket else settings,
            order.side,
            order.order_type,
            order.quantity,
            order.disclosed_quantity,
            order.price_pips,
            order.trigger_price_pips,
            order.validity,
            last_pips,
        )
        or check_stop(instrument, order.stop_price_pips, order.trailing_step_pips)
        or check_stop_side(
            order.side,
            order.stop_price_pips,
            reference_price(
                order.order_type, order.price_pips, order.trigger_price_pips, last_pips
            ),
        )
    )


def check_terms(
    instrument: Instrument,
    settings: Settings,
    side: Side,
    order_type: OrderType,
    quantity: int,
    disclosed_quantity: int,
    price_pips: int,
    trigger_pips: int,
    validity: Validity,
    last_pips: int,
    *,
    sliced: bool = True,
) -> Reason | None:
    """Return why an entry cannot have these terms; one that is not sliced has no such limit."""
    if order_type is SLM and not instrument.slm_allowed:
        return Reason.ORDER_TYPE_MUST_BE_OFFERED
    if validity is Validity.IOC and (order_type is SL or order_type is SLM):
        return Reason.VALIDITY_MUST_BE_OFFERED
    if quantity <= 0:
        return Reason.QUANTITY_MUST_BE_POSITIVE
    if quantity % instrument.lot:
        return Reason.QUANTITY_MUST_BE_MULTIPLE_OF_LOT
    too_many = sliced and quantity > instrument.slice_max * settings.slices_max
    if quantity > settings.quantity_max or too_many or not instrument.tradable:
        return Reason.QUANTITY_MUST_BE_WITHIN_LIMIT
    if not 0 <= disclosed_quantity <= quantity or disclosed_quantity % instrument.lot:
        return Reason.DISCLOSED_QUANTITY_MUST_FIT
    if order_type is LIMIT or order_type is SL:
        if price_pips <= 0:
            return Reason.PRICE_MUST_BE_POSITIVE
        if price_pips % instrument.tick_pips:
            return Reason.PRICE_MUST_BE_ON_TICK
        if not instrument.band_low_pips <= price_pips <= instrument.band_high_pips:
            return Reason.PRICE_MUST_BE_IN_BAND
    elif price_pips != 0:
        return Reason.PRICE_MUST_BE_ZERO
    if order_type is SL or order_type is SLM:
        return _check_trigger(instrument, side, order_type, price_pips, trigger_pips, last_pips)
    if trigger_pips != 0:
        return Reason.TRIGGER_PRICE_MUST_BE_ZERO
    return None


def _check_trigger(
    instrument: Instrument,
    side: Side,
    order_type: OrderType,
    price_pips: int,
    trigger_pips: int,
    last_pips: int,
) -> Reason | None:
    if trigger_pips <= 0:
        return Reason.TRIGGER_PRICE_MUST_BE_POSITIVE
    if trigger_pips % instrument.tick_pips:
        return Reason.TRIGGER_PRICE_MUST_BE_ON_TICK
    if not instrument.band_low_pips <= trigger_pips <= instrument.band_high_pips:
        return Reason.TRIGGER_PRICE_MUST_BE_IN_BAND
    if not beyond(side, trigger_pips, last_pips):
        return Reason.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE
    if order_type is SL and (
        trigger_pips > price_pips if side is BUY else trigger_pips < price_pips
    ):
        return Reason.TRIGGER_PRICE_MUST_NOT_PASS_PRICE
    return None


def check_stop(instrument: Instrument, stop_pips: int, trailing_step_pips: int) -> Reason | None:
    """Return why a stop cannot stand at this price, wherever the market is."""
    if stop_pips <= 0:
        return Reason.STOP_MUST_BE_POSITIVE
    if stop_pips % instrument.tick_pips:
        return Reason.STOP_MUST_BE_ON_TICK
    if not instrument.band_low_pips <= stop_pips <= instrument.band_high_pips:
        return Reason.STOP_MUST_BE_IN_BAND
    if trailing_step_pips < 0 or trailing_step_pips % instrument.tick_pips:
        return Reason.TRAILING_STEP_MUST_FIT
    return None


def check_stop_side(side: Side, stop_pips: int, reference_pips: int) -> Reason | None:
    """Return why a stop does not lose money against the price the entry is meant to get."""
    if stop_pips >= reference_pips if side is BUY else stop_pips <= reference_pips:
        return Reason.STOP_MUST_BE_ON_LOSING_SIDE
    return None


def reference_price(
    order_type: OrderType, price_pips: int, trigger_pips: int, last_pips: int
) -> int:
    """Return the price an entry is measured by: its own, its trigger, or the last traded."""
    if order_type is MARKET:
        return last_pips
    if order_type is SLM:
        return trigger_pips
    return price_pips
