"""
What a served twin tells of one instrument, from every place that a client or operator can read.

Source: docs/wire/contracts.md; docs/wire/feeds.md; docs/wire/portfolio.md.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from tests.simulation.places import (
    MODES,
    Held,
    Told,
    of_order,
    of_packet,
    of_quote,
    of_rows,
    of_scrip,
    of_search,
    of_view,
    pips,
)
from tests.twin_server import TwinServer
from tests.unit.api.feed.stage import Reader, feed_url

Key = tuple[str, int]  # Exchange and token.
EXCHANGES: Final = ("NSE", "BSE", "NFO", "BFO", "MCX", "CDS")


class Places:
    """A server, what it publishes, and a connection to its feed."""

    def __init__(self, server: TwinServer) -> None:
        self._server = server
        self.table = _rows(self._download(""))
        self.tables = [row for one in EXCHANGES for row in _rows(self._download(one))]
        self.held = Held(
            self.get("positions?type=live")["data"],
            self.get("positions?type=historical")["data"],
            self.get("holdings")["data"]["holdings"],
        )
        self.book = self.get("orders?type=all")["data"]["orders"]

    @property
    def listed(self) -> list[Key]:
        """Every instrument of the published table."""
        return [(row["exchange"], int(row["exchange_token"])) for row in self.table]

    def get(self, path: str) -> Any:
        """Return the answer to a GET under the API's prefix."""
        answer = self._server.http.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _download(self, exchange: str) -> bytes:
        path = f"/api/v1/contract/Compact?info=download&exchanges={exchange}"
        return self._server.http.get(path).content

    def told(self, key: Key) -> Iterator[Told]:
        """Yield what every place tells of an instrument."""
        exchange, token = key
        scrip = self.get(f"contract/{exchange}?info=scrip&token={token}")["result"]
        quotes = f"marketdata/{exchange}/Capital?token={token}"
        yield from of_scrip(scrip)
        yield from of_quote(self.get(quotes)["data"])
        for fact, figure in (("last", "last_trade_price"), ("close", "close_price")):
            yield Told(fact, figure, pips(self.get(f"{quotes}&key={figure}")["data"]))
        found = self.get(f"search?key={scrip['trading_symbol']}")["result"]
        mine = [row for row in found if (row["exchange"], int(row["token"])) == key]
        assert len(mine) == 1, f"{key} is not found by its name"
        yield from of_search(mine[0])
        yield from of_view(self._server.room("GET", f"market/{exchange}/{token}"))
        for place, rows in (("the one table", self.table), ("its own table", self.tables)):
            yield from _of_table(place, rows, key)
        yield from _of_alternates(key, found)
        yield from self._of_chain(key, scrip)
        yield from of_rows(exchange, token, self.held)
        for row in self.book:
            if (row["exchange"], row["instrument_token"]) == key:
                yield from of_order(row)
        yield from self._of_feed(key)

    def _of_chain(self, key: Key, scrip: dict[str, Any]) -> Iterator[Told]:
        if scrip["option_type"] not in ("CE", "PE"):
            return
        path = f"optionchain/{key[0]}?token={scrip['underlying_token']}&num=100"
        sides = [
            side
            for expiry in self.get(path)["result"]
            for strike in expiry["strikes"]
            for side in (strike["call_option"], strike["put_option"])
            if side is not None and int(side["token"]) == key[1]
        ]
        assert len(sides) == 1, f"{key} is not in the chain of its underlying"
        yield Told("close", "option chain", pips(sides[0]["close_price"]))
        yield Told("name", "option chain", sides[0]["trading_symbol"])
        yield Told("strike", "option chain", pips(sides[0]["strike_price"]))
        yield Told("strike", "scrip info", pips(scrip["strike"]))

    def _of_feed(self, key: Key) -> Iterator[Told]:
        with Reader(
            feed_url(self._server.url, self._server.access_token, self._server.client_id)
        ) as reader:
            for mode in MODES:
                reader.subscribe(mode.value, [_CODE[key[0]], key[1]])
                yield from of_packet(reader.frame())


_CODE: Final = {"NSE": 1, "NFO": 2, "CDS": 3, "MCX": 4, "BSE": 6, "BFO": 7}


def _rows(content: bytes) -> list[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        return [
            row
            for name in names
            for row in csv.DictReader(io.StringIO(archive.read(name).decode()))
        ]


def _of_table(place: str, rows: list[dict[str, str]], key: Key) -> Iterator[Told]:
    mine = [row for row in rows if (row["exchange"], int(row["exchange_token"])) == key]
    assert len(mine) == 1, f"{key} is not once in {place}"
    row = mine[0]
    yield Told("close", place, pips(row["close_price"]))
    yield Told("tick", place, pips(row["tick_size"]))
    yield Told("lot", place, int(row["lot_size"]))
    yield Told("name", place, row["trading_symbol"])
    yield Told("isin", place, row["isin"])


def _of_alternates(key: Key, found: list[dict[str, Any]]) -> Iterator[Told]:
    for row in found:
        other = row["alternate"]
        if other.get("token") and (other["exchange"], int(other["token"])) == key:
            yield Told("close", "search, alternate", pips(other["close_price"]))
            yield Told("name", "search, alternate", other["trading_symbol"])
