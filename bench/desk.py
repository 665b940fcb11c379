"""
An engine in this process, and a trader who places cover orders that rest.

The orders are spread over shares and over a hundred prices below the last trade, so that they
rest in books of a believable shape and none of them trades.
"""

from itertools import count
from typing import Final

from kavach.core.commands import CancelCoverOrder, Leg, OpenClient, PlaceCoverOrder
from kavach.core.refusals import Answer
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine, accepted
from kavach.engine.journal_port import Journal
from kavach.instruments import Instrument
from kavach.units import (
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
    instrument_key,
)
from kavach.venues.embedded import EmbeddedVenue

CLIENT: Final = "BENCH"
START_NS: Final = 1_795_000_000_000_000_000
PRICES: Final = 100  # Levels below the last trade.
FIRST_NUMBER: Final = 1_000_000  # The client's own number of its first order.
CASH: Final = Paise(10**15)


class CountingClock:
    """A clock that is a microsecond later each time it is asked."""

    def __init__(self) -> None:
        self._time_ns = START_NS

    def now_ns(self) -> int:
        """Return the time."""
        self._time_ns += 1_000
        return self._time_ns


class Trader:
    """The only client of an engine over the embedded exchange."""

    def __init__(self, journal: Journal) -> None:
        listed = load_instruments()
        self.engine = Engine(listed, Settings(), journal, EmbeddedVenue(listed), CountingClock())
        self.engine.recover()
        self._numbers = count()
        self._spots = _spots()
        if CLIENT not in self.engine.state.clients:
            self.engine.execute(OpenClient(client_id=CLIENT, cash_paise=CASH))

    def place(self) -> int:
        """Return the id of a new cover order whose entry rests."""
        number = next(self._numbers)
        share, below = self._spots[number % len(self._spots)]
        close, tick = share.previous_close_pips, share.tick_pips
        # Every text and number is made anew, as the API makes them from what it is sent.
        command = PlaceCoverOrder(
            client_id=CLIENT,
            instrument=instrument_key(share.exchange, share.token),
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Quantity(share.lot),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(close - below * tick),
            trigger_price_pips=Pips(0),
            validity=Validity.DAY,
            product=Product.MIS,
            stop_price_pips=Pips(close - (PRICES + 2) * tick),
            trailing_step_pips=Pips(0),
            user_order_id=FIRST_NUMBER + number,
        )
        return accepted(self.engine.execute(command)).order_id

    def place_many(self, orders: int) -> list[int]:
        """Return the ids of so many new cover orders."""
        return [self.place() for _ in range(orders)]

    def cancel(self, cover_id: int) -> Answer:
        """Return the answer to the cancel of an entry that rests (C1)."""
        cover = self.engine.state.covers[cover_id]
        command = CancelCoverOrder(
            client_id=CLIENT,
            order_id=cover_id,
            leg=Leg.ENTRY,
            exchange_order_id=cover.entries[0].exchange_order_id,
        )
        return accepted(self.engine.execute(command))

    def resting(self) -> int:
        """Return how many cover orders have not ended."""
        return sum(cover.ended is None for cover in self.engine.state.every_cover())


def _spots() -> list[tuple[Instrument, int]]:
    """Return where the orders rest: a share, and how many ticks below the last trade."""
    shares = [i for i in load_instruments() if i.series == "EQ" and i.intraday_allowed]
    assert shares, "nothing to trade"
    return [(share, 1 + level) for level in range(PRICES) for share in shares]
