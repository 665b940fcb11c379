"""Contracts and quotes as they are asked for: shapes, figures, envelopes, and strange questions."""

import csv
import io
import json
import zipfile
from typing import Any

import pytest
from msgspec.structs import replace

from kavach.api.http.options import ApiOptions
from kavach.contracts.published import Published
from kavach.contracts.rows import read_row
from kavach.data import load_instruments
from kavach.units import Exchange, InstrumentKey, Pips, Quantity, TimestampNs
from tests.unit.api.world import BEARER, NOW_NS, World, running

V1 = "/api/v1"
IDEA = InstrumentKey("NSE:14366")


def get(world: World, path: str, status: int = 200) -> Any:
    """Return the answer to a question of DEMO1."""
    answer = world.http.get(f"{V1}/{path}", headers=BEARER)
    assert answer.status_code == status, answer.text
    return answer.json()


# --- The download -----------------------------------------------------------------------------


EVERY = "?info=download&exchanges=NSE,BSE,NFO,BFO,MCX,CDS"


def tables(world: World, query: str = EVERY) -> dict[str, list[str]]:
    """Return the lines of each table of a download, asked for without a token."""
    answer = world.http.get(f"{V1}/contract/Compact{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode().split("\r\n") for name in archive.namelist()}


def test_the_download_needs_no_token(calm: World) -> None:
    """Anybody gets a ZIP of one CSV an exchange, with the columns that clients read."""
    found = tables(calm)
    assert list(found) == [
        f"{name}CompactScrip.csv" for name in ("NSE", "BSE", "NFO", "BFO", "MCX", "CDS")
    ]
    header, *lines = found["NFOCompactScrip.csv"]
    columns = header.split(",")
    assert {
        *("instrument_name", "trading_symbol", "company_name", "exchange", "exchange_token"),
        *("lot_size", "tick_size", "expiry", "strike", "option_type", "segment"),
    } <= set(columns)
    option = dict(zip(columns, lines[1].split(","), strict=True))
    assert (option["trading_symbol"], option["company_name"]) == ("NIFTY26DEC25900CE", "NIFTY")
    assert (option["option_type"], option["strike"], option["instrument_name"]) == (
        "CE",
        "25900",
        "IO",
    )
    assert option["expiry"] == "2026-12-29"


def test_strikes_are_whole_numbers_where_they_are_whole(calm: World) -> None:
    """A client takes the points out of a strike of BFO: 85000.0 would become 850000."""
    answer = calm.http.get(f"{V1}/contract/Compact{EVERY}")
    strikes: dict[str, str] = {}
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        for name in archive.namelist():
            table = csv.DictReader(io.StringIO(archive.read(name).decode()))
            strikes |= {row["trading_symbol"]: row["strike"] for row in table}
    wanted = {"SENSEX26DEC85000CE": "85000", "NIFTY26DEC26000PE": "26000", "NIFTY26DECFUT": "0"}
    assert {symbol: strikes[symbol] for symbol in wanted} == wanted
    assert (strikes["USDINR26DECFUT"], strikes["IDEA-EQ"]) == ("0", "")


def test_a_strike_between_rupees_keeps_its_decimals() -> None:
    """87.25 and 87.5 stay what they are, and are read again."""
    option = next(one for one in load_instruments() if one.is_option)
    for pips, text in ((872_500, "87.25"), (875_000, "87.5"), (800_000, "80")):
        one = replace(option, strike_pips=Pips(pips))
        archive = zipfile.ZipFile(io.BytesIO(Published([one]).download([one.exchange])))
        [name] = archive.namelist()
        [row] = csv.DictReader(io.StringIO(archive.read(name).decode()))
        assert row["strike"] == text
        assert read_row(row, one.exchange.value).strike_pips == pips


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", [""]),
        ("?info=download&exchanges=", [""]),
        ("?info=download&exchanges=NSE,NFO,BSE,BFO,MCX", ["NSE", "BSE", "NFO", "BFO", "MCX"]),
        ("?info=download&exchanges=MCX,%20nse", ["NSE", "MCX"]),
    ],
)
def test_the_download_of_some_exchanges(calm: World, query: str, names: list[str]) -> None:
    """A table each for the exchanges that are named; one table of all if none is."""
    assert [name.removesuffix("CompactScrip.csv") for name in tables(calm, query)] == names


