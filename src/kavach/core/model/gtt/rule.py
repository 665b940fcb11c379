"""
A GTT rule: one or two triggers, and the one order that the first of them to be reached places.

A trigger is reached when the last price comes to it or passes it *from the side on which it was
when the rule was made or last changed*: a trigger that lay above the price (``rises``) when it is
at or above it, one that lay below when it is at or below. So a rule never fires at the price it was
made at, whatever its order does, and a gap over the trigger fires it like a touch.

An OCO rule has a trigger on either side of the price and two terms, but one order: whichever is
reached first ends the other with it.

Prices are pips, quantities shares or contracts, times nanoseconds, days YYYYMMDD.

Source: docs/wire/gtt.md.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from kavach.core.model.gtt.expiry import day_ends_ns
from kavach.core.model.gtt.tables import ACTIVE, REJECTED, TRIGGERED, GttState
from kavach.core.model.orders.terms import OrderTerms
from kavach.units import Pips, Quantity


class GttAction(StrEnum):
    """How many triggers a rule has."""

    SINGLE = "single"
    OCO = "oco"  # One cancels the other.


class GttTrigger(msgspec.Struct, frozen=True, array_like=True):
    """A price to wait for, and what is ordered when it is reached."""

    at_pips: Pips
    rises: bool  # Whether it lay above the last price when it was armed.
    price_pips: Pips  # Of the order; 0 for MARKET and SLM.
    quantity: Quantity

    def reached_by(self, last_pips: int) -> bool:
        """Return whether a last price is at the trigger or past it."""
        return last_pips >= self.at_pips if self.rises else last_pips <= self.at_pips


class GttRule(msgspec.Struct, array_like=True):
    """Everything the core knows of a rule."""

    rule_id: str  # A UUID.
    number: int  # Counts things with a UUID; unique, and older is smaller.
    client_id: str
    action: GttAction
    terms: OrderTerms  # Of the order, but for price and quantity, which each trigger has.
    triggers: tuple[GttTrigger, ...]  # The second is the ``sl_`` one of an OCO.
    expiry_day: int
    created_at_ns: int
    updated_at_ns: int
    state: GttState = ACTIVE
    fired: int = -1  # Which trigger was reached.
    order_id: int = 0  # oms_order_id of the order it placed; 0: none.
    reject_code: int = 0  # What its order's row says, too, if it was rejected at once.
    reject_text: str = ""

    @property
    def active(self) -> bool:
        """Whether it waits for its price."""
        return self.state is ACTIVE

    @property
    def ends_ns(self) -> int:
        """When its last day is over."""
        return day_ends_ns(self.expiry_day)

    def check(self) -> None:
        """Assert what must hold of a rule after every event."""
        fired = self.state is TRIGGERED or self.state is REJECTED
        assert fired == (self.fired >= 0), f"{self.rule_id}: {self.state} and fired {self.fired}"
        assert not self.order_id or fired, f"{self.rule_id}: an order, and never triggered"


class GttBook:
    """Every rule, findable."""

    def __init__(self) -> None:
        self.rules: dict[str, GttRule] = {}
        self._by_client: dict[str, list[GttRule]] = {}
        self._active: dict[str, int] = {}
        self._waiting: dict[str, GttRule] = {}  # Those that are active, oldest first.

    def of(self, client_id: str) -> list[GttRule]:
        """Return a client's rules, oldest first."""
        return self._by_client.get(client_id, [])

    def active_count(self, client_id: str) -> int:
        """Return how many rules of a client wait for their price."""
        return self._active.get(client_id, 0)

    def active(self) -> Iterable[GttRule]:
        """Return every rule that waits for its price, oldest first."""
        return list(self._waiting.values())

    def add(self, rule: GttRule) -> None:
        """Make a rule findable."""
        self.rules[rule.rule_id] = rule
        self._by_client.setdefault(rule.client_id, []).append(rule)
        if rule.active:
            self._active[rule.client_id] = self.active_count(rule.client_id) + 1
            self._waiting[rule.rule_id] = rule

    def ended(self, rule: GttRule) -> None:
        """Count a rule out that waited until now."""
        self._active[rule.client_id] -= 1
        del self._waiting[rule.rule_id]
