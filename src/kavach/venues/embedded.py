"""
The embedded exchange as a venue: translates, and misbehaves on request.

The exchange knows no cover orders and the core no books; here a request of the one becomes a
request of the other, and an event a report. Faults stand between them: an operator may let the
next matching requests be refused, or an accepted order be cancelled by the exchange.

Self-trade prevention is chosen by leg: an entry that would meet our own stop goes itself, an
exit that meets our own stray entry removes it.

Source: cover-order 5.6 (STP flags), 5.7 (venue answer map); twin.md (faults).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from kavach.core import events as core
from kavach.core.cover_order import CoverOrder
from kavach.core.venue_order import VenueOrder
from kavach.exchange import messages as ex
from kavach.exchange.exchange import Exchange
from kavach.exchange.snapshot import Snapshot as ExchangeSnapshot
from kavach.instruments import Instrument
from kavach.units import InstrumentKey, TimestampNs
from kavach.venues.faults import Fault, FaultBoard, FaultEffect

_CLOSING: Final = {
    ex.Removal.CANCELLED: core.Closing.CANCELLED,
    ex.Removal.REMOVED: core.Closing.REMOVED,
    ex.Removal.EXPIRED: core.Closing.EXPIRED,
}


class HeardNow(msgspec.Struct, gc=False):
    """What the exchange said within the call."""

    reports: list[core.Report]
    moved: dict[InstrumentKey, int]
    journaled: list[ex.Event]


_QUIET: Final[dict[InstrumentKey, int]] = {}


class EmbeddedVenue:
    """The exchange inside, behind the engine's port."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        listed = list(instruments)
        self._keys = [instrument.key for instrument in listed]
        self.exchange = Exchange(listed)
        self.faults = FaultBoard()

    # --- The port -----------------------------------------------------------------------------

    def send(
        self, request: core.Request, order: VenueOrder, cover: CoverOrder, at_ns: int
    ) -> HeardNow:
        """Return what the exchange says to a request."""
        fault = self.faults.take(request, order, cover.client_id) if self.faults else None
        if fault is not None and fault.effect is FaultEffect.REJECT:
            return HeardNow([_refusal(request, fault)], _QUIET, [])
        if type(request) is core.OrderSubmitted:
            events = self._submit(request, at_ns)
        elif type(request) is core.OrderCancelSent:
            events = self.exchange.cancel(ex.CancelOrder(order.exchange_order_id))
        else:
            assert type(request) is core.OrderAmendSent
            events = self._amend(request, order, at_ns)
        if fault is not None:
            assert fault.effect is FaultEffect.CANCEL_RESTING
            events = events + self._cancel_resting(request.tag, order, events, fault)
        return self.heard(events, cover.instrument, request.tag)

    def replay(self, event: ex.Event) -> None:
        """Let an exchange event have happened again."""
        self.exchange.apply(event)

    def prices(self) -> dict[InstrumentKey, int]:
        """Return every instrument's last price in pips."""
        return {key: self.exchange.last_price_pips(key) for key in self._keys}

    def snapshot(self) -> bytes:
        """Return the exchange's state, MessagePack."""
        return msgspec.msgpack.encode(self.exchange.snapshot())

    def restore(self, snapshot: bytes) -> None:
        """Let the exchange be what the snapshot holds."""
        self.exchange.restore(msgspec.msgpack.decode(snapshot, type=ExchangeSnapshot))

    def state_hash(self) -> str:
        """Return the hash of the exchange's own state."""
        return self.exchange.state_hash()

    # --- Translation --------------------------------------------------------------------------

    def heard(self, events: list[ex.Event], key: InstrumentKey, asked: int = 0) -> HeardNow:
        """Return events of one instrument as the core hears them.

        ``asked`` is the tag of the request that caused them; an answer that no longer finds
        its order is about that one.
        """
        reports: list[core.Report] = []
        journaled: list[ex.Event] = []
        moved = _QUIET
        for event in events:
            kind = type(event)
            report = _REPORT[kind](event, asked)
            if report is not None:
                reports.append(report)
            if kind not in _UNCHANGED:
                journaled.append(event)
            if kind is ex.Traded or kind is ex.Printed:
                moved = {key: self.exchange.last_price_pips(key)}
        return HeardNow(reports, moved, journaled)

    def _submit(self, request: core.OrderSubmitted, at_ns: int) -> list[ex.Event]:
        entry = request.purpose is core.Purpose.ENTRY
        return self.exchange.submit(
            ex.NewOrder(
                request.tag,
                request.client_id,
                request.instrument,
                request.side,
                request.order_type,
                request.quantity,
                request.disclosed_quantity,
                request.price_pips,
                request.trigger_price_pips,
                request.validity,
                ex.SelfTrade.CANCEL_ACTIVE if entry else ex.SelfTrade.CANCEL_PASSIVE,
            ),
            TimestampNs(at_ns),
        )

    def _amend(self, request: core.OrderAmendSent, order: VenueOrder, at_ns: int) -> list[ex.Event]:
        return self.exchange.amend(
            ex.AmendOrder(
                order.exchange_order_id,
                request.order_type,
                request.quantity,
                request.disclosed_quantity,
                request.price_pips,
                request.trigger_price_pips,
            ),
            TimestampNs(at_ns),
        )

    def _cancel_resting(
        self, tag: int, order: VenueOrder, events: list[ex.Event], fault: Fault
    ) -> list[ex.Event]:
        """Let the exchange cancel, on its own, what it has just accepted."""
        ids = [e.exchange_order_id for e in events if type(e) is ex.Accepted and e.order_ref == tag]
        target = ids[0] if ids else order.exchange_order_id
        return self.exchange.remove(target, fault.code, fault.reason) if target else []


def _refusal(request: core.Request, fault: Fault) -> core.Report:
    if type(request) is core.OrderSubmitted:
        return core.OrderRejected(request.tag, fault.code, fault.reason)
    if type(request) is core.OrderCancelSent:
        return core.OrderCancelRefused(request.tag, fault.code, fault.reason)
    return core.OrderAmendRefused(request.tag, fault.code, fault.reason)


# Refusals change nothing inside the exchange, so its journal does not hold them.
_UNCHANGED: Final = frozenset({ex.Rejected, ex.AmendRejected, ex.CancelRejected})

_REPORT: Final[dict[type, Callable[[Any, int], core.Report | None]]] = {
    ex.Accepted: lambda e, asked: core.OrderAccepted(e.order.order_ref, e.exchange_order_id),
    ex.Rejected: lambda e, asked: core.OrderRejected(e.order_ref, e.code, e.reason),
    ex.Amended: lambda e, asked: core.OrderAmended(e.order_ref),
    ex.AmendRejected: lambda e, asked: core.OrderAmendRefused(asked, e.code, e.reason),
    ex.CancelRejected: lambda e, asked: core.OrderCancelRefused(asked, e.code, e.reason),
    ex.Triggered: lambda e, asked: core.OrderTriggered(e.order_ref),
    ex.Traded: lambda e, asked: core.OrderTraded(e.order_ref, e.trade_id, e.quantity, e.price_pips),
    ex.Priced: lambda e, asked: None,
    ex.Removed: lambda e, asked: core.OrderClosed(
        e.order_ref, e.filled_quantity, _CLOSING[e.why], e.code, e.reason
    ),
    ex.Printed: lambda e, asked: None,
    ex.PhaseChanged: lambda e, asked: None,
}