@pytest.mark.parametrize("query", ["?exchanges=XYZ", "?exchanges=NSE,%00", "?info=scrip"])
def test_a_download_of_what_is_not(calm: World, query: str) -> None:
    """An exchange that does not exist is named in envelope A."""
    answer = calm.http.get(f"{V1}/contract/Compact{query}")
    assert answer.status_code == 400
    assert answer.json()["error_code"] == 44000


# --- Scrip info -------------------------------------------------------------------------------


def test_scrip_info(calm: World) -> None:
    """The object has the 92 published keys in published order, each with its published type."""
    answer = get(calm, "contract/NSE?info=scrip&token=3045")
    assert answer["error"] == {"code": 0, "message": ""}
    row = answer["result"]
    assert len(row) == 92
    assert list(row) == sorted(row)
    expected = {
        "alternate_exchange": "BSE",
        "alternate_token": 500112,
        "alternate_trading_symbol": "SBIN-A",
        "board_lot_quantity": 1,
        "close_price": "740.00",
        "company_name": "State Bank of India",
        "display_name": "SBIN",
        "dpr": "666.0000 - 814.0000",
        "exchange": 1,
        "expiry": 0,
        "freeze": 0,
        "have_futures": False,
        "higher_circuit_limit": 814,
        "instrument_name": "EQ",
        "instrument_token": 3045,
        "is_index": False,
        "is_mtf_eligible": False,
        "isin": "INE062A01020",
        "lower_circuit_limit": 666,
        "max_order_size": 150_000,
        "option_type": "",
        "precision": 2,
        "raw_tick_size": 5,
        "series": "EQ",
        "span": [0] * 16,
        "strike": 0,
        "symbol": "SBIN",
        "tick_size": 0.05,
        "tradable": True,
        "trading_symbol": "SBIN-EQ",
        "underlying_token": 3045,
        "var": "10.00",
        "yearly_high_price": "1036.00",
        "yearly_low_price": "444.00",
    }
    assert {name: row[name] for name in expected} == expected


def test_scrip_info_of_a_derivative(calm: World) -> None:
    """Expiry, strike, multiplier and precision are those of the contract."""
    option = get(calm, "contract/NFO?info=scrip&token=35011")["result"]
    assert (option["strike"], option["option_type"], option["expiry_string"]) == (
        26000,
        "CE",
        "29DEC26",
    )
    assert option["expiry"] == 1_798_482_600  # The day begins in India.
    assert option["display_name"] == "NIFTY 29 DEC 26 26000 CE"
    assert option["alternate_exchange"] == ""
    currency = get(calm, "contract/CDS?info=scrip&token=1284")["result"]
    assert (currency["precision"], currency["raw_tick_size"], currency["multiplier"]) == (
        4,
        25,
        1000,
    )


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("contract/NSE?info=scrip&token=1", 404, 404, "Resource Not Found"),
        ("contract/BSE?info=scrip&token=3045", 404, 404, "Resource Not Found"),
        ("contract/NSE?info=scrip&token=99999999999999999", 404, 404, "Resource Not Found"),
        ("contract/NSE?info=scrip&token=x", 400, 44000, "`token` is invalid"),
        ("contract/NSE?info=scrip&token=", 400, 44000, "`token` can't be blank"),
        ("contract/NSE?info=scrip", 400, 44000, "`token` can't be blank"),
        ("contract/XYZ?info=scrip&token=3045", 400, 44000, "`exchange` is invalid"),
        ("contract/NSE?info=else&token=3045", 400, 44000, "`info` is invalid"),
        ("search", 400, 44000, "`key` can't be blank"),
        ("search?key=", 400, 44000, "`key` can't be blank"),
        ("search?key=%20", 400, 44000, "`key` can't be blank"),
        ("optionchain/NFO?token=16821&num=2&price=1", 404, 404, "Invalid UnderLyingtoken: 16821"),
        ("optionchain/MCX?token=26000&num=2&price=1", 404, 404, "Invalid UnderLyingtoken: 26000"),
        ("optionchain/XYZ?token=26000", 400, 44000, "`exchange` is invalid"),
        ("optionchain/NFO?num=2&price=1", 400, 44000, "`token` can't be blank"),
        ("optionchain/NFO?token=26000&num=0", 400, 44000, "`num` is invalid"),
        ("optionchain/NFO?token=26000&num=-1", 400, 44000, "`num` is invalid"),
        ("optionchain/NFO?token=26000&price=-1", 400, 45000, "`price` is invalid"),
        ("optionchain/NFO?token=26000&price=NaN", 400, 45000, "`price` is invalid"),
    ],
)
def test_what_is_wrong_is_told_in_envelope_b(
    calm: World, path: str, status: int, code: int, message: str
) -> None:
    """Contracts, search and chains say what is wrong in their own envelope, and name the field."""
    answer = get(calm, path, status)
    text = answer["error"]["message"]
    assert text.startswith(message)
    assert answer == {"error": {"code": code, "message": text}, "result": ""}


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("search?key=", "BLANK"),
        ("contract/NSE?info=scrip", "BLANK"),
        ("contract/NSE?info=scrip&token=x", "INVALID"),
        ("contract/NSE?info=scrip&token=1", "NO_SUCH_INSTRUMENT"),
    ],
)
def test_the_word_is_the_same_in_every_envelope(calm: World, path: str, word: str) -> None:
    """What is blank is BLANK here as everywhere."""
    answer = calm.http.get(f"/api/v1/{path}", headers=BEARER)
    assert answer.headers["x-error-reason"] == word


