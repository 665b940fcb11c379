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


def settle(desk: Desk, cover: CoverOrder, before: State) -> None:
    """Perform the duties, assert the invariants and the move, arm timer and price watch."""
    after = perform(desk, cover)
    assert after is before or after in MOVES[before], f"{cover.cover_id}: {before} to {after}"
    cover.check()
    arm(desk, cover, after)


def arm(desk: Desk, cover: CoverOrder, state: State) -> None:
    """Arrange for the order to be called when time or price will owe it something."""
    act = _ON_PRICE[state]
    wants = act is _WATCH or (cover.trailing_step_pips > 0 and act is not _NOTHING)
    desk.agenda.watch(cover, wants=wants)
    desk.agenda.wake(cover.cover_id, 0 if state in TERMINAL else next_wake_ns(desk, cover, state))


_WATCH: Final = Act.WATCH
_NOTHING: Final = Act.NOTHING
_ON_PRICE: Final = {state: row[ClockEvent.T3_PRICE] for state, row in CLOCK.items()}
