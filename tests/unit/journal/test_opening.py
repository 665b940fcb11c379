"""Opening what can't be opened: one sentence for a person, and nothing changed on disk."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalError,
    JournalLocked,
    JournalMissing,
    JournalNewer,
    JournalUnwritable,
)
from kavach.journal.database import FORMAT_VERSION
from kavach.journal.sqlite import SqliteJournal
from tests.unit.journal.files import content, edit, write

HOLDER = """
import sys
from pathlib import Path
from kavach.journal.sqlite import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]), read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.read()
journal.close()
"""
NOBODY = 65_534  # The user without rights.


@pytest.fixture
def sealed() -> Iterator[Path]:
    """A directory in which this process may read and not write, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write(directory, 2)
        (directory / "journal.db").chmod(0o444)
        directory.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            yield directory
        finally:
            if user == 0:
                os.seteuid(user)
            directory.chmod(0o755)


def refusal(directory: Path, *, read_only: bool = False, create: bool = True) -> JournalError:
    """Return the error that opening raises; it is one sentence, and the files are as before."""
    before = content(directory) if directory.is_dir() else None
    with pytest.raises(JournalError) as caught:
        SqliteJournal(directory, read_only=read_only, create=create)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert (content(directory) if directory.is_dir() else None) == before
    return caught.value


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path, read_only: bool) -> None:
    """Any other file under the journal's name is left alone and named."""
    for stranger in (b"not a database, but long enough to look at" * 99, b"", b"SQLite format 3"):
        (tmp_path / "journal.db").write_bytes(stranger)
        error = refusal(tmp_path, read_only=read_only)
        assert isinstance(error, JournalCorrupt)
        assert error.sequence == 0
        assert "journal.db" in str(error)


def test_a_truncated_file_is_corrupt(tmp_path: Path) -> None:
    """A journal of which only the first part is left isn't taken for a shorter one."""
    write(tmp_path, 500)
    file = tmp_path / "journal.db"
    file.write_bytes(file.read_bytes()[: 3 * 4096])
    assert isinstance(refusal(tmp_path), JournalCorrupt)


@pytest.mark.parametrize("read_only", [False, True])
def test_the_database_of_another_program_is_corrupt(tmp_path: Path, read_only: bool) -> None:
    """Another application's database isn't taken for a journal, nor one of an unknown format."""
    write(tmp_path, 1)
    edit(tmp_path, "PRAGMA application_id = 1")
    assert "not a journal of kavach" in str(refusal(tmp_path, read_only=read_only))
    edit(tmp_path, "PRAGMA application_id = 0x6b766368", "PRAGMA user_version = 0")
    error = refusal(tmp_path, read_only=read_only)
    assert isinstance(error, JournalCorrupt)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_format_is_refused(tmp_path: Path, read_only: bool) -> None:
    """A journal of a later version is neither read nor changed."""
    write(tmp_path, 1)
    edit(tmp_path, f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    error = refusal(tmp_path, read_only=read_only)
    assert isinstance(error, JournalNewer)
    assert f"format {FORMAT_VERSION + 1}; this one knows {FORMAT_VERSION}" in str(error)


def test_an_older_format_is_read_and_marked_with_the_first_record(tmp_path: Path) -> None:
    """Opening leaves the older version's mark; the first record that is written takes it away."""
    write(tmp_path, 1)
    edit(tmp_path, "PRAGMA user_version = 1")

    def version() -> object:
        with closing(apsw.Connection(str(tmp_path / "journal.db"))) as connection:
            return connection.pragma("user_version")

    SqliteJournal(tmp_path).close()
    assert version() == 1
    with closing(SqliteJournal(tmp_path)) as journal:
        journal.wait_durable(journal.append(b"of this version"), 10)
        assert [body for _, body in journal.records()][1:] == [b"of this version"]
    assert version() == FORMAT_VERSION


@pytest.mark.parametrize(("read_only", "create"), [(True, True), (False, False)])
def test_no_journal_is_made_unless_it_should_be(
    tmp_path: Path, read_only: bool, create: bool
) -> None:
    """Where there is none, reading or opening without ``create`` says so and makes nothing."""
    for directory in (tmp_path, tmp_path / "nowhere"):
        error = refusal(directory, read_only=read_only, create=create)
        assert isinstance(error, JournalMissing)
    assert content(tmp_path) == {}


def test_a_file_in_the_place_of_the_directory_is_unwritable(tmp_path: Path) -> None:
    """The directory, or one above it, being a file is said in so many words."""
    file = tmp_path / "file"
    file.write_bytes(b"mine")
    for directory in (file, file / "below"):
        error = refusal(directory)
        assert isinstance(error, JournalUnwritable)
        assert str(directory) in str(error)
    assert file.read_bytes() == b"mine"


def test_a_directory_that_may_not_be_written_can_be_read(sealed: Path) -> None:
    """Opening to write is refused; opening to read works where nothing can be made."""
    assert isinstance(refusal(sealed), JournalUnwritable)
    assert isinstance(refusal(sealed / "below"), JournalUnwritable)
    with closing(SqliteJournal(sealed, read_only=True)) as journal:
        assert len(list(journal.records())) == 2


def test_an_unfinished_journal_is_made_anew(tmp_path: Path) -> None:
    """What a crash during the making left behind is no hindrance."""
    (tmp_path / "journal.new").write_bytes(b"half")
    with closing(SqliteJournal(tmp_path)) as journal:
        assert journal.append(b"x") == 1
    assert set(content(tmp_path)) == {"journal.db"}


@pytest.mark.parametrize(("holder", "locked_out"), [("write", (False, True)), ("read", (False,))])
def test_a_second_process_is_locked_out(
    tmp_path: Path, holder: str, locked_out: tuple[bool, ...]
) -> None:
    """A writer is alone; readers share; and the lock goes with the process."""
    write(tmp_path, 1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), holder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        for read_only in locked_out:
            error = refusal(tmp_path, read_only=read_only)
            assert isinstance(error, JournalLocked)
            assert str(tmp_path) in str(error)
        if holder == "read":
            SqliteJournal(tmp_path, read_only=True).close()
        process.kill()
    with closing(SqliteJournal(tmp_path)) as journal:
        assert journal.durable_sequence == 1
