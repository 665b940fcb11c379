"""
A cover order: one entry, one compulsory stop, and the facts that decide what they owe each other.

The state is derived, never stored: ``state`` reads it off the quantities and a few monotone
facts, so state and facts cannot disagree. Only a terminal state is kept, because it is a
decision (why the order ended) and not a sum.

Names of quantities as in the specification: F_e and F_x are what entry and exits have filled,
R = F_e - F_x the position, L_e the most the entry could still fill, W the most the exits could
still fill, P what the venue has confirmed as protecting, G = R - P the gap.

Quantities are shares, prices pips, values pips times shares, times nanoseconds.

Source: docs/spec/cover_order.md, "Quantities"; docs/spec/cover_order.md, "States";
docs/spec/cover_order.md, "What must hold".
"""

from typing import Final

import msgspec

from kavach.core.commands import Leg
from kavach.core.events import Source
from kavach.core.model.cover.exit_group import confirmed, most, uncovered
from kavach.core.model.cover.tables import (
    COVERED,
    COVERED_OPEN,
    COVERING,
    ENTRY_OPEN,
    ENTRY_SENT,
    EXITING,
    NEW,
    TRIGGERED,
    UNPROTECTED,
    State,
)
from kavach.core.model.orders.life import Life
from kavach.core.model.orders.parent_order import VERSION_STEP_NS, ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.units import Side, opposite

_SENT: Final = Life.SENT


class Plan(msgspec.Struct, frozen=True, array_like=True):
    """What rows say of stop and target in the words of a request."""

    stop_price_pips: int
    trailing_step_pips: int
    stop_offset_pips: int
    target_offset_pips: int


class Exit(msgspec.Struct, array_like=True, gc=False):
    """What an exit shall be, whatever stands for it at the venue: the stop, or a bracket's target.

    A stop's price is its trigger, a target's its limit.
    """

    price_pips: int  # Where it shall stand; each order knows where it stands.
    offset_pips: int = 0  # Of a bracket: how far from the entry's price the client wants it.
    order_id: int = 0  # oms_order_id of its row, from the first fill on.
    lost: bool = False  # The venue refused it, or took it out.
    lost_at_ns: int = 0
    version_ns: int = 0  # Of its row.


