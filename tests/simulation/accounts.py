"""
Accounts kept outside: what each client has, added up from told trades and answered requests.

Money is one sum a client. A settlement marks everything to its closing price and pays the
difference, so over all products of an instrument together it needs no averages, and a
conversion, which moves worth between products, moves none of it.

Quantities are shares, negative when short; money is pips times shares.

Source: docs/decisions/0015-the-end-of-a-day.md; docs/spec/cover_order.md, "What must hold".
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from kavach.units import InstrumentKey, Product, Side

Place = tuple[InstrumentKey, Product]


class Shown(NamedTuple):
    """An account as its client sees it."""

    client_id: str
    cash_pips: int
    net: Mapping[Place, int]
    holdings: Mapping[InstrumentKey, int]


DELIVERED: Final = (Product.CNC, Product.MTF)  # What is sold of these must be there.


class Account:
    """What one client has."""

    def __init__(self) -> None:
        self.cash_pips = 0
        self.arriving = False  # Whether shares are on their way in.
        self.holdings: dict[InstrumentKey, int] = defaultdict(int)
        self.plain: dict[Place, int] = defaultdict(int)  # Of regular orders.
        self.bound: dict[Place, int] = defaultdict(int)  # Of cover and bracket orders.
        self.flow: dict[InstrumentKey, int] = defaultdict(int)  # Got less paid since the close.

    def trade(
        self, place: Place, side: Side, quantity: int, price_pips: int, *, plain: bool
    ) -> None:
        """Book one trade."""
        signed = quantity if side is Side.BUY else -quantity
        (self.plain if plain else self.bound)[place] += signed
        self.flow[place[0]] -= signed * price_pips

    def convert(self, place: Place, new: Product, side: Side, quantity: int) -> None:
        """Move a part of what regular orders hold into another product."""
        signed = quantity if side is Side.BUY else -quantity
        self.plain[place] -= signed
        self.plain[place[0], new] += signed

    def settle(self, close: Callable[[InstrumentKey], int]) -> None:
        """End the day: deliver what was bought for delivery, pay the rest against the close."""
        self.arriving = False
        for key in list(self.flow):
            delivered = self._deliver(key)
            net = sum(
                held[place]
                for held in (self.plain, self.bound)
                for place in held
                if place[0] == key
            )
            self.cash_pips += self.flow[key] + net * close(key)
            self.flow[key] = -net * close(key)
            self.holdings[key] += delivered

    @property
    def goes_on(self) -> bool:
        """Whether the next day has something to settle as well."""
        held = any(self.plain.values()) or any(self.bound.values())
        return held or self.arriving

    def _deliver(self, key: InstrumentKey) -> int:
        plain = self.plain[key, Product.CNC]
        delivered = max(plain, -self.holdings[key])
        self.plain[key, Product.CNC] -= delivered
        self.arriving = self.arriving or delivered > 0
        return delivered

    def check(self, shown: Shown) -> None:
        """INV-11: what the client sees is what trades and days have made."""
        who = shown.client_id
        for place in self.plain.keys() | self.bound.keys() | shown.net.keys():
            ours, theirs = self.plain[place] + self.bound[place], shown.net.get(place, 0)
            assert ours == theirs, f"INV-11: {who} has {theirs} of {place}, trades make {ours}"
        for (key, product), sold in shown.net.items():
            there = product not in DELIVERED or sold + self.holdings[key] >= 0
            assert there, f"INV-11: {who} has sold {-sold} shares of {key}, and owns fewer"
        for key in self.holdings.keys() | shown.holdings.keys():
            ours, theirs = self.holdings[key], shown.holdings.get(key, 0)
            assert ours == theirs, f"INV-11: {who} owns {theirs} of {key}, trades make {ours}"
        assert shown.cash_pips == self.cash_pips, (
            f"INV-11: {who} has {shown.cash_pips} pips, trades make {self.cash_pips}"
        )


class Accounts:
    """Everybody's."""

    def __init__(self) -> None:
        self.of: dict[str, Account] = defaultdict(Account)
        self.settled_day = 0
        self.unsettled = False  # Whether there is anything to settle: else no day is over.

    def settle(self, day: int, close: Callable[[InstrumentKey], int], *, waits: bool) -> None:
        """End a day, once; ``waits``: some order may still trade."""
        if day == self.settled_day or not self.unsettled:
            return
        self.settled_day = day
        for account in self.of.values():
            account.settle(close)
        self.unsettled = waits or any(account.goes_on for account in self.of.values())

    def check(self, shown: Iterable[Shown]) -> None:
        """Hold every account against what its client sees."""
        for one in shown:
            self.of[one.client_id].check(one)
