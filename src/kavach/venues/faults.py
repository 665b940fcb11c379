"""
Misbehaviour on request: the next matching requests to the venue suffer an effect.

An operator rehearses here what a real venue does on bad days. Faults are not state: they are
forgotten at a restart.

Source: docs/twin.md (faults).
"""

from enum import StrEnum

import msgspec

from kavach.core.commands import Leg
from kavach.core.events import OrderAmendSent, OrderCancelSent, OrderSubmitted, Request
from kavach.core.model.orders.venue_order import VenueOrder


class FaultOn(StrEnum):
    """Which requests a fault waits for."""

    NEW = "new"
    AMEND = "amend"
    CANCEL = "cancel"
    ANY = "any"


class FaultEffect(StrEnum):
    """What happens to them."""

    REJECT = "reject"
    CANCEL_RESTING = "cancel_resting"  # Accepted, then cancelled by the exchange.
    REMOVE_FIRED = "remove_fired"  # Accepted; a stop is removed by the exchange when it fires.
    DELAY = "delay"  # The report comes late.
    DROP_REQUEST = "drop_request"  # It never arrives, and nobody answers.
    DROP_REPORT = "drop_report"  # It takes effect, and the answer is lost.
    DUPLICATE_REPORT = "duplicate_report"  # The answer comes twice.


class Fault(msgspec.Struct, kw_only=True):
    """One entry of the board; ``times`` counts down."""

    fault_id: str
    on: FaultOn
    leg: Leg | None
    client_id: str | None
    effect: FaultEffect
    code: int
    reason: str
    times: int
    delay_ns: int = 0


_KIND = {
    OrderSubmitted: FaultOn.NEW,
    OrderAmendSent: FaultOn.AMEND,
    OrderCancelSent: FaultOn.CANCEL,
}


class FaultBoard:
    """The faults that are still to come, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Put a fault on the board."""
        assert fault.times > 0, "a fault happens at least once"
        self._faults.append(fault)

    def clear(self) -> None:
        """Take every fault off the board."""
        self._faults.clear()

    def take(self, request: Request, order: VenueOrder, client_id: str) -> Fault | None:
        """Return the fault that this request suffers, counted down, or None."""
        kind = _KIND.get(type(request))
        if kind is None:
            return None  # A question is not a request that could suffer.
        leg = order.leg
        for fault in self._faults:
            if (
                fault.on in (kind, FaultOn.ANY)
                and fault.leg in (leg, None)
                and fault.client_id in (client_id, None)
            ):
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None
