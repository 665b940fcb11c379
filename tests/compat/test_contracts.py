"""
The vendor's own client, ``pocketful`` 0.1.2 as published, asks for contracts and prices.

Nothing in it is changed but the address it talks to. It does not escape what it writes into a
query, so that an ampersand ends a search and a number sign is never sent.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pocketful.pocketful import Pocketful

from tests.twin_server import TwinServer, running
from tests.unit.contracts.published import market, packed, share


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinServer]:
    """A server that trades some thousand contracts beside the bundled ones, and is alive."""
    lines = [*market(9_000), share("NSE", 77, "M&M", "Mahindra & Mahindra Limited")]
    file = packed(tmp_path_factory.mktemp("published") / "Compact.zip", lines)
    with running("--data-dir", ":memory:", "--contracts", file, "--market", "synthetic") as started:
        yield started


@pytest.fixture(scope="module")
def sdk(server: TwinServer) -> Pocketful:
    """The official client, pointed at the server."""
    made = Pocketful(clientId=server.client_id, access_token=server.access_token)
    made.root = server.url
    return made


def test_scrip_info(sdk: Pocketful) -> None:
    """``getScripInfo`` gets the object; for an unknown token the documented 404 inside."""
    answer = sdk.getScripInfo("NSE", 11915)
    assert answer["error"] == {"code": 0, "message": ""}
    assert answer["result"]["trading_symbol"] == "YESBANK-EQ"
    assert sdk.getScripInfo("NSE", 1) == {
        "error": {"code": 404, "message": "Resource Not Found"},
        "result": "",
    }


def test_daily_range(sdk: Pocketful) -> None:
    """``getDPRdata`` picks the day's range out of the same answer."""
    assert sdk.getDPRdata("NSE", 11915)["result"] == {
        "dpr": "14.6400 - 21.9600",
        "higher_circuit_limit": 21.96,
        "lower_circuit_limit": 14.64,
    }


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("SBIN", "SBIN-EQ"),
        ("State Bank", "SBIN-EQ"),
        ("Bank Nifty", "Nifty Bank"),
        ("tatasteel", "TATASTEEL-EQ"),
        ("M&M", "M&M-EQ"),
        ("M&M #1", "M&M-EQ"),
        ("#", None),
        ("SBIN&token=1", "SBIN-EQ"),
    ],
)
def test_search(sdk: Pocketful, key: str, first: str | None) -> None:
    """``searchScrip`` finds what is meant, though it escapes neither ``&`` nor ``#``."""
    answer: Any = sdk.searchScrip(key)
    if first is None:
        assert answer["error"]["message"] == "`key` can't be blank"
    else:
        assert answer["error"]["code"] == 0
        assert answer["result"][0]["trading_symbol"] == first


def test_option_chain(sdk: Pocketful) -> None:
    """``getOptionChain`` gets every expiry of an imported index, strikes around the price."""
    answer = sdk.getOptionChain(26009, 6, 54_321)
    assert answer["error"]["code"] == 0
    assert [expiry["expiry_date"] for expiry in answer["result"]][:2] == ["29DEC26", "05JAN27"]
    for expiry in answer["result"]:
        strikes = expiry["strikes"]
        assert [one["strike_price"] for one in strikes] == [
            54100,
            54200,
            54300,
            54400,
            54500,
            54600,
        ]
        assert all(one["call_option"]["token"] != one["put_option"]["token"] for one in strikes)
    wrong = sdk.getOptionChain(16821, 6, 1)
    assert wrong["error"] == {"code": 404, "message": "Invalid UnderLyingtoken: 16821"}


@pytest.mark.parametrize("token", [14366, "3045", 100_007])
def test_quotes_of_shares(sdk: Pocketful, token: int | str) -> None:
    """``getMarketdata``, ``getLtp`` and ``getClosePrice`` agree, for imported shares as well."""
    data = sdk.getMarketdata("NSE", token)["data"]
    assert data["bid_price"] < data["ask_price"]
    assert data["bid_qty"] > 0 and data["total_sell_qty"] > 0
    last, close = sdk.getLtp("NSE", token), sdk.getClosePrice("NSE", token)
    assert (last["message"], last["status"]) == ("", "success")
    assert abs(last["data"] - data["last_trade_price"]) < data["close_price"] / 50
    assert close["data"] == data["close_price"]


def test_quotes_of_derivatives(sdk: Pocketful) -> None:
    """``getFNOdata`` and ``getFNOltp`` ask under the other word."""
    token = sdk.searchScrip("BANKNIFTY 29DEC26 54500 CE")["result"][0]["token"]
    data = sdk.getFNOdata("NFO", token)["data"]
    assert data["segment"] == "FutOpt" and data["instrument_token"] == int(token)
    assert data["bid_price"] < data["ask_price"]
    assert sdk.getFNOltp("NFO", token)["data"] > 0


def test_what_is_not_there(sdk: Pocketful) -> None:
    """Errors come as the pages print them: envelope C for a quote, A for a single number."""
    assert sdk.getMarketdata("NSE", 1) == {
        "data": {},
        "message": "Invalid parameters",
        "status": "error",
    }
    assert (
        sdk.getLtp("XYZ", 1)["message"] == "`exchange` is invalid: NSE, BSE, NFO, BFO, MCX or CDS"
    )


def test_an_index_has_a_price_and_no_orders(sdk: Pocketful) -> None:
    """An imported index is found and quoted, and an order for it is refused."""
    row = sdk.searchScrip("Nifty 50")["result"][0]
    assert (row["token"], row["is_tradable"], row["segment"]) == ("26000", False, "Indices")
    last = sdk.getLtp("NSE", 26000)["data"]
    assert 20_000 < last < 30_000, "it costs about what the bundled future does"
    order = {
        "exchange": "NSE",
        "instrument_token": "26000",
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": last,
        "quantity": 1,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 1,
        "execution_type": "CO",
        "stop_loss_value": last - 100,
    }
    assert sdk.placeConditionalOrder(order)["message"].startswith("`quantity` is invalid")
    regular = order | {"execution_type": "REGULAR", "stop_loss_value": 0}
    assert sdk.placeOrder(regular)["message"].startswith("`quantity` is invalid")
