"""
Every number with which the exchange says no, and its text.

The numbers are those that members see from NSE; where two segments use different ones for one
rule, the cash segment's or the more specific one is taken for all. 17901 to 17903 are ours: no
published number speaks of linked orders.

Source: docs/wire/errors.md; docs/spec/exchange.md (the table).
"""

from enum import IntEnum
from typing import Final


class Code(IntEnum):
    """Why the exchange refuses or removes."""

    NONE = 0
    MARKET_CLOSED = 16000
    INSTRUMENT_UNKNOWN = 16012
    ORDER_NOT_FOUND = 16060
    NOT_IN_THIS_PHASE = 16197
    PRICE_NOT_ON_TICK = 16283
    PRICE_OUT_OF_BAND = 16284
    LIMIT_WORSE_THAN_TRIGGER = 16315
    TRIGGER_NOT_ON_TICK = 16316
    DISCLOSED_ABOVE_QUANTITY = 16324
    DISCLOSED_NOT_IN_LOTS = 16325
    QUANTITY_NOT_IN_LOTS = 16328
    CANNOT_CANCEL = 16344
    CANNOT_MODIFY = 16346
    IOC_UNMATCHED = 16388
    TRIGGER_THROUGH_LAST_PRICE = 16408
    PRICES_DO_NOT_FIT_TYPE = 16416
    DISCLOSED_NOT_IN_AUCTION = 16441
    IOC_NOT_IN_AUCTION = 16442
    STOP_NOT_ALLOWED = 16445
    LIMIT_FAR_FROM_TRIGGER = 16448
    QUANTITY_BELOW_LOT = 16556
    QUANTITY_ABOVE_FREEZE = 16606
    OUT_OF_PROTECTION_RANGE = 17070
    SELF_TRADE = 17080
    GROUP_FILLED = 17901
    QUANTITY_TRADED_BY_GROUP = 17902
    GROUP_OVER = 17903


TEXT: Final[dict[Code, str]] = {
    Code.NONE: "",
    Code.MARKET_CLOSED: "The market is closed",
    Code.INSTRUMENT_UNKNOWN: "Invalid instrument",
    Code.ORDER_NOT_FOUND: "Order not found",
    Code.NOT_IN_THIS_PHASE: "Order entry or modification is not allowed in this phase",
    Code.PRICE_NOT_ON_TICK: "The order price is not a multiple of the tick size",
    Code.PRICE_OUT_OF_BAND: "The price is outside the minimum and maximum that are allowed now",
    Code.LIMIT_WORSE_THAN_TRIGGER: "The limit price is worse than the trigger price",
    Code.TRIGGER_NOT_ON_TICK: "The trigger price is not a multiple of the tick size",
    Code.DISCLOSED_ABOVE_QUANTITY: "Disclosed quantity is greater than the order quantity",
    Code.DISCLOSED_NOT_IN_LOTS: "Disclosed quantity is not a multiple of the regular lot",
    Code.QUANTITY_NOT_IN_LOTS: "Quantity is not a multiple of the regular lot",
    Code.CANNOT_CANCEL: "The order cannot be cancelled",
    Code.CANNOT_MODIFY: "The order cannot be modified",
    Code.IOC_UNMATCHED: "The unmatched part of an IOC order is cancelled by the system",
    Code.TRIGGER_THROUGH_LAST_PRICE: "The trigger price is at or through the last traded price",
    Code.PRICES_DO_NOT_FIT_TYPE: "Invalid order parameters: a price that this type has not",
    Code.DISCLOSED_NOT_IN_AUCTION: "Disclosed quantity is not allowed in an auction",
    Code.IOC_NOT_IN_AUCTION: "Immediate-or-cancel orders are not allowed in an auction",
    Code.STOP_NOT_ALLOWED: "Stop loss orders are not allowed: none in an auction, "
    "and of some instruments none at market",
    Code.LIMIT_FAR_FROM_TRIGGER: "The limit price is too far from the trigger price",
    Code.QUANTITY_BELOW_LOT: "Quantity is less than the minimum lot size",
    Code.QUANTITY_ABOVE_FREEZE: "Quantity is greater than the freeze quantity",
    Code.OUT_OF_PROTECTION_RANGE: "The price is outside the range of limit price protection",
    Code.SELF_TRADE: "The order could have resulted in a self-trade",
    Code.GROUP_FILLED: "The orders linked to this one have traded what was left of it",
    Code.QUANTITY_TRADED_BY_GROUP: "The linked orders have traded this quantity already",
    Code.GROUP_OVER: "The link belongs to a session that has ended",
}
