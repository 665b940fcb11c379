"""
Apply an event to the state: the only code that changes it.

Live and in replay alike, so that a replayed journal ends in the very state that wrote it. An event
has happened: it is applied and never refused. What may happen is decided in ``core.rules``.

Source: docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core import events as e
from kavach.core.evolve import (
    baskets,
    cover,
    entry,
    gtt,
    limits,
    money,
    orders,
    people,
    regular,
    sessions,
)
from kavach.core.evolve.listing import instrument_listed
from kavach.core.model.listing.events import InstrumentListed
from kavach.core.model.state import OmsState


def evolve(state: OmsState, event: e.Event, at_ns: int) -> None:
    """Apply one event that happened at ``at_ns``."""
    APPLY[type(event)](state, event, at_ns)
    state.events += 1


def _request_answered(state: OmsState, event: e.RequestAnswered, at_ns: int) -> None:
    state.answers[event.client_id, event.idempotency_key] = event


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    **orders.APPLY,
    **entry.APPLY,
    **cover.APPLY,
    **regular.APPLY,
    **gtt.APPLY,
    **baskets.APPLY,
    **money.APPLY,
    **people.APPLY,
    **limits.APPLY,
    **sessions.APPLY,
    InstrumentListed: instrument_listed,
    e.RequestAnswered: _request_answered,
}
