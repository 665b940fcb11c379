"""
Contracts and prices through the client, against ``kavach serve``.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from kavach.sdk import BadArgument, NotFound, Pocket, RequestRefused
from tests.twin_server import TwinServer, running


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server for these tests alone, on whose market somebody quotes IDEA."""
    with running("--data-dir", ":memory:") as started:
        started.room(
            "POST",
            "market/quote",
            exchange="NSE",
            instrument_token=14366,
            bid=12.95,
            bid_quantity=500,
            ask=13.05,
            ask_quantity=400,
        )
        yield started


@pytest.fixture(scope="module")
def pocket(server: TwinServer) -> Iterator[Pocket]:
    """A client of the server."""
    with Pocket(access_token=server.access_token, base_url=server.url) as made:
        yield made


def test_a_share_is_found_by_any_of_its_names(pocket: Pocket) -> None:
    """Symbol, company and a typing error lead to the same share."""
    for words in ("IDEA", "vodafone", "Vodafne Idea"):
        best = pocket.search(words)[0]
        assert (best.exchange, best.token, best.trading_symbol) == ("NSE", 14366, "IDEA-EQ")
        assert best.close_price == Decimal(13)


def test_a_search_is_escaped(pocket: Pocket) -> None:
    """An ampersand and a hash are letters of the search and end no query."""
    assert isinstance(pocket.search("M&M #1"), list)
    assert pocket.searchScrip("M&M #1")["error"]["code"] == 0


def test_scrip_info_is_typed(pocket: Pocket) -> None:
    """Lot, tick and limits are numbers, the prices of the wire's texts included."""
    info = pocket.scrip_info("NSE", 14366)
    assert (info.trading_symbol, info.board_lot_quantity) == ("IDEA-EQ", 1)
    assert (info.tick_size, info.close_price) == (Decimal("0.01"), Decimal(13))
    assert info.lower_circuit_limit < 13 < info.higher_circuit_limit
    with pytest.raises(NotFound):
        pocket.scrip_info("NSE", 1)


def test_a_quote_is_in_rupees_throughout(pocket: Pocket) -> None:
    """Bid and ask, which the wire has in paise, come in the unit of the rest."""
    seen = pocket.quote("NSE", 14366)
    assert (seen.bid_price, seen.ask_price) == (Decimal("12.95"), Decimal("13.05"))
    assert (seen.bid_qty, seen.ask_qty) == (500, 400)
    assert seen.last_trade_price == pocket.last_price("NSE", 14366)
    assert seen.close_price == pocket.close_price("NSE", 14366) == Decimal(13)
    assert pocket.quote("NFO", 35001).close_price == Decimal(26050)


def test_what_is_not_listed_has_no_price(pocket: Pocket) -> None:
    """An unknown token is refused, an unknown exchange not even sent."""
    with pytest.raises(RequestRefused):
        pocket.last_price("NSE", 1)
    with pytest.raises(RequestRefused):
        pocket.quote("NSE", 1)
    with pytest.raises(BadArgument, match="exchange: 'LSE' is none of"):
        pocket.quote("LSE", 14366)


def test_the_option_chain_is_around_the_price(pocket: Pocket) -> None:
    """Expiries hold strikes, strikes a call and a put."""
    index = pocket.scrip_info("NFO", 35011).underlying_token
    [expiry] = pocket.option_chain(index, price="26000", strikes=3)
    assert [strike.strike_price for strike in expiry.strikes] == [25900, 26000, 26100]
    middle = expiry.strikes[1]
    assert middle.call is not None and middle.put is not None
    assert (middle.call.token, middle.put.token) == (35011, 35014)
    with pytest.raises(NotFound):
        pocket.option_chain(1, price=1)


def test_the_download_needs_no_token(server: TwinServer) -> None:
    """Anybody gets the ZIP, one CSV for each exchange that was named."""
    with Pocket(base_url=server.url) as anybody:
        told = anybody.download_contracts("NSE", "NFO")
    with zipfile.ZipFile(io.BytesIO(told)) as packed:
        assert packed.namelist() == ["NSECompactScrip.csv", "NFOCompactScrip.csv"]
        rows: list[Any] = list(csv.reader(io.TextIOWrapper(packed.open("NSECompactScrip.csv"))))
    assert any("IDEA-EQ" in row for row in rows)


def test_the_vendors_names_answer_their_pages(pocket: Pocket) -> None:
    """Every vendor-named read of contracts and prices succeeds with the shape of its page."""
    assert pocket.getScripInfo("NSE", 14366)["result"]["trading_symbol"] == "IDEA-EQ"
    assert pocket.getMarketdata("NSE", 14366)["data"]["close_price"] == 13
    assert pocket.getClosePrice("NSE", 14366)["data"] == 13
    assert isinstance(pocket.getLtp("NSE", 14366)["data"], int | float)
    assert pocket.getFNOdata("NFO", 35001)["data"]["instrument_token"] == 35001
    assert pocket.getFNOltp("NFO", 35001) == pocket.getFnoLtp("NFO", 35001)
    assert pocket.getDPRdata("NSE", 14366)["data"]["low_dpr"] == 10.4
    assert pocket.getDPRdata("NSE", 1)["status"] == "error"