def test_the_error_comes_first_in_envelope_b(calm: World) -> None:
    """As published: first that nothing is wrong, then what was found."""
    for path in ("search?key=SBIN", "contract/NSE?info=scrip&token=3045"):
        assert list(get(calm, path)) == ["error", "result"], path


# --- Search -----------------------------------------------------------------------------------


def test_search(calm: World) -> None:
    """Rows have the published keys; the same share on the other exchange is told beside it."""
    answer = get(calm, "search?key=SBIN")
    assert answer["error"] == {"code": 0, "message": ""}
    first, second = answer["result"]
    assert first == {
        "token": "3045",
        "exchange": "NSE",
        "company": "State Bank of India",
        "symbol": "SBIN",
        "trading_symbol": "SBIN-EQ",
        "display_name": "SBIN",
        "score": 1.0,
        "isin": "INE062A01020",
        "close_price": "740.00",
        "is_tradable": True,
        "segment": "Equity",
        "tag": "",
        "expiry": "",
        "alternate": {
            "token": "500112",
            "exchange": "BSE",
            "company": "State Bank of India",
            "symbol": "SBIN",
            "trading_symbol": "SBIN-A",
            "display_name": "SBIN",
            "isin": "INE062A01020",
            "close_price": "740.00",
            "segment": "Equity",
        },
    }
    assert second["alternate"]["token"] == "3045"
    future = get(calm, "search?key=NIFTY26DECFUT")["result"][0]
    assert (future["segment"], future["expiry"], future["alternate"]) == ("Futures", "29DEC26", {})
    assert "isin" not in future


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("key=state%20bank", "3045"),
        ("key=State+Bank", "3045"),
        ("key=relaince", "2885"),
        ("key=nifty%2025900%20ce", "35010"),
        ("client_id=DEMO1&key=IDEA", "14366"),
        ("key=IDEA&client_id=DEMO1", "14366"),
        ("key=vodafone&idea", "14366"),
        ("key=HDFC%26BANK", "1333"),
        ("key=%F0%9F%98%80%20SBIN", "3045"),
    ],
)
def test_search_as_clients_write_it(calm: World, query: str, first: str) -> None:
    """Escaped or not, with other pairs before or behind: the contract that is meant comes first."""
    assert get(calm, f"search?{query}")["result"][0]["token"] == first


@pytest.mark.parametrize(
    "query",
    [
        *("key=&&&", "key=%00", "key=%", "key=%zz", "key==", "key=;drop%20table", "key=..%2F..%2F"),
        *(
            "key=" + "A" * 9_000,
            "key=" + "%20a" * 2_000,
            "key=%22%7B%7D%22",
            "key={}",
            "key=%C3%28",
        ),
    ],
)
def test_search_of_rubbish(calm: World, query: str) -> None:
    """Whatever is in the query, the answer is envelope B: a list, or a blank that is named."""
    answer = calm.http.get(f"{V1}/search?{query}", headers=BEARER)
    assert answer.status_code in (200, 400)
    body = answer.json()
    assert set(body) == {"error", "result"}
    assert isinstance(body["result"], list) is (answer.status_code == 200)


