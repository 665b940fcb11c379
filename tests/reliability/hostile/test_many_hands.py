"""
Cancel and exit of one order from 16 connections at the same instant, while the market moves.

What all clients saw of one order together must be explained by some order of their requests
(``linear``, ``cover_model``); the audit must find nothing; and nothing may be naked at the end.
``RUNS`` sets the number of rounds, ``SEED`` the first seed; a failure prints its own.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.reliability.hostile.cover_model import (
    QUANTITY,
    Bid,
    Cancel,
    Cover,
    Exit,
    Fill,
    Fire,
    Look,
    Told,
    step,
)
from tests.reliability.hostile.linear import UNANSWERED, Operation, Search
from tests.reliability.hostile.raw import KART, request
from tests.twin_server import OPERATOR_TOKEN, TOKEN, running

HANDS = 16
ROUNDS = int(os.environ.get("RUNS") or 120)
SEED = int(os.environ.get("SEED") or 1)
INSTRUMENT = {"exchange": "NSE", "instrument_token": 14366}
ENTRY_PRICE, STOP_PRICE, BID_PRICE = 12.9, 12.5, 12.85
ORDER: dict[str, Any] = INSTRUMENT | {
    "client_id": "DEMO1",
    "order_type": "LIMIT",
    "price": ENTRY_PRICE,
    "quantity": QUANTITY,
    "validity": "DAY",
    "product": "MIS",
    "order_side": "BUY",
    "execution_type": "CO",
    "stop_loss_value": STOP_PRICE,
}


class Link(AbstractAsyncContextManager["Link"]):
    """One connection of a client, or of the operator."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url)
        self._token = f"Authorization: Bearer {token}\r\n".encode()

    async def __aenter__(self) -> Self:
        host, port = self._address.hostname, self._address.port
        self._reader, self._writer = await asyncio.open_connection(host, port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._writer.transport.abort()

    def say(self, method: str, path: str, fields: dict[str, Any] | None, *lines: str) -> None:
        """Send a request whole."""
        self._writer.write(self.bytes_of(method, path, fields, *lines))

    def bytes_of(self, method: str, path: str, fields: dict[str, Any] | None, *lines: str) -> bytes:
        """Return a request."""
        body = b"" if fields is None else json.dumps(fields).encode()
        return request(method, path, body, *lines, token=self._token)

    def tear(self, method: str, path: str, fields: dict[str, Any], part: float) -> None:
        """Send only a part of a request."""
        whole = self.bytes_of(method, path, fields)
        self._writer.write(whole[: int(len(whole) * part)])

    async def hear(self) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and body of the answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return int(head[0].split(" ")[1]), headers, json.loads(body)

    async def ask(
        self, method: str, path: str, fields: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Send, and return the answer."""
        self.say(method, path, fields)
        return await self.hear()

    async def leave(self, *, politely: bool) -> None:
        """End this connection, in the orderly way or by a reset, and open another."""
        if politely:
            self._writer.close()
        else:
            self._writer.transport.abort()
        await self.__aenter__()


@dataclass
class Round:
    """One order, the hands on it, and what they saw."""

    dice: random.Random
    operator: Link
    hands: list[Link]
    order_id: str = ""
    ids: dict[bool, str] = field(default_factory=dict)  # By whether it is the stop's.
    history: list[Operation] = field(default_factory=list)
    unsold: int = 0  # What others offered and we did not buy.

    async def room(self, method: str, path: str, **fields: Any) -> Any:
        """Return the control room's answer."""
        status, _, answer = await self.operator.ask(method, f"/twin/v1/{path}", fields or None)
        assert status == 200, answer
        return answer

    async def quote(self, quantity: int) -> None:
        """Let the house bid for so much."""
        offer = {"ask": 13.5, "ask_quantity": 1, "bid": BID_PRICE, "bid_quantity": quantity}
        await self.room("POST", "market/quote", **INSTRUMENT, **offer)

    async def sell(self, quantity: int) -> int:
        """Return how much of a stranger's offer was bought by us."""
        offer = {"side": "SELL", "price": ENTRY_PRICE, "quantity": quantity}
        filled: int = (await self.room("POST", "market/order", **INSTRUMENT, **offer))["filled"]
        self.unsold += quantity - filled
        return filled

    async def begin(self, filled: int, *, liquid: bool) -> Cover:
        """Place the order, let this much of it fill, and return the model of that."""
        await self.quote(100_000 if liquid else 0)
        await self.room("POST", "market/trade", **INSTRUMENT, price=13, quantity=1)
        status, _, answer = await self.hands[0].ask("POST", KART, ORDER)
        assert status == 200, answer
        cover = Cover(liquid)
        if filled:
            assert await self.sell(filled) == filled
            cover, _ = step(cover, Fill(filled))
        basket = int(answer["data"]["data"]["basket_id"])
        rows = await self._rows()
        entry = next(row for row in rows if int(row["oms_order_id"]) > basket)
        self.order_id = entry["oms_order_id"]
        self.ids = {False: entry["exchange_order_id"]}
        if filled:
            self.ids[True] = rows[rows.index(entry) + 1]["exchange_order_id"]
        return cover

    async def _rows(self) -> list[dict[str, Any]]:
        _, _, answer = await self.hands[0].ask("GET", "/api/v1/orders?type=all")
        rows: list[dict[str, Any]] = answer["data"]["orders"]
        return rows

    async def end(self) -> None:
        """Close what is open, and take away what others left in the book."""
        await self.quote(100_000)
        if self.unsold:
            offer = {"side": "BUY", "price": ENTRY_PRICE, "quantity": self.unsold}
            await self.room("POST", "market/order", **INSTRUMENT, **offer)
        row = (await self._rows())[-1]
        leg = row["leg_order_indicator"]
        fields = {"exchange_order_id": row["exchange_order_id"], "leg_order_indicator": leg}
        await self.hands[0].ask("DELETE", f"{KART}/{row['oms_order_id']}", fields)

    # --- What hands do --------------------------------------------------------------------------

    async def hand(self, link: Link, asks: list[Hashable]) -> None:
        """Ask one thing after the other, now and then without waiting for the answer."""
        for ask in asks:
            mood = self.dice.random()
            await asyncio.sleep(self.dice.choice((0, 0, 0, 0.000_3, 0.001)))
            if mood < 0.06 and isinstance(ask, Cancel | Exit):
                link.tear("DELETE", self._path(), self._fields(ask), self.dice.random() * 0.99)
                await link.leave(politely=self.dice.random() < 0.5)
            elif mood < 0.18 and isinstance(ask, Cancel | Exit):
                self._say(link, ask)
                self.history.append(Operation(time.monotonic(), UNANSWERED, ask))
                await asyncio.sleep(self.dice.choice((0, 0.000_5, 0.002)))
                await link.leave(politely=self.dice.random() < 0.5)
                await self._asked(ask, partial(self._told, link, ask))
            elif isinstance(ask, Look):
                await self._asked(ask, partial(self._looked, link))
            else:
                await self._asked(ask, partial(self._told, link, ask))

    async def market(self, asks: list[Hashable]) -> None:
        """Let the market move."""
        for ask in asks:
            await asyncio.sleep(self.dice.choice((0, 0, 0.000_5, 0.002)))
            if isinstance(ask, Fill):
                await self._asked(ask, partial(self.sell, ask.quantity))
            elif isinstance(ask, Fire):
                await self._asked(ask, self._fire)
            else:
                await self._asked(ask, partial(self.quote, 100_000))

    async def _fire(self) -> None:
        await self.room("POST", "market/trade", **INSTRUMENT, price=STOP_PRICE, quantity=1)

    async def _asked(self, ask: Hashable, act: Callable[[], Any]) -> None:
        called = time.monotonic()
        saw = await act()
        self.history.append(Operation(called, time.monotonic(), ask, saw))

    def _path(self) -> str:
        return f"{KART}/{self.order_id}"

    def _fields(self, ask: Cancel | Exit) -> dict[str, Any]:
        knows = isinstance(ask, Exit) and ask.knows_stop
        leg = "THIRD" if isinstance(ask, Exit) else "ENTRY"
        return {"exchange_order_id": self.ids[knows], "leg_order_indicator": leg}

    def _say(self, link: Link, ask: Hashable) -> None:
        assert isinstance(ask, Cancel | Exit)
        key = [f"Idempotency-Key: {self.order_id}-{ask.key}"] if ask.key else []
        link.say("DELETE", self._path(), self._fields(ask), *key)

    async def _told(self, link: Link, ask: Hashable) -> Told:
        self._say(link, ask)
        status, headers, _ = await link.hear()
        word = headers.get("x-error-reason", "")
        assert status == (400 if word else 200), (status, headers)
        replayed = headers.get("x-idempotent-replay") == "true"
        return Told(headers.get("x-order-state", ""), word, replayed)

    async def _looked(self, link: Link) -> Hashable:
        _, _, answer = await link.ask("GET", f"/api/v1/order/{self.order_id}/history")
        step = answer["data"][-1]
        return step["status"], step["fill_quantity"]


def plans(dice: random.Random, cover: Cover) -> tuple[list[list[Hashable]], list[Hashable]]:
    """Return what each hand asks, and what the market does."""
    knows_stop = cover.filled > 0
    asks: list[Hashable] = [
        Cancel(),
        Cancel("one"),
        Exit(knows_stop),
        Exit(knows_stop, "two"),
        Exit(knows_stop=False),
        Look(),
    ]
    weights = [dice.choice((1, 4)) for _ in asks]
    hands = [dice.choices(asks, weights, k=dice.choice((1, 1, 2))) for _ in range(HANDS)]
    moves: list[Hashable] = [Fill(dice.randint(1, QUANTITY)) for _ in range(dice.randint(0, 3))]
    moves += [Fire()] * (dice.random() < 0.5) + [Bid()] * (not cover.liquid and dice.random() < 0.6)
    dice.shuffle(moves)
    return hands, moves


async def play(seed: int, operator: Link, hands: list[Link]) -> list[Operation]:
    """Play one round, and return what was seen; fails if no order of requests explains it."""
    dice = random.Random(seed)
    one = Round(dice, operator, hands)
    start = await one.begin(dice.choice((0, 0, 3, QUANTITY)), liquid=dice.random() < 0.6)
    asked, moves = plans(dice, start)
    together = [one.hand(link, asks) for link, asks in zip(hands, asked, strict=True)]
    together.append(one.market(moves))
    dice.shuffle(together)
    await asyncio.gather(*together)
    shown = "\n".join(map(str, sorted(one.history, key=lambda each: each.called)))
    assert Search(one.history, step).explains(start), f"SEED={seed} RUNS=1\n{start}\n{shown}"
    audit = await one.room("GET", "audit")
    assert audit["violations"] == [], f"SEED={seed} RUNS=1\n{audit}\n{shown}"
    await one.end()
    return one.history


async def rounds(url: str, seed: int, count: int) -> list[Operation]:
    """Play rounds on one set of connections, and return everything that was seen."""
    seen: list[Operation] = []
    links = [Link(url, TOKEN) for _ in range(HANDS)]
    async with Link(url, OPERATOR_TOKEN) as operator:
        for link in links:
            await link.__aenter__()
        status, _, _ = await operator.ask("POST", "/twin/v1/clock", {"action": "pause"})
        assert status == 200
        for number in range(count):
            seen += await play(seed + number, operator, links)
        for link in links:
            await link.__aexit__(None, None, None)
    return seen


def test_what_clients_see_happened_in_some_order(tmp_path: Path) -> None:
    """Every round is linearizable and audited clean, and the rounds are no easy ones."""
    with running("--data-dir", tmp_path / "data") as server:
        seen = asyncio.run(rounds(server.url, SEED, ROUNDS))
        audit = server.audit()
    assert audit["violations"] == []
    assert audit["cover_orders"] >= ROUNDS
    told = {one.saw for one in seen if isinstance(one.saw, Told)}
    if ROUNDS >= 100:  # Each of these was really seen by somebody.
        words = {each.word for each in told if each.word}
        assert words == {
            "ENTRY_ALREADY_EXECUTED",
            "ALREADY_EXITED",
            "EXCHANGE_ORDER_ID_MUST_MATCH",
        }
        states = {each.state for each in told if not each.word}
        assert states >= {"CANCELLED", "COVERED", "EXITING", "EXITED"}
        assert any(not one.answered for one in seen)


async def place_together(url: str, keys: list[str]) -> list[tuple[int, str, bool]]:
    """Return status, basket and whether it was a repetition, of orders placed at one instant."""
    links = [Link(url, TOKEN) for _ in keys]
    for link in links:
        await link.__aenter__()
    for link, key in zip(links, keys, strict=True):
        link.say("POST", KART, ORDER, *([f"Idempotency-Key: {key}"] if key else []))
    told = []
    for link in links:
        status, headers, answer = await link.hear()
        again = headers.get("x-idempotent-replay") == "true"
        told.append((status, answer["data"]["data"]["basket_id"], again))
        await link.__aexit__(None, None, None)
    return told


def test_one_key_places_one_order(tmp_path: Path) -> None:
    """The same order from 16 connections at once is one under one key, and 16 without keys."""
    with running("--data-dir", tmp_path / "data") as server:
        for number in range(10):
            told = asyncio.run(place_together(server.url, [f"key-{number}"] * HANDS))
            assert {status for status, _, _ in told} == {200}
            assert len({basket for _, basket, _ in told}) == 1
            assert sorted(again for _, _, again in told) == [False] + [True] * (HANDS - 1)
        told = asyncio.run(place_together(server.url, [""] * HANDS))
        assert len({basket for _, basket, _ in told}) == HANDS
        audit = server.audit()
    assert audit["violations"] == []
    assert audit["cover_orders"] == 10 + HANDS
