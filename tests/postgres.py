"""
A real PostgreSQL for tests: one server a session, an empty database each time it is asked for.

The programs are in a wheel of ``requirements/test.txt``, so a machine without it is an error.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from kavach.cluster.postgres_server import PostgresServer

_numbers = count(1)


class Databases:
    """A server that makes empty databases."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server

    def new(self) -> str:
        """Return the address of an empty database."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.server.address(name)

    def execute(self, statement: str, address: str = "") -> list[tuple[object, ...]]:
        """Return the rows of a statement, run as the owner of everything."""
        import psycopg

        with psycopg.connect(address or self.server.address(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running() -> Iterator[Databases]:
    """Give a server that is stopped and forgotten afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="kavach-postgres-"))
    directory.chmod(0o755)  # Root runs it as another user.
    try:
        server = PostgresServer(directory, settings=("shared_buffers=32MB", "max_connections=60"))
        server.start()
        try:
            yield Databases(server)
        finally:
            server.stop(signal.SIGQUIT)  # Nothing of it is kept.
    finally:
        shutil.rmtree(directory, ignore_errors=True)