# --- Option chain -----------------------------------------------------------------------------


def test_option_chain(calm: World) -> None:
    """Strikes around the price, by expiry, calls and puts side by side."""
    answer = get(calm, "optionchain/NFO?token=26000&num=2&price=26050")
    assert answer["error"] == {"code": 0, "message": ""}
    (only,) = answer["result"]
    assert only["expiry_date"] == "29DEC26"
    assert [strike["strike_price"] for strike in only["strikes"]] == [26000, 26100]
    assert only["strikes"][0]["call_option"] == {
        "token": "35011",
        "exchange": "NFO",
        "company": "NIFTY",
        "symbol": "NIFTY26DEC26000CE",
        "trading_symbol": "NIFTY26DEC26000CE",
        "display_name": "NIFTY 29 DEC 26 26000 CE",
        "strike_price": 26000,
        "ExpiryRaw": "",
        "close_price": "250.0000000",
    }
    assert only["strikes"][1]["put_option"]["token"] == "35015"


@pytest.mark.parametrize(
    ("query", "strikes"),
    [
        ("num=1&price=26050", [26000, 26100]),
        ("num=2&price=26000", [26000, 26100]),
        ("num=2&price=25999.95", [25900, 26000]),
        ("num=2&price=1", [25900]),
        ("num=2&price=99999", [26100]),
        ("num=3&price=26050", [25900, 26000, 26100]),
        ("num=999999999&price=26050", [25900, 26000, 26100]),
        ("price=26050", [25900, 26000, 26100]),
    ],
)
def test_how_many_strikes(calm: World, query: str, strikes: list[int]) -> None:
    """Half of so many on each side, rounded up, and no more than there are."""
    (only,) = get(calm, f"optionchain/NFO?token=26000&{query}")["result"]
    assert [strike["strike_price"] for strike in only["strikes"]] == strikes


def test_an_option_alone(calm: World) -> None:
    """Where only the call is listed, the put is null."""
    (only,) = get(calm, "optionchain/BFO?token=1&num=2&price=85000")["result"]
    (strike,) = only["strikes"]
    assert strike["call_option"]["token"] == "861001" and strike["put_option"] is None


# --- Quotes -----------------------------------------------------------------------------------


def test_a_quote(world: World) -> None:
    """Every documented key, with the documented scaling: bid, ask and the year in paise."""
    desk = world.desk

    def quote() -> None:
        bids = [(Pips(129_500), Quantity(500)), (Pips(129_400), Quantity(70))]
        asks = [(Pips(130_500), Quantity(300))]
        exchange = desk.embedded.exchange
        desk.market(
            lambda at_ns: desk.embedded.reports_of(
                exchange.liquidity_quotes(IDEA, bids, asks, TimestampNs(at_ns)), IDEA
            )
        )

    world.do(quote)
    for price in (130_000, 132_000, 129_000, 129_900):
        world.print_trade(price)
    answer = get(world, "marketdata/NSE/Capital?token=14366")
    assert (answer["message"], answer["status"]) == ("", "success")
    data = answer["data"]
    now = NOW_NS // 10**9
    assert list(data) == sorted(data)
    assert data.pop("exchange_timestamp") in range(now, now + 9)
    assert data.pop("last_trade_time") in range(now, now + 9)
    assert data == {
        "ask_price": 1305,
        "ask_qty": 300,
        "average_trade_price": 13.0225,
        "bid_price": 1295,
        "bid_qty": 500,
        "close_price": 13,
        "exchange": "NSE",
        "high_price": 13.2,
        "instrument_token": 14366,
        "last_trade_price": 12.99,
        "last_trade_qty": 1,
        "low_price": 12.9,
        "open_price": 13,
        "segment": "Capital",
        "total_buy_qty": 570,
        "total_sell_qty": 300,
        "trade_volume": 4,
        "yearly_high": 1820,
        "yearly_low": 780,
    }
    assert desk.attended == [IDEA], "a market is made where somebody looks"


def test_a_quote_before_the_first_trade(calm: World) -> None:
    """The last price is the previous close; what has not happened is 0."""
    data = get(calm, "marketdata/NFO/FutOpt?token=35001")["data"]
    assert (data["last_trade_price"], data["close_price"], data["segment"]) == (
        26050,
        26050,
        "FutOpt",
    )
    zero = ("open_price", "high_price", "low_price", "trade_volume", "average_trade_price")
    assert [data[name] for name in (*zero, "bid_price", "ask_qty", "last_trade_time")] == [0] * 8


