"""
What a client may expect of a GTT rule, judged from outside.

A rule is armed by the last price that the auditor saw when it was answered: a trigger above it
waits for the price to rise to it, one below for it to fall. It may fire only when a price that was
seen meanwhile has come there, and once one stands there, nothing excuses it but a closed session
or a lost link.

Prices are pips, times nanoseconds, days YYYYMMDD.

Source: docs/wire/gtt.md; docs/decisions/0016-a-rule-and-its-order-are-one-step.md.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from kavach.core.model.gtt.commands import CreateGtt, GttWish, ModifyGtt
from kavach.core.model.orders.terms import OrderTerms
from kavach.units import NS_PER_SECOND, OrderType

ACTIVE: Final = "ACTIVE"
FIRED: Final = frozenset({"TRIGGERED", "REJECTED"})
INDIA: Final = timedelta(hours=5, minutes=30)


def day_in_india(at_ns: int) -> int:
    """Return the date as YYYYMMDD."""
    there = datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC) + INDIA
    return there.year * 10_000 + there.month * 100 + there.day


class RuleRow(NamedTuple):
    """A rule as its client sees it."""

    rule_id: str
    client_id: str
    state: str
    order_id: int
    updated_ns: int


class Kept:
    """A rule that was answered with yes."""

    def __init__(self, command: CreateGtt, last_pips: int) -> None:
        self.client_id = command.client_id
        self.over = ""  # How it must have ended, if that was said.
        self.state = ACTIVE  # As it was seen last.
        self.order_id = 0
        self.arm(command, last_pips)

    def arm(self, command: CreateGtt | ModifyGtt, last_pips: int) -> None:
        """Wait for these prices from now on."""
        self.terms: OrderTerms = command.terms
        self.expiry_day = command.expiry_day
        self.wishes = [(wish, wish.at_pips > last_pips) for wish in command.wishes]

    def reached_by(self, price_pips: int) -> list[GttWish]:
        """Return the triggers that a price has come to from where it was."""
        return [
            wish
            for wish, rises in self.wishes
            if (price_pips >= wish.at_pips if rises else price_pips <= wish.at_pips)
        ]

    def check(
        self, row: RuleRow, seen: Iterable[int], last_pips: int | None, now_ns: int, *, able: bool
    ) -> None:
        """Hold a row against what was promised; ``seen``: the prices since the last look."""
        who = f"rule {row.rule_id[:8]}"
        assert row.client_id == self.client_id, f"INV-20: {who} is {row.client_id}'s"
        ended = not self.over or row.state == self.over
        assert ended, f"GTT: {who} is {row.state}, not {self.over}"
        if self.order_id:
            assert row.order_id == self.order_id, f"GTT: {who} has placed another order"
        if row.state == ACTIVE:
            assert self.state == ACTIVE, f"GTT: {who} waits again after {self.state}"
            assert not row.order_id, f"GTT: {who} has an order, and still waits"
            late = day_in_india(now_ns) > self.expiry_day
            assert not late, f"GTT: {who} outlives its last day"
            sleeps = able and last_pips is not None and self.reached_by(last_pips)
            assert not sleeps, f"GTT: {who} sleeps at {last_pips}"
        elif row.state in FIRED and self.state == ACTIVE:
            assert any(self.reached_by(price) for price in seen), f"GTT: {who} fired on no price"
            assert able, f"GTT: {who} fired while nothing could be sent"
            day = day_in_india(row.updated_ns)
            assert day <= self.expiry_day, f"GTT: {who} fired on {day}, after its last day"
        else:
            assert self.state in (ACTIVE, row.state), f"GTT: {who} went from {self.state} on"
        self.state, self.order_id = row.state, row.order_id

    def asks_for(self, seen: Iterable[int]) -> list[tuple[OrderType, int, int]]:
        """Return type, quantity and price of the orders that it may place now."""
        kind = OrderType.LIMIT
        if self.terms.order_type in (OrderType.MARKET, OrderType.SLM):
            kind = OrderType.MARKET
        wishes = [wish for price in seen for wish in self.reached_by(price)]
        return [(kind, wish.quantity, wish.price_pips) for wish in wishes]
