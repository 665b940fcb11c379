"""A journal in PostgreSQL on the command line: served, read, copied, and refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import Databases
from tests.twin_server import ask, running
from tests.unit.cli.test_reading import place

MADE_UP = ("--demo-token", "", "--operator-token", "")  # Tokens by the key that is kept.


def test_a_world_is_served_from_a_database_and_goes_on_there(address: str) -> None:
    """What was placed is there after a restart, under the same tokens; all of it is verified."""
    with running("--journal", address, *MADE_UP) as server:
        first = place(server, 1)
        state, tokens = server.audit()["state_hash"], (server.access_token, server.operator_token)
        assert state in ask("verify", address).stdout
    with running("--journal", address, *MADE_UP) as server:
        assert server.audit()["state_hash"] == state
        assert (server.access_token, server.operator_token) == tokens
        place(server, 2)
    lines = ask("journal", address, "--kind", "CoverOrderPlaced").stdout.splitlines()
    assert len(lines) == 2
    assert first["oms_order_id"] in ask("journal", address).stdout


def test_its_clock_and_its_past_belong_to_others_too(address: str) -> None:
    """Clock and reset answer 409 with the reason; the rest of the control room works."""
    with running("--journal", address) as server:
        assert server.room("GET", "clock")
        for call, fields in (("clock", {"action": "pause"}), ("reset", {})):
            answer = server.operator.post(call, json=fields)
            assert answer.status_code == 409
            assert "other machines" in answer.json()["error"]


def test_a_journal_is_copied_into_a_database_and_back(
    postgres: Databases, address: str, tmp_path: Path
) -> None:
    """Records, links, snapshot and tokens are the same after both ways."""
    here, back = tmp_path / "here", tmp_path / "back"
    with running("--data-dir", here, *MADE_UP) as server:
        place(server, 1)
        token = server.access_token
    assert ask("snapshot", here).exit_code == 0
    found = ask("verify", here).stdout.partition(": ")[2]
    assert "snapshot of record" in found
    for source, target in ((here, address), (address, back)):
        copied = ask("journal", "copy", source, target)
        assert (copied.exit_code, copied.stderr) == (0, "")
        assert ask("verify", target).stdout.partition(": ")[2] == found
    with running("--data-dir", back, *MADE_UP) as server:
        assert server.access_token == token
    twice = ask("journal", "copy", here, address)
    assert (twice.exit_code, twice.stdout) == (2, "")
    assert "holds a journal already" in twice.stderr


def test_a_copy_that_did_not_end_cannot_be_opened(postgres: Databases, address: str) -> None:
    """Until all records are there the database is refused, to read and to serve."""
    with running("--journal", address):
        pass
    postgres.execute("UPDATE kavach.head SET format = 0", address)
    for arguments in (("verify", address), ("serve", "--port", "0", "--journal", address)):
        ended = ask(*arguments)
        assert ended.exit_code == 2
        assert "a copy that did not end" in ended.stderr


def test_a_second_server_is_told_who_owns_it(address: str) -> None:
    """The journal of a running server is locked: exit code 2, and where the owner is."""
    with running("--journal", address) as server:
        ended = ask("serve", "--port", "0", "--journal", address)
        assert ended.exit_code == 2
        assert f"has an owner, {server.url}" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("serve", "--journal", "postgresql://me:hunter2@host/db"), "holds a password"),
        (("verify", "postgresql://host/db?password=hunter2"), "holds a password"),
        (("serve", "--journal", "mysql://host/db"), "must begin with postgresql://"),
        (("serve", "--journal", "postgresql://h/d", "--data-dir", "x"), "in place of --data-dir"),
        (("serve", "--journal", "postgresql://h/d", "--speed", "2"), "no --speed"),
        (("serve", "--journal", "postgresql://[host/db"), "no address of PostgreSQL"),
    ],
)
def test_what_is_asked_wrongly_is_told(arguments: tuple[str, ...], words: str) -> None:
    """Each ends with exit code 2 and a sentence, in which there is no password."""
    ended = ask(*arguments)
    assert ended.exit_code == 2
    assert words in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout


def test_a_password_may_stand_in_the_environment(address: str) -> None:
    """KAVACH_JOURNAL may hold one, and what is printed does not; a wrong one is told."""
    secret = address.replace("//kavach@", "//kavach:hunter2@")
    ended = subprocess.run(
        [sys.executable, "-m", "kavach", "serve", "--port", "0"],
        env={**os.environ, "KAVACH_JOURNAL": secret},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "password authentication failed" in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout
