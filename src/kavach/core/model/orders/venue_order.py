"""
One order as the core knows it to stand at a venue.

A cover order owns several: its entry (one or more slices), its stop (one or more slices) and,
when something went wrong, further exits. A venue order never acts; it knows quantities.

``leaves_max`` is the most that it could still trade, whatever the venue does next: while an
amend is in flight the larger total counts, and an order that closed before all its trades
were seen still owes those trades. It is the only place where "dead" is defined (5.10).
The total of a linked order counts what all orders of its link have traded, at the venue and here.

Quantities are shares, prices pips, ``filled_value`` pips times shares.

Source: docs/spec/cover_order.md, "Quantities".
"""

from typing import Final

import msgspec

from kavach.core.commands import Leg
from kavach.core.events import OrderAmendSent, Purpose
from kavach.core.model.orders.life import CLOSED, InFlight, Life
from kavach.units import OrderType, Side

NOT_CLOSED: Final = -1
# With what a venue ends or refuses an order whose link has traded its quantity.
LINK_FILLED_CODE: Final = 17901
LINK_TRADED_CODE: Final = 17902
LINK_OVER_CODE: Final = 17903  # And one whose link is of a session that has ended.
LINK_CODES: Final = frozenset({LINK_FILLED_CODE, LINK_TRADED_CODE, LINK_OVER_CODE})
_LINK_TRADED: Final = frozenset({LINK_FILLED_CODE, LINK_TRADED_CODE})
_IDLE: Final = InFlight.NONE
_LIVE: Final = frozenset({Life.WAITING, Life.WORKING})


class VenueOrder(msgspec.Struct, array_like=True, gc=False):
    """An order at a venue, as its reports describe it."""

    tag: int
    parent_id: int
    purpose: Purpose
    side: Side
    order_type: OrderType
    quantity: int
    disclosed_quantity: int
    price_pips: int
    trigger_price_pips: int
    sent_at_ns: int
    updated_at_ns: int
    exchange_order_id: str = ""
    life: Life = Life.SENT
    in_flight: InFlight = InFlight.NONE
    amend: OrderAmendSent | None = None
    amends: int = 0
    amend_crossed: bool = False  # The stop fired while an amend was on its way.
    limit_refused: bool = False  # It would not become, or move as, a limit order.
    growth_refused: bool = False  # It would not take more quantity.
    refused_trigger_pips: int = 0  # It would not move there.
    cancel_refused_at_ns: int = 0
    filled_quantity: int = 0
    filled_value: int = 0
    final_filled: int = NOT_CLOSED
    triggered: bool = False
    removed: bool = False  # Closed by the venue, not by us.
    code: int = 0
    reason: str = ""
    accepted_at_ns: int = 0
    asked_at_ns: int = 0  # When the request in flight was sent.
    serial: int = 0  # Of the last request.
    doubted: bool = False  # The venue has not answered the request in flight in time.
    queries: int = 0  # How often it was asked since.
    queried_at_ns: int = 0
    compared_at_ns: int = 0  # When the venue last reported where the order stands.
    link: int = 0  # Which orders it shares its quantity with; 0: none.
    linked_filled: int = 0  # What the others of its link have traded.
    largest_total: int = 0  # That it was ever given, or was meant to be.
    cancels_refused: int = 0
    unproven: OrderAmendSent | None = None  # A change that was unanswered when it ended.
    withdrawn: bool = False  # It has ended, and its leg went on without what it had not traded.

    @property
    def total_max(self) -> int:
        """Its total, an amend in flight counted at the larger."""
        if self.amend is not None and self.amend.quantity > self.quantity:
            return self.amend.quantity
        return self.quantity

    @property
    def leaves_max(self) -> int:
        """The most that this order could still trade."""
        if self.final_filled != NOT_CLOSED:
            return self.final_filled - self.filled_quantity
        total = self.quantity
        if self.amend is not None and self.amend.quantity > total:
            total = self.amend.quantity
        return max(0, total - self.filled_quantity - self.linked_filled)

    @property
    def waits(self) -> bool:
        """Whether the venue owes us an answer, its acceptance, a closing or trades."""
        if self.final_filled != NOT_CLOSED:
            return self.final_filled != self.filled_quantity or self.link_owes > 0
        if self.exchange_order_id == "":
            return True
        return self.in_flight is not _IDLE or (self.link != 0 and self.leaves_max == 0)

    @property
    def link_owes(self) -> int:
        """What others of its link have traded, by its close code, and is not reported yet."""
        if self.link == 0 or self.code not in _LINK_TRADED or self.final_filled == NOT_CLOSED:
            return 0
        return max(0, self.quantity - self.filled_quantity - self.linked_filled)

    @property
    def dead(self) -> bool:
        """Whether it can never trade again and all its trades are known."""
        return self.final_filled == self.filled_quantity

    @property
    def live(self) -> bool:
        """Whether the venue has acknowledged it, so that it can be named, and not closed it."""
        return self.life in _LIVE and self.exchange_order_id != ""

    @property
    def confirmed_leaves(self) -> int:
        """The open quantity the venue has confirmed."""
        if not self.live:
            return 0
        return max(0, self.quantity - self.filled_quantity - self.linked_filled)

    @property
    def closed(self) -> bool:
        """Whether the venue has closed it, be all its trades known or not."""
        return self.life in CLOSED

    @property
    def is_entry(self) -> bool:
        """Whether it opens the position."""
        return self.purpose is Purpose.ENTRY

    @property
    def is_target(self) -> bool:
        """Whether it waits for a bracket's profit."""
        return self.purpose is Purpose.TARGET

    @property
    def leg(self) -> Leg:
        """In whose row it is shown; an exit is what a stop has become."""
        if self.purpose is Purpose.ENTRY:
            return Leg.ENTRY
        return Leg.SECOND if self.purpose is Purpose.TARGET else Leg.THIRD
