"""``kavach import-contracts``: what it takes, what it says, and what it leaves alone."""

import time
import zipfile
from pathlib import Path

import pytest

from kavach.contracts.importing import read_contracts
from kavach.contracts.store import FILE_NAME, load
from kavach.contracts.universe import known_contracts
from kavach.data import load_instruments
from kavach.units import Exchange, InstrumentKey
from tests.twin_server import ask, run
from tests.unit.contracts.published import COLUMNS, index, market, packed, share, table

IMPORT_SECONDS_MAX = 30  # Three where nothing else runs.
NEW = InstrumentKey("NSE:100000")


def imported(file: Path, data: Path) -> list[str]:
    """Import a file; return what is said on standard output."""
    ended = ask("import-contracts", file, "--data-dir", data)
    assert ended.exit_code == 0, ended.output
    return ended.stdout.splitlines()


@pytest.mark.alone  # It measures time.
def test_a_whole_market_in_seconds(whole_market: Path, tmp_path: Path) -> None:
    """A hundred thousand contracts of five exchanges are taken in seconds, none is left out."""
    begun = time.monotonic()
    ended = run("import-contracts", whole_market, "--data-dir", tmp_path / "data")
    assert time.monotonic() - begun < IMPORT_SECONDS_MAX
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "100000 contracts (BFO 720, BSE 3501, MCX 723, NFO 92554, NSE 2502)" in ended.stdout
    stored = load(tmp_path / "data")
    assert len(stored.current) == 100_000
    assert stored.source == "Compact.zip"
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE_NAME]


def test_one_table_will_do(tmp_path: Path) -> None:
    """A CSV by itself is taken too, with a byte order mark, quoted cells and more columns."""
    file = tmp_path / "NSECompactScrip.csv"
    lines = table(
        [(*share("NSE", 100_000, "NEW", "New, Newer & Newest"), "x")], [*COLUMNS, "extra"]
    )
    file.write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert "1 contracts (NSE 1)" in imported(file, tmp_path / "data")[0]
    one = known_contracts(tmp_path / "data").listing()[NEW]
    assert (one.symbol, one.company) == ("NEW", "New, Newer & Newest")


def test_bad_lines_are_named_and_do_no_harm(tmp_path: Path) -> None:
    """Each line that is no contract is counted and named by its number; the others are taken."""
    lines = [
        share("NSE", 100_000, "NEW", "New"),
        share("NSE", -5, "MINUS", "Minus"),
        share("NSE", 100_000, "AGAIN", "Again"),
        share("NCDEX", 7, "CASTOR", "Castor"),
        share("NSE", 100_001, "OLD", "Old")[:-1],
        share("NSE", 3045, "SBIN", "State Bank of India"),
    ]
    file = tmp_path / "NSECompactScrip.csv"
    file.write_text(table(lines) + "\r\n\r\n")
    ended = ask("import-contracts", file, "--data-dir", tmp_path / "data")
    assert ended.exit_code == 0
    named = [line.partition(", ")[2] for line in ended.stderr.splitlines()]
    assert named == [
        "line 3: exchange_token: '-5' is not a whole number from 1 to 2147483647",
        "line 4: exchange_token: 100000 was there already",
        "line 5: exchange: 'NCDEX' is none of NSE, BSE, NFO, BFO, MCX, CDS",
        "line 6: it has 10 cells where 11 are named",
    ]
    assert ended.stdout.splitlines()[1:] == [
        "1 are bundled and keep their own data.",
        "4 lines are no contracts.",
    ]
    listing = known_contracts(tmp_path / "data").listing()
    assert listing[NEW].symbol == "NEW"
    assert listing[InstrumentKey("NSE:3045")] == load_instruments()[3]


def test_only_the_first_bad_lines_are_named(tmp_path: Path) -> None:
    """A thousand bad lines do not fill the screen."""
    file = tmp_path / "a.csv"
    file.write_text(table([share("NSE", 1, "ONE", "One"), *[share("NSE", 0, "Z", "Z")] * 1_000]))
    ended = ask("import-contracts", file, "--data-dir", tmp_path / "data")
    assert len(ended.stderr.splitlines()) == 21
    assert ended.stderr.endswith("... and 980 more.\n")


