"""
Addresses of PostgreSQL, connections, and what its errors mean to an operator.

A password belongs into the environment (``PGPASSWORD``), a service file or ``~/.pgpass``: libpq
reads all three, and every program of the machine can read a command line. No sentence told here
holds one.

Source: the PostgreSQL pages "Connection Strings", "The Password File", "Error Codes".
"""

from typing import Final
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict

from kavach.engine.journal_port import (
    JournalError,
    JournalMissing,
    JournalUnavailable,
    JournalUnwritable,
)

Row = tuple[object, ...]
CONNECT_SECONDS: Final = 5
# A machine that is gone answers nothing: without these a connection to it would live for hours.
_PATIENCE: Final = {
    "connect_timeout": str(CONNECT_SECONDS),
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
# Whatever a role or a database was given: a cancelled wait for a replica looks like a success.
_UNTIMED: Final = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)
_NOT_DURABLE: Final = ("off", "local")


def parameters(address: str) -> dict[str, str]:
    """Return what libpq makes of an address; ``JournalMissing`` if it makes nothing of it."""
    try:
        found = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        # libpq repeats the whole address in its message, and the password with it.
        raise JournalMissing(
            "This is no address of PostgreSQL; one looks like postgresql://user@host:5432/database."
        ) from None
    return {name: str(value) for name, value in found.items() if value is not None}


def shown(address: str) -> str:
    """Return an address as a person may see it: user, hosts and database, no password."""
    given = parameters(address)
    if not given.get("host") and "service" in given:
        return f"service {given['service']}"
    user = f"{given['user']}@" if "user" in given else ""
    hosts = given.get("host", "").split(",")
    ports = given.get("port", "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    named = ",".join(
        f"{host}:{port}" if port and not host.startswith("/") else host
        for host, port in zip(hosts, ports, strict=False)
    )
    return f"postgresql://{user}{named}/{given.get('dbname', '')}"


def without_password(address: str) -> tuple[str, dict[str, str]]:
    """Return an address without its password, and the environment in which libpq finds that."""
    given = parameters(address)
    password = given.pop("password", None)
    text = f"postgresql:///?{urlencode(given, quote_via=quote)}"
    return text, {} if password is None else {"PGPASSWORD": password}


def connect(address: str, purpose: str) -> "Connection[Row]":
    """Return a connection in which each statement is a transaction; raises ``JournalError``.

    It is one to a server that keeps what it is told: no replica, and none without syncs.
    """
    try:
        connection = psycopg.connect(
            **{**_PATIENCE, **parameters(address), "application_name": f"kavach {purpose}"},
            autocommit=True,
        )
    except psycopg.Error as error:
        raise meaning(error, address) from error
    try:
        _prepare(connection, address)
    except psycopg.Error as error:
        connection.close()
        raise meaning(error, address) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: "Connection[Row]", address: str) -> None:
    known = connection.execute(
        "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY(%s)",
        ([*_UNTIMED, "synchronous_commit", "fsync"],),
    ).fetchall()
    settings = {str(name): str(setting) for name, setting in known}
    for name in _UNTIMED:
        if settings.get(name, "0") != "0":
            connection.execute(f"SET {name} = 0")
    if settings["synchronous_commit"] in _NOT_DURABLE:
        connection.execute("SET synchronous_commit = 'on'")
    if settings["fsync"] == "off":
        raise JournalUnwritable(
            f"The server of {shown(address)} runs with fsync = off: it would lose what it has."
        )
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    if row is None or row[0]:
        raise JournalUnwritable(f"{shown(address)} is a replica: name the primary.")


def meaning(error: psycopg.Error, address: str) -> JournalError:
    """Return what an error of PostgreSQL means, in a sentence without a password."""
    place, said = shown(address), _said(error)
    if isinstance(error, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
        return JournalUnwritable(f"{place} can't be written: {said}.")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn | errors.InvalidSchemaName):
        return JournalMissing(f"{place} holds no whole journal: {said}.")
    if isinstance(error, errors.DiskFull):
        return JournalUnavailable(f"{place} can't grow: {said}.")
    return JournalUnavailable(f"{place} can't be reached or written: {said}.")


def _said(error: psycopg.Error) -> str:
    """Return the gist of what the server or libpq said, on one line."""
    primary: str | None = error.diag.message_primary
    if primary:
        return primary.strip().rstrip(".")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    told = lines[-1] if lines[0].startswith("Multiple connection attempts") else lines[0]
    for noise in ("failed: ", "FATAL: ", "ERROR: "):
        told = told.rpartition(noise)[2].strip()
    return told.rstrip(".")
