"""
A world for the control room: the real engine, exchange, service and server, and a manual wall.

The control room is served on a real socket beside the trading API. The wall shows what a test
lets it show, so that time passes only when a test says so.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final, TypeVar

import httpx
import uvicorn

from kavach.api.app import create_app
from kavach.api.http.options import ApiOptions
from kavach.core.commands import Command, Leg, OpenClient, PlaceCoverOrder
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Answer
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.journal_port import JournalUnavailable
from kavach.engine.service import Service
from kavach.journal.memory import MemoryJournal
from kavach.twin.clock import TwinClock
from kavach.twin.control_room import ControlRoom, control_room_routes
from kavach.units import (
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from kavach.venues.embedded import DelayedReportSource, EmbeddedVenue
from kavach.venues.faults import Fault, FaultEffect, FaultOn

START_NS: Final = 1_795_060_800_000_000_000  # 2026-11-19 09:30 in India, a Thursday.
OPERATOR: Final = "token-of-the-operator"
TOKEN: Final = "token-of-demo1"
IDEA: Final = InstrumentKey("NSE:14366")
ADDRESS: Final = {"exchange": "NSE", "instrument_token": "14366"}

T = TypeVar("T")

ACCOUNTS: Final = tuple(
    OpenClient(
        client_id=client_id,
        cash_paise=Paise(10_000_000_00),
        token_digest=sha256(token.encode()).hexdigest(),
    )
    for client_id, token in (("DEMO1", TOKEN), ("DEMO2", f"{TOKEN}-2"))
)


class MoodyJournal(MemoryJournal):
    """Keeps records; fails, or takes its time, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False
        self._held: int | None = None

    @property
    def durable_sequence(self) -> int:
        """The last sequence that passes for durable."""
        return super().durable_sequence if self._held is None else self._held

    def append(self, body: bytes) -> int:
        """Return the sequence, or fail as a full disk would."""
        if self.fails:
            raise JournalUnavailable("The disk is full.")
        return super().append(body)

    def hold(self) -> None:
        """Let nothing more be durable."""
        self._held = self.durable_sequence

    def release(self) -> None:
        """Let everything be durable, and say so."""
        self._held = None
        for subscriber in self._subscribers:
            subscriber(self.durable_sequence)


class Stage:
    """A world on which tests play; ``World`` of the control room's port."""

    def __init__(self) -> None:
        self.wall_ns = START_NS
        self.failures: list[Exception] = []
        self._build()
        self.service = Service(self.engine, self.clock, self.failures.append)

    def _build(self) -> tuple[Engine, TwinClock]:
        instruments = load_instruments()
        self.clock = TwinClock(lambda: self.wall_ns)
        self.venue = EmbeddedVenue(instruments)
        self.journal = MoodyJournal()
        self.engine = Engine(instruments, Settings(), self.journal, self.venue, self.clock)
        self.engine.recover()
        self.engine.add_source(DelayedReportSource(self.engine, self.venue))
        self.engine.execute(ACCOUNTS[0])
        return self.engine, self.clock

    @property
    def in_cluster(self) -> bool:
        """False: no other machine goes on with it."""
        return False

    def reset(self) -> None:
        """Begin anew."""
        self.service.replace(self._build)

    def add_fault(
        self,
        *,
        fault_id: str,
        on: str,
        leg: Leg | None,
        client_id: str | None,
        effect: str,
        code: int,
        reason: str,
        times: int,
        delay_ns: int,
    ) -> None:
        """Put a fault on the venue's board."""
        self.venue.faults.add(
            Fault(
                fault_id=fault_id,
                on=FaultOn(on),
                leg=leg,
                client_id=client_id,
                effect=FaultEffect(effect),
                code=code,
                reason=reason,
                times=times,
                delay_ns=delay_ns,
            )
        )

    def audited(self, violations: int) -> None:
        """Nobody counts here."""

    def set_link(self, *, up: bool) -> None:
        """Cut the link, or mend it."""
        self.venue.set_link(up=up)
        if up:
            self.service.restore_link()
        else:
            self.service.lose_link()

    def clear_faults(self) -> None:
        """Empty the venue's board."""
        self.venue.faults.clear()

    def place(self, **changes: Any) -> CoverOrder:
        """Return a cover order that was placed through the engine."""
        answer = self.service.execute(placing(**changes))
        assert isinstance(answer, Answer), answer
        return self.engine.state.covers[answer.order_id]


def placing(**changes: Any) -> Command:
    """Return the command that places a cover order for 100 IDEA at 13.00, stop 12.00."""
    fields: dict[str, Any] = {
        "client_id": "DEMO1",
        "instrument": IDEA,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Quantity(100),
        "disclosed_quantity": Quantity(0),
        "price_pips": Pips(130_000),
        "trigger_price_pips": Pips(0),
        "validity": Validity.DAY,
        "product": Product.MIS,
        "stop_price_pips": Pips(120_000),
        "trailing_step_pips": Pips(0),
        "user_order_id": 1,
    }
    return PlaceCoverOrder(**(fields | changes))


class Served:
    """A stage behind a server, and the operator's client of it."""

    def __init__(self, stage: Stage, http: httpx.Client, loop: asyncio.AbstractEventLoop) -> None:
        self.stage = stage
        self.http = http
        self.loop = loop

    def do(self, act: Callable[[], T]) -> T:
        """Run something on the server's event loop, where the engine lives."""

        async def on_loop() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(on_loop(), self.loop).result(30)

    def place(self, **changes: Any) -> CoverOrder:
        """Return a cover order that was placed."""
        return self.do(lambda: self.stage.place(**changes))

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Return the answer of a call that must succeed."""
        answer = self.http.post(f"/twin/v1/{path}", json=fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str) -> dict[str, Any]:
        """Return the answer of a call that must succeed."""
        answer = self.http.get(f"/twin/v1/{path}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, path: str, body: Any) -> str:
        """Return what is said to a request that must be refused as bad input."""
        content = body if isinstance(body, bytes) else None
        given = None if isinstance(body, bytes) else body
        answer = self.http.post(f"/twin/v1/{path}", content=content, json=given)
        assert answer.status_code == 400, (answer.status_code, answer.text)
        said: dict[str, str] = answer.json()
        assert list(said) == ["error"], said
        return said["error"]

    def state_hash(self) -> str:
        """Return the hash of the whole state."""
        return self.do(lambda: self.stage.engine.state_hash())


@contextmanager
def running() -> Iterator[Served]:
    """Serve a fresh stage for the length of a ``with``."""
    loops: list[asyncio.AbstractEventLoop] = []
    stages: list[Stage] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        stage = Stage()
        room = ControlRoom(stage, OPERATOR)
        app = create_app(stage.service, ApiOptions(), extra_routes=control_room_routes(room))
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="critical", access_log=False, lifespan="off")
        )
        loops.append(asyncio.get_running_loop())
        stages.append(stage)
        servers.append(server)
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not servers or not servers[0].started:
        assert thread.is_alive(), "the server did not start"
    port = servers[0].servers[0].sockets[0].getsockname()[1]
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
            yield Served(stages[0], http, loops[0])
    finally:
        servers[0].should_exit = True
        thread.join(10)
