"""
Which request a command came by, for the log.

A request's id is given out with its answer, after its commands ran. So what is to be said of
those is kept with the request until then; the context of its task carries it there.
"""

import logging
from contextvars import ContextVar
from typing import Final

from kavach.telemetry.logs import Note

_REQUEST: Final[ContextVar[list[tuple[logging.Logger, Note]] | None]] = ContextVar(
    "request", default=None
)


def begin_request() -> None:
    """Keep what is said of commands in this context, until the request is over."""
    _REQUEST.set([])


def say_with_request(log: logging.Logger, note: Note) -> bool:
    """Return whether there is a request with which this will be said."""
    kept = _REQUEST.get()
    if kept is None:
        return False
    kept.append((log, note))
    return True


def end_request(request_id: str) -> None:
    """Say what was kept, at DEBUG, with the id of the request; empty if it had no answer."""
    kept = _REQUEST.get()
    _REQUEST.set(None)
    for log, note in kept or ():
        note.fields["request_id"] = request_id
        log.debug(note)
