"""
What is done after everything that touched a cover order.

Pay what it is owed, check it, and arrange the next call.

Source: cover-order 5.8; ``core.cover_tables.MOVES``.
"""

from typing import Final

from kavach.core.cover_order import CoverOrder
from kavach.core.cover_tables import CLOCK, MOVES, TERMINAL, Act, ClockEvent, State
from kavach.core.desk import Desk
from kavach.core.duties import next_wake_ns, perform
from kavach.units import OrderType


def settle(desk: Desk, cover: CoverOrder, before: State) -> None:
    """Perform the duties, assert the invariants and the move, arm timer and price watch."""
    after = perform(desk, cover)
    assert after is before or after in MOVES[before], f"{cover.cover_id}: {before} to {after}"
    cover.check()
    desk.touched[cover.cover_id] = cover


def arrange(desk: Desk) -> None:
    """Arm what was touched in this step, once, when it is known what the venue answered."""
    for cover in desk.touched.values():
        state = cover.state
        compares = desk.state.settings.t_reconcile_ns > 0
        if compares or cover.cover_id in desk.agenda.known or not _wants_nothing(cover, state):
            arm(desk, cover, state)


def _wants_nothing(cover: CoverOrder, state: State) -> bool:
    """Whether neither time nor price can owe the order anything: most of them, most of the time."""
    if state in TERMINAL:
        return True
    return (
        state in _PATIENT
        and cover.trailing_step_pips == 0
        and cover.cancel_source is None
        and cover.order_type is not _MARKET
        and not cover.waits
    )


def arm(desk: Desk, cover: CoverOrder, state: State) -> None:
    """Arrange for the order to be called when time or price will owe it something."""
    act = _ON_PRICE[state]
    wants = act is _WATCH or (cover.trailing_step_pips > 0 and act is not _NOTHING)
    wake_ns = 0 if state in TERMINAL else next_wake_ns(desk, cover, state)
    desk.agenda.watch(cover, wants=wants)
    desk.agenda.wake(cover.cover_id, wake_ns)
    if not wants and wake_ns == 0:
        desk.agenda.known.discard(cover.cover_id)


_PATIENT: Final = frozenset({State.ENTRY_OPEN, State.COVERED_OPEN, State.COVERED})
_MARKET: Final = OrderType.MARKET
_WATCH: Final = Act.WATCH
_NOTHING: Final = Act.NOTHING
_ON_PRICE: Final = {state: row[ClockEvent.T3_PRICE] for state, row in CLOCK.items()}
