"""
A broker on a loopback socket that says what a test tells it to: a stage, not a simulation.

It keeps an order book (rows as the wire has them) and answers reads from it. Every other answer is
put up beforehand with ``stage.answers(...)``, in order; what a client sent is in ``heard``.
An answer may come late, not at all (the connection is dropped after the request was read), be no
JSON, and may change the book, before it is sent or after.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from kavach.wire.orders import answers
from kavach.wire.orders.rows import OrderRow
from kavach.wire.orders.statuses import is_completed

TOKEN = "a-token"
CLIENT = "AB001"


@dataclass
class ExecutionReport:
    """One request as the server received it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: tuple[str, int]  # The client's end of the connection it came over.

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


@dataclass
class Answer:
    """What to say, when, and what it changes."""

    body: bytes = b""
    http_status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    late_seconds: float = 0.0
    dropped: bool = False
    hangs_up: bool = False  # The connection is closed after the answer, unannounced.
    effect: Callable[[ExecutionReport], None] | None = None  # Before the answer is sent.
    effect_later: Callable[[], None] | None = None  # Some time after it was sent.


def json_answer(value: Any, http_status: int = 200, **rest: Any) -> Answer:
    """Return an answer that carries this value as JSON."""
    return Answer(body=msgspec.json.encode(value), http_status=http_status, **rest)


def refusal(
    code: int,
    message: str,
    http_status: int = 400,
    effect: Callable[[ExecutionReport], None] | None = None,
    **headers: str,
) -> Answer:
    """Return the vendor's error envelope."""
    body = {"data": {}, "error_code": code, "message": message, "status": "error"}
    named = {f"X-{name.replace('_', '-')}": value for name, value in headers.items()}
    return json_answer(body, http_status, headers=named, effect=effect)


def placed(basket_id: str = "2024061316", **rest: Any) -> Answer:
    """Return the answer to a placement."""
    return json_answer(answers.placed(basket_id), **rest)


def modified(**rest: Any) -> Answer:
    """Return the answer to a modify."""
    return json_answer(answers.modified("2024061316"), **rest)


def cancelled(**rest: Any) -> Answer:
    """Return the answer to a cancel, without any header of our own."""
    return json_answer(answers.cancelled(""), **rest)


class Stage:
    """The broker: its book, its script, and what it heard."""

    def __init__(self) -> None:
        self.book: dict[str, OrderRow] = {}
        self.heard: list[ExecutionReport] = []
        self.script: deque[Answer] = deque()
        self.read_script: deque[Answer] = deque()
        self.closing = Event()
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing: what was asked is in ``heard``."""

            def answer(self) -> None:
                """Hear the request, find the answer, give it."""
                stage.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self) -> str:
        """Where the broker listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def changes(self) -> list[ExecutionReport]:
        """The requests that asked for a change."""
        return [heard for heard in self.heard if heard.method != "GET"]

    def answers(self, *script: Answer) -> None:
        """Put up the answers to the next requests that ask for a change."""
        self.script.extend(script)

    def answers_reads(self, *script: Answer) -> None:
        """Put up the answers to the next reads; after these the book answers again."""
        self.read_script.extend(script)

    def close(self) -> None:
        """Stop listening."""
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Hear one request and give its answer."""
        url = urlsplit(handler.path)
        heard = ExecutionReport(
            handler.command,
            url.path,
            dict(parse_qsl(url.query, keep_blank_values=True)),
            {name.lower(): value for name, value in handler.headers.items()},
            handler.rfile.read(int(handler.headers.get("Content-Length", 0))),
            handler.client_address,
        )
        self.heard.append(heard)
        answer = self.find(heard)
        if answer.effect is not None:
            answer.effect(heard)
        if answer.dropped:
            handler.close_connection = True
            return
        self.closing.wait(answer.late_seconds)
        self.send(handler, answer)
        handler.close_connection = handler.close_connection or answer.hangs_up
        if answer.effect_later is not None:
            time.sleep(0.1)
            answer.effect_later()

    def find(self, heard: ExecutionReport) -> Answer:
        """Return the answer that was put up, or what the book says."""
        if heard.method != "GET":
            return self.script.popleft()
        if self.read_script:
            return self.read_script.popleft()
        if heard.path == "/api/v1/orders":
            closed = heard.query["type"] == "completed"
            rows = [row for row in self.book.values() if is_completed(row.order_status) == closed]
            return json_answer(answers.Success(answers.Orders(rows)))
        return refusal(404, "no such path", 404)

    @staticmethod
    def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        """Send the answer; a client that has given up is no error."""
        try:
            handler.send_response(answer.http_status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    def put(self, *rows: OrderRow) -> None:
        """Show these rows in the book from now on."""
        self.book.update((row.oms_order_id, row) for row in rows)

    def change(self, oms_order_id: str, **fields: Any) -> None:
        """Show these values in a row from now on."""
        self.book[oms_order_id] = msgspec.structs.replace(self.book[oms_order_id], **fields)


def entry_row(**fields: Any) -> OrderRow:
    """Return the row of an entry that rests at the exchange, untraded."""
    return msgspec.structs.replace(_ENTRY, **fields)


def stop_row(**fields: Any) -> OrderRow:
    """Return the row of a stop that waits for its price."""
    return msgspec.structs.replace(_STOP, **fields)


_ENTRY = OrderRow(
    mode="NEW",
    exchange="NSE",
    segment="",
    login_id=CLIENT,
    deposit=0,
    order_status="CONFIRMED",
    product="MIS",
    order_type="LIMIT",
    rejection_reason="NONE",
    order_side="BUY",
    instrument_token=14366,
    exchange_time=1718250000,
    nnf_id=111111111111100,
    quantity=10,
    trading_symbol="IDEA-EQ",
    client_id=CLIENT,
    average_trade_price=0,
    underlying_token=None,
    oms_order_id="2024061317",
    lot_size=1,
    isin="INE669E01016",
    disclosed_quantity=0,
    execution_type="CO",
    source="",
    device="WEB",
    exchange_order_id="1100000000000017",
    validity="DAY",
    leg_order_indicator="ENTRY",
    trade_price=0,
    spread_token=None,
    market_protection_percentage=0,
    filled_quantity=0,
    order_tag="",
    sl_trigger_price=0.0,
    square_off=False,
    order_status_info="",
    square_off_value=0.0,
    tags=None,
    order_entry_time=1718250000,
    last_activity_reference=1402737000123456789,
    trigger_price=0,
    sl_order_price=0.0,
    stop_loss_value=15.1,
    rejection_code=0,
    average_price=0,
    trailing_stop_loss=0.0,
    price=15.4,
    user_order_id="7001",
    symbol="IDEA",
    is_trailing=False,
    pro_cli="CLIENT",
    remaining_quantity=10,
    contract_description={},
    series="EQ",
    target_price_type="absolute",
    sl_order_quantity=0,
)
_STOP = msgspec.structs.replace(
    _ENTRY,
    order_status="TRIGGER_PENDING",
    order_type="SLM",
    order_side="SELL",
    oms_order_id="2024061318",
    exchange_order_id="1100000000000018",
    leg_order_indicator="THIRD",
    trigger_price=15.1,
    price=0,
)
