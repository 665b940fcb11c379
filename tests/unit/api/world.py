"""
A world for the API: the engine, the exchange inside, a real server on a real socket.

The market is silent but for what a test lets others do there, so that a row can be looked at
in each of its states. The disk is a switch.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import httpx
import uvicorn
from starlette.routing import BaseRoute

from kavach.api.app import create_app
from kavach.api.http.options import ApiOptions
from kavach.core.commands import OpenClient
from kavach.core.refusals import Outcome
from kavach.core.rules.pending import PendingRequest
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.journal_port import JournalUnavailable
from kavach.engine.quote import Quote
from kavach.engine.service import Service
from kavach.engine.venue_port import ExecutionReport
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    NS_PER_MS,
    NS_PER_SECOND,
    InstrumentKey,
    Paise,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    opposite,
)
from kavach.venues.embedded import EmbeddedVenue

TOKEN: Final = "token-of-demo1"
OTHER_TOKEN: Final = "token-of-demo2"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
OTHER: Final = {"Authorization": f"Bearer {OTHER_TOKEN}"}
NOW_NS: Final = 1_718_250_000_123_456_789  # 2024-06-13, in Indian trading hours.
KART: Final = "/api/v1/orders/kart"

STOPPING: Final[list[threading.Thread]] = []  # Servers that were told to stop.

T = TypeVar("T")


def entry(**changes: Any) -> dict[str, Any]:
    """Return a well-formed place request; None takes a field away."""
    fields: dict[str, Any] = {
        "exchange": "NSE",
        "instrument_token": "14366",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 13,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 7001,
        "execution_type": "CO",
        "stop_loss_value": 12.5,
        "trailing_stop_loss": "0.05",
        "is_trailing": False,
        "trigger_price": 0,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


class TestClock:
    """A clock that is a millisecond later each time it is asked."""

    __test__ = False

    def __init__(self) -> None:
        self.time_ns = NOW_NS

    def now_ns(self) -> int:
        """Return the time."""
        self.time_ns += NS_PER_MS
        return self.time_ns


class Desk(Engine):
    """The engine over the exchange inside, with a disk that a test can stop.

    What it is asked it answers as the service does, by the service's own functions, but for what
    waits for a disk or for time.
    """

    pending = cast(Callable[["Desk"], PendingRequest | None], Service.pending)
    quote = cast(Callable[["Desk", InstrumentKey], Quote], Service.quote)
    last_price_pips = cast(Callable[["Desk", InstrumentKey], int], Service.last_price_pips)

    def __init__(self) -> None:
        listed = load_instruments()
        self.embedded = EmbeddedVenue(listed)
        self._hands = TestClock()
        super().__init__(listed, Settings(), MemoryJournal(), self.embedded, self._hands)
        self.engine = self
        self._core = self.core
        self.quotes = self.embedded
        self.attended: list[InstrumentKey] = []
        self.journal_fails = False
        self.disk = threading.Event()
        self.disk.set()

    def later(self, seconds: int) -> None:
        """Let this much time have passed."""
        self._hands.time_ns += seconds * 1_000 * NS_PER_MS

    async def decided(self, ticket: PendingRequest, seconds: float) -> Outcome:
        """Return what became of it once the venue has said so, or after this long."""
        end = asyncio.get_running_loop().time() + seconds
        while ticket.waits and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
        return self.core.review(ticket)

    def may_answer(self) -> bool:
        """True: no other process has this journal."""
        return True

    async def until_durable(self) -> None:
        """Return when the test says that the disk has it."""
        if self.journal_fails:
            raise JournalUnavailable("the disk is full")
        while not self.disk.is_set():
            await asyncio.sleep(0.005)

    def seconds_until(self, at_ns: int) -> float | None:
        """Return how long it is until then: this clock goes by being asked."""
        return (at_ns - self.now_ns()) / NS_PER_SECOND

    def attend(self, key: InstrumentKey) -> None:
        """Know that somebody looks at an instrument; nobody makes a market here."""
        self.attended.append(key)

    def counterparty(self, key: InstrumentKey, side: Side, price_pips: int, quantity: int) -> None:
        """Let an anonymous order meet what rests."""
        exchange = self.embedded.exchange

        def act(at_ns: int) -> ExecutionReport:
            _, _, events = exchange.liquidity_order(
                key, side, Pips(price_pips), Quantity(quantity), TimestampNs(at_ns)
            )
            return self.embedded.reports_of(events, key)

        self.market(act)

    def print_trade(self, key: InstrumentKey, price_pips: int) -> None:
        """Let the last price be this."""
        exchange = self.embedded.exchange

        def act(at_ns: int) -> ExecutionReport:
            events = exchange.print_trade(key, Pips(price_pips), Quantity(1), TimestampNs(at_ns))
            return self.embedded.reports_of(events, key)

        self.market(act)


class World:
    """A running server, a client of it, and the desk behind it."""

    def __init__(
        self, desk: Desk, url: str, http: httpx.Client, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.desk = desk
        self.url = url
        self.http = http
        self._loop = loop

    def do(self, act: Callable[[], T]) -> T:
        """Run something on the server's event loop, where the desk lives."""

        async def on_loop() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result(10)

    def state_hash(self) -> str:
        """Return the hash of the whole state."""
        return self.do(self.desk.state_hash)

    def place(self, **changes: Any) -> dict[str, Any]:
        """Place a cover order and return its ENTRY row."""
        answer = self.http.post(KART, json=entry(**changes), headers=BEARER)
        assert answer.status_code == 200, answer.text
        rows = self.rows("all")
        return [row for row in rows if row["leg_order_indicator"] == "ENTRY"][-1]

    def fill(self, row: dict[str, Any], quantity: int, price_pips: int) -> None:
        """Let somebody trade with the order behind a row."""
        key = InstrumentKey(f"{row['exchange']}:{row['instrument_token']}")
        other = opposite(Side(row["order_side"]))
        self.do(lambda: self.desk.counterparty(key, other, price_pips, quantity))

    def print_trade(self, price_pips: int, key: str = "NSE:14366") -> None:
        """Let the market trade elsewhere at this price."""
        self.do(lambda: self.desk.print_trade(InstrumentKey(key), price_pips))

    def rows(self, book: str = "all") -> list[dict[str, Any]]:
        """Return the rows of the order book."""
        answer = self.http.get("/api/v1/orders", params={"type": book}, headers=BEARER)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["orders"]
        return found

    def row(self, order_id: str) -> dict[str, Any]:
        """Return one row of the order book."""
        return next(row for row in self.rows() if row["oms_order_id"] == order_id)

    def third(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the stop's row of an entry's row."""
        return next(
            other
            for other in self.rows()
            if other["leg_order_indicator"] == "THIRD"
            and other["user_order_id"] == row["user_order_id"]
        )

    def cancel(self, row: dict[str, Any], **changes: Any) -> httpx.Response:
        """Cancel the leg of a row, as documented."""
        body = cancel_body(row) | changes
        return self.http.request(
            "DELETE", f"{KART}/{row['oms_order_id']}", json=body, headers=BEARER
        )


def cancel_body(row: dict[str, Any]) -> dict[str, Any]:
    """Return the documented parameters of a cancel of this row."""
    return {
        "client_id": "DEMO1",
        "exchange_order_id": row["exchange_order_id"],
        "execution_type": "CO",
        "leg_order_indicator": row["leg_order_indicator"],
        "oms_order_id": row["oms_order_id"],
    }


def open_accounts(desk: Desk) -> None:
    """Open DEMO1 and DEMO2."""
    for client_id, token in (("DEMO1", TOKEN), ("DEMO2", OTHER_TOKEN)):
        desk.execute(
            OpenClient(
                client_id=client_id,
                cash_paise=Paise(10**9),
                token_digest=sha256(token.encode()).hexdigest(),
            )
        )


@contextmanager
def running(
    options: ApiOptions = ApiOptions(),  # noqa: B008  # Frozen.
    extra_routes: tuple[BaseRoute, ...] = (),
) -> Iterator[World]:
    """Serve a fresh world for the length of a ``with``."""
    desk = Desk()
    open_accounts(desk)
    app = create_app(desk, options, extra_routes=extra_routes)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", access_log=False, lifespan="off")
    )
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url) as http:
            yield World(desk, url, http, loops[0])
    finally:
        server.should_exit = True
        STOPPING.append(thread)  # It takes a moment; the next test need not wait for it.