@pytest.mark.parametrize("exchange", list(Exchange))
@pytest.mark.parametrize("segment", ["Capital", "FutOpt"])
def test_both_paths_know_every_exchange(calm: World, exchange: Exchange, segment: str) -> None:
    """The official client asks for all exchanges under either word."""
    one = next(i for i in calm.desk.instruments.values() if i.exchange is exchange)
    path = f"marketdata/{exchange}/{segment}?token={one.token}"
    assert get(calm, path)["data"]["segment"] == one.segment
    assert get(calm, f"{path}&key=close_price")["data"] * 10_000 == one.previous_close_pips


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("marketdata/NSE/Capital?token=1", 45010),
        ("marketdata/NSE/Capital?token=x", 45010),
        ("marketdata/NSE/Capital", 44000),
        ("marketdata/XYZ/Capital?token=14366", 44000),
        ("marketdata/BSE/FutOpt?token=14366", 45010),
    ],
)
def test_a_quote_of_what_is_not(calm: World, path: str, code: int) -> None:
    """Without ``key`` it is envelope C, which has no code; with it envelope A."""
    assert get(calm, path, 400) == {"data": {}, "message": "Invalid parameters", "status": "error"}
    joint = "&" if "?" in path else "?"
    answer = get(calm, f"{path}{joint}key=last_trade_price", 400)
    assert answer["error_code"] == code and answer["status"] == "error"


def test_a_figure_that_is_not(calm: World) -> None:
    """Another word than the two is named in envelope A."""
    answer = get(calm, "marketdata/NSE/Capital?token=14366&key=greeks", 400)
    assert answer["message"] == "`key` is invalid: last_trade_price or close_price"


# --- Doors ------------------------------------------------------------------------------------

PATHS = [
    "contract/NSE?info=scrip&token=3045",
    "search?key=SBIN",
    "optionchain/NFO?token=26000&num=2&price=26000",
    "marketdata/NSE/Capital?token=14366",
    "marketdata/NFO/FutOpt?token=35001&key=last_trade_price",
]


@pytest.mark.parametrize("path", PATHS)
def test_everything_else_needs_a_token(calm: World, path: str) -> None:
    """Without a token, or for another account, the answer is envelope A as everywhere."""
    assert calm.http.get(f"{V1}/{path}").json()["error_code"] == 40000
    assert get(calm, f"{path}&client_id=DEMO2", 403)["message"] == "Request forbidden"
    assert get(calm, f"{path}&client_id=DEMO1")


@pytest.mark.parametrize("path", [*PATHS, "contract/Compact"])
def test_nothing_else_is_done_there(calm: World, path: str) -> None:
    """Other methods are refused by name, and nothing changes."""
    before = calm.state_hash()
    answer = calm.http.post(f"{V1}/{path}", headers=BEARER, json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert calm.state_hash() == before


def test_errors_can_travel_under_200() -> None:
    """With the switch, envelopes B and C come under 200 as A does."""
    with running(ApiOptions(errors_as_200=True)) as served:
        assert get(served, "contract/NSE?info=scrip&token=1")["error"]["code"] == 404
        assert get(served, "marketdata/NSE/Capital?token=1")["message"] == "Invalid parameters"
        assert get(served, "marketdata/NSE/Capital?token=1&key=close_price")["error_code"] == 45010


def test_the_document_tells_of_it(calm: World) -> None:
    """OpenAPI names the routes, that the download is for everybody, and their own error shapes."""
    document = json.loads(calm.http.get("/openapi.json").content)
    paths = document["paths"]
    download = paths[f"{V1}/contract/Compact"]["get"]
    assert download["security"] == []
    assert list(download["responses"]["200"]["content"]) == ["application/zip"]
    scrip = paths[f"{V1}/contract/{{exchange}}"]["get"]
    assert [p["name"] for p in scrip["parameters"]][:3] == ["exchange", "info", "token"]
    shapes = scrip["responses"]["404"]["content"]["application/json"]["schema"]["anyOf"]
    assert [shape["$ref"].rpartition("/")[2] for shape in shapes] == ["NotFound", "ErrorBody"]
