"""What PostgreSQL shows that is not durable, and what operators get wrong about it."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import Any

import pytest

from kavach.engine.journal_port import (
    JournalCorrupt,
    JournalError,
    JournalFenced,
    JournalMissing,
    JournalNewer,
    JournalUnavailable,
    JournalUnwritable,
)
from tests.postgres import Databases
from tests.unit.journal.contract import PATIENCE_SECONDS, filled
from tests.unit.journal.test_postgres import own, reader, until_failed

NO_REPLICA = "ALTER SYSTEM RESET synchronous_standby_names"
A_REPLICA = "ALTER SYSTEM SET synchronous_standby_names = 'a_replica_that_is_not_there'"
WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> pg_backend_pid()"


@pytest.fixture
def lonely(postgres: Databases) -> Any:
    """The server waits with each commit for a replica that is not there, once this is called."""

    def wait_for_replicas() -> None:
        postgres.execute(A_REPLICA)
        postgres.execute("SELECT pg_reload_conf()")
        _until(lambda: postgres.execute("SHOW synchronous_standby_names") != [("",)])

    yield wait_for_replicas
    postgres.execute(NO_REPLICA)
    postgres.execute("SELECT pg_reload_conf()")
    _until(lambda: postgres.execute("SHOW synchronous_standby_names") == [("",)])


def _until(holds: Any) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)
    return found


def test_a_cancelled_wait_for_a_replica_is_no_success(
    postgres: Databases, address: str, lonely: Any
) -> None:
    """The server keeps the record and only warns; to the journal it is not durable, but failed."""
    journal = own(address)
    lonely()
    sequence = journal.append(b"on one machine only")
    for (pid,) in _until(lambda: postgres.execute(WAITS)):
        postgres.execute(f"SELECT pg_cancel_backend({pid})")
    failure = until_failed(journal)
    assert isinstance(failure, JournalUnavailable) and not isinstance(failure, JournalFenced)
    assert "warned" in str(failure)
    assert journal.durable_sequence == 0 and not journal.may_answer()
    # The trap: it is there to be seen.
    assert postgres.execute("SELECT head FROM kavach.head", address) == [(sequence,)]
    with pytest.raises(JournalUnavailable):
        journal.close()


def test_an_owner_waits_for_the_replica_of_what_a_crashed_server_shows(
    postgres: Databases, address: str, lonely: Any
) -> None:
    """After a crash a commit is visible that no replica has: owning waits until one has it."""
    journal = own(address)
    lonely()
    journal.append(b"never acknowledged")
    _until(lambda: postgres.execute(WAITS))
    postgres.server.stop(signal.SIGQUIT)
    until_failed(journal)
    with pytest.raises(JournalError):
        journal.close()
    postgres.server.start()
    assert postgres.execute("SELECT head FROM kavach.head", address) == [(1,)]

    owned: list[Any] = []
    thread = threading.Thread(target=lambda: owned.append(own(address, "two")))
    thread.start()
    _until(lambda: postgres.execute(WAITS))
    assert owned == []
    postgres.execute(NO_REPLICA)
    postgres.execute("SELECT pg_reload_conf()")
    thread.join(PATIENCE_SECONDS)
    with closing(owned[0]) as successor:
        assert list(successor.records()) == [(1, b"never acknowledged")]


def test_no_timeout_cuts_the_owner_short(postgres: Databases, address: str) -> None:
    """What a role is given for its statements, the connection that appends does not have."""
    name = address.partition("?")[0].rpartition("/")[2]
    for setting in ("statement_timeout = '50ms'", "lock_timeout = '50ms'"):
        postgres.execute(f"ALTER DATABASE {name} SET {setting}")
    with closing(own(address)) as journal:
        import psycopg

        with psycopg.connect(address) as other:
            other.execute("SELECT 1 FROM kavach.head FOR UPDATE")
            sequence = journal.append(b"x")
            with pytest.raises(TimeoutError):
                journal.wait_durable(sequence, 0.3)
            assert journal.failure is None
        journal.wait_durable(sequence, PATIENCE_SECONDS)


def test_a_commit_is_synced_whatever_a_role_is_given(postgres: Databases, address: str) -> None:
    """``synchronous_commit = off`` of a database is not that of the owner."""
    name = address.partition("?")[0].rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with closing(own(address)) as journal:
        filled(journal, [b"x"])
        connection = journal._tenure.connection
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_an_ended_backend_is_a_failure_that_can_be_mended(
    postgres: Databases, address: str
) -> None:
    """An owner whose connection was ended is not fenced: it may own again what it held."""
    journal = own(address)
    filled(journal, [b"a"])
    postgres.execute("SELECT pg_terminate_backend(backend) FROM kavach.head", address)
    failure = until_failed(journal)
    assert isinstance(failure, JournalUnavailable) and not isinstance(failure, JournalFenced)
    with closing(own(address, before=journal.held)) as again:
        assert again.durable_sequence == 1
    with pytest.raises(JournalUnavailable):
        journal.close()


# --- What operators get wrong --------------------------------------------------------------------


def sentence(error: pytest.ExceptionInfo[JournalError]) -> str:
    """What is told: one line that ends like a sentence and holds no password."""
    told = str(error.value)
    assert told.endswith(".") and "\n" not in told and "hunter2" not in told
    return told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("@127.0.0.1:", "@127.0.0.1:1"), "can't be reached"),
        (("@127.0.0.1:", "@no-such-host.invalid:"), "can't be reached"),
        (("/test_", "/no_such_"), "does not exist"),
        (("//kavach@", "//kavach:hunter2@"), "password"),
        (("//kavach@", "//stranger:hunter2@"), "password"),
        (("?passfile", "?no_such_option"), "no address of PostgreSQL"),
        (("@127.0.0.1:", ":hunter2@[127.0.0.1:"), "no address of PostgreSQL"),
    ],
)
def test_a_wrong_address_is_told_in_a_sentence(
    address: str, change: tuple[str, str], words: str
) -> None:
    """Host, port, database, role or password: each is named, and no password is."""
    with pytest.raises(JournalError, match=words) as error:
        own(address.replace(*change))
    sentence(error)


def test_a_reader_makes_no_journal(postgres: Databases, address: str) -> None:
    """A database without a journal is told, and stays as it is."""
    with pytest.raises(JournalMissing, match="no journal in postgresql://kavach@127") as error:
        reader(address)
    sentence(error)
    assert postgres.execute("SELECT to_regnamespace('kavach')", address) == [(None,)]


def test_a_schema_of_strangers_is_left_alone(postgres: Databases, address: str) -> None:
    """A schema of our name that holds something else is no journal."""
    postgres.execute("CREATE SCHEMA kavach", address)
    postgres.execute("CREATE TABLE kavach.head (cluster text)", address)
    for opened in (own, reader):
        with pytest.raises(JournalCorrupt, match="no journal of kavach") as error:
            opened(address)
        sentence(error)


def test_a_role_without_rights_is_told(postgres: Databases, address: str) -> None:
    """A role that may connect and no more can neither make nor read a journal."""
    postgres.execute("DROP ROLE IF EXISTS guest")
    postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'hunter2'")
    guest = address.replace("//kavach@", "//guest:hunter2@").partition("?")[0]
    with pytest.raises(JournalUnwritable, match="permission denied") as error:
        own(guest)
    sentence(error)
    own(address).close()
    for opened in (own, reader):
        with pytest.raises(JournalUnwritable, match="permission denied") as error:
            opened(guest)
        sentence(error)


def test_a_journal_of_a_newer_version_is_refused(postgres: Databases, address: str) -> None:
    """A higher format is neither read nor written, and the epoch stays as it is."""
    own(address).close()
    postgres.execute("UPDATE kavach.head SET format = 99", address)
    for opened in (own, reader):
        with pytest.raises(JournalNewer, match="format 99") as error:
            opened(address)
        sentence(error)
    assert postgres.execute("SELECT epoch FROM kavach.head", address) == [(1,)]


def test_an_older_format_is_raised_with_the_first_record(postgres: Databases, address: str) -> None:
    """Opening leaves the journal to the older program; writing does not."""
    own(address).close()
    postgres.execute("UPDATE kavach.head SET format = 1", address)
    with closing(own(address)) as journal:
        assert postgres.execute("SELECT format FROM kavach.head", address) == [(1,)]
        filled(journal, [b"a"])
        assert postgres.execute("SELECT format FROM kavach.head", address) == [
            (journal.format_version,)
        ]


def test_a_server_that_does_not_sync_is_refused(postgres: Databases, address: str) -> None:
    """With ``fsync = off`` nothing would be durable."""
    postgres.execute("ALTER SYSTEM SET fsync = off")
    postgres.execute("SELECT pg_reload_conf()")
    try:
        _until(lambda: postgres.execute("SHOW fsync") == [("off",)])
        with pytest.raises(JournalUnwritable, match="fsync") as error:
            own(address)
        sentence(error)
    finally:
        postgres.execute("ALTER SYSTEM RESET fsync")
        postgres.execute("SELECT pg_reload_conf()")


def test_a_journal_in_sqlite_needs_no_psycopg() -> None:
    """Neither the server's program nor a journal in SQLite imports psycopg."""
    program = """
import sys, tempfile
from pathlib import Path
import kavach.cli.program, kavach.program.serve
from kavach.journal.place import open_stored
from kavach.program.options import WorldOptions
from kavach.program.world import open_world
directory = Path(tempfile.mkdtemp())
world = open_world(WorldOptions(data_dir=directory))
world.engine.journal.close()
open_stored(directory).close()
assert not [name for name in sys.modules if name.partition(".")[0] == "psycopg"]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_command_is_given_an_address_without_its_password(address: str) -> None:
    """What a snapshot's process is started with names the same database, and no password."""
    from psycopg.conninfo import conninfo_to_dict

    from kavach.journal.place import without_password

    secret = address.replace("//kavach@", "//kavach:hunter%202@")
    plain, environment = without_password(secret)
    assert isinstance(plain, str) and "hunter" not in plain
    assert environment == {"PGPASSWORD": "hunter 2"}
    assert conninfo_to_dict(plain) == conninfo_to_dict(address)
    assert without_password(address) == (address, {})
