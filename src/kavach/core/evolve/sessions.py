"""
What the hours of the exchanges and the connection to the venue mean for the state.

Source: docs/spec/cover_order.md, "The clock, the kill switch, the connection".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core import events as e
from kavach.core.model.orders.life import (
    Illegal,
    InFlight,
    InFlightEvent,
    Life,
    LifeEvent,
)
from kavach.core.model.state import OmsState
from kavach.instruments import sessions_of
from kavach.units import OrderType

_WAITING_TYPES: Final = frozenset({OrderType.SL, OrderType.SLM})
_AMEND_SENT, _CANCEL_SENT, _ANSWERED, _CLOSED = InFlightEvent
_PARKED, _OPENED, _TRIGGERED, _TRADED, _COMPLETED, _CANCELLED, _REJECTED, _EXPIRED = LifeEvent
_CLOSING_LIFE: Final = {
    e.Closing.CANCELLED: _CANCELLED,
    e.Closing.REMOVED: _CANCELLED,
    e.Closing.EXPIRED: _EXPIRED,
}


_LATE: Final = Illegal.LATE
_NEVER: Final = Illegal.NEVER
_FILLED: Final = Life.FILLED
_SENT: Final = Life.SENT
_GONE: Final = frozenset({Life.CANCELLED, Life.REJECTED, Life.EXPIRED})
_IDLE: Final = InFlight.NONE
_USER: Final = e.Source.USER
_BY_US: Final = e.Closing.CANCELLED
_ENTRY: Final = e.Purpose.ENTRY
_TARGET: Final = e.Purpose.TARGET
_CARRIED_OVER: Final = "The position was carried over from the session before"


def _session_ended(state: OmsState, event: e.SessionEnded, at_ns: int) -> None:
    state.sessions.end(sessions_of(event.exchange, event.session))
    state.plan_day_end()


def _session_opened(state: OmsState, event: e.SessionOpened, at_ns: int) -> None:
    names = sessions_of(event.exchange, event.session)
    state.sessions.open(names)
    linked = state.index.linked
    for cover in list(linked.values()):
        if state.instruments[cover.instrument].session in names:
            cover.link = 0  # A link ends with its session.
            del linked[cover.order_id]
    if event.exchange.value in state.unsettled_since_ns:
        state.begin_day(event.exchange, at_ns, waits=True)


def _entries_stopped(state: OmsState, event: e.EntriesStopped, at_ns: int) -> None:
    state.sessions.entries_stopped.update(sessions_of(event.exchange, event.session))


def _covers_stopped(state: OmsState, event: e.CoversStopped, at_ns: int) -> None:
    state.sessions.covers_stopped.update(sessions_of(event.exchange, event.session))


def _phase_began(state: OmsState, event: e.PhaseBegan, at_ns: int) -> None:
    names = sessions_of(event.exchange, event.session)
    opens = any(name in state.sessions.closed for name in names)
    state.sessions.begin_phase(names, event.phase)
    if opens and event.exchange.value in state.unsettled_since_ns:
        state.begin_day(event.exchange, at_ns, waits=True)  # The day begins with its auction.
    else:
        state.plan_day_end()


def _link_lost(state: OmsState, event: e.LinkLost, at_ns: int) -> None:
    state.venue_disconnected = True


def _link_restored(state: OmsState, event: e.LinkRestored, at_ns: int) -> None:
    state.venue_disconnected = False


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.LinkLost: _link_lost,
    e.LinkRestored: _link_restored,
    e.SessionEnded: _session_ended,
    e.SessionOpened: _session_opened,
    e.EntriesStopped: _entries_stopped,
    e.CoversStopped: _covers_stopped,
    e.PhaseBegan: _phase_began,
}