def no_such_files(place: Path) -> dict[str, Path]:
    """Return files that are no lists of contracts, by what is said of them."""
    whole = packed(place / "whole.zip", market(500)).read_bytes()
    files = {
        "can't be read: No such file or directory.": place / "nothing",
        "can't be read: Is a directory.": place / "directory",
        "is no list of contracts: empty has no column ": place / "empty",
        "is no list of contracts: noise has no column ": place / "noise",
        "is no list of contracts: prices.csv has no column ": place / "prices.csv",
        "is a ZIP without a CSV in it.": place / "texts.zip",
        "is no whole ZIP: ": place / "damaged.zip",
        "is no whole ZIP: its end is missing.": place / "cut.zip",
        "holds no contract: bad.csv, line 2: ": place / "bad.csv",
        "holds no contract: it is empty.": place / "bare.csv",
        "can't be read: wide.csv, line 2: field larger than field limit": place / "wide.csv",
    }
    (place / "directory").mkdir()
    (place / "empty").write_bytes(b"")
    (place / "noise").write_bytes(bytes(range(256)) * 40)
    (place / "prices.csv").write_text("time_ist,open,high,low,close\n")
    with zipfile.ZipFile(place / "texts.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    damaged = bytearray(whole)
    damaged[200:260] = bytes(60)
    (place / "damaged.zip").write_bytes(damaged)
    (place / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (place / "bad.csv").write_text(table([share("NSE", 0, "Z", "Z")]))
    (place / "bare.csv").write_text(table([]))
    (place / "wide.csv").write_text(table([share("NSE", 1, "ONE", "O" * 200_000)]))
    return files


def test_what_is_no_list_is_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    """Exit code 2, one sentence that names the file, and what was there is there still."""
    data = tmp_path / "data"
    imported(packed(tmp_path / "Compact.zip", market(100)), data)
    before = (data / FILE_NAME).read_bytes()
    (tmp_path / "files").mkdir()
    for sentence, file in no_such_files(tmp_path / "files").items():
        ended = ask("import-contracts", file, "--data-dir", data)
        assert (ended.exit_code, ended.stdout) == (2, ""), sentence
        assert ended.stderr.startswith(f"kavach: {file} {sentence}"), ended.stderr
        assert ended.stderr.endswith(".\n") and ended.stderr.count("\n") == 1
        assert [path.name for path in data.iterdir()] == [FILE_NAME]
        assert (data / FILE_NAME).read_bytes() == before
    ended = ask("import-contracts", file, "--data-dir", tmp_path / "new")
    assert ended.exit_code == 2
    assert not (tmp_path / "new").exists()


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    """A data directory that can't be is a sentence as well, and so is none at all."""
    file = packed(tmp_path / "Compact.zip", market(100))
    (tmp_path / "data").write_text("mine")
    ended = ask("import-contracts", file, "--data-dir", tmp_path / "data")
    assert ended.exit_code == 2
    assert ended.stderr.endswith("contracts.bin can't be written: File exists.\n")
    assert (tmp_path / "data").read_text() == "mine"
    assert ask("import-contracts", file, "--data-dir", ":memory:").exit_code == 2


def test_what_is_listed_no_more_is_kept_aside(tmp_path: Path) -> None:
    """A contract that a newer list lacks is still known, but nobody finds it by searching."""
    data = tmp_path / "data"
    imported(packed(tmp_path / "a.zip", market(100)), data)
    said = imported(packed(tmp_path / "b.zip", market(50)), data)
    assert "50 of earlier imports are listed no more, and kept aside." in said
    contracts = known_contracts(data)
    gone = contracts.listing()[InstrumentKey("NSE:100090")]
    hits = contracts.catalogue.search.find(gone.trading_symbol)
    assert gone.key not in [hit.instrument.key for hit in hits]
    again = imported(packed(tmp_path / "c.zip", market(100)), data)
    assert "kept aside" not in "".join(again)
    found = known_contracts(data).catalogue.search.find(gone.trading_symbol)
    assert found[0].instrument == gone


def test_a_damaged_store_is_told_and_replaced(tmp_path: Path) -> None:
    """One flipped bit keeps a server from starting, with a sentence; a new import mends it."""
    data = tmp_path / "data"
    file = packed(tmp_path / "a.zip", market(100))
    imported(file, data)
    content = bytearray((data / FILE_NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (data / FILE_NAME).write_bytes(content)
    ended = run("serve", "--port", "0", "--data-dir", data)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"kavach: {data / FILE_NAME} is damaged or of another version: import the contracts anew.\n"
    )
    imported(file, data)
    assert len(known_contracts(data).listing()) == 122


def test_a_killed_import_leaves_the_old_contracts(tmp_path: Path) -> None:
    """What a killed import left unfinished is no contracts, and the next import removes it."""
    data = tmp_path / "data"
    imported(packed(tmp_path / "a.zip", market(100)), data)
    (data / "contracts.new-12345").write_bytes((data / FILE_NAME).read_bytes()[:1_000])
    assert len(known_contracts(data).listing()) == 122
    imported(packed(tmp_path / "b.zip", market(60)), data)
    assert [path.name for path in data.iterdir()] == [FILE_NAME]


def test_our_own_download_can_be_imported(whole_market: Path, tmp_path: Path) -> None:
    """What the server offers for download, read again, is what it was made of, every contract."""
    bundled = load_instruments()
    file = packed(tmp_path / "a.zip", [*market(9_000), index("BSE", 12, "BANKEX")])
    there = read_contracts(file, bundled).current
    data = tmp_path / "data"
    imported(file, data)
    published = known_contracts(data).catalogue.published
    content = published.download(Exchange)
    (tmp_path / "ours.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "ours.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"{name}CompactScrip.csv" for name in ("NSE", "BSE", "NFO", "BFO", "MCX", "CDS")
        ]
    back = read_contracts(tmp_path / "ours.zip", bundled)
    assert back.faults.named == []
    assert sorted(back.current, key=lambda one: one.key) == sorted(there, key=lambda one: one.key)
