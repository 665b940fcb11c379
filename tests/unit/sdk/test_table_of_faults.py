"""
Every public method, with every fault of a network, by both clients: the truth is the server's.

The rows are taken from the class itself, so a new method without a case fails. In each cell one
request of the call suffers one fault. Whatever happens then must be an error of the tree, must not
claim what is not so, and must not have asked for a change twice.

``make test`` plays each cell once by one of the clients; ``FAULTS=all`` plays all of them by both.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from kavach.sdk import (
    BadArgument,
    CancelOutcome,
    CancelResult,
    NotSent,
    OutcomeUnknown,
    Pocket,
    PocketError,
    RequestRefused,
    Settled,
    TransportError,
)
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.conftest import Awaited
from tests.unit.sdk.faulty import FaultyProxy, Seen, is_change
from tests.unit.sdk.faulty_cases import CASES, INSTRUMENTS, PASSWORD, PIN, World
from tests.unit.sdk.test_clients import public

EVERYTHING: Final = os.environ.get("FAULTS") == "all"
SECONDS: Final = 0.35  # Of patience with an answer.
LIMITED: Final = b'{"data":{},"error_code":429,"message":"slow down","status":"error"}'
DEEP: Final = b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b',"status":"success"}'

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "lost request": {"effect": "lost_request"},
    "swallowed": {"effect": "swallowed"},
    "lost answer": {"effect": "lost_answer"},
    "cut": {"effect": "cut"},
    "cut in the head": {"effect": "cut_head"},
    "late": {"effect": "late", "late_seconds": 2 * SECONDS},
    "doubled": {"effect": "doubled"},
    "trickled": {"effect": "trickled"},
    "not HTTP": {"effect": "not_http"},
    "garbled": {"effect": "none", "body": bytes(range(256))},
    "empty": {"effect": "none", "body": b""},
    "a list": {"effect": "none", "body": b"[1]"},
    "HTML": {"effect": "none", "body": b"<!doctype html><title>gateway</title>"},
    "HTML under 404": {"effect": "none", "body": b"<!doctype html>", "status": 404},
    "HTML under 502": {"effect": "none", "body": b"<!doctype html>", "status": 502},
    "success under 503": {"effect": "none", "status": 503},
    "redirected": {"effect": "none", "status": 302, "headers": (("Location", "/elsewhere"),)},
    "deep": {"effect": "none", "body": DEEP},
    "nulls": {"effect": "none", "body": b'{"data":null,"error":null,"status":null}'},
    "said to be compressed": {"effect": "none", "headers": (("Content-Encoding", "gzip"),)},
    "turned away": {"effect": "turned_away", "status": 429, "body": LIMITED},
    "turned away in HTML": {"effect": "turned_away", "status": 503, "body": b"<html>"},
}
AFTERWARDS: Final = ("lost answer", "garbled", "turned away")  # Of the looks after a change.


@dataclass(frozen=True)
class Cell:
    """One method, one fault, where it strikes, and which client."""

    method: str
    fault: str
    where: str  # "at once" or "afterwards"
    kind: str

    def matches(self, seen: Seen, proxy: FaultyProxy, changes: bool) -> bool:
        """Return whether a request of the call is the one that suffers."""
        if self.where == "afterwards":
            return bool(proxy.changes) and not is_change(seen)
        return is_change(seen) if changes else True


def every_cell() -> list[Cell]:
    """Return the cells of the table, by one client in turn or by both."""
    cells = []
    for method in sorted(CASES):
        places = [(fault, "at once") for fault in FAULTS]
        places += [(fault, "afterwards") for fault in AFTERWARDS]
        for index, (fault, where) in enumerate(places):
            turn = (index + len(method)) % 2
            kinds = ["blocking", "asyncio"] if EVERYTHING else [("blocking", "asyncio")[turn]]
            cells += [Cell(method, fault, where, kind) for kind in kinds]
    return cells


class Worker:
    """A client of the server with an instrument, a proxy and both kinds of pockets of its own."""

    def __init__(self, server: TwinServer, number: int) -> None:
        self.stack = ExitStack()
        client = {"client_id": f"TABLE{number}", "password": PASSWORD, "pin": PIN}
        made = server.room("POST", "clients", **client, cash=1_000_000_000)
        self.proxy = FaultyProxy(server.url)
        self.stack.callback(self.proxy.close)
        token = made["access_token"]
        told = {"client_id": client["client_id"], "access_token": token}
        straight = self.stack.enter_context(Pocket(**told, base_url=server.url))
        http = self.stack.enter_context(
            httpx.Client(
                base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
        )
        self.world = World(
            server,
            self.proxy,
            list(INSTRUMENTS)[number],
            str(told["client_id"]),
            token,
            straight,
            http,
        )
        faulty: dict[str, Any] = told | {
            "base_url": self.proxy.url,
            "timeout_seconds": SECONDS,
            "confirm_seconds": 0.1,
        }
        self.claims = Counter[bool | None]()
        self.loop = asyncio.new_event_loop()
        self.pockets: dict[str, Any] = {
            "blocking": Pocket(**faulty),
            "asyncio": Awaited(self.loop, **faulty),
        }

    def close(self) -> None:
        """Close everything."""
        for pocket in self.pockets.values():
            pocket.close()
        # What was cut off in the middle is finished by the loop itself.
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self.stack.close()

    def play(self, cell: Cell) -> list[str]:
        """Return what is wrong in one cell, and count how it ended."""
        call, truth = CASES[cell.method](self.world)
        changes = truth is not None
        if cell.where == "afterwards" and not changes:
            return []
        self.proxy.mend()
        how = FAULTS[cell.fault]
        self.proxy.fail(
            **how,
            match=lambda seen: cell.matches(seen, self.proxy, changes),
            times=1 if cell.where == "at once" else 1000,
        )
        pocket = self.pockets[cell.kind]
        wrong: list[str] = []
        try:
            ending: Any = call(pocket)
        except PocketError as error:
            if isinstance(error, BadArgument):  # A slip of the client's own comes as one, too.
                wrong.append(f"good arguments are refused: {error}")
            ending = error
        except Exception as error:  # Exactly what the table is to find.
            wrong.append(f"{type(error).__name__} is not of the tree: {error}")
            ending = error
        asked = len(self.proxy.changes)
        self.proxy.faults.clear()
        if changes and asked > 1:
            wrong.append(f"{asked} changes were asked for")
        if truth is not None and not wrong:
            claim = self.claim(cell, pocket, ending)
            so = truth()
            self.claims[claim] += 1
            if claim is not None and claim is not so:
                wrong.append(f"claims {claim}, the truth is {so}: {ending!r}")
        return [f"{cell}: {what}"[:300] for what in wrong]

    def claim(self, cell: Cell, pocket: Any, ending: Any) -> bool | None:
        """Return what the ending of a call says of its change; ``None``: that it is not known."""
        if isinstance(ending, OutcomeUnknown) or (
            isinstance(ending, CancelResult) and not ending.is_final
        ):
            try:
                settled = pocket.resolve(ending, confirm_seconds=0).settled
            except TransportError:  # A loaded machine's answer was late: it says nothing.
                return None
            return {Settled.DONE: True, Settled.NOT_DONE: False}.get(settled)
        if isinstance(ending, CancelResult):
            return ending.outcome is not CancelOutcome.TOO_LATE
        if isinstance(ending, RequestRefused | NotSent | PocketError):
            return False  # "A read, or nothing that matters": so nothing was changed.
        if isinstance(ending, dict):  # By the vendor's name: the answer as it is.
            return bool(ending.get("status") == "success")
        return True


@pytest.fixture
def workers(twin: TwinServer) -> Iterator[list[Worker]]:
    """Return as many workers as there are instruments."""
    made = [Worker(twin, number) for number in range(len(INSTRUMENTS))]
    yield made
    for worker in made:
        worker.close()


def test_every_public_method_is_in_the_table() -> None:
    """A method that nobody plays with faults would be one that nobody looks at."""
    assert set(CASES) == set(public(Pocket)) - {"close"}


def test_no_fault_makes_a_method_claim_what_is_not_so(workers: list[Worker]) -> None:
    """In every cell: an error of the tree or a result, no false verdict, no change asked twice."""
    cells = every_cell()
    lock, wrong, played = threading.Lock(), [], Counter[str]()

    def run(number: int) -> None:
        for cell in cells[number :: len(workers)]:
            found = workers[number].play(cell)
            with lock:
                wrong.extend(found)
                played[cell.kind] += 1

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(run, range(len(workers))))

    assert not wrong, "\n".join(sorted(wrong))
    assert sum(played.values()) == len(cells) >= len(CASES) * len(FAULTS)
    claims = sum((worker.claims for worker in workers), Counter[bool | None]())
    assert min(claims[True], claims[False], claims[None]) > 40, claims  # Not vacuous.
    assert workers[0].world.server.audit()["violations"] == []
