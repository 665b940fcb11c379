"""Two real processes on one journal in PostgreSQL, and a client that goes on over a failover."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from tests.twin_server import OPERATOR_TOKEN, TOKEN, ask, command, environment, until

ORDER = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "client_id": "DEMO1",
    "order_type": "LIMIT",
    "price": 13,
    "quantity": 10,
    "validity": "DAY",
    "product": "MIS",
    "order_side": "BUY",
    "execution_type": "CO",
    "stop_loss_value": 12.5,
}
KART = "/api/v1/orders/kart"
PENDING = "/api/v1/orders?type=pending&client_id=DEMO1"
FENCED = 3


@dataclass
class Process:
    """An owner or a standby."""

    url: str
    process: "subprocess.Popen[str]"
    ready_file: Path
    errors: IO[str]
    http: httpx.Client = field(repr=False)

    def is_ready(self) -> bool:
        """Return whether it takes orders."""
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def said(self) -> str:
        """Return what it has written to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def ended(self) -> int:
        """Return its exit code, once it has ended."""
        return self.process.wait(30)


class Pair:
    """Processes on one journal, started as they are needed."""

    def __init__(self, address: str, directory: Path) -> None:
        self.address = address
        self._directory = directory
        self._started: list[Process] = []

    def owner(self) -> Process:
        """Return an owner that takes orders."""
        started = self._start("serve")
        until(started.is_ready)
        return started

    def standby(self, *options: str) -> Process:
        """Return a standby that follows."""
        started = self._start("standby", *options)
        until(lambda: " standby " in started.said() or started.process.poll() is not None)
        return started

    def _start(self, *arguments: str) -> Process:
        number = len(self._started)
        port = _free_port()
        ready = self._directory / f"ready-{number}.json"
        errors = tempfile.TemporaryFile("a+")  # noqa: SIM115  # Closed with the pair.
        process = subprocess.Popen(
            command(
                arguments[0],
                "--port",
                str(port),
                "--journal",
                self.address,
                "--market",
                "quiet",
                "--demo-token",
                TOKEN,
                "--operator-token",
                OPERATOR_TOKEN,
                "--ready-file",
                ready,
                *arguments[1:],
            ),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )
        url = f"http://127.0.0.1:{port}"
        http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=10,
            trust_env=False,
        )
        self._started.append(Process(url, process, ready, errors, http))
        return self._started[-1]

    def close(self) -> None:
        """End them all."""
        for one in self._started:
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGCONT)
                one.process.kill()
            one.process.wait()
            one.http.close()
            one.errors.close()

    def placed(self) -> Counter[str]:
        """Return how often each user_order_id was placed, by the journal."""
        told = ask("journal", self.address, "--kind", "CoverOrderPlaced", "--json")
        assert told.exit_code == 0, told.stderr
        lines = [json.loads(line) for line in told.stdout.splitlines()]
        return Counter(str(line["fields"]["user_order_id"]) for line in lines)

    def verified(self) -> str:
        """Return what ``kavach verify`` says of the journal, which is sound."""
        found = ask("verify", self.address)
        assert found.exit_code == 0, found.stderr
        return found.stdout


@contextmanager
def pair_on(address: str) -> Iterator[Pair]:
    """Give processes on a journal; they are gone afterwards."""
    with tempfile.TemporaryDirectory() as directory:
        pair = Pair(address, Path(directory))
        try:
            yield pair
        finally:
            pair.close()


@dataclass
class Read:
    """An answer to a read: when it was asked for and came, from where, and what it showed."""

    asked_at: float
    url: str
    shown: int


class Load:
    """A client that places under keys, each until it is answered, and one that reads."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls
        self.answered: list[str] = []
        self.times: list[float] = []  # When each answer came.
        self.reads: list[Read] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._place), threading.Thread(target=self._read)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when both have ended."""
        self._ended.set()
        for thread in self._threads:
            thread.join(30)

    def _place(self) -> None:
        number, at = 0, 0
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(headers=headers, timeout=2, trust_env=False) as http:
            while not self._ended.is_set():
                number += 1
                order = {**ORDER, "user_order_id": number}
                while not self._ended.is_set():
                    try:
                        answer = http.post(
                            self.urls[at] + KART,
                            json=order,
                            headers={"Idempotency-Key": f"key-{number}"},
                        )
                    except httpx.TransportError:
                        answer = None
                    if answer is not None and answer.status_code == 200:
                        self.answered.append(str(number))
                        self.times.append(time.monotonic())
                        break
                    at = (at + 1) % len(self.urls)
                    time.sleep(0.005)

    def _read(self) -> None:
        """Ask every process again and again; note each success."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(headers=headers, timeout=0.3, trust_env=False) as http:
            while not self._ended.is_set():
                for url in self.urls:
                    asked_at = time.monotonic()
                    try:
                        answer = http.get(url + PENDING)
                    except httpx.TransportError:
                        continue
                    if answer.status_code == 200:
                        rows: list[Any] = answer.json()["data"]["orders"]
                        entries = [r for r in rows if r["leg_order_indicator"] == "ENTRY"]
                        self.reads.append(Read(asked_at, url, len(entries)))
                time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def rounds(least: int) -> int:
    """Return how many rounds are played: ``FAILOVERS``, or the least."""
    return int(os.environ.get("FAILOVERS") or least)
