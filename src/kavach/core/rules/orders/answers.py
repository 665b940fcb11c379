"""
What answers to requests about any kind of order have in common.

Source: docs/wire/README.md, "Cancelling and getting out"; docs/wire/errors.md.
"""

from typing import Final

from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.units import cash_text

MARGIN_CODE: Final = 12001
HOLDING_CODE: Final = 12006  # Of a delivery sold without the shares; the vendor publishes none.
OFFLINE_CODE: Final = 1009
REFERENCE_TOLERANCE_NS: Final = 256


def in_doubt(context: StepContext, parent: ParentOrder) -> bool:
    """Return whether it is unknown now where the order stands at the venue."""
    orders = parent.entries + parent.exits
    return context.state.venue_disconnected or any(order.doubted for order in orders)


def venue_refused(context: StepContext, parent: ParentOrder) -> Refusal | None:
    """Return the venue's refusal of a request about the order in this step, if there was one."""
    for order in parent.entries + parent.exits:
        if order.tag in context.refused:
            code, text = context.refused[order.tag]
            return Refusal(Reason.VENUE_REFUSED, f"({code})-{text}")
    return None


def shortfall_text(available_paise: int, needed_paise: int) -> str:
    """Return the text of the row of an order for which the margin does not suffice."""
    return (
        f"Margin Available : {cash_text(available_paise)} : Required : {cash_text(needed_paise)}, "
        f"Margin ShortFall : {cash_text(available_paise - needed_paise)}"
    )


def means_text(available_paise: int, needed_paise: int) -> str:
    """Return the text of a refusal where the margin does not suffice."""
    return f"available {cash_text(available_paise)}, required {cash_text(needed_paise)}"


def offline_text(exchange: str) -> str:
    """Return the text of the row of an order that could not be sent."""
    return f"{exchange} Adapter is offline,ctcl not available "
