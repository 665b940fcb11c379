"""
Orders at an exchange, as requests and delivered reports imply them; nothing of the core is used.

A slip is one order: its terms, what it has traded, whether it lives. While a change is under way
two sets of terms may stand; ``may_stand`` holds both until a report says which, or a trade proves
it: a fill beyond the smaller total, or a price that only one of the limits allows. A report that
comes twice is one report.

Prices are pips, values pips times shares, times nanoseconds.

Source: docs/spec/cover_order.md (INV-22); docs/reliability.md.
"""

from typing import Final, NamedTuple

from kavach.core import events as e
from kavach.units import OrderType, Side

STOPS: Final = frozenset({OrderType.SL, OrderType.SLM})
LEG_OF: Final = {e.Purpose.ENTRY: "ENTRY", e.Purpose.TARGET: "SECOND"}


class Terms(NamedTuple):
    """What an order stands for in the book."""

    kind: OrderType
    quantity: int
    price: int
    trigger: int


class Slip:
    """One order, by what was asked and told."""

    def __init__(self, asked: e.OrderSubmitted, at_ns: int) -> None:
        self.asked = asked
        self.leg = LEG_OF.get(asked.purpose, "THIRD")
        self.exchange_order_id = ""
        terms = Terms(
            asked.order_type,
            int(asked.quantity),
            int(asked.price_pips),
            int(asked.trigger_price_pips),
        )
        self.may_stand = [terms]
        self.stood = [terms]  # Every set of terms that it was ever given.
        self.amend: int | None = None  # The serial of the change that is under way,
        self.cancel: int | None = None  # and of the cancel.
        self.serial = 0
        self.asked_ns = at_ns
        self.filled = self.value = 0
        self.final: int | None = None  # What it has traded in all, once it is over.
        self.rejected = self.fired = self.denied = False
        self.proven = False  # A trade has told that the change was made; its answer is owed.
        self.unmade = 0  # How many changes were not made: refused, or never arrived.
        self.resurfaced = 0  # How often it was told of after it had been denied, or late.
        self.withdrawn = self.expired = False  # Over by our own cancel, by its session's end.
        self._trades: set[str] = set()

    @property
    def lives(self) -> bool:
        """Whether it may still trade, by what was told."""
        return self.final is None

    @property
    def sure(self) -> bool:
        """Whether nothing that was asked of it is unanswered."""
        unnamed = self.lives and not self.exchange_order_id
        return self.amend is None and self.cancel is None and not unnamed

    @property
    def totals(self) -> tuple[int, int]:
        """The smallest and the largest total that it may have."""
        totals = [max(terms.quantity, self.filled) for terms in self.may_stand]
        return min(totals), max(totals)

    @property
    def open(self) -> tuple[int, int]:
        """The least and the most that may stand in the book."""
        if not self.lives:
            return 0, 0
        least, most = (total - self.filled for total in self.totals)
        return least if self.exchange_order_id else 0, most

    @property
    def gone(self) -> int:
        """What of it was cancelled or has expired."""
        return self.totals[1] - self.filled if self.withdrawn or self.expired else 0

    # --- Requests -----------------------------------------------------------------------------

    def change(self, request: e.OrderAmendSent, at_ns: int) -> None:
        """Note that other terms are asked for."""
        terms = Terms(
            request.order_type,
            int(request.quantity),
            int(request.price_pips),
            int(request.trigger_price_pips),
        )
        self.may_stand = [*self.may_stand, terms]
        self.stood.append(terms)
        self.amend = self.serial = request.serial
        self.proven = False
        self.asked_ns = at_ns

    def withdraw(self, request: e.OrderCancelSent, at_ns: int) -> None:
        """Note that it is told to go."""
        self.cancel = self.serial = request.serial
        self.asked_ns = at_ns

    # --- Reports ------------------------------------------------------------------------------

    def accepted(self, exchange_order_id: str) -> None:
        """Take it for known at the exchange, also if that was denied before."""
        self.resurfaced += not self.lives and not self.exchange_order_id
        self.exchange_order_id = self.exchange_order_id or exchange_order_id
        if self.denied:
            self.denied, self.rejected, self.final = False, False, None

    def traded(self, trade: e.OrderTraded) -> bool:
        """Book a trade; return whether it was news."""
        if trade.trade_id in self._trades:
            return False
        self._trades.add(trade.trade_id)
        self.filled += trade.quantity
        self.value += trade.quantity * trade.price_pips
        if self.final is not None:
            self.final = max(self.final, self.filled)
        if len(self.may_stand) > 1:
            self._prove(int(trade.price_pips))
        if self.final is None and self.filled >= self.totals[1]:
            self.final = self.filled
            self.amend = self.cancel = None
        return True

    def _prove(self, price: int) -> None:
        """Leave out earlier terms that cannot have traded so much, or at this price.

        The newest are never left out: they may still come into force after this trade.
        """
        before = self.stood[: -len(self.may_stand)]
        explained = any(self._allows(terms, price) for terms in before)
        newest = self.may_stand[-1]
        self.may_stand = [
            terms
            for terms in self.may_stand
            if terms is newest
            or (terms.quantity >= self.filled and (explained or self._allows(terms, price)))
        ]
        # Late, a trade may be of terms that stood before: then more than one view can be held.
        old = [terms for terms in self.may_stand if terms is not newest]
        self.proven = not old or not all(self._allows(terms, price) for terms in old)

    def _allows(self, terms: Terms, price: int) -> bool:
        if terms.kind is OrderType.SLM or not terms.price:
            return True
        return price <= terms.price if self.asked.side is Side.BUY else price >= terms.price

    def changed(self, serial: int, *, done: bool) -> None:
        """Take an answer to a change; one to an earlier change is none."""
        if self.amend is None or serial not in (0, self.amend):
            return
        self.amend = None
        if done:
            self.may_stand = [self.stood[-1]]
        else:
            self.unmade += 1
            self.may_stand = self.may_stand[:-1] or self.may_stand
        self.proven = False
        if self.lives and self.filled >= self.totals[1]:
            self.final = self.filled

    def stays(self, serial: int) -> None:
        """Take the refusal of a cancel."""
        if self.cancel is not None and serial in (0, self.cancel):
            self.cancel = None

    def closed(self, filled: int, why: e.Closing = e.Closing.REMOVED) -> None:
        """Take it for over, having traded so much."""
        if self.final is None:
            self.final = max(filled, self.filled)
            self.amend = self.cancel = None
            self.withdrawn = why is e.Closing.CANCELLED
            self.expired = why is e.Closing.EXPIRED
            left = [terms for terms in self.may_stand if terms.quantity >= self.final]
            self.may_stand = left or self.may_stand

    def refused(self, *, denied: bool = False) -> None:
        """Take it for never having been in the book."""
        if self.final is None:
            self.final, self.rejected, self.denied = self.filled, True, denied
            self.amend = self.cancel = None

    def status(self, said: e.OrderStatus, *, settled: bool) -> None:
        """Take what the exchange knows of it for told, but for its trades.

        Where it is settled no request can be on its way: one that has not been done never is.
        """
        self.accepted(said.exchange_order_id)
        if said.standing is e.Standing.CLOSED:
            self.closed(int(said.filled_quantity), said.closing)
            return
        if self.stood[0].kind in STOPS and said.standing is e.Standing.WORKING:
            self.fired = True
        if said.serial != self.serial:
            return  # It says nothing about the last request.
        there = [terms for terms in self.may_stand if _is(terms, said)]
        only = len(there) == 1 and len(self.may_stand) > 1
        if only and (settled or there[0] is self.stood[-1]):
            self.unmade += there[0] is not self.stood[-1]
            self.may_stand = there
            self.amend = None
        if settled:
            self.cancel = None


def _is(terms: Terms, said: e.OrderStatus) -> bool:
    """Return whether an order of these terms may be told so; the exchange prices a fired SLM."""
    priced = terms.kind is OrderType.SLM and said.standing is e.Standing.WORKING
    return (
        terms.quantity == said.quantity
        and (priced or terms.price == said.price_pips)
        and terms.trigger == said.trigger_price_pips
    )
