"""
What the process asks of its machine: the ready file, open files, the garbage collector.

Source: docs/twin.md, "The command line".
"""

import gc
import os
import resource
from pathlib import Path
from typing import Final

import msgspec

from kavach.api.feed.door import READERS_MAX
from kavach.api.http.connection import CONNECTIONS_MAX
from kavach.private_files import replacing
from kavach.program.options import StartError

OTHER_FILES: Final = 100  # Journal, logs, and room to spare.
OPEN_FILES: Final = READERS_MAX + CONNECTIONS_MAX + OTHER_FILES


class Ready(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a script needs to know of a running server; the content of the ready file."""

    url: str
    client_id: str
    access_token: str
    operator_token: str
    pid: int
    app_id: str = ""  # These two only if there is a demo app.
    app_secret: str = ""


def check_ready_file(path: Path | None) -> None:
    """Return if the ready file could be written."""
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK)):
        raise StartError(f"The ready file {path} can't be written.")


def write_ready_file(path: Path | None, ready: Ready) -> None:
    """Write it whole or not at all, for its owner's eyes: there are tokens in it."""
    if path is not None:
        with replacing(path, f".{path.name}.", sync=False) as file:
            file.write(msgspec.json.encode(ready) + b"\n")


def allow_open_files() -> None:
    """Let as many files be open as connections may need, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def readers_max() -> int:
    """Return how many connections of the feed the open files leave room for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return READERS_MAX
    return max(OTHER_FILES, min(READERS_MAX, files - CONNECTIONS_MAX - OTHER_FILES))


def spare_the_collector() -> None:
    """Let the garbage collector look at young objects only.

    Orders live as long as the program and form no cycles, yet a full collection walks all of
    them: 90 ms with 200 000 orders, and longer with more. Those that the journal brought back
    are set aside; for new ones a full collection waits for some seven million objects instead of
    seventy thousand. The young are looked at as often as ever, because a larger heap of them
    means longer pauses (7 ms now, 30 ms with a threshold of 50 000) and saves nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 1_000)
    gc.enable()
