"""
HTTP: cancels a second of one ``kavach serve`` with a durable journal, beside a bare endpoint.

Both are processes of their own on the same server software with the same settings; the load comes
from a third (``load.py``). Every cancel is of a cover order that was placed before, through the
API, and rests; afterwards the order book says that none is left. The bare endpoint gets the very
same requests. Latency is measured at half of the rate that kavach reached, for both.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from bench.apart import apart, cpu_seconds
from bench.finding import Finding
from bench.load import Driven, drive
from bench.measure import ratios, spread
from kavach.api.routes.kart import KART
from kavach.ready_files import Ready

AIM_SHARE: Final = 0.6
CONNECTIONS: Final = 32
WARM_UP: Final = 2_000  # Requests.
BARE_TIMES: Final = 3  # The bare endpoint gets each request so often, to be timed as long.
START_SECONDS_MAX: Final = 20.0
ROOT: Final = Path(__file__).parents[1]


class Row(msgspec.Struct):
    """What a cancel needs of a row of the order book."""

    oms_order_id: str
    exchange_order_id: str
    leg_order_indicator: str


class Rows(msgspec.Struct):
    """The order book's ``data``."""

    orders: list[Row]


class OrderBook(msgspec.Struct):
    """The answer to a look at the order book."""

    data: Rows


class Target:
    """A running server, and requests for it."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self.port = urlsplit(ready.url).port or 0

    def drive(self, requests: list[bytes], rate: float | None = None) -> tuple[Driven, float]:
        """Return what came of a load, and the processor time the server used for it."""
        before = cpu_seconds(self._ready.pid)
        driven = apart(drive, self.port, requests, CONNECTIONS, rate)
        return driven, cpu_seconds(self._ready.pid) - before

    def place(self, orders: int) -> list[bytes]:
        """Return the cancels of so many cover orders that were placed and rest."""
        self.drive([self.placing(number + 1) for number in range(orders)])
        rows = self.pending()
        assert len(rows) == orders, "each rests, and nothing else"
        return [self.cancel(row) for row in rows]

    def pending(self) -> list[Row]:
        """Return the rows of what rests."""
        answer = httpx.get(
            f"{self._ready.url}/api/v1/orders",
            params={"type": "pending"},
            headers={"Authorization": f"Bearer {self._ready.access_token}"},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=OrderBook).data.orders

    def placing(self, number: int) -> bytes:
        """Return a request that places a cover order, which rests."""
        return self._request(
            "POST",
            KART,
            {
                "exchange": "NSE",
                "instrument_token": "14366",
                "client_id": self._ready.client_id,
                "order_type": "LIMIT",
                "price": 12.5,
                "quantity": 1,
                "disclosed_quantity": 0,
                "validity": "DAY",
                "product": "MIS",
                "order_side": "BUY",
                "device": "WEB",
                "user_order_id": number,
                "execution_type": "CO",
                "stop_loss_value": 12,
                "trailing_stop_loss": 0,
                "is_trailing": False,
            },
        )

    def cancel(self, row: Row) -> bytes:
        """Return a request that cancels the order of a row."""
        return self._request(
            "DELETE",
            f"{KART}/{row.oms_order_id}",
            {
                "client_id": self._ready.client_id,
                "exchange_order_id": row.exchange_order_id,
                "execution_type": "CO",
                "leg_order_indicator": row.leg_order_indicator,
                "oms_order_id": row.oms_order_id,
            },
        )

    def _request(self, method: str, path: str, fields: dict[str, object]) -> bytes:
        body = msgspec.json.encode(fields)
        lines = (
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self._ready.access_token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(repetitions: int, requests: int, paced_seconds: float) -> list[Finding]:
    """Return cancels a second and latencies of both servers."""
    with tempfile.TemporaryDirectory(prefix="kavach-bench-") as name:
        directory = Path(name)
        serve = ["-m", "kavach", "serve", "--port", "0", "--market", "quiet", "--limits", "off"]
        data = ["--data-dir", str(directory / "data")]
        ready = directory / "kavach.json"
        bare = directory / "bare.json"
        with (
            running([*serve, *data, "--ready-file", str(ready)], ready) as ours,
            running(["-m", "bench.bare", str(bare)], bare) as theirs,
        ):
            return _compare(Target(ours), Target(theirs), repetitions, requests, paced_seconds)


@contextmanager
def running(arguments: list[str], ready_file: Path) -> Iterator[Ready]:
    """Give a Python program that has said it is ready; end it afterwards."""
    program = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS_MAX
        while not ready_file.exists():
            assert program.poll() is None, "the server did not start"
            assert time.monotonic() < until, "the server is not ready"
            time.sleep(0.02)
        yield msgspec.json.decode(ready_file.read_bytes(), type=Ready)
    finally:
        program.terminate()
        program.wait(60)


def _compare(
    ours: Target, theirs: Target, repetitions: int, requests: int, paced_seconds: float
) -> list[Finding]:
    fast: list[tuple[Driven, float]] = []
    bare: list[tuple[Driven, float]] = []
    cancels = ours.place(min(requests, WARM_UP))
    ours.drive(cancels)
    theirs.drive(cancels)
    for _ in range(repetitions):
        cancels = ours.place(requests)
        fast.append(ours.drive(cancels))
        assert not ours.pending(), "every order was cancelled"
        bare.append(theirs.drive(cancels * BARE_TIMES))
    rate = spread([driven.sample.rate for driven, _ in fast]).middle / 2
    paced_fast, paced_bare = [], []
    for _ in range(repetitions):
        cancels = ours.place(max(int(rate * paced_seconds), 1))
        paced_fast.append(ours.drive(cancels, rate)[0])
        paced_bare.append(theirs.drive(cancels, rate)[0])
    return [*_rates(fast, bare), *_latencies(rate, paced_fast, paced_bare)]


def _rates(fast: list[tuple[Driven, float]], bare: list[tuple[Driven, float]]) -> list[Finding]:
    share = ratios([d.sample.rate for d, _ in fast], [d.sample.rate for d, _ in bare])
    by_cpu = ratios(
        [cpu / d.sample.count for d, cpu in bare], [cpu / d.sample.count for d, cpu in fast]
    )
    return [
        Finding("cancels/s, durable journal", _rate(fast)),
        Finding("bare endpoint, requests/s", _rate(bare)),
        Finding(
            "share of the bare endpoint's rate",
            share.text(".2f"),
            f"at least {AIM_SHARE}",
            share.middle >= AIM_SHARE,
        ),
        Finding("the same by processor time of the server", by_cpu.text(".2f")),
    ]


def _rate(driven: list[tuple[Driven, float]]) -> str:
    rate = spread([d.sample.rate for d, _ in driven])
    server = spread([cpu / d.sample.wall for d, cpu in driven])
    generator = spread([d.busy for d, _ in driven])
    return (
        f"{rate.text()}; server busy {server.middle:.0%} of one core,"
        f" load generator {generator.middle:.0%}"
    )


def _latencies(rate: float, fast: list[Driven], bare: list[Driven]) -> list[Finding]:
    findings = []
    for what, driven in (("cancel", fast), ("bare endpoint", bare)):
        p50 = spread([d.percentile_ms(50) for d in driven])
        p99 = spread([d.percentile_ms(99) for d in driven])
        findings.append(
            Finding(f"{what} at {rate:,.0f}/s, ms", f"p50 {p50.text('.2f')}, p99 {p99.text('.2f')}")
        )
    return findings
