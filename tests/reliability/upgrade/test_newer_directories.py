"""What an older program makes of a newer directory: one sentence, exit code 2, nothing changed."""

import sqlite3
from hashlib import blake2b
from pathlib import Path

import pytest

from kavach.journal.sqlite import SqliteJournal
from tests.twin_server import run


def content(directory: Path) -> dict[str, str]:
    """Return a digest of each file, and who may read it."""
    return {
        path.name: f"{path.stat().st_mode:o} {blake2b(path.read_bytes()).hexdigest()}"
        for path in sorted(directory.iterdir())
    }


def newer(directory: Path) -> Path:
    """Return a directory whose journal has the format of the next version."""
    journal = SqliteJournal(directory)
    journal.append(b"what only the next version can read")
    journal.close()
    version = journal_version(directory / "journal.db")
    with sqlite3.connect(directory / "journal.db") as database:
        database.execute(f"PRAGMA user_version = {version + 1}")
    database.close()
    (directory / "snapshot-00000000000000000001").write_bytes(b"KVCHSNP9 of the next version")
    return directory


def journal_version(path: Path) -> int:
    """Return the format version that a journal carries."""
    database = sqlite3.connect(path)
    try:
        return int(database.execute("PRAGMA user_version").fetchone()[0])
    finally:
        database.close()


@pytest.mark.parametrize("command", ["serve", "verify", "journal"])
def test_a_newer_journal_is_left_alone(command: str, tmp_path: Path) -> None:
    """Whatever is done with it, the program says in a sentence what it is and changes nothing."""
    directory = newer(tmp_path / "data")
    before = content(directory)
    options = ["--port", "0", "--data-dir", directory] if command == "serve" else [directory]
    ended = run(command, *options)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "was written by a newer version of kavach" in ended.stderr
    assert content(directory) == before
