"""
What others do: the house and strangers trade, days end, links break, an exchange takes orders out.

Source: docs/reliability.md; docs/spec/cover_order.md, "What the system owes".
"""

from zlib import crc32

from kavach.core.commands import (
    EndSession,
    Kill,
    OpenSession,
    SquareOff,
)
from kavach.instruments import Instrument
from kavach.units import (
    NS_PER_MS,
    Pips,
    Quantity,
    Side,
    TimestampNs,
)
from tests.simulation.clients import Clients
from tests.simulation.process import NSE, SHARES


class Street(Clients):
    """Clients, and the world that they trade in."""

    # --- The market ---------------------------------------------------------------------------

    def liquidity_order(self) -> None:
        """Let a stranger trade through the book, or add to it."""
        chance = self.chance
        share, side = chance.choice(SHARES), chance.choice(list(Side))
        price = self.a_wish(share, self.near_price(share, 6) if chance.randrange(5) else None)
        lots = Quantity(chance.choice((1, 5, 20, 60, 200)) * share.lot)
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.liquidity_order(
                    share.key, side, price, lots, TimestampNs(at_ns)
                )[2],
            )

    def a_wish(self, share: Instrument, price: Pips | None) -> Pips | None:
        """Return the price of a stranger's order; None is at market."""
        return price

    def liquidity_quote(self) -> None:
        """Let the house quote around some price."""
        chance = self.chance
        share = chance.choice(SHARES)
        middle = self.near_price(share, 8)
        sizes = [Quantity(chance.choice((0, 1, 10, 50, 300)) * share.lot) for _ in range(2)]
        self.quote(share, middle, *sizes)

    def quote(self, share: Instrument, middle: int, bid: Quantity, ask: Quantity) -> None:
        """Replace the house's quotes by these, a tick from the middle."""
        lowest, highest = self.exchange.price_band(share.key)
        low = max(lowest, middle - share.tick_pips)
        low = Pips(min(low, highest - 2 * share.tick_pips))
        high = Pips(low + 2 * share.tick_pips)
        if self.exchange_open():
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.liquidity_quote(
                    share.key, low, bid, high, ask, TimestampNs(at_ns)
                ),
            )

    def print_trade(self) -> None:
        """Let a share trade elsewhere: stops fire."""
        share = self.chance.choice(SHARES)
        price = self.near_price(share, 10)
        if self.exchange.phase(NSE) == "open":
            self.at_exchange(
                share.key,
                lambda at_ns: self.exchange.print_trade(
                    share.key, price, share.lot, TimestampNs(at_ns)
                ),
            )

    def remove(self) -> None:
        """Let the exchange take one of our orders out of the book."""
        papers = [paper for paper in self.auditor.papers.values() if paper.final is None]
        ranked = sorted(papers, key=lambda p: crc32(f"{self.number}/{p.asked.tag}".encode()))
        found = [
            (paper.asked.instrument, order_id)
            for paper in ranked
            if (order_id := self.exchange_id(paper.asked.tag))
            and self.exchange.order(order_id) is not None
        ]
        if found:
            key, order_id = found[0]
            self.tally["removed by the exchange"] += 1
            self.at_exchange(key, lambda at_ns: self.exchange.remove(order_id, 17070, "range"))

    def exchange_id(self, tag: int) -> str:
        """Return under which id the exchange knows an order of ours."""
        return self.engine.state.orders[tag].exchange_order_id

    def exchange_open(self) -> bool:
        """Return whether the exchange trades."""
        return self.exchange.phase(NSE) == "open"

    # --- The day ------------------------------------------------------------------------------

    def kill(self) -> None:
        """K."""
        self.tally["kill"] += 1
        self.execute(Kill(self.chance.choice(self.clients)))

    def day(self) -> None:
        """End the session, with or without a square-off before it; later begin the next."""
        if not self.open:
            return
        self.tally["session"] += 1
        chance = self.chance
        if chance.randrange(2):
            self.tally["square-off"] += 1
            self.execute(SquareOff(NSE))
        ends_ns = chance.choice((0, 200, 3_000)) * NS_PER_MS
        self.later(ends_ns, lambda: self.turn(is_open=False))
        self.later(
            ends_ns + chance.choice((500, 6_000)) * NS_PER_MS, lambda: self.turn(is_open=True)
        )

    def turn(self, *, is_open: bool) -> None:
        """Let the session end or begin, unless it has."""
        if self.open is not is_open:
            self.open = is_open
            self.change_session(is_open=is_open)

    def phase_command(self, *, is_open: bool) -> EndSession | OpenSession:
        """Return what the engine is told of a change of session."""
        return OpenSession(NSE) if is_open else EndSession(NSE)

    # --- The link -----------------------------------------------------------------------------

    def cut(self) -> None:
        """Cut the link for a while."""
        down_ns = self.chance.choice((50, 400, 2_000, 8_000)) * NS_PER_MS
        if self.linked:
            self.linked = False
            self.tally["link cut"] += 1
            self.close_link()
            self.later(down_ns, self._mend)

    def _mend(self) -> None:
        self.linked = True
        self.tell("the link is back")
        self.mend_link()
