"""
The rows that every client of a data directory is shown, by the program as its users run it.

The directory is opened as ``kavach serve`` opens one, behind a clock that stands at the time of
the last record, so that the same rows are due whenever the test runs. Every client gets a token
from the operator and reads what can be read with it.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from kavach.api.options import ApiOptions
from kavach.core.commands import RenewToken
from kavach.credentials import token_digest
from kavach.engine.engine import accepted
from kavach.engine.record import decode_record
from kavach.journal.sqlite import SqliteJournal
from kavach.main import MarketKind, Twin, WorldOptions, open_world
from kavach.twin.clock import TwinClock

BOOKS: Final = {
    "orders": "/api/v1/orders?type=all",
    "trades": "/api/v1/trades",
    "positions": "/api/v1/positions?type=live",
    "positions over days": "/api/v1/positions?type=historical",
    "holdings": "/api/v1/holdings",
    "funds": "/api/v2/funds/view?type=all",
    "rules": "/api/v1/event/gtt",
    "baskets": "/api/v1/basket",
}
HISTORY: Final = "/api/v1/order/{}/history"

Rows = dict[str, dict[str, Any]]  # By client, then by book; the life of an order as "life of ID".


def bodies(directory: Path) -> list[bytes]:
    """Return the records of a journal."""
    journal = SqliteJournal(directory, read_only=True)
    try:
        return [body for _, body in journal.records()]
    finally:
        journal.close()


def rows(directory: Path) -> Rows:
    """Return all that is shown to each client; writes to the directory as any start does."""
    return asyncio.run(_rows(directory))


async def _rows(directory: Path) -> Rows:
    end_ns = decode_record(bodies(directory)[-1]).at_ns
    clock = TwinClock(lambda: 0, start_ns=end_ns)
    options = WorldOptions(data_dir=directory, market=MarketKind.QUIET)
    failures: list[Exception] = []
    twin = Twin(options, open_world(options, clock), failures.append)
    transport = httpx.ASGITransport(twin.app(ApiOptions()))
    found: Rows = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://kavach") as http:
        for client_id in sorted(twin.service.state.clients):
            token = f"token-of-{client_id}"
            digest = token_digest(token)
            accepted(twin.service.execute(RenewToken(client_id=client_id, token_digest=digest)))
            http.headers["Authorization"] = f"Bearer {token}"
            found[client_id] = await _read(http, client_id)
    await twin.service.close()
    assert not failures, failures
    return found


async def _read(http: httpx.AsyncClient, client_id: str) -> dict[str, Any]:
    shown = {}
    for book, path in BOOKS.items():
        shown[book] = await _get(http, path, client_id)
    for order_id in sorted(set(_ids(shown["orders"]))):
        shown[f"life of {order_id}"] = await _get(http, HISTORY.format(order_id), client_id)
    return shown


async def _get(http: httpx.AsyncClient, path: str, client_id: str) -> Any:
    joined = "&" if "?" in path else "?"
    answer = await http.get(f"{path}{joined}client_id={client_id}")
    told = answer.json()
    empty = path == BOOKS["rules"] and answer.status_code != 200  # The vendor's way to say none.
    assert empty or answer.status_code == 200, (path, answer.text)
    return told["message"] if empty else told["data"]


def _ids(book: Any) -> Iterator[str]:
    for row in book["orders"]:
        yield str(row["oms_order_id"])
