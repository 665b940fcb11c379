"""
``kavach demo``: the life of three cover orders, told over a real socket in a few seconds.

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
from decimal import Decimal
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape

from kavach.api.http.options import ApiOptions
from kavach.cli.journal_lines import Register, as_text_of_event, lines
from kavach.cli.tap import Exchanged, Tap
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

BODY_SHOWN: Final = 420  # Characters of a body; a row of the order book alone has 56 fields.
FEED_SECONDS_MAX: Final = 60  # A feed that is silent for so long is broken.
PAUSE_SECONDS: Final = 0.4  # Between the scenes, where somebody watches.
_TOKEN: Final = 14366
_IDEA: Final = {"exchange": "NSE", "instrument_token": _TOKEN}
_ROOM: Final = "/twin/v1"
_KART: Final = "/api/v1/orders/kart"

Row = dict[str, Any]


class Story:
    """What is told, and to whom."""

    def __init__(self, console: Console, ready: Ready, twin: Twin) -> None:
        self._console = console
        self._twin = twin
        self._client_id = ready.client_id
        self._url, self._token = ready.url, ready.access_token
        self._client = Tap(ready.url, ready.access_token)
        self._operator = Tap(ready.url, ready.operator_token)
        self._told = twin.service.engine.sequence  # The last record that was told of.
        self._register = Register()

    async def tell(self) -> None:
        """Tell it from beginning to end."""
        await self._cancel_before_it_trades()
        await self._fill_and_exit()
        await self._watch_the_feed()
        self._chapter("The end")
        audit = (await self._operator.exchange("GET", f"{_ROOM}/audit")).answer
        self._say(
            f"{audit['cover_orders']} cover orders, {audit['events']} events,"
            f" {len(audit['violations'])} violations of an invariant,"
            f" longest time without a stop {audit['naked_ms_max']} ms."
        )
        self._say("Your own: kavach serve")

    # --- Scenes -------------------------------------------------------------------------------

    async def _cancel_before_it_trades(self) -> None:
        self._chapter("1. A cover order, cancelled before it trades")
        self._say("Buy 10 IDEA at 12.90, below the market; if it fills, a stop at 12.40 guards it.")
        await self._place(quantity=10, price=12.9, stop=12.4, user_order_id=1001)
        entry = (await self._look("pending"))[0]
        self._say("Cancel its ENTRY leg. Nothing has traded, so the whole cover order is gone.")
        await self._cancel(entry, "ENTRY")
        await self._look("completed")

    async def _fill_and_exit(self) -> None:
        self._chapter("2. A cover order that fills in parts, and is exited")
        await self._place(quantity=100, price=13, stop=12.5, user_order_id=1002)
        self._say("Somebody sells 40 at 13.00: in the same step a stop for 40 is at the exchange.")
        await self._market("order", side="SELL", price=13, quantity=40)
        await self._look("pending")
        self._say("Another 60 are sold: the stop grows to 100, in place.")
        await self._market("order", side="SELL", price=13, quantity=60)
        rows = await self._look("pending")
        self._say("The market rises. Get out: cancel leg THIRD, and the stop becomes the exit.")
        await self._market("quote", bid=13.2, bid_quantity=500, ask=13.25, ask_quantity=500)
        stop = next(row for row in rows if row["leg_order_indicator"] == "THIRD")
        await self._cancel(stop, "THIRD")
        await self._look("completed")
        path = f"/api/v1/positions?client_id={self._client_id}&type=live"
        shown = await self._exchange(self._client, "GET", path)
        for position in shown.answer["data"]:
            self._say(
                f"   {position['trading_symbol']}: net quantity {position['net_quantity']},"
                f" profit {position['realized_mtm']} rupees"
            )

    async def _watch_the_feed(self) -> None:
        self._chapter("3. The same, watched on the live feed")
        self._say("Subscribe to IDEA's prices, and to everything that becomes of the orders.")
        async with (
            asyncio.timeout(FEED_SECONDS_MAX),
            AsyncFeed(self._client_id, self._token, base_url=self._url) as feed,
        ):
            await feed.subscribe("compact", (Exchange.NSE, _TOKEN))
            await feed.subscribe_account()
            await self._hear(feed, "snapshot", last="13.2", bid="13.2")
            await self._place(quantity=50, price=13.25, stop=12.9, user_order_id=1003)
            await self._hear(feed, "position", last="13.25", bid="13.2")
            self._say("Bad news: the buyers are gone, and somebody sells far below the stop.")
            await self._market("quote", bid=12.8, bid_quantity=500, ask=12.85, ask_quantity=500)
            await self._hear(feed, "", last="13.25", bid="12.8")
            await self._market("order", side="SELL", price=12.8, quantity=10)
            await self._hear(feed, "position", last="12.8", bid="12.8")
            self._say("The stop has sold everything. Nothing is held, and nobody was asked.")

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
            self._console.print(f"   [yellow]feed: {escape(line)}[/]", soft_wrap=True)
        line = f"{quote.last_price:.2f} ({quote.change:+.2f}), {quote.bid:.2f} to {quote.ask:.2f}"
        self._console.print(f"   [yellow]feed: IDEA at {line}[/]", soft_wrap=True)

    # --- Requests -----------------------------------------------------------------------------

    async def _place(self, *, quantity: int, price: float, stop: float, user_order_id: int) -> None:
        order = {
            **_IDEA,
            "client_id": self._client_id,
            "execution_type": "CO",
            "order_side": "BUY",
            "order_type": "LIMIT",
            "quantity": quantity,
            "price": price,
            "stop_loss_value": stop,
            "product": "MIS",
            "validity": "DAY",
            "user_order_id": user_order_id,
        }
        await self._exchange(self._client, "POST", _KART, order)

    async def _cancel(self, row: Row, leg: str) -> None:
        order_id = row["oms_order_id"]
        parameters = {
            "client_id": self._client_id,
            "exchange_order_id": row["exchange_order_id"],
            "execution_type": "CO",
            "leg_order_indicator": leg,
            "oms_order_id": order_id,
        }
        await self._exchange(self._client, "DELETE", f"{_KART}/{order_id}", parameters)

    async def _look(self, kind: str) -> list[Row]:
        path = f"/api/v1/orders?type={kind}&client_id={self._client_id}"
        shown = await self._exchange(self._client, "GET", path)
        rows: list[Row] = shown.answer["data"]["orders"]
        for row in rows:
            traded = f" traded at {row['average_price']}" if row["filled_quantity"] else ""
            self._console.print(
                f"   [bold]{row['leg_order_indicator']:<5}[/] {row['order_side']:<4}"
                f" {row['filled_quantity']:>3} of {row['quantity']:>3} {row['trading_symbol']}"
                f" {row['order_type']:<6} price {row['price']:<6} trigger {row['trigger_price']:<6}"
                f" [cyan]{row['order_status']}[/]{traded}",
                soft_wrap=True,
            )
        return rows

    async def _market(self, call: str, **fields: object) -> None:
        await self._exchange(self._operator, "POST", f"{_ROOM}/market/{call}", _IDEA | fields)

    # --- Telling ------------------------------------------------------------------------------

    async def _exchange(self, tap: Tap, method: str, path: str, body: object = None) -> Exchanged:
        shown = await tap.exchange(method, path, body)
        request, _, content = shown.request.decode().partition("\r\n\r\n")
        self._wire(">", "green", [request.split("\r\n")[0], content])
        head = shown.head.decode().split("\r\n")
        told = [line for line in head[1:] if line.lower().startswith("x-order-state")]
        style = "blue" if shown.status < 400 else "red"
        self._wire("<", style, [head[0], *told, shown.body.decode()])
        assert shown.status == 200, shown.body
        before = self._told
        self._tell_what_happened()
        if self._told != before:
            await self._tell_book()
        if self._console.is_terminal:
            await asyncio.sleep(PAUSE_SECONDS)
        return shown

    def _wire(self, arrow: str, style: str, parts: list[str]) -> None:
        for part in parts:
            if part:
                cut = "" if len(part) <= BODY_SHOWN else f" … ({len(part)} bytes)"
                line = escape(f"{arrow} {part[:BODY_SHOWN]}{cut}")
                self._console.print(f"[{style}]{line}[/]", soft_wrap=True)

    def _tell_what_happened(self) -> None:
        """Print what the exchange inside did since it was asked last."""
        for line in lines(self._twin.service.engine.journal, self._register, after=self._told):
            self._told = line.sequence
            if line.by == "exchange":
                text = escape(as_text_of_event(line))
                self._console.print(f"   [dim]exchange: {text}[/]", soft_wrap=True)

    async def _tell_book(self) -> None:
        """Print the best prices of the book."""
        path = f"{_ROOM}/market/{_IDEA['exchange']}/{_IDEA['instrument_token']}"
        view = (await self._operator.exchange("GET", path)).answer
        sides = [
            f"{name} " + (", ".join(f"{level[1]} at {level[0]:.2f}" for level in view[key]) or "-")
            for name, key in (("bids", "bids"), ("asks", "asks"))
        ]
        last = f"last {view['last_price']:.2f}"
        self._console.print(f"   [dim]book: {'; '.join([*sides, last])}[/]", soft_wrap=True)

    def _chapter(self, title: str) -> None:
        self._console.print(f"\n[bold magenta]{title}[/]\n", soft_wrap=True)

    def _say(self, sentence: str) -> None:
        self._console.print(f"\n{escape(sentence)}", soft_wrap=True)


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


@click.command(short_help="A guided run: place, cancel, fill, exit, watch.")
def demo() -> None:
    """Tell the life of three cover orders, with every request and answer, and the live feed."""
    console = Console(highlight=False)

    async def visit(ready: Ready, twin: Twin) -> None:
        await Story(console, ready, twin).tell()

    world = WorldOptions(market=MarketKind.QUIET)
    serve_world(world, ServeOptions(port=0, api=ApiOptions()), visit)
