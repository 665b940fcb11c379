"""
The rows that every client of a data directory is shown, by the program as its users run it.

The directory is opened as ``kavach serve`` opens one, behind a clock that stands at the time of
the last record, so that the same rows are due whenever the test runs. Every client gets a token
from the operator and reads what can be read with it; what is shown by day is read for every day.
"""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from kavach.api.http.options import ApiOptions
from kavach.core.commands import RenewToken
from kavach.core.day import DAY_NS, IST_NS
from kavach.credentials import token_digest
from kavach.engine.engine import accepted
from kavach.engine.record import decode_record
from kavach.journal.sqlite import SqliteJournal
from kavach.program.options import MarketKind, WorldOptions
from kavach.program.twin import Twin
from kavach.program.world import open_world
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
OF_A_DAY: Final = frozenset({"orders", "trades"})
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
    stored = bodies(directory)
    start_ns, end_ns = decode_record(stored[0]).at_ns, decode_record(stored[-1]).at_ns
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
            found[client_id] = await _read(http, client_id, list(_days(start_ns, end_ns)))
    await twin.service.close()
    assert not failures, failures
    return found


def _days(start_ns: int, end_ns: int) -> Iterator[str]:
    """Yield every day in India from one time to another."""
    for day in range((start_ns + IST_NS) // DAY_NS, (end_ns + IST_NS) // DAY_NS + 1):
        yield (date(1970, 1, 1) + timedelta(days=day)).isoformat()


async def _read(http: httpx.AsyncClient, client_id: str, days: list[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for book, path in BOOKS.items():
        if book in OF_A_DAY:
            joined = "&" if "?" in path else "?"
            shown[book] = [await _get(http, f"{path}{joined}date={day}", client_id) for day in days]
        else:
            shown[book] = await _get(http, path, client_id)
    shown["orders"] = {"orders": _each_once(shown["orders"])}
    shown["trades"] = {"trades": _by_order(shown["trades"], shown["orders"]["orders"])}
    for order_id in sorted(set(_ids(shown["orders"]))):
        shown[f"life of {order_id}"] = await _get(http, HISTORY.format(order_id), client_id)
    return shown


def _each_once(books: list[Any]) -> list[Any]:
    """Return the rows of all days: an order that was open on several is in the book of each."""
    return list({row["oms_order_id"]: row for book in books for row in book["orders"]}.values())


def _by_order(books: list[Any], orders: list[Any]) -> list[Any]:
    """Return the trades of all days by order, oldest first, as one book has them."""
    place: dict[str, int] = {}
    for row in orders:
        first_leg = row["leg_order_indicator"] in ("ENTRY", None)
        place[row["oms_order_id"]] = len(place) if first_leg else max(place.values())
    trades = [row for book in books for row in book["trades"]]
    return sorted(trades, key=lambda row: place[row["oms_order_id"]])


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
