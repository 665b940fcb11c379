"""
Scenarios in words: one request a line, and all that it must cause.

    A buy 10 @ 100        -> #1 accepted
    B sell 4 @ 100 ioc    -> #2 accepted, #2 traded 4 @ 100, #1 traded 4 @ 100

Clients are capital letters and their orders are numbered as they are sent, refused ones too.
``stop 101`` is a trigger, ``show 5`` a disclosed quantity, ``group 7`` the link that the order
shares, ``passive`` the wish to have one's own resting order cancelled. Without ``@`` an order is a
market order. ``phase buffer`` is a change of phase, ``wait 30`` lets seconds pass. ``nothing`` is
written out: an empty right-hand side is a mistake, not an expectation. A line that begins with
``#`` goes on with the one above. Prices are rupees; one instrument.
"""

import re

from kavach.exchange import messages as m
from kavach.exchange.exchange import Exchange
from kavach.instruments import Instrument
from kavach.units import (
    NS_PER_SECOND,
    PIPS_PER_RUPEE,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from kavach.units import Exchange as Segment
from tests.unit.exchange.schedules import instrument

DEFAULT = instrument(Segment.NSE, 1, freeze=1000)  # Closes at 100, 99.60 to 100.40, tick 0.05.


class Floor:
    """An exchange and its replay, spoken to in words."""

    def __init__(self, item: Instrument = DEFAULT) -> None:
        self.item = item
        self.exchange = Exchange([item])
        self.replayed = Exchange([item])
        self.ids: dict[int, str] = {}
        self.sent = 0
        self.now_ns = 1

    def check(self, table: str) -> None:
        """Play the table and compare every list of events; then the replay."""
        joined = re.sub(r"\n\s*(# |(?=#))", " ", table.strip())
        lines = [line for line in joined.splitlines() if line.strip()]
        for number, line in enumerate(lines, start=1):
            asked, expected = (part.strip() for part in line.split("->"))
            events = self.ask(asked)
            for event in events:
                self.replayed.apply(event)
            got = ", ".join(self.say(event) for event in events) or "nothing"
            assert " ".join(expected.split()) == got, f"line {number}: {asked}"
            assert self.replayed.state_hash() == self.exchange.state_hash(), f"line {number}"

    def ask(self, words: str) -> list[m.Event]:
        """Send what the words say."""
        first, *rest = words.split()
        now, key = TimestampNs(self.now_ns), self.item.key
        match first:
            case "amend":
                number, total = int(rest[0][1:]), Quantity(int(rest[1]))
                kind, price, trigger = _prices(words)
                disclosed = Quantity(_number("show", words))
                amend = m.AmendOrder(self.ids[number], kind, total, disclosed, price, trigger)
                return self.exchange.amend(amend, now)
            case "cancel":
                return self.exchange.cancel(m.CancelOrder(self.ids[int(rest[0][1:])]))
            case "remove":
                return self.exchange.remove(self.ids[int(rest[0][1:])], 17070, "out of range")
            case "quote":
                levels = [(_pips(p), Quantity(int(q))) for q, p in (r.split("@") for r in rest)]
                return self.exchange.liquidity_quote(key, *levels[0], *levels[1], now)
            case "house":
                wish = _pips(rest[3]) if "@" in rest else None
                quantity, side = Quantity(int(rest[1])), Side(rest[0].upper())
                return self.exchange.liquidity_order(key, side, wish, quantity, now)[2]
            case "print":
                return self.exchange.print_trade(key, _pips(rest[2]), Quantity(int(rest[0])), now)
            case "wait":
                self.now_ns += int(rest[0]) * NS_PER_SECOND
                return []
            case "open" | "close" | "phase":
                phase = Phase.OPEN if first == "open" else Phase.CLOSED
                phase = Phase(rest[0]) if rest else phase
                return self.exchange.set_phase(self.item.exchange, phase, now)
            case _:
                return self._submit(words)

    def _submit(self, words: str) -> list[m.Event]:
        account, side, quantity, *_ = words.split()
        kind, price, trigger = _prices(words)
        self.sent += 1
        new = m.NewOrder(
            self.sent,
            account,
            self.item.key,
            Side(side.upper()),
            kind,
            Quantity(int(quantity)),
            Quantity(_number("show", words)),
            price,
            trigger,
            Validity.IOC if "ioc" in words.split() else Validity.DAY,
            m.SelfTrade.CANCEL_PASSIVE if "passive" in words else m.SelfTrade.CANCEL_ACTIVE,
            _number("link", words),
        )
        events = self.exchange.submit(new, TimestampNs(self.now_ns))
        if isinstance(events[0], m.Accepted):
            self.ids[self.sent] = events[0].exchange_order_id
        return events

    def say(self, event: m.Event) -> str:
        """The event in words."""
        match event:
            case m.Accepted():
                return f"#{event.order_ref} accepted"
            case m.Rejected():
                return f"#{event.order_ref} rejected {event.code}"
            case m.Amended():
                return f"#{event.order_ref} amended"
            case m.AmendRejected():
                return f"#{event.order_ref} amend refused {event.code}"
            case m.CancelRejected():
                return f"cancel refused {event.code}"
            case m.Triggered():
                return f"#{event.order_ref} triggered"
            case m.Traded():
                price = _rupees(event.price_pips)
                return f"#{event.order_ref} traded {event.quantity} @ {price}"
            case m.Priced():
                return f"#{event.order_ref} rests @ {_rupees(event.price_pips)}"
            case m.Removed():
                code = f" {event.code}" if event.code else ""
                return f"#{event.order_ref} {event.why.value}{code}"
            case m.Printed():
                return f"printed {event.quantity} @ {_rupees(event.price_pips)}"
            case m.PhaseChanged():
                return f"{event.exchange.value} {event.phase.value}"
            case m.Referenced():
                return f"reference {_rupees(event.price_pips)}"
            case m.Matched():
                return f"matched {event.quantity} @ {_rupees(event.price_pips)}"
            case _:
                raise AssertionError(event)

    def book(self) -> str:
        """The depth in words: bids, then asks, best first, as quantity/orders@price."""
        bids, asks = self.exchange.depth(self.item.key)
        sides = [
            " ".join(f"{quantity}/{count}@{_rupees(price)}" for price, quantity, count in side)
            for side in (bids, asks)
        ]
        return " | ".join(side or "none" for side in sides)


def check(table: str, item: Instrument = DEFAULT) -> Floor:
    """Play the table on a fresh exchange and return it."""
    floor = Floor(item)
    floor.check(table)
    return floor


def _prices(words: str) -> tuple[OrderType, Pips, Pips]:
    price, trigger = _price("@", words), _price("stop", words)
    if trigger:
        return (OrderType.SL if price else OrderType.SLM), price, trigger
    return (OrderType.LIMIT if price else OrderType.MARKET), price, trigger


def _price(word: str, words: str) -> Pips:
    found = re.search(rf"{word} ([0-9.]+)", words)
    return _pips(found[1]) if found else Pips(0)


def _number(word: str, words: str) -> int:
    found = re.search(rf"{word} (\d+)", words)
    return int(found[1]) if found else 0


def _pips(rupees: str) -> Pips:
    whole, _, decimals = rupees.partition(".")
    return Pips(int(whole) * PIPS_PER_RUPEE + int(decimals.ljust(4, "0")))


def _rupees(pips: int) -> str:
    whole, rest = divmod(pips, PIPS_PER_RUPEE)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
