"""
A reader who goes from place to place: what is told of one thing in two of them agrees (INV-25).

Every few steps it takes one client and one share in turn, reads all that the client can read of
it, and compares: the figures of the instrument (``places.py``), what is held with what was traded,
the funds with the positions, each order in the book with the same order asked for alone, its
history and its trades. It knows nothing of its own; a figure that is wrong everywhere is left to
the reader of rows and to the ledgers.

Prices and amounts are pips (1/10 000 rupee), cash is paise, quantities shares.

Source: docs/spec/cover_order.md (INV-25); docs/reliability.md.
"""

from collections import Counter, defaultdict
from itertools import product
from typing import Any, Final

import msgspec

from kavach.api.routes import books
from kavach.api.routes.funds import funds_v1, funds_v2
from kavach.instruments import Instrument
from tests.simulation.places import (
    Held,
    Told,
    disagreement,
    held,
    of_everybody,
    of_order,
    of_rows,
    pips,
)
from tests.simulation.window import Window

Json = dict[str, Any]
decode: Final = msgspec.json.decode
EVERY: Final = 75  # Looks, between two visits.
ORDERS_MAX: Final = 2  # Orders that are read alone at a visit.
PIPS_PER_PAISA: Final = 100


class PlaceAuditor:
    """Who compares what is told here with what is told there."""

    def __init__(self, shares: tuple[Instrument, ...]) -> None:
        self._shares = shares
        self._looks = 0
        self._visits = 0
        self._begun: dict[tuple[str, int], int] = {}  # Shares that were there without a trade.
        self._trades: dict[bytes, tuple[str, int, int]] = {}  # Leg, token, signed quantity.
        self.compared = 0
        # Where it is set, what does not agree is counted by its label and looked past.
        self.findings: Counter[str] | None = None

    def look(self, window: Window, clients: str) -> None:
        """Visit one client and one share, every so many looks; first note what all begin with."""
        self._looks += 1
        if self._looks == 1:
            for client_id in clients:
                has, traded = held(window, client_id), self._traded(window, client_id)
                for share in self._shares:
                    self._demand(self._quantities(client_id, share, has, traded))
        elif self._looks % EVERY == 0:
            turns = list(product(clients, self._shares))
            self._visits += 1
            self.visit(window, *turns[self._visits % len(turns)])

    def visit(self, window: Window, client_id: str, share: Instrument) -> None:
        """Compare all that a client reads of a share, and of itself."""
        has = held(window, client_id)
        told = [
            *of_rows(share.exchange.value, share.token, has),
            *of_everybody(window, share, client_id),
        ]
        book = window.read(books.orders, client_id, "type=all")["data"]["orders"]
        for row in book:
            if row["instrument_token"] == share.token:
                told += of_order(row)
                break
        self.compared += len(told)
        self._demand(disagreement(str(share.key), told))
        traded = self._traded(window, client_id)
        self._demand(self._quantities(client_id, share, has, traded))
        self._demand(_trades_make_fills(book, traded))
        mine = [row for row in book if row["instrument_token"] == share.token]
        for row in mine[-ORDERS_MAX:]:
            self._demand(disagreement(row["oms_order_id"], _of_row(window, client_id, row)))
        self._demand(disagreement(client_id, _of_money(window, client_id, has)))
        self._demand(disagreement(str(share.key), self._of_margin(window, client_id, share, told)))

    def _demand(self, wrong: str) -> None:
        if not wrong:
            return
        if self.findings is None:
            raise AssertionError(wrong)
        self.findings[wrong.partition(":")[0]] += 1

    def _traded(self, window: Window, client_id: str) -> list[tuple[str, int, int]]:
        """Return every trade of a client that the trade book has, of every day."""
        found = []
        for body in window.trade_book(client_id):
            trade = self._trades.get(body)
            if trade is None:
                row = decode(body)
                sign = 1 if row["order_side"] == "BUY" else -1
                trade = row["oms_order_id"], row["instrument_token"], sign * row["trade_quantity"]
                self._trades[body] = trade
            found.append(trade)
        return found

    def _quantities(
        self, client_id: str, share: Instrument, has: Held, traded: list[tuple[str, int, int]]
    ) -> str:
        """What was traded of a share is in the positions, or it is owned."""
        token = share.token
        net = sum(quantity for _, of_token, quantity in traded if of_token == token)
        positions = sum(row["net_quantity"] for row in has.net if row["token"] == token)
        owned = sum(row["quantity"] for row in has.holdings if row["token"] == token)
        begun = self._begun.setdefault((client_id, token), positions + owned - net)
        if positions + owned == begun + net:
            return ""
        told = f"{client_id} {share.key}: {positions} (positions) and {owned} (holdings)"
        return f"INV-25 quantity: {told}: {begun} were there, {net} (trades) came"

    def _of_margin(
        self, window: Window, client_id: str, share: Instrument, told: list[Told]
    ) -> list[Told]:
        """The calculator takes the last price that others tell where it is told none."""
        last = next((one.value for one in told if one.fact == "last"), None)
        if not isinstance(last, int):
            return []
        asked = {
            "exchange": share.exchange.value,
            "token": share.token,
            "side": "BUY",
            "quantity": share.lot * 7,
            "product": "MIS",
        }
        both = [{**asked, "price": 0}, {**asked, "price": last / 10_000}]
        answer = window.calc(client_id, msgspec.json.encode({"data": both}))["result"]
        alone = answer["individual_margin_values"]
        return [
            Told("margin", "calculator, at the last price", alone[0]["var_margin"]),
            Told("margin", "calculator, at the price others tell", alone[1]["var_margin"]),
        ]


