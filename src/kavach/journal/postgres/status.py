"""
Who owns a journal, and who follows it, for an operator.

Source: docs/twin.md, "The command line".
"""

from contextlib import closing
from typing import Final

import msgspec
import psycopg

from kavach.journal.postgres.connecting import meaning
from kavach.journal.postgres.journal import connection_to
from kavach.journal.postgres.tables import SCHEMA

_HEAD: Final = f"SELECT epoch, head, owner, address FROM {SCHEMA}.head"
_STANDBYS: Final = f"""
    SELECT pid, address, greatest((SELECT head FROM {SCHEMA}.head) - sequence, 0)
    FROM {SCHEMA}.standbys
    WHERE seen_at > clock_timestamp() - interval '2 s' ORDER BY name
"""


class StandbyStatus(msgspec.Struct, frozen=True):
    """One who follows."""

    pid: int
    url: str
    lag: int  # Records behind the end, as of half a second ago at most.


class ClusterStatus(msgspec.Struct, frozen=True):
    """Who owns a journal, and who follows it."""

    epoch: int
    head: int
    owner_pid: int | None
    owner_url: str | None
    standbys: list[StandbyStatus]


def status(address: str) -> ClusterStatus:
    """Return how it stands with the journal at an address; raises ``JournalError``."""
    with closing(connection_to(address, "status")) as connection:
        try:
            found = connection.execute(_HEAD).fetchone()
            rows = connection.execute(_STANDBYS).fetchall()
        except psycopg.Error as error:
            raise meaning(error, address) from error
    assert found is not None, "the format was read from this row"
    epoch, head, owner, url = found
    pid = str(owner).rpartition(":")[2]
    standbys = [StandbyStatus(*row) for row in rows]
    owner_pid = int(pid) if pid.isdecimal() else None
    return ClusterStatus(epoch, head, owner_pid, str(url) or None, standbys)
