"""F1: one table for the vendor's family, one table an exchange where exchanges are named."""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kavach.contracts.archive import Archive
from kavach.contracts.rows import Row, read_row
from tests.unit.api.world import World, running

COMPACT = "/api/v1/contract/Compact?info=download"
LIVE_COLUMNS = (
    *("exchange_token", "trading_symbol", "company_name", "close_price", "expiry", "strike"),
    *("tick_size", "lot_size", "instrument_name", "option_type", "segment", "exchange"),
    *("fin_instrm_pdct_tp_cd", "asset_code", "settlement_type", "isin"),
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A server with the bundled instruments."""
    with running() as started:
        yield started


def download(world: World, query: str = "") -> tuple[list[str], list[dict[str, str]]]:
    """Return the members of a download and the rows of the first."""
    answer = world.http.get(COMPACT + query)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        return names, list(csv.DictReader(io.StringIO(archive.read(names[0]).decode())))


def read_file(path: Path) -> list[Row]:
    """Return what the importer reads from a file."""
    archive = Archive(path, lambda done, size: None)
    return [
        read_row(dict(zip(table.columns, cells, strict=True)), table.name)
        for table in archive.tables()
        for _, cells in table.lines
    ]


def test_f1_without_exchanges_there_is_one_table(world: World) -> None:
    """The download is one CompactScrip.csv with the columns and words of the live file."""
    names, rows = download(world)
    assert names == ["CompactScrip.csv"]
    assert tuple(rows[0])[: len(LIVE_COLUMNS)] == LIVE_COLUMNS
    assert {row["exchange"] for row in rows} == {"NSE", "BSE", "NFO", "BFO", "MCX", "CDS"}
    by_symbol = {(row["exchange"], row["trading_symbol"]): row for row in rows}
    future = by_symbol["NFO", "NIFTY26DECFUT"]
    assert (future["expiry"], future["strike"], future["instrument_name"]) == (
        "29-Dec-2026",
        "-0.01",
        "FUTIDX",
    )
    option = by_symbol["NFO", "NIFTY26DEC26000PE"]
    assert (option["expiry"], option["strike"], option["instrument_name"]) == (
        "29-Dec-2026",
        "26000",
        "OPTIDX",
    )
    assert by_symbol["BFO", "SENSEX26DEC85000CE"]["instrument_name"] == "OPTIDX"
    share = by_symbol["NSE", "IDEA-EQ"]
    assert (share["expiry"], share["instrument_name"]) == ("01-Jan-0001", "EQ")
    assert by_symbol["BSE", "PNB-A"]["segment"] == "A"  # Clients strip the group from the name.


def test_f1_named_exchanges_have_a_table_each(world: World) -> None:
    """With ``exchanges`` every exchange that is named has its own table, as before."""
    names, _ = download(world, "&exchanges=NFO,NSE")
    assert names == ["NSECompactScrip.csv", "NFOCompactScrip.csv"]


def test_f1_both_downloads_are_read_alike(world: World, tmp_path: Path) -> None:
    """The importer reads the same contracts from the one table and from the six."""
    one, six = tmp_path / "one.zip", tmp_path / "six.zip"
    one.write_bytes(world.http.get(COMPACT).content)
    six.write_bytes(world.http.get(f"{COMPACT}&exchanges=NSE,BSE,NFO,BFO,MCX,CDS").content)
    with zipfile.ZipFile(one) as archive:
        assert archive.namelist() == ["CompactScrip.csv"]
    rows = read_file(one)
    assert rows == read_file(six)
    assert len(rows) == 22


LINE = {
    "exchange_token": "501",
    "trading_symbol": "USDINR26DECFUT",
    "company_name": "USDINR26DECFUT",
    "close_price": "89.1",
    "expiry": "29-Dec-2026",
    "strike": "-0.01",
    "tick_size": "0.0025",
    "lot_size": "1",
    "instrument_name": "FUTCUR",
    "option_type": "XX",
    "segment": "FUTCUR",
    "exchange": "CDS",
}


@pytest.mark.parametrize(
    ("changes", "symbol", "expiry"),
    [
        pytest.param({}, "USDINR", "2026-12-29"),
        pytest.param(
            {"exchange": "MCX", "company_name": "", "trading_symbol": "CRUDEOILM26DECFUT"},
            "CRUDEOILM",
            "2026-12-29",
        ),
        pytest.param(
            {"exchange": "NFO", "company_name": "", "trading_symbol": "360ONE26DECFUT"},
            "360ONE",
            "2026-12-29",
        ),
        pytest.param(
            {
                "exchange": "BFO",
                "company_name": "",
                "trading_symbol": "SENSEX5026D2985000CE",
                "option_type": "CE",
                "strike": "85000",
                "instrument_name": "OPTIDX",
            },
            "SENSEX50",
            "2026-12-29",
        ),
        pytest.param(
            {
                "exchange": "NSE",
                "company_name": "Vodafone Idea",
                "trading_symbol": "IDEA-EQ",
                "expiry": "01-Jan-0001",
                "option_type": "",
                "strike": "",
                "instrument_name": "EQ",
            },
            "IDEA",
            "",
        ),
    ],
)
def test_f1_lines_of_the_live_file_are_read(
    changes: dict[str, str], symbol: str, expiry: str
) -> None:
    """Placeholders, missing companies and symbols with digits are what the live file has."""
    row = read_row(LINE | changes, "CompactScrip.csv")
    assert (row.symbol, row.expiry) == (symbol, expiry)
