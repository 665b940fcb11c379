"""
``kavach demo``: the life of three cover orders, told over a real socket in a few seconds, or with
``--scene last-minutes`` the last minutes of a trading day (``last_minutes.py``).

The first order is cancelled before it trades: the request of the vendor's page for cancelling a
cover order, with its answer. The second one fills in two parts, so that its stop appears and
grows, and is exited by its stop leg. Every request is shown as it goes over the wire, and after
it what the exchange inside did. The third is watched on the live feed while it fills and its stop
fires: prices and the changes of its rows, as they are sent.

Changes of rows come in a fixed order; prices are shown once they are what the request made of them,
because the feed sends the newest of them and not each. So the story is the same each time.

Source: the vendor's page "Cancel Cover Order"; docs/spec/cover_order.md, "What the system owes".
"""

import asyncio
import logging
from decimal import Decimal
from typing import Final

import click
from rich.console import Console
from rich.markup import escape

from kavach.api.http.options import ApiOptions
from kavach.cli.scenes.last_minutes import LAST_MINUTES, LastMinutes
from kavach.cli.scenes.telling import TOKEN, Telling
from kavach.program.options import MarketKind, ServeOptions, WorldOptions
from kavach.program.serve import serve as serve_world
from kavach.program.twin import Twin
from kavach.ready_files import Ready
from kavach.sdk import (
    AsyncFeed,
    CompactQuote,
    FeedItem,
    OrderChange,
    PositionChange,
    Snapshot,
    TradeDone,
)
from kavach.units import Exchange

FEED_SECONDS_MAX: Final = 60  # A feed that is silent for so long is broken.


class FirstTrades(Telling):
    """Three cover orders: cancelled before it trades, exited, watched on the feed."""

    async def tell(self) -> None:
        """Tell it from beginning to end."""
        await self._cancel_before_it_trades()
        await self._fill_and_exit()
        await self._watch_the_feed()
        await self.end()

    # --- Scenes -------------------------------------------------------------------------------

    async def _cancel_before_it_trades(self) -> None:
        self.chapter("1. A cover order, cancelled before it trades")
        self.say("Buy 10 IDEA at 12.90, below the market; if it fills, a stop at 12.40 guards it.")
        await self.place(quantity=10, price=12.9, stop=12.4, user_order_id=1001)
        entry = (await self.look("pending"))[0]
        self.say("Cancel its ENTRY leg. Nothing has traded, so the whole cover order is gone.")
        await self.cancel(entry, "ENTRY")
        await self.look("completed")

    async def _fill_and_exit(self) -> None:
        self.chapter("2. A cover order that fills in parts, and is exited")
        await self.place(quantity=100, price=13, stop=12.5, user_order_id=1002)
        self.say("A seller takes 40 at 13.00: in the same step a stop for 40 is at the exchange.")
        await self.market("order", side="SELL", price=13, quantity=40)
        await self.look("pending")
        self.say("Another 60 are sold: the stop grows to 100, in place.")
        await self.market("order", side="SELL", price=13, quantity=60)
        rows = await self.look("pending")
        self.say("The market rises. Get out: cancel leg THIRD, and the stop becomes the exit.")
        await self.market("quote", bid=13.2, bid_quantity=500, ask=13.25, ask_quantity=500)
        stop = next(row for row in rows if row["leg_order_indicator"] == "THIRD")
        await self.cancel(stop, "THIRD")
        await self.look("completed")
        path = f"/api/v1/positions?client_id={self.client_id}&type=live"
        shown = await self.exchange(self.client, "GET", path)
        for position in shown.answer["data"]:
            self.say(
                f"   {position['trading_symbol']}: net quantity {position['net_quantity']},"
                f" profit {position['realized_mtm']} rupees"
            )

    async def _watch_the_feed(self) -> None:
        self.chapter("3. The same, watched on the live feed")
        self.say("Subscribe to IDEA's prices, and to everything that becomes of the orders.")
        async with (
            asyncio.timeout(FEED_SECONDS_MAX),
            AsyncFeed(self.client_id, self.token, base_url=self.url) as feed,
        ):
            await feed.subscribe("compact", (Exchange.NSE, TOKEN))
            await feed.subscribe_account()
            await self._hear(feed, "snapshot", last="13.2", bid="13.2")
            await self.place(quantity=50, price=13.25, stop=12.9, user_order_id=1003)
            await self._hear(feed, "position", last="13.25", bid="13.2")
            self.say("Bad news: the buyers are gone, and a seller trades far below the stop.")
            await self.market("quote", bid=12.8, bid_quantity=500, ask=12.85, ask_quantity=500)
            await self._hear(feed, "", last="13.25", bid="12.8")
            await self.market("order", side="SELL", price=12.8, quantity=10)
            await self._hear(feed, "position", last="12.8", bid="12.8")
            self.say("The stop has sold everything. Nothing is held, and no request was needed.")

    async def _hear(self, feed: AsyncFeed, awaited: str, *, last: str, bid: str) -> None:
        """
        Show what the feed tells until it has told this of the account, and these prices.

        The position is what it tells last of a step; an empty word awaits nothing.
        """
        quote: CompactQuote | None = None
        prices = (Decimal(last), Decimal(bid))
        while awaited or quote is None or (quote.last_price, quote.bid) != prices:
            item = await feed.receive()
            if isinstance(item, CompactQuote):
                quote = item
                continue
            word, line = _told_of(item)
            awaited = "" if word == awaited else awaited
            self.console.print(f"   [yellow]feed: {escape(line)}[/]", soft_wrap=True)
        line = f"{quote.last_price:.2f} ({quote.change:+.2f}), {quote.bid:.2f} to {quote.ask:.2f}"
        self.console.print(f"   [yellow]feed: IDEA at {line}[/]", soft_wrap=True)


def _told_of(item: FeedItem) -> tuple[str, str]:
    """Return what an item tells in a word, and in a line."""
    match item:
        case Snapshot():
            return "snapshot", f"{len(item.orders)} rows so far"
        case OrderChange():
            row = item.order
            word = f"{row.leg_order_indicator} {row.order_status}"
            return word, f"{word}, {row.filled_quantity} of {row.quantity}"
        case TradeDone():
            trade = item.trade
            line = f"{trade.order_side} {trade.trade_quantity} traded at {trade.trade_price}"
            return "trade", line
        case PositionChange():
            return "position", f"{item.position.net_quantity} held"
        case _:
            return "market", type(item).__name__


SCENES: Final[dict[str, tuple[type[Telling], WorldOptions]]] = {
    "first-trades": (FirstTrades, WorldOptions(market=MarketKind.QUIET)),
    "last-minutes": (LastMinutes, LAST_MINUTES),
}


@click.command(short_help="A guided run: place, cancel, fill, exit, watch.")
@click.option(
    "--scene",
    type=click.Choice(list(SCENES)),
    default="first-trades",
    show_default=True,
    help="What is told: the life of three cover orders, or the last minutes of a trading day.",
)
def demo(scene: str) -> None:
    """Tell a scene with every request and answer, and what the exchange inside did."""
    console = Console(highlight=False)
    telling, world = SCENES[scene]
    logging.disable(logging.WARNING)  # An alarm is part of the story, and told where it comes.

    async def visit(ready: Ready, twin: Twin) -> None:
        await telling(console, ready, twin).tell()

    serve_world(world, ServeOptions(port=0, api=ApiOptions()), visit)
