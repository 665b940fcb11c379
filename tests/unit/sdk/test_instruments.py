"""An instrument can be named, or be what a call returned, wherever a method takes one."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from kavach.data import load_instruments
from kavach.sdk import AsyncPocket, BadArgument, Feed, MarginOrder, Pocket
from tests.twin_server import TwinServer, running

IDEA = "NSE:IDEA-EQ"


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server on which a stranger quotes IDEA."""
    with running("--data-dir", ":memory:") as started:
        started.room(
            "POST", "market/quote", exchange="NSE", instrument_token=14366,
            bid=12.95, bid_quantity=500, ask=13.05, ask_quantity=400,
        )  # fmt: skip
        yield started


class Counting(httpx2.HTTPTransport):
    """Sends what it is given, and notes to which paths."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it."""
        self.paths.append(request.url.path)
        return super().handle_request(request)


@pytest.fixture
def sent() -> Counting:
    """What the client below sends."""
    return Counting()


@pytest.fixture
def pocket(server: TwinServer, sent: Counting) -> Iterator[Pocket]:
    """A client of the server."""
    with Pocket("DEMO1", server.access_token, base_url=server.url, transport=sent) as made:
        yield made


def test_every_contract_has_a_name(pocket: Pocket) -> None:
    """Each bundled contract is found by exchange and trading symbol, in any case of letters."""
    for one in load_instruments():
        found = pocket.contract(f"{one.exchange.value.lower()}:{one.trading_symbol.lower()}")
        assert (found.exchange, found.token) == (one.exchange, one.token)


def test_a_name_is_asked_for_once(pocket: Pocket, sent: Counting) -> None:
    """However often a client uses a name, and in whatever method, it is looked up once."""
    for _ in range(3):
        assert pocket.last_price(IDEA) == 13 and pocket.close_price(IDEA) == 13
    assert sent.paths.count("/api/v1/search") == 1
    assert pocket.quote("NSE:14366").bid_price == Decimal("12.95")  # A token needs no look-up.
    assert sent.paths.count("/api/v1/search") == 1


def test_every_method_takes_a_name(pocket: Pocket) -> None:
    """Orders of each kind, rules, baskets, margins, conversions and reads know an instrument."""
    terms: dict[str, Any] = {"instrument": IDEA, "side": "BUY", "quantity": 1, "price": "12.50"}
    cover = pocket.place_cover_order(**terms, stop_loss="12.00")
    assert cover.entry.trading_symbol == "IDEA-EQ"
    bracket = pocket.place_bracket_order(**terms, target_distance=1, stop_distance="0.50")
    regular = pocket.place_order(**terms, product="CNC")
    rule = pocket.create_gtt(
        **terms,
        product="CNC",
        trigger_price="12.60",
        expiry=datetime.now(UTC).date() + timedelta(days=30),
        validity="DAY",
    )
    basket = pocket.add_to_basket(pocket.create_basket("named"), **terms, product="MIS")
    assert {
        bracket.entry.instrument_token,
        regular.instrument_token,
        rule.order.token,
        basket.orders[0].instrument_token,
        pocket.scrip_info(IDEA).instrument_token,
        pocket.quote(instrument=IDEA).instrument_token,
    } == {14366}
    asked = MarginOrder(**terms, product="MIS")
    by_token = MarginOrder(
        exchange="NSE", instrument_token=14366, side="BUY", quantity=1, price="12.50", product="MIS"
    )
    assert pocket.margin([asked]) == pocket.margin([by_token])


def test_what_a_call_returned_is_an_instrument(pocket: Pocket) -> None:
    """A contract, a row of the order book, a position and a quote know their instrument."""
    contract = pocket.search("IDEA")[0]
    bought = pocket.place_order(
        instrument=contract, side="BUY", quantity=10, price="13.05", product="CNC"
    )
    assert bought.order_status == "COMPLETE"
    quote = pocket.quote(bought)
    assert pocket.last_price(quote) == pocket.last_price(contract)
    [position] = [row for row in pocket.positions() if row.product == "CNC"]
    left = pocket.convert_position(
        instrument=position, side="BUY", quantity=10, product="CNC", new_product="MIS"
    )
    assert {row.product for row in left if row.net_quantity} == {"MIS"}


def test_the_feed_takes_what_a_call_returned(server: TwinServer, pocket: Pocket) -> None:
    """A contract can be subscribed to; of a name the feed says how to come by its contract."""
    with Feed("DEMO1", server.access_token, base_url=server.url) as feed:
        feed.subscribe("quote", pocket.contract(IDEA))
        assert getattr(feed.receive(10), "instrument_token", 0) == 14366
        with pytest.raises(BadArgument, match=r"Pocket\.contract"):
            feed.subscribe("quote", IDEA)  # type: ignore[arg-type]


def test_the_other_client_takes_names(server: TwinServer) -> None:
    """AsyncPocket finds them as well."""

    async def ask() -> Decimal:
        async with AsyncPocket("DEMO1", server.access_token, base_url=server.url) as pocket:
            return await pocket.close_price(IDEA)

    assert asyncio.run(ask()) == 13


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"instrument": "NSE:IDEA-EQQ"}, "NSE:IDEA-EQQ is not listed; there are NSE:IDEA-EQ"),
        ({"instrument": "BSE:IDEA-EQ"}, "BSE:IDEA-EQ is not listed; there are NSE:IDEA-EQ"),
        ({"instrument": "NSE:ZZZZZZZZ"}, "NSE:ZZZZZZZZ is not listed"),
        ({"instrument": "IDEA-EQ"}, 'must be exchange and name, as "NSE:IDEA-EQ"'),
        ({"instrument": "NYSE:IDEA"}, "is none of NSE, BSE"),
        ({"instrument": "NSE:"}, "must be exchange and name"),
        ({"instrument": 14366}, "is neither a name"),
        ({"instrument": IDEA, "exchange": "NSE"}, "without exchange and instrument_token"),
        ({"exchange": "NSE"}, "must be exchange and name"),
        ({"instrument_token": 14366}, "must be given"),
        ({}, "must be given"),
    ],
)
def test_a_wrong_name_is_answered(pocket: Pocket, wrong: dict[str, Any], told: str) -> None:
    """What names nothing is refused with what would, before any order is sent."""
    before = len(pocket.orders())
    with pytest.raises(BadArgument) as refused:
        pocket.place_order(**wrong, side="BUY", quantity=1, price="12.50", product="CNC")
    assert told in str(refused.value)
    assert len(pocket.orders()) == before


def test_the_rest_is_looked_at_first(pocket: Pocket, sent: Counting) -> None:
    """A wrong price is refused before the name is looked up."""
    with pytest.raises(BadArgument, match="price"):
        pocket.place_order(instrument=IDEA, side="BUY", quantity=1, price="x", product="CNC")
    assert sent.paths == []
