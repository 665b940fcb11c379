"""
An order as a client wrote it down, to be placed later: by a saved basket, or by a GTT rule.

Nothing is promised by keeping it: margin, band and session are looked at when it is placed. Only
what can never become right by waiting is refused at once: an unknown instrument, a quantity that
is no whole lot, a price that is off the tick.

Prices are pips, quantities shares or contracts.

Source: docs/wire/README.md, "Regular and after-market orders"; docs/wire/baskets.md;
docs/wire/gtt.md.
"""

import msgspec

from kavach.core.refusals import Reason
from kavach.core.settings import Settings
from kavach.instruments import Instrument
from kavach.units import InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity

LIMIT, MARKET, SL, SLM = OrderType


class OrderTerms(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """What an order shall be."""

    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips  # 0 for MARKET and SLM.
    trigger_price_pips: Pips  # Of SL and SLM; otherwise 0.
    validity: Validity
    product: Product
    user_order_id: int
    device: str = ""
    amo: bool = False
    protection_bp: int = 0  # Hundredths of a percent; 0: the instrument's own protection.


def check_kept(terms: OrderTerms, instrument: Instrument, settings: Settings) -> Reason | None:
    """Return why these terms can never make an order, whatever the day and the market."""
    if terms.product not in settings.margin_permille:
        return Reason.PRODUCT_MUST_BE_OFFERED
    if terms.product is Product.MIS and not instrument.intraday_allowed:
        return Reason.PRODUCT_MUST_BE_OFFERED
    if terms.product is Product.CNC and instrument.segment != "Capital":
        return Reason.PRODUCT_MUST_BE_OFFERED
    if terms.order_type is SLM and not instrument.slm_allowed:
        return Reason.ORDER_TYPE_MUST_BE_OFFERED
    if terms.validity is Validity.IOC and terms.order_type in (SL, SLM):
        return Reason.VALIDITY_MUST_BE_OFFERED
    return check_quantity(terms, instrument, settings) or _check_prices(terms, instrument)


def check_quantity(terms: OrderTerms, instrument: Instrument, settings: Settings) -> Reason | None:
    """Return why this quantity cannot be ordered."""
    quantity, disclosed = terms.quantity, terms.disclosed_quantity
    if quantity <= 0:
        return Reason.QUANTITY_MUST_BE_POSITIVE
    if quantity % instrument.lot:
        return Reason.QUANTITY_MUST_BE_MULTIPLE_OF_LOT
    if quantity > settings.quantity_max:
        return Reason.QUANTITY_MUST_BE_WITHIN_LIMIT
    if not 0 <= disclosed <= quantity or disclosed % instrument.lot:
        return Reason.DISCLOSED_QUANTITY_MUST_FIT
    return None


def _check_prices(terms: OrderTerms, instrument: Instrument) -> Reason | None:
    priced = terms.order_type in (LIMIT, SL)
    if priced and terms.price_pips <= 0:
        return Reason.PRICE_MUST_BE_POSITIVE
    if not priced and terms.price_pips != 0:
        return Reason.PRICE_MUST_BE_ZERO
    if terms.price_pips % instrument.tick_pips:
        return Reason.PRICE_MUST_BE_ON_TICK
    waits = terms.order_type in (SL, SLM)
    if waits and terms.trigger_price_pips <= 0:
        return Reason.TRIGGER_PRICE_MUST_BE_POSITIVE
    if not waits and terms.trigger_price_pips != 0:
        return Reason.TRIGGER_PRICE_MUST_BE_ZERO
    if terms.trigger_price_pips % instrument.tick_pips:
        return Reason.TRIGGER_PRICE_MUST_BE_ON_TICK
    return None