class CoverOrder(ParentOrder, array_like=True, gc=False):
    """Everything the core knows of one cover order."""

    basket_id: int = 0
    stop: Exit = msgspec.field(default_factory=lambda: Exit(0))
    target: Exit | None = None  # None: this is no bracket. One that is lost is not sent again.
    trailing_step_pips: int = 0
    trailing_distance_pips: int = 0
    plan_stood: bool = False  # Whether some stop order has stood where the stop shall stand.
    exits_filled: int = 0
    exit_source: Source | None = None  # Why the position is being flattened; monotone.
    exited_by_user: bool = False  # A client's exit was accepted.
    exit_since_ns: int = 0
    exit_attempts: int = 0
    priced_at_ns: int = 0
    triggered_at_ns: int = 0
    recovery_tries: int = 0
    naked_since_ns: int = 0
    ended: State | None = None
    link: int = 0  # What its exits of this session share; 0: none was sent yet.
    exits_named_at_ns: int = 0  # When stop and target got their rows.
    kept_plans: dict[Leg, Plan] | None = None  # What rows that have ended go on to show.

    @property
    def is_bracket(self) -> bool:
        """Whether it has a target beside its stop."""
        return self.target is not None

    @property
    def whole(self) -> bool:
        """Whether each leg must be one order at the exchange: what is linked is not cut."""
        return self.is_bracket

    @property
    def exit_side(self) -> Side:
        """The side that takes the position back."""
        return opposite(self.side)

    @property
    def position(self) -> int:
        """R: what the entry has filled and the exits have not given back."""
        return self.entry_filled - self.exits_filled - self.settled_quantity

    @property
    def exit_leaves_max(self) -> int:
        """W: the most that the exits could still fill, in-flight amends at their larger size."""
        return most(self.exits)

    @property
    def protected(self) -> int:
        """P: what stops and exits the venue has confirmed; a target protects nothing."""
        return confirmed(self.exits)

    @property
    def uncovered(self) -> int:
        """The position that no stop or exit, in flight included, could still give back."""
        return uncovered(self.exits, self.link, self.position)

    @property
    def unconfirmed(self) -> int:
        """G: the position that no confirmed exit covers."""
        return self.position - self.protected

    @property
    def exits_dead(self) -> bool:
        """Whether no exit can ever fill again and all their trades are known."""
        for order in self.exits:
            if not order.dead:
                return False
        return True

    @property
    def over(self) -> bool:
        """Whether the order has ended."""
        return self.ended is not None

    @property
    def state(self) -> State:
        """Where the order stands, read off its facts."""
        if self.ended is not None:
            return self.ended
        if not self.entries:
            return NEW
        if self.entry_filled == 0:
            for order in self.entries:
                if order.life is not _SENT:
                    return ENTRY_OPEN
            return ENTRY_SENT
        if self.exit_source is not None:
            return EXITING
        if self.triggered_at_ns:
            return TRIGGERED
        unconfirmed = self.unconfirmed
        if unconfirmed and self.stop.lost:
            return UNPROTECTED
        if unconfirmed:
            return COVERING
        return COVERED if self.entry_dead else COVERED_OPEN

    def orders_of(self, leg: Leg) -> tuple[VenueOrder, ...]:
        """Return the orders that a leg's row speaks of."""
        if leg is Leg.ENTRY:
            return self.entries
        if self.target is None:
            return self.exits if leg is Leg.THIRD else ()
        return tuple(order for order in self.exits if order.leg is leg)

    def exit_of(self, leg: Leg) -> Exit:
        """Return what the exit of a leg shall be; the order must have that leg."""
        if leg is Leg.THIRD:
            return self.stop
        assert leg is Leg.SECOND and self.target is not None, f"{self.order_id} has no {leg}"
        return self.target

    def version_of(self, leg: Leg) -> int:
        """Return the version of a leg's row, higher with every change of it (INV-23)."""
        return self.entry_version_ns if leg is Leg.ENTRY else self.exit_of(leg).version_ns

    def touch(self, leg: Leg, at_ns: int) -> None:
        """Make another version of a leg's row: the time, and where time stands still, the next."""
        if self.kept_plans:
            self.kept_plans.pop(leg, None)
        version = max(at_ns, self.version_of(leg) + VERSION_STEP_NS)
        if leg is Leg.ENTRY:
            self.entry_version_ns = version
        else:
            self.exit_of(leg).version_ns = version

    @property
    def plan(self) -> Plan:
        """Where stop and target shall stand now."""
        return Plan(
            self.stop.price_pips,
            self.trailing_step_pips,
            self.stop.offset_pips,
            0 if self.target is None else self.target.offset_pips,
        )

    def plan_in(self, leg: Leg) -> Plan:
        """Return what a leg's row says of stop and target: once the leg has ended, as it was."""
        return self.kept_plans.get(leg, self.plan) if self.kept_plans else self.plan

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The legs that have a row."""
        if not self.stop.order_id:
            return (Leg.ENTRY,)
        named = self.target is not None and self.target.order_id
        return tuple(Leg) if named else (Leg.ENTRY, Leg.THIRD)

    def id_of(self, leg: Leg) -> int:
        """Return a leg's own oms_order_id, 0 if it has none yet."""
        if leg is Leg.ENTRY:
            return self.order_id
        if leg is Leg.SECOND and self.target is None:
            return 0
        return self.exit_of(leg).order_id

    def leg_of(self, order_id: int) -> Leg:
        """Return the leg whose own oms_order_id this is; it must be one of the order's."""
        if order_id == self.order_id:  # By far the most asked for.
            return Leg.ENTRY
        if order_id == self.stop.order_id:
            return Leg.THIRD
        assert order_id == self.id_of(Leg.SECOND), f"{self.order_id} has no leg {order_id}"
        return Leg.SECOND

    def check(self) -> None:
        """Assert what must hold of every cover order after every event (INV-1 to INV-4)."""
        position = self.entry_filled - self.exits_filled - self.settled_quantity
        if not self.exits and self.ended is None:
            assert 0 <= position, f"{self.order_id}: reversed (INV-3)"
            return
        if not self.contradicted:
            leaves = self.exit_leaves_max
            assert 0 <= position, f"{self.order_id}: reversed (INV-3)"
            assert leaves <= position, f"{self.order_id}: exits could overfill (INV-3)"
            assert self.protected <= position, f"{self.order_id}: over-protected (INV-1)"
        if self.ended is not None:
            assert self.entry_dead or not self.entries, f"{self.order_id}: ended alive (INV-4)"
            assert self.exits_dead, f"{self.order_id}: ended with a live exit (INV-4)"
            flat = position == 0 or self.ended is State.CARRIED or self.contradicted
            assert flat, f"{self.order_id}: ended with a position (INV-4)"
