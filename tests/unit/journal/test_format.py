"""The stored format is the documented one: other programs may rely on it."""

import re
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import apsw

from kavach.journal.chain import GENESIS, link
from kavach.journal.database import FORMAT_VERSION
from kavach.journal.snapshots import HEADER, MAGIC
from kavach.journal.sqlite import SqliteJournal
from kavach.journal.sqlite_commit import CHECKPOINT_FRAMES
from tests.unit.journal.contract import PATIENCE_SECONDS, filled
from tests.unit.journal.files import write

DOCUMENT = Path(__file__).parents[3] / "docs" / "spec" / "journal.md"
PAGE_SIZE = 4_096


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of the document, without its head."""
    below = DOCUMENT.read_text(encoding="utf-8").split(f"### {heading}\n", 1)[1]
    rows = re.findall(r"^\|(.*)\|$", below.split("\n#", 1)[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]


def test_a_link_is_the_documented_hash() -> None:
    """BLAKE2b-16 over the previous link, the sequence in 8 big-endian bytes, and the body."""
    assert GENESIS == bytes(16)
    covered = bytes(range(16)) + b"\x00\x00\x00\x00\x00\x00\x01\x02" + b"body"
    assert link(bytes(range(16)), 258, b"body") == blake2b(covered, digest_size=16).digest()


def test_the_stored_links_form_the_chain(tmp_path: Path) -> None:
    """A reader that knows only the document can follow the chain from record 1."""
    bodies = write(tmp_path, 5)
    with closing(apsw.Connection(str(tmp_path / "journal.db"))) as connection:
        rows = list(connection.execute("SELECT sequence, body, chain FROM records"))
    previous = bytes(16)
    for number, body, chain in rows:
        previous = blake2b(previous + number.to_bytes(8, "big") + body, digest_size=16).digest()
        assert chain == previous
    assert [body for _number, body, _chain in rows] == bodies


def test_the_table_is_the_documented_one(tmp_path: Path) -> None:
    """Columns and types are those of the document, in its order; so are the two marks."""
    write(tmp_path, 1)
    with closing(apsw.Connection(str(tmp_path / "journal.db"))) as connection:
        stored = [
            [f"`{row[1]}`", row[2]] for row in connection.execute("PRAGMA table_info(records)")
        ]
        marks = [connection.pragma("application_id"), connection.pragma("user_version")]
    documented = [[name, kind.split()[0]] for name, kind, _content in table("`records`")]
    assert stored == documented
    assert marks == [0x6B766368, FORMAT_VERSION]


def test_the_header_of_a_snapshot_is_the_documented_one(tmp_path: Path) -> None:
    """Each field begins where the document says, in the file as in the format."""
    with closing(SqliteJournal(tmp_path)) as journal:
        filled(journal, [b"a", b"b"])
        journal.save_snapshot(2, b"state")
    stored = (tmp_path / "snapshot-00000000000000000002").read_bytes()
    rows = table("Snapshots")
    fields = {
        content.split(",")[0].split(":")[0]: stored[int(offset) :][: int(size or len(stored))]
        for offset, size, content in rows
    }
    assert int(rows[-1][0]) == HEADER.size
    assert fields["magic"] == MAGIC
    assert fields["sequence"] == (2).to_bytes(8, "big")
    assert fields["chain"] == link(link(GENESIS, 1, b"a"), 2, b"b")
    assert fields["digest"] == link(fields["chain"], 2, b"state")
    assert fields["body"] == b"state"


def test_the_log_is_copied_into_the_database_before_it_grows_long(tmp_path: Path) -> None:
    """However much is written, the log stays within a small multiple of its threshold."""
    with closing(SqliteJournal(tmp_path)) as journal:
        for _ in range(4 * CHECKPOINT_FRAMES // 20):
            last = [journal.append(bytes(PAGE_SIZE)) for _ in range(20)][-1]
            journal.wait_durable(last, PATIENCE_SECONDS)
        log_size = (tmp_path / "journal.db-wal").stat().st_size
        database_size = (tmp_path / "journal.db").stat().st_size
    assert log_size < 2.5 * CHECKPOINT_FRAMES * PAGE_SIZE
    assert database_size > 2 * CHECKPOINT_FRAMES * PAGE_SIZE
