"""
How a scene of ``kavach demo`` is told: each request and answer as bytes, then what came of it.

A scene asks over a real socket, as a client and as the operator, and after each request what the
exchange inside did is shown, the alarms that the rules raised, and the best prices of the book.
"""

import asyncio
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from kavach.cli.journal_lines import Line, Register, as_text_of_event, lines
from kavach.cli.scenes.tap import Exchanged, Tap
from kavach.program.twin import Twin
from kavach.ready_files import Ready

BODY_SHOWN: Final = 420  # Characters of a body; a row of the order book alone has 56 fields.
PAUSE_SECONDS: Final = 0.4  # Between the scenes, on a terminal.
TOKEN: Final = 14366
IDEA: Final = {"exchange": "NSE", "instrument_token": TOKEN}
ROOM: Final = "/twin/v1"
KART: Final = "/api/v1/orders/kart"
ALLOWED: Final = 200
SHOWN_SESSIONS: Final = ("", "NSE-CAS")  # Whose phases are told: IDEA's.

Row = dict[str, Any]


class Telling:
    """What is told, and to whom; a scene is a subclass."""

    def __init__(self, console: Console, ready: Ready, twin: Twin) -> None:
        self.console = console
        self._twin = twin
        self.client_id = ready.client_id
        self.url, self.token = ready.url, ready.access_token
        self.client = Tap(ready.url, ready.access_token)
        self.operator = Tap(ready.url, ready.operator_token)
        self._told = twin.service.engine.sequence  # The last record that was told of.
        self._register = Register()

    async def tell(self) -> None:
        """Tell it from beginning to end."""
        raise NotImplementedError

    async def end(self) -> None:
        """Let the audit say what was wrong: nothing."""
        self.chapter("The end")
        audit = (await self.operator.exchange("GET", f"{ROOM}/audit")).answer
        self.say(
            f"{audit['cover_orders']} cover orders, {audit['events']} events,"
            f" {len(audit['violations'])} violations of an invariant,"
            f" longest time without a stop {audit['naked_ms_max']} ms."
        )
        self.say("Your own: kavach serve")

    # --- Requests -----------------------------------------------------------------------------

    async def place(
        self,
        *,
        quantity: int,
        price: float,
        stop: float,
        user_order_id: int,
        product: str = "MIS",
        status: int = ALLOWED,
    ) -> None:
        """Place a cover order to buy; ``status`` is the answer that the scene expects."""
        order = {
            **IDEA,
            "client_id": self.client_id,
            "execution_type": "CO",
            "order_side": "BUY",
            "order_type": "LIMIT",
            "quantity": quantity,
            "price": price,
            "stop_loss_value": stop,
            "product": product,
            "validity": "DAY",
            "user_order_id": user_order_id,
        }
        await self.exchange(self.client, "POST", KART, order, status)

    async def cancel(self, row: Row, leg: str) -> None:
        """Cancel a leg of the cover order whose row this is."""
        order_id = row["oms_order_id"]
        parameters = {
            "client_id": self.client_id,
            "exchange_order_id": row["exchange_order_id"],
            "execution_type": "CO",
            "leg_order_indicator": leg,
            "oms_order_id": order_id,
        }
        await self.exchange(self.client, "DELETE", f"{KART}/{order_id}", parameters)

    async def look(self, kind: str) -> list[Row]:
        """Return the client's rows, pending or completed, and show what matters of them."""
        path = f"/api/v1/orders?type={kind}&client_id={self.client_id}"
        shown = await self.exchange(self.client, "GET", path)
        rows: list[Row] = shown.answer["data"]["orders"]
        for row in rows:
            traded = f" traded at {row['average_price']}" if row["filled_quantity"] else ""
            self.console.print(
                f"   [bold]{row['leg_order_indicator']:<5}[/] {row['order_side']:<4}"
                f" {row['filled_quantity']:>3} of {row['quantity']:>3} {row['trading_symbol']}"
                f" {row['order_type']:<6} price {row['price']:<6} trigger {row['trigger_price']:<6}"
                f" [cyan]{row['order_status']}[/]{traded}",
                soft_wrap=True,
            )
        return rows

    async def market(self, call: str, **fields: object) -> None:
        """Do something in IDEA's market, as the operator."""
        await self.exchange(self.operator, "POST", f"{ROOM}/market/{call}", IDEA | fields)

    # --- Telling ------------------------------------------------------------------------------

    async def exchange(
        self, tap: Tap, method: str, path: str, body: object = None, status: int = ALLOWED
    ) -> Exchanged:
        """Return what was asked and answered, having shown it and what came of it."""
        shown = await tap.exchange(method, path, body)
        request, _, content = shown.request.decode().partition("\r\n\r\n")
        self._wire(">", "green", [request.split("\r\n")[0], content])
        head = shown.head.decode().split("\r\n")
        told = [line for line in head[1:] if line.lower().startswith("x-order-state")]
        style = "blue" if shown.status < 400 else "red"
        self._wire("<", style, [head[0], *told, shown.body.decode()])
        assert shown.status == status, shown.body
        before = self._told
        self._tell_what_happened()
        if self._told != before:
            await self._tell_book()
        if self.console.is_terminal:
            await asyncio.sleep(PAUSE_SECONDS)
        return shown

    def _wire(self, arrow: str, style: str, parts: list[str]) -> None:
        for part in parts:
            if part:
                cut = "" if len(part) <= BODY_SHOWN else f" … ({len(part)} bytes)"
                line = escape(f"{arrow} {part[:BODY_SHOWN]}{cut}")
                self.console.print(f"[{style}]{line}[/]", soft_wrap=True)

    def _tell_what_happened(self) -> None:
        """Print what the exchange inside did since it was asked last, and the alarms."""
        for line in lines(self._twin.service.engine.journal, self._register, after=self._told):
            self._told = line.sequence
            text = escape(as_text_of_event(line))
            if line.by == "exchange" and _is_here(line):
                self.console.print(f"   [dim]exchange: {text}[/]", soft_wrap=True)
            elif line.event == "AlarmRaised":
                alarm, detail = line.fields["alarm"], escape(line.fields["detail"])
                self.console.print(f"   [bold red]alarm: {alarm}: {detail}[/]", soft_wrap=True)

    async def _tell_book(self) -> None:
        """Print the best prices of the book."""
        path = f"{ROOM}/market/{IDEA['exchange']}/{IDEA['instrument_token']}"
        view = (await self.operator.exchange("GET", path)).answer
        sides = [
            f"{name} " + (", ".join(f"{level[1]} at {level[0]:.2f}" for level in view[key]) or "-")
            for name, key in (("bids", "bids"), ("asks", "asks"))
        ]
        last = f"last {view['last_price']:.2f}"
        self.console.print(f"   [dim]book: {'; '.join([*sides, last])}[/]", soft_wrap=True)

    def chapter(self, title: str) -> None:
        """Print a heading."""
        self.console.print(f"\n[bold magenta]{title}[/]\n", soft_wrap=True)

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(f"\n{escape(sentence)}", soft_wrap=True)


def _is_here(line: Line) -> bool:
    """Return whether a line of the exchange is about the share of the scene."""
    if line.event != "PhaseChanged":
        return True
    return line.fields["exchange"] == "NSE" and line.fields["session"] in SHOWN_SESSIONS
