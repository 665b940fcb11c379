"""
``kavach demo --scene last-minutes``: what the end of a trading day does to cover orders.

On a day of the table of hours, in a share that closes by an auction: the cut-off at 15:10 refuses
new cover orders, the square-off at 15:12 takes intraday ones out while their stops stand, at 15:15
the exchange takes every stop out, and what is left goes into the auction. What no buyer takes there
is carried, which is the last resort; at the next opening it leaves, and a delivery order gets its
stop again.

The operator takes the clock from one of these times to the next, so that minutes pass at once.

Source: docs/spec/cover_order.md, "The clock, the kill switch, the connection";
docs/spec/exchange.md, "Auctions".
"""

from datetime import datetime
from typing import Final

from kavach.cli.scenes.telling import ROOM, Telling
from kavach.program.options import MarketKind, Sessions, WorldOptions
from kavach.units import NS_PER_SECOND

DAY: Final = "2026-12-01"
NEXT_DAY: Final = "2026-12-02"
REFUSED: Final = 400
LAST_MINUTES: Final = WorldOptions(
    market=MarketKind.QUIET,
    sessions=Sessions.NSE,
    start_at_ns=int(datetime.fromisoformat(f"{DAY}T15:08:00+05:30").timestamp()) * NS_PER_SECOND,
)


class LastMinutes(Telling):
    """From 15:08 to the next morning."""

    async def tell(self) -> None:
        """Tell it from beginning to end."""
        await self._two_covers()
        await self._cut_off()
        await self._square_off()
        await self._auction()
        await self._last_resort()
        await self._next_morning()
        await self.end()

    # --- Scenes -------------------------------------------------------------------------------

    async def _two_covers(self) -> None:
        self.chapter("1. 15:08. Two cover orders in a share with derivatives")
        await self.exchange(self.operator, "POST", f"{ROOM}/clock", {"action": "pause"})
        self.say("One is intraday (MIS), one is for delivery (CNC); both stops are in the book.")
        await self.place(quantity=100, price=13, stop=12.5, user_order_id=1001)
        await self.place(quantity=50, price=13, stop=12.5, user_order_id=1002, product="CNC")
        await self.market("order", side="SELL", price=13, quantity=150)
        await self.look("pending")

    async def _cut_off(self) -> None:
        self.chapter("2. 15:10. The cut-off")
        self.say("A stop cannot live past 15:15 here, so from now on no new cover order is taken.")
        await self._go(f"{DAY}T15:10:00")
        await self.place(quantity=10, price=13, stop=12.5, user_order_id=1003, status=REFUSED)

    async def _square_off(self) -> None:
        self.chapter("3. 15:12. The square-off")
        self.say(
            "The intraday order leaves while its stop stands: the stop becomes the exit. No order"
            " buys, so it steps to the edge of the band. The delivery order keeps its stop."
        )
        await self._go(f"{DAY}T15:12:05")
        await self.look("pending")

    async def _auction(self) -> None:
        self.chapter("4. 15:15 to 15:30. The closing auction")
        self.say("The exchange takes every stop out of the book. The delivery order is carried.")
        await self._go(f"{DAY}T15:15:00")
        await self.look("pending")
        self.say("From 15:20 on it takes orders. What is left intraday goes in at market.")
        await self._go(f"{DAY}T15:20:00")
        self.say("A buyer wants 60 at 13.05. In an auction nothing trades yet.")
        await self.market("order", side="BUY", price=13.05, quantity=60)
        self.say("From 15:25 on market orders are frozen; at 15:30 at the latest comes the match.")
        await self._go(f"{DAY}T15:30:00")
        await self.look("pending")

    async def _last_resort(self) -> None:
        self.chapter("5. 15:35. The last resort")
        self.say(
            "No buyer took the other 40. They are carried over the night, and an alarm says so."
        )
        await self._go(f"{DAY}T15:35:00")
        await self.look("completed")

    async def _next_morning(self) -> None:
        self.chapter("6. The next morning")
        self.say(
            "A buyer bids in the opening auction. At 9:15 what is intraday leaves at once, and the"
            " delivery order has its stop again."
        )
        await self._go(f"{NEXT_DAY}T09:01:00")
        await self.market("order", side="BUY", price=12.95, quantity=500)
        await self._go(f"{NEXT_DAY}T09:15:00")
        await self.look("pending")
        await self.look("completed")
        self.say("The minutes in which no stop can stand are counted in what the audit says.")

    async def _go(self, moment: str) -> None:
        """Take the clock to a moment in India, and show what happens on the way."""
        fields = {"action": "set", "to": f"{moment}+05:30"}
        await self.exchange(self.operator, "POST", f"{ROOM}/clock", fields)
