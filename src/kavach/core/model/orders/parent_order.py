"""
What every order of a client has in common, whatever it protects: it is carried out at a venue.

A parent order says what the client wants; its *entries* are the orders at the venue that carry
it out, its *exits* those that take back what it opened (a regular order never has any). It keeps
its trades, the lines of its history, and who wants its remainder gone.

Quantities are shares, prices pips, times nanoseconds.

Source: docs/spec/cover_order.md, "Quantities"; docs/wire/README.md, "Regular and after-market
orders"; docs/wire/README.md, "Placing".
"""

from enum import StrEnum
from typing import ClassVar, Final

import msgspec

from kavach.core.commands import Leg
from kavach.core.events import Alarm, EntryModifyRequested, Source
from kavach.core.model.orders.indexed import FEW, Indexed
from kavach.core.model.orders.life import CLOSED, Life
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.units import InstrumentKey, OrderType, Product, Side, Validity

# Two versions of a row differ by more than a double can blur, which is 128 either way.
VERSION_STEP_NS: Final = 1_024
_STANDING: Final = frozenset({Life.WAITING, Life.WORKING})


class LegChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A leg's row as it stood after something happened to it; the lines of its history.

    Written once and never again (INV-24). ``status`` is the life of the order it happened to, all
    else is the leg's. The trades of an order are its lines that say ``traded``, one for one.
    """

    at_ns: int
    leg: Leg
    what: str  # The event's name.
    status: Life
    order_type: str
    quantity: int
    filled_quantity: int
    price_pips: int
    trigger_price_pips: int
    reason: str
    filled_value: int = 0  # Pips times shares.
    exchange_order_id: str = ""
    disclosed_quantity: int = 0
    validity: Validity = Validity.DAY
    works: bool = False  # Whether an order of the leg was not over.


class Trade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One trade of one venue order of this cover order."""

    at_ns: int
    trade_id: str
    tag: int
    leg: Leg
    exchange_order_id: str
    quantity: int
    price_pips: int
    serial: int = 0  # How many events had happened before it.


def _trade_id(trade: Trade) -> str:
    return trade.trade_id


