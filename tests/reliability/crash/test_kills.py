"""A real server, under load by the vendor's own client, killed again and again."""

import copy
import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import requests
from pocketful.pocketful import Pocketful

from tests.twin_server import TOKEN, TwinServer, run, running

KILLS: Final = int(os.environ.get("CRASH_KILLS") or 3)  # ``make crash`` kills fifty times.
WORKERS: Final = 4
PRICE: Final = 12.9


@dataclass
class Answered:
    """What the server has said yes to, over all its lives."""

    placed: set[int] = field(default_factory=set)
    prices: dict[int, float] = field(default_factory=dict)  # As last modified.
    cancelled: set[int] = field(default_factory=set)
    unexpected: list[str] = field(default_factory=list)
    asked: int = 0


class Trader(threading.Thread):
    """Places, modifies and cancels with the official client until the server is gone."""

    def __init__(self, sdk: Pocketful, first: int, answered: Answered) -> None:
        super().__init__()
        self._sdk = sdk
        self._number = first
        self._answered = answered

    def run(self) -> None:
        """Trade."""
        try:
            while True:
                self._number += 1
                self._trade(self._number)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return  # The server is gone; what had no answer may be there or not.

    def _trade(self, number: int) -> None:
        if not self._yes(self._sdk.placeConditionalOrder(order(number))):
            return
        self._answered.placed.add(number)
        if number % 5:
            return
        found = self._sdk.getPendingOrder()["data"]["orders"]
        row = next((r for r in found if int(r["user_order_id"]) == number), None)
        if row is None or row["leg_order_indicator"] != "ENTRY":
            return  # It was filled meanwhile.
        ids = {name: row[name] for name in ("oms_order_id", "exchange_order_id")}
        leg = {"leg_order_indicator": "ENTRY"}
        if number % 10:
            change = order(number) | ids | leg | {"price": PRICE - 0.05}
            if self._yes(self._sdk.modifyConditionalOrder(change)):
                self._answered.prices[number] = PRICE - 0.05
        else:
            gone = {"client_id": "DEMO1", "execution_type": "CO"} | ids | leg
            if self._yes(self._sdk.cancelConditionalOrder(gone)):
                self._answered.cancelled.add(number)

    def _yes(self, answer: dict[str, Any]) -> bool:
        self._answered.asked += 1
        if answer["status"] == "success":
            return True
        # The fill may have been faster; anything else is no answer to these questions.
        if "executed" not in answer["message"] and "filled" not in answer["message"]:
            self._answered.unexpected.append(str(answer))
        return False


class Street(threading.Thread):
    """Sells into the book, so that entries fill in parts and stops come and go."""

    def __init__(self, server: TwinServer) -> None:
        super().__init__()
        self._server = server

    def run(self) -> None:
        """Sell."""
        sell = {"exchange": "NSE", "instrument_token": 14366, "side": "SELL", "price": 12.8}
        try:
            while True:
                self._server.room("POST", "market/order", **sell, quantity=7)
                threading.Event().wait(0.01)
        except httpx.TransportError:
            return


def order(number: int) -> dict[str, Any]:
    """Return a cover order that rests in the book."""
    return {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": PRICE,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": number,
        "execution_type": "CO",
        "stop_loss_value": 12.5,
        "trailing_stop_loss": 0,
    }


def check(server: TwinServer, answered: Answered) -> str:
    """Return the state hash, after asserting that everything answered is there, once."""
    response = server.http.get("/api/v1/orders?type=all&client_id=DEMO1")
    every = response.json()["data"]["orders"]
    entries = [row for row in every if row["leg_order_indicator"] == "ENTRY"]
    times = Counter(int(row["user_order_id"]) for row in entries)
    assert set(times.values()) <= {1}, "an order was placed twice"
    assert answered.placed <= times.keys(), answered.placed - times.keys()
    by_number = {int(row["user_order_id"]): row for row in entries}
    for number, price in answered.prices.items():
        assert by_number[number]["price"] == price, by_number[number]
    for number in answered.cancelled:
        assert by_number[number]["order_status"] == "CANCEL_CONFIRMED", by_number[number]
    audit = server.audit()
    assert audit["violations"] == []
    state_hash: str = audit["state_hash"]
    return state_hash


def test_killed_again_and_again_nothing_is_lost(tmp_path: Path) -> None:
    """After each of many kills under load all that was answered is there, and nothing twice."""
    data, random, answered = tmp_path / "data", Random(50), Answered()
    sdk: Pocketful | None = None
    state_hash = ""
    for life in range(KILLS + 1):
        with running("--data-dir", data) as server:
            state_hash = check(server, answered)
            sdk = sdk or Pocketful(clientId=server.client_id, access_token=TOKEN)
            sdk.root = server.url
            if life == KILLS:
                server.stop(signal.SIGKILL)
                break
            first = life * 1_000_000 + 1
            threads: list[threading.Thread] = [
                Trader(copy.copy(sdk), first + worker * 100_000, answered)
                for worker in range(WORKERS)
            ]
            threads.append(Street(server))
            for thread in threads:
                thread.start()
            # So many answers, not so many seconds: a slow machine must have traded too.
            enough = answered.asked + random.randrange(60, 240)
            while answered.asked < enough and all(thread.is_alive() for thread in threads):
                threading.Event().wait(random.uniform(0.001, 0.01))
            server.stop(signal.SIGKILL)
            for thread in threads:
                thread.join()
            assert answered.unexpected == []
    assert len(answered.placed) > 20 * KILLS
    assert answered.prices and answered.cancelled
    verified = run("verify", data, seconds=300)
    assert verified.returncode == 0, verified.stderr
    assert state_hash in verified.stdout
    counts = f"{len(answered.placed)} placed, {len(answered.prices)} modified"
    os.write(
        1,
        f"\n{KILLS} kills: {answered.asked} answers, {counts},"
        f" {len(answered.cancelled)} cancelled; nothing lost\n".encode(),
    )
