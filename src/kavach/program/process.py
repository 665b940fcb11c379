"""
What the process asks of its machine: ready files, signals, open files, the garbage collector.

Source: docs/twin.md, "The command line".
"""

import asyncio
import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from kavach.api.feed.door import READERS_MAX
from kavach.api.http.connection import CONNECTIONS_MAX
from kavach.program.options import StartError
from kavach.ready_files import Published, Ready, write_ready_file

try:
    import resource
except ImportError:  # On Windows, where connections are no open files.
    _FILES_ARE_LIMITED = False
else:
    _FILES_ARE_LIMITED = True
try:
    import uvloop
except ImportError:  # There is none for Windows.
    _new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    _new_event_loop = uvloop.new_event_loop

# Windows sends SIGBREAK for Ctrl-Break, and never SIGTERM.
STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
)
_LOG: Final = logging.getLogger(__name__)
OTHER_FILES: Final = 100  # Journal, logs, and room to spare.
OPEN_FILES: Final = READERS_MAX + CONNECTIONS_MAX + OTHER_FILES


def check_ready_file(path: Path | None) -> None:
    """Return if the ready file could be written."""
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK)):
        raise StartError(f"The ready file {path} can't be written.")


@contextmanager
def announcing(copy: Path | None, publish: bool) -> Iterator[Callable[[Ready], None]]:
    """Give what makes a ready twin known, in the state directory and in a copy.

    The copy stays after the block, the file in the state directory does not.
    """
    published: list[Published] = []

    def announce(ready: Ready) -> None:
        if publish:
            try:
                published.append(Published(ready))
            except OSError as error:  # A home that can't be written keeps no twin from running.
                _LOG.warning("clients can't find this twin by themselves: %s", error)
        if copy is not None:
            write_ready_file(copy, ready)

    try:
        yield announce
    finally:
        for one in published:
            one.withdraw()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a loop: uvloop's where there is one, which is twice as fast, else asyncio's own."""
    return _new_event_loop()


@contextmanager
def on_stop_signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Let the running loop call ``interrupt`` at each signal to stop, while the block lasts.

    Only the main thread has signals; in another one nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(interrupt)

    # The loop's own add_signal_handler does not exist on Windows.
    before = [(number, signal.signal(number, on_signal)) for number in STOP_SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def allow_open_files() -> None:
    """Let as many files be open as connections may need, where the system allows it."""
    if not _FILES_ARE_LIMITED:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def readers_max() -> int:
    """Return how many connections of the feed the open files leave room for."""
    if not _FILES_ARE_LIMITED:
        return READERS_MAX
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
