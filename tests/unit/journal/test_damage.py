"""What was changed on disk is found and named, and never read as something else."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.engine.journal_port import JournalCorrupt, JournalError
from kavach.journal.sqlite import SqliteJournal
from tests.unit.journal.files import content, edit, write

RECORDS = 9


def first_damaged(directory: Path, after: int = 0) -> tuple[int, list[int]]:
    """Return the sequence that a reader names, and those that it yielded before."""
    seen: list[int] = []
    with (
        pytest.raises(JournalCorrupt) as caught,
        closing(SqliteJournal(directory, read_only=True)) as journal,
    ):
        seen.extend(sequence for sequence, _body in journal.records(after))
    return caught.value.sequence, seen


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["UPDATE records SET body = CAST('recore 4' AS BLOB) WHERE sequence = 4"], 4),
        (["UPDATE records SET body = CAST('' AS BLOB) WHERE sequence = 1"], 1),
        (["UPDATE records SET chain = zeroblob(16) WHERE sequence = 4"], 4),
        (["UPDATE records SET chain = substr(chain, 1, 15) WHERE sequence = 4"], 4),
        (["UPDATE records SET sequence = 104 WHERE sequence = 4"], 4),
        (["DELETE FROM records WHERE sequence = 4"], 4),
        (["DELETE FROM records WHERE sequence <= 4"], 1),
        (
            [
                "UPDATE records SET sequence = 104 WHERE sequence = 4",
                "UPDATE records SET sequence = 4 WHERE sequence = 5",
                "UPDATE records SET sequence = 5 WHERE sequence = 104",
            ],
            4,
        ),
        (["INSERT INTO records VALUES (-1, CAST('x' AS BLOB), zeroblob(16))"], None),
    ],
)
def test_an_edited_record_is_named(
    tmp_path: Path, statements: list[str], named: int | None
) -> None:
    """A changed, moved or missing record is the one that is named; those before it are read."""
    write(tmp_path, RECORDS)
    edit(tmp_path, *statements, "UPDATE sqlite_sequence SET seq = 9")
    if named is None:
        journal = SqliteJournal(tmp_path, read_only=True)
        assert len(list(journal.records())) == RECORDS, "a record before the first is no record"
        journal.close()
    else:
        assert first_damaged(tmp_path) == (named, list(range(1, named)))


def test_reading_from_the_middle_finds_what_follows(tmp_path: Path) -> None:
    """Damage behind the starting point is found, and a missing starting point too."""
    write(tmp_path, RECORDS)
    edit(tmp_path, "UPDATE records SET body = zeroblob(3) WHERE sequence = 6")
    assert first_damaged(tmp_path, after=3) == (6, [4, 5])
    edit(tmp_path, "DELETE FROM records WHERE sequence = 3")
    assert first_damaged(tmp_path, after=3) == (3, [])


@pytest.mark.parametrize(
    ("statement", "named_by_writer", "named_by_reader"),
    [
        ("DELETE FROM records WHERE sequence = 9", 9, 9),
        ("DELETE FROM records WHERE sequence > 6", 8, 7),
        ("UPDATE records SET body = zeroblob(3) WHERE sequence = 9", 9, 9),
        ("UPDATE records SET chain = zeroblob(16) WHERE sequence = 8", 9, 8),
        ("UPDATE records SET sequence = 10 WHERE sequence = 9", 9, 9),
        ("UPDATE sqlite_sequence SET seq = 10", 10, 10),
        ("UPDATE sqlite_sequence SET seq = 8", 9, 9),
        ("UPDATE sqlite_sequence SET seq = 'many'", 0, 0),
        ("DELETE FROM sqlite_sequence", 1, 1),
        ("DROP TABLE records", 0, 0),
    ],
)
def test_a_damaged_end_is_found_when_opening_to_write(
    tmp_path: Path, statement: str, named_by_writer: int, named_by_reader: int
) -> None:
    """New records are never chained to a last one that is gone or doesn't fit."""
    write(tmp_path, RECORDS)
    edit(tmp_path, statement)
    before = content(tmp_path)
    with pytest.raises(JournalCorrupt) as caught:
        SqliteJournal(tmp_path)
    assert caught.value.sequence == named_by_writer
    assert first_damaged(tmp_path)[0] == named_by_reader
    assert content(tmp_path) == before


def test_bytes_marked_as_text_are_named(tmp_path: Path) -> None:
    """A link that a flipped bit turns into text, which it can't be, is damage like any other."""
    write(tmp_path, RECORDS)
    file = tmp_path / "journal.db"
    stored = file.read_bytes()
    with closing(SqliteJournal(tmp_path, read_only=True)) as journal:
        body = dict(journal.records())[4]
    # A row's header ends with the type of each column: 2 * length + 12 is bytes, one more text.
    header = bytes([2 * len(body) + 12, 2 * 16 + 12])
    row = stored.index(header + body)
    file.write_bytes(stored[: row + 1] + bytes([2 * 16 + 13]) + stored[row + 2 :])
    assert first_damaged(tmp_path) == (4, [1, 2, 3])
    assert first_damaged(tmp_path, 4) == (4, [])


@given(data=st.data())
def test_a_flipped_bit_is_found_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bit of the file flips: either all records are read as written, or none is wrong."""
    directory = tmp_path_factory.mktemp("flip")
    expected = list(enumerate(write(directory, RECORDS), 1))
    file = directory / "journal.db"
    stored = bytearray(file.read_bytes())
    used = [position for position, byte in enumerate(stored) if byte]
    position = data.draw(st.sampled_from(used) | st.integers(0, len(stored) - 1))
    stored[position] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(stored)
    seen: list[tuple[int, bytes]] = []
    damage = ""
    try:
        with closing(SqliteJournal(directory, read_only=True)) as journal:
            seen.extend(journal.records())
    except JournalError as error:
        damage = str(error)
    assert seen == expected[: len(seen)]
    assert damage.endswith(".") or seen == expected