def _of_row(window: Window, client_id: str, row: Json) -> list[Told]:
    """The row of the book, the order asked for alone, and the last line of its history."""
    order_id = row["oms_order_id"]
    query = f"type=all&oms_order_id={order_id}"
    alone = window.read(books.orders, client_id, query)["data"]["orders"]
    lines = window.read(books.history, client_id, path_id=order_id)["data"]
    told = [Told("order", "order book", row)]
    told += [Told("order", "asked for", one) for one in alone if one["oms_order_id"] == order_id]
    if len(told) != 2:
        told.append(Told("order", "asked for", None))
    if lines:
        last = max(lines, key=lambda line: line["fill_quantity"])
        told.append(Told("filled", "order book", row["filled_quantity"]))
        told.append(Told("filled", "history", last["fill_quantity"]))
    return told


def _trades_make_fills(book: list[Json], traded: list[tuple[str, int, int]]) -> str:
    """What a row says has filled is what the trade book has of it."""
    filled: dict[str, int] = defaultdict(int)
    for order_id, _, quantity in traded:
        filled[order_id] += abs(quantity)
    for row in book:
        order_id, said = row["oms_order_id"], row["filled_quantity"]
        if said != filled[order_id]:
            return f"INV-25 fills: {order_id}: {said} (order book), {filled[order_id]} (trades)"
    return ""


def _of_money(window: Window, client_id: str, has: Held) -> list[Told]:
    """The funds, by both routes, agree with themselves and with the positions."""
    table = dict(window.read(funds_v2, client_id, "type=all")["data"]["values"])
    older = dict(window.read(funds_v1, client_id, "type=all")["data"]["values"])
    paise = {label: pips(text) // PIPS_PER_PAISA for label, text in table.items()}
    used = paise["Delivery"] + paise["Var Margin"] + paise["Span Margin"]
    at_last = sum(
        pips(row["net_amount"]) + row["net_quantity"] * pips(row["ltp"]) * row["multiplier"]
        for row in has.net
    )
    realised = paise["Realized MTM"]
    return [
        Told("funds", "v2", table),
        Told("funds", "v1", older),
        Told("used", "funds", paise["Margin Used"]),
        Told("used", "funds, by component", used),
        Told("available", "funds", paise["Available"]),
        Told("available", "funds, net less used", paise["Net Margin"] - paise["Margin Used"]),
        Told("available", "funds, Available Margin", paise["Available Margin"]),
        Told("realised", "funds", realised),
        Told("realised", "positions", sum(pips(r["realized_mtm"]) for r in has.net) // 100),
        Told("unrealised", "funds", paise["Unrealized MTM"]),
        Told("unrealised", "positions at their ltp", at_last // PIPS_PER_PAISA - realised),
    ]
