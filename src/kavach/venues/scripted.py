"""
A venue that says nothing by itself: whoever holds the script decides what happens, and when.

Requests pile up, and each of its orders is as the last decision left it. A decision is a method
here; it returns the report that a real venue would send, and the caller hands that to the engine
whenever, and after whatever else, it likes. A decision that no lawful venue could make (to
trade more than is open, to answer a request that was not sent) is an assertion error, because
then the script is wrong and not the engine.

Quantities are shares, prices pips.

Source: docs/spec/cover_order.md.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from kavach.core import events as e
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import (
    LINK_FILLED_CODE,
    LINK_OVER_CODE,
    LINK_TRADED_CODE,
    VenueOrder,
)
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.units import InstrumentKey, OrderType, Pips, Quantity

_STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})


class Told(msgspec.Struct, frozen=True):
    """Reports and last prices, in the shape that the engine hears."""

    reports: list[e.ExecutionReport] = msgspec.field(default_factory=list)
    moved: dict[InstrumentKey, int] = msgspec.field(default_factory=dict)
    journaled: list[ExchangeEvent] = msgspec.field(default_factory=list)


class ScriptedOrder:
    """An order as it stands at the venue, whatever the other side believes."""

    def __init__(self, asked: e.OrderSubmitted, shared: dict[int, int]) -> None:
        self.asked = asked
        self.link = asked.link
        self._shared = shared  # By link: what all its orders have traded.
        self.tag = asked.tag
        self.order_type = asked.order_type
        self.quantity = int(asked.quantity)
        self.price_pips = asked.price_pips
        self.trigger_price_pips = asked.trigger_price_pips
        self.filled = 0
        self.accepted = False
        self.alive = True
        self.triggered = False
        self.pending: e.OrderAmendSent | e.OrderCancelSent | None = None
        self.serial = 0  # Of the last request about it.
        self.lost = False  # The order itself never arrived.
        self.trades: list[e.OrderTraded] = []
        self.end: e.OrderClosed | e.OrderRejected | None = None

    @property
    def counted(self) -> int:
        """What counts against its quantity: its own trades, and those of its link."""
        return self._shared.get(self.link, 0) if self.link else self.filled

    @property
    def open_quantity(self) -> int:
        """What may still trade."""
        return max(0, self.quantity - self.counted) if self.alive else 0

    @property
    def waits(self) -> bool:
        """Whether it is a stop that has not fired."""
        return self.order_type in _STOPS and not self.triggered


class ScriptedVenue:
    """Orders, and decisions about them."""

    links_orders = True

    def __init__(self) -> None:
        self.requests: list[e.Request] = []  # Everything that was ever sent here, in order.
        self.orders: dict[int, ScriptedOrder] = {}  # By tag.
        self.asked: list[int] = []  # Tags that the engine asked about, in order.
        self.answers_at_once = False  # Whether a question is answered within the call.
        self.ended_by_link: list[e.Report] = []  # Closings that a trade has caused, to be told.
        self.groups_over: set[int] = set()  # Links that traded in a session that is over.
        self._shared: dict[int, int] = {}
        self._trades = 0

    # --- The engine's port --------------------------------------------------------------------

    def send(self, request: e.Request, order: VenueOrder, parent: ParentOrder, at_ns: int) -> Told:
        """Return nothing: the request waits here for somebody to decide."""
        self.requests.append(request)
        if isinstance(request, e.OrderSubmitted):
            assert request.tag not in self.orders, f"order {request.tag} was sent twice"
            self.orders[request.tag] = ScriptedOrder(request, self._shared)
        elif isinstance(request, e.OrderAmendSent | e.OrderCancelSent):
            mine = self.orders[request.tag]
            assert mine.pending is None, f"order {request.tag}: a second request in flight"
            mine.pending = request
            mine.serial = request.serial
        return Told()

    def statuses(self, orders: Iterable[VenueOrder]) -> Told:
        """Return what is known of these orders, or nothing: then a question waits here, too."""
        tags = [order.tag for order in orders]
        if self.answers_at_once:
            return Told([self.status(tag) for tag in tags])
        self.asked += tags
        return Told()

    def replay(self, events: Sequence[ExchangeEvent], told: Iterable[e.Event]) -> None:
        """Refuse: what happens at a venue far away is not in our journal."""
        assert not events, f"a scripted venue journals nothing, least of all {events}"

    def prices(self) -> dict[InstrumentKey, int]:
        """Return no prices."""
        return {}

    def snapshot(self) -> bytes:
        """Return nothing."""
        return b""

    def restore(self, snapshot: bytes) -> None:
        """Do nothing: the venue lives on while the engine restarts."""
        assert snapshot == b"", "a scripted venue has no snapshot"

    def state_hash(self) -> str:
        """Return nothing."""
        return ""

    # --- Decisions about a new order ----------------------------------------------------------

    def accept(self, tag: int) -> e.Report:
        """Take the order, or find it after all: what was lost has arrived."""
        order = self.orders[tag]
        assert not order.accepted, f"order {tag} was accepted already"
        assert not self.link_code(tag), f"order {tag} is linked to what has traded it"
        if order.lost:
            order.lost, order.alive = False, True
        order.accepted = True
        return e.OrderAccepted(tag, f"{tag:016d}")

    def reject(self, tag: int, code: int = 16418, reason: str = "refused") -> e.Report:
        """Do not take the order, or find out later that it should not have been taken.

        What it has traded by then stays traded.
        """
        order = self.orders[tag]
        assert order.alive, f"order {tag} has gone already"
        order.alive = False
        order.end = e.OrderRejected(tag, code, reason)
        return order.end

    def link_code(self, tag: int) -> int:
        """Return with which code an order must be refused because of its link, 0 if it need not."""
        order = self.orders[tag]
        if order.link in self.groups_over:
            return LINK_OVER_CODE
        return LINK_TRADED_CODE if order.link and order.quantity <= order.counted else 0

    def end_session(self) -> None:
        """Let every link that has traded be over."""
        self.groups_over |= {link for link, quantity in self._shared.items() if quantity}

    def lose(self, tag: int) -> None:
        """Let the request in flight, or the order itself, never have arrived."""
        order = self.orders[tag]
        if order.accepted:
            assert order.pending is not None, f"order {tag}: nothing is on its way"
            order.pending = None
        else:
            order.lost, order.alive = True, False

    # --- Decisions about a live order ---------------------------------------------------------

    def trade(self, tag: int, quantity: int, price_pips: int) -> e.OrderTraded:
        """Trade a part, perhaps before the acceptance was told; a stop has fired by then."""
        order = self.orders[tag]
        assert 0 < quantity <= order.open_quantity, f"order {tag} cannot trade {quantity}"
        order.filled += quantity
        order.alive = order.filled < order.quantity
        if order.link:
            self._shared[order.link] = self._shared.get(order.link, 0) + quantity
        trade = self._trade(tag, quantity, price_pips)
        if order.link:
            self._end_by_link(order.link)
        return trade

    def _end_by_link(self, link: int) -> None:
        for order in self.orders.values():
            if order.link == link and order.alive and order.accepted and not order.open_quantity:
                text = "its link has traded it"
                closed = self._close(order.tag, e.Closing.REMOVED, LINK_FILLED_CODE, text)
                self.ended_by_link.append(closed)

    def trade_late(self, tag: int, quantity: int, price_pips: int) -> e.OrderTraded:
        """Trade after the closing was reported: what a venue should not do, and does."""
        order = self.orders[tag]
        assert not order.alive, f"order {tag} is alive: that is an ordinary trade"
        order.filled += quantity
        return self._trade(tag, quantity, price_pips)

    def _trade(self, tag: int, quantity: int, price_pips: int) -> e.OrderTraded:
        self._trades += 1
        trade = e.OrderTraded(tag, f"T{self._trades}", Quantity(quantity), Pips(price_pips))
        self.orders[tag].trades.append(trade)
        return trade

    def trigger(self, tag: int) -> e.Report:
        """Let a waiting stop fire."""
        order = self.orders[tag]
        assert order.alive and order.accepted and order.waits, f"order {tag} does not wait"
        order.triggered = True
        return e.OrderTriggered(tag)

    def remove(self, tag: int, code: int = 17070, reason: str = "out of range") -> e.Report:
        """Close the order unasked."""
        return self._close(tag, e.Closing.REMOVED, code, reason)

    def expire(self, tag: int) -> e.Report:
        """Close the order because its time is over."""
        return self._close(tag, e.Closing.EXPIRED, 0, "expired")

    def _close(self, tag: int, closing: e.Closing, code: int, reason: str) -> e.Report:
        order = self.orders[tag]
        assert order.alive, f"order {tag} has gone already"
        order.alive = False
        order.end = e.OrderClosed(tag, Quantity(order.filled), closing, code, reason)
        return order.end

    # --- Decisions about a request ------------------------------------------------------------

    def amend(self, tag: int) -> e.Report:
        """Make the change that was asked for."""
        order, asked = self.orders[tag], self.orders[tag].pending
        assert isinstance(asked, e.OrderAmendSent), f"order {tag}: no change was asked for"
        assert order.alive and asked.quantity > order.counted, f"order {tag} cannot be changed"
        assert not (order.triggered and asked.order_type in _STOPS), f"order {tag} has fired"
        order.pending = None
        order.order_type = asked.order_type
        order.quantity = asked.quantity
        order.price_pips = asked.price_pips
        order.trigger_price_pips = asked.trigger_price_pips
        return e.OrderAmended(tag, asked.serial)

    def refuse_amend(self, tag: int, code: int = 16346, reason: str = "no change") -> e.Report:
        """Leave the order as it is."""
        asked = self._answered(tag)
        assert isinstance(asked, e.OrderAmendSent), f"order {tag}: no change was asked for"
        return e.OrderAmendRefused(tag, code, reason, asked.serial)

    def cancel(self, tag: int) -> e.Report:
        """Close the order as asked."""
        assert isinstance(self._answered(tag), e.OrderCancelSent), f"order {tag}: no cancel asked"
        return self._close(tag, e.Closing.CANCELLED, 0, "")

    def refuse_cancel(self, tag: int, code: int = 16344, reason: str = "no cancel") -> e.Report:
        """Leave the order where it is."""
        asked = self._answered(tag)
        assert isinstance(asked, e.OrderCancelSent), f"order {tag}: no cancel was asked for"
        return e.OrderCancelRefused(tag, code, reason, asked.serial)

    def _answered(self, tag: int) -> e.Request | None:
        order = self.orders[tag]
        asked, order.pending = order.pending, None
        return asked

    # --- Looking ------------------------------------------------------------------------------

    def status(self, tag: int) -> e.ExecutionReport:
        """Return what is known of an order, told or untold."""
        order = self.orders[tag]
        end = order.end
        if isinstance(end, e.OrderRejected):
            return end
        if not order.accepted and not order.trades and end is None:
            return e.OrderAbsent(tag, settled=order.lost)
        standing = e.Standing.WAITING if order.waits else e.Standing.WORKING
        return e.OrderStatus(
            tag,
            f"{tag:016d}",
            standing if order.alive else e.Standing.CLOSED,
            order.order_type,
            Quantity(order.quantity),
            Pips(order.price_pips),
            Pips(order.trigger_price_pips),
            Quantity(order.filled),
            tuple(order.trades),
            end.closing if end else e.Closing.REMOVED,
            end.code if end else 0,
            end.reason if end else "",
            settled=order.pending is None,
            serial=order.serial,
        )

    def alive(self) -> Sequence[ScriptedOrder]:
        """Return the orders that may still trade, oldest first."""
        return [order for order in self.orders.values() if order.alive]