class ParentOrder(msgspec.Struct, array_like=True, gc=False):
    """Everything the core knows of an order of any kind."""

    sliced: ClassVar[bool] = True  # Whether what exceeds one order at the exchange is cut.

    order_id: int  # oms_order_id of its own row, the ENTRY leg's of a cover order.
    client_id: str
    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: int
    disclosed_quantity: int
    price_pips: int
    trigger_price_pips: int
    validity: Validity
    product: Product
    reference_price_pips: int  # What margin is measured by.
    user_order_id: int
    device: str
    placed_at_ns: int
    entries: tuple[VenueOrder, ...] = ()
    exits: tuple[VenueOrder, ...] = ()
    entry_filled: int = 0
    trades: list[Trade] | None = None
    changes: list[LegChange] | None = None
    cancel_source: Source | None = None  # Who wants the rest of the entry gone.
    entry_cancelled_by_user: bool = False  # A client's cancel of the entry was accepted.
    entry_modified: bool = False
    modify: EntryModifyRequested | None = None  # What the client wants the entry to become.
    modify_refused: bool = False  # The venue refused a part of that.
    alarms: tuple[str, ...] = ()
    ended_code: int = 0
    ended_reason: str = ""
    blocked_paise: int = 0
    settled_quantity: int = 0  # Of the position, what was paid out when its contract ended.
    settled_serial: int = 0  # How many events had happened before that.
    protection_bp: int = 0  # The client's own market protection, 1/10 000; 0: the instrument's.
    algo_tag: str = ""  # Travels with every request about it, where the rules ask for a tag.
    placed_as: LegChange | None = None  # The entry as it was placed, once a change was asked for.
    entry_version_ns: int = 0  # Of the entry's row: when it last changed, strictly increasing.
    ended_at_ns: int = 0  # When it ended last; 0: it has not.

    @property
    def state(self) -> StrEnum:
        """Where the order stands; each kind reads it off its own facts."""
        raise NotImplementedError

    @property
    def position(self) -> int:
        """What the order has opened and nothing of it has taken back."""
        return self.entry_filled

    @property
    def whole(self) -> bool:
        """Whether each leg must be one order at the exchange."""
        return False

    @property
    def squares_off(self) -> bool:
        """Whether its entry is no opening but the system's own way out of a position."""
        return False

    @property
    def over(self) -> bool:
        """Whether the order has ended."""
        raise NotImplementedError

    def check(self) -> None:
        """Assert what must hold of an order of this kind after every event."""
        raise NotImplementedError

    @property
    def entry_leaves_max(self) -> int:
        """L_e: the most that the entry could still fill."""
        total = 0
        for order in self.entries:
            total += order.leaves_max
        return total

    @property
    def as_placed(self) -> LegChange:
        """The entry's row as it was when it was placed: the first line of its history."""
        return self.placed_as or LegChange(
            self.placed_at_ns,
            Leg.ENTRY,
            "entered",
            Life.SENT,
            self.order_type,
            self.quantity,
            0,
            self.price_pips,
            self.trigger_price_pips,
            "",
            disclosed_quantity=self.disclosed_quantity,
            validity=self.validity,
        )

    @property
    def total(self) -> int:
        """What the entry is for, the sum over its orders; of a withdrawn one what it has traded.

        While it works that is what has filled and what is open.
        """
        if not self.entries:
            return self.quantity
        if self.entry_works:
            return self.entry_filled + self.entry_open
        total = 0
        for order in self.entries:
            total += order.filled_quantity if order.withdrawn else order.quantity
        return total

    @property
    def entry_open(self) -> int:
        """What of the entry stands at the venue, by its word; if nothing does, what is on its way.

        An order that a change has added counts once the venue has it.
        """
        standing = sent = 0
        for order in self.entries:
            if order.life in _STANDING:
                standing += order.quantity - order.filled_quantity
            elif order.life is Life.SENT:
                sent += order.quantity - order.filled_quantity
        return standing + sent if self.modify is None or not standing else standing

    @property
    def entry_works(self) -> bool:
        """Whether an order of the entry is not over."""
        for order in self.entries:
            if order.life not in CLOSED:
                return True
        return False

    @property
    def entry_stands(self) -> bool:
        """Whether an order of the entry stands at the venue, by its word."""
        for order in self.entries:
            if order.life in _STANDING:
                return True
        return False

    @property
    def waits(self) -> bool:
        """Whether a request of ours about some order of it is unanswered."""
        for order in self.entries:
            if order.waits:
                return True
        for order in self.exits:
            if order.waits:
                return True
        return False

    @property
    def entry_dead(self) -> bool:
        """Whether the entry can never fill again and all its trades are known."""
        for order in self.entries:
            if not order.dead:
                return False
        return bool(self.entries)

    def orders_of(self, leg: Leg) -> tuple[VenueOrder, ...]:
        """Return the orders that a leg's row speaks of."""
        return self.entries if leg is Leg.ENTRY else self.exits

    def version_of(self, leg: Leg) -> int:
        """Return the version of a leg's row, higher with every change of it (INV-23)."""
        assert leg is Leg.ENTRY, f"{self.order_id} has no {leg}"
        return self.entry_version_ns

    def touch(self, leg: Leg, at_ns: int) -> None:
        """Make another version of a leg's row: the time, and where time stands still, the next."""
        assert leg is Leg.ENTRY, f"{self.order_id} has no {leg}"
        self.entry_version_ns = max(at_ns, self.entry_version_ns + VERSION_STEP_NS)

    def leg_updated_at_ns(self, leg: Leg) -> int:
        """Return when anything last happened to a leg's orders."""
        orders = self.orders_of(leg)
        return max((order.updated_at_ns for order in orders), default=self.placed_at_ns)

    def has_trade(self, trade_id: str) -> bool:
        """Return whether this trade is already booked."""
        trades = self.trades
        if trades is None:
            return False
        if len(trades) < FEW:
            return any(trade.trade_id == trade_id for trade in trades)
        if not isinstance(trades, Indexed):
            self.trades = trades = Indexed(trades, _trade_id)
        return trades.find(trade_id) is not None

    @property
    def contradicted(self) -> bool:
        """Whether the venue has contradicted itself: then its sums are taken, not the order's."""
        return Alarm.CONTRADICTION in self.alarms
