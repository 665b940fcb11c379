"""
``kavach cluster up``: PostgreSQL, an owner and a standby on this machine, kept running.

What dies is started anew: PostgreSQL where it was, owner and standby as standbys at the address
that they had. Ctrl-C stops all, the standby first, so that nothing is handed over on the way.

Source: docs/twin.md, "The command line"; docs/spec/journal.md, "In PostgreSQL".
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec

from kavach.cluster.postgres_server import PostgresError, PostgresServer, free_port
from kavach.journal.place import postgres
from kavach.private_files import make_private_directory, replacing
from kavach.ready_files import Ready

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.1
AGAIN_SECONDS: Final = 1.0  # Between two starts of one that dies at once.


class ClusterError(Exception):
    """The cluster can't be run; the text is a sentence for a person."""


class ClusterReady(msgspec.Struct, frozen=True):
    """What the ready file of a cluster tells."""

    journal: str
    urls: list[str]  # Owner and standby, as they were when it was written.
    client_id: str
    access_token: str
    operator_token: str
    pids: dict[str, int]


@dataclass(slots=True)
class Member:
    """One of the two that serve, and where it does."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    started_at: float

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


class Cluster:
    """The processes of one cluster in a directory."""

    def __init__(
        self, directory: Path, options: Sequence[str], tell: Callable[[str], None]
    ) -> None:
        """Prepare; ``options`` are those of ``serve``, ``tell`` hears what happens."""
        self._directory = directory.absolute()
        self._options = options
        self._tell = tell
        self._postgres = PostgresServer(self._directory / "postgres")
        self._members: list[Member] = []
        self._logs: list[IO[bytes]] = []

    def start(self) -> ClusterReady:
        """Return when orders are taken and a standby follows; raises ``ClusterError``."""
        try:
            make_private_directory(self._directory)
            self._postgres.start()
        except (OSError, PostgresError) as error:
            raise ClusterError(str(error)) from error
        told = self._ready_file("one")
        told.unlink(missing_ok=True)
        owner = self._begin("one", free_port(), "serve")
        self._members.append(owner)
        self._wait_for(owner, told.exists)
        standby = self._begin("two", free_port(), "standby")
        self._members.append(standby)
        self._wait_for(standby, lambda: self._follows(standby.url))
        ready = msgspec.json.decode(told.read_bytes(), type=Ready)
        return ClusterReady(
            journal=self._postgres.address(),
            urls=[member.url for member in self._members],
            client_id=ready.client_id,
            access_token=ready.access_token,
            operator_token=ready.operator_token,
            pids={"postgres": self._postgres.pid},
        )

    def keep(self, stopped: threading.Event) -> None:
        """Start anew what dies, until ``stopped`` is set."""
        while not stopped.wait(LOOK_SECONDS):
            if not self._postgres.runs:
                self._tell("PostgreSQL has ended; it is started anew.")
                try:
                    self._postgres.start()
                except PostgresError as error:  # Its last processes may not be gone yet.
                    self._tell(str(error))
            for at, member in enumerate(self._members):
                code = member.process.poll()
                if code is None or time.monotonic() - member.started_at < AGAIN_SECONDS:
                    continue
                self._tell(f"{member.url} has ended with code {code}; it is a standby now.")
                self._members[at] = self._begin(member.name, member.port, "standby")

    def stop(self) -> None:
        """Return when all of them have ended."""
        for member in reversed(self._members):  # A standby first, if the first one is the owner.
            member.process.send_signal(signal.SIGCONT)
            member.process.send_signal(signal.SIGTERM)
        for member in self._members:
            try:
                member.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
        self._postgres.stop()
        for log in self._logs:
            log.close()

    def _begin(self, name: str, port: int, verb: str) -> Member:
        log = (self._directory / f"{name}.log").open("ab")
        self._logs.append(log)
        process = subprocess.Popen(  # noqa: S603  # Our own program.
            [
                *(sys.executable, "-m", "kavach", verb, "--port", str(port)),
                *("--ready-file", str(self._ready_file(name)), *self._options),
            ],
            env=os.environ | {"KAVACH_JOURNAL": self._postgres.address()},
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us, who then stop them in order.
        )
        return Member(name, port, process, time.monotonic())

    def _wait_for(self, member: Member, true: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while not true():
            if member.process.poll() is not None:
                log = (self._directory / f"{member.name}.log").read_text(errors="replace")
                raise ClusterError(f"A server did not start: {log.strip().splitlines()[-1]}")
            if time.monotonic() > end:
                raise ClusterError(f"{member.url} did not begin within {START_SECONDS:.0f} s.")
            time.sleep(LOOK_SECONDS)

    def _follows(self, url: str) -> bool:
        """Return whether a standby there follows the owner."""
        found = postgres("status").status(self._postgres.address())
        return any(one.url == url for one in found.standbys)

    def _ready_file(self, name: str) -> Path:
        return self._directory / f"{name}.json"


def write_ready(path: Path, ready: ClusterReady) -> None:
    """Return when the ready file is there, whole and for its owner only."""
    with replacing(path, f"{path.name}.new-") as file:
        file.write(msgspec.json.format(msgspec.json.encode(ready)))
