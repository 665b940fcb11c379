"""
What the client writes to the log ``kavach.sdk``: each request with the ids by which it is found.

    level     what
    debug     reads and their answers
    info      changes and their answers; reads without an answer
    warning   changes without a known outcome

A line has method, path, status and time, and the ids that a change and its answer have; a program
that writes JSON finds them as attributes of the record, too. No token, password, query or body is
in it.

Source: docs/client.md, "Logging".
"""

import logging
import time
from typing import Final

from kavach.sdk.errors import Attempt, OutcomeUnknown, TransportError
from kavach.sdk.requests.plan import Request, Response

LOG: Final = logging.getLogger("kavach.sdk")
LOG.addHandler(logging.NullHandler())  # Without a log of the program's own nothing is printed.
IDS: Final = ("client_id", "user_order_id", "oms_order_id", "idempotency_key")


def answered(request: Request, response: Response, begun: float) -> None:
    """Tell of an answer; ``begun`` is when the request was, by the monotonic clock."""
    level = logging.DEBUG if request.attempt is None else logging.INFO
    if LOG.isEnabledFor(level):
        ids = {"request_id": response.header("x-request-id"), **_ids(request.attempt)}
        _tell(level, request, str(response.http_status), begun, ids)


def failed(request: Request, error: TransportError, begun: float) -> None:
    """Tell of a request without an answer."""
    level = logging.WARNING if isinstance(error, OutcomeUnknown) else logging.INFO
    if LOG.isEnabledFor(level):
        what = type(error).__name__ if request.is_secret else f"{type(error).__name__}: {error}"
        _tell(level, request, what, begun, _ids(request.attempt))


def _ids(attempt: Attempt | None) -> dict[str, str]:
    return {} if attempt is None else {name: getattr(attempt, name) for name in IDS}


def _tell(level: int, request: Request, what: str, begun: float, ids: dict[str, str]) -> None:
    known = {name: value for name, value in ids.items() if value}
    shown = "".join(f" {name}={value}" for name, value in known.items())
    took_ms = (time.monotonic() - begun) * 1000
    LOG.log(
        level, "%s %s: %s in %.0f ms%s", request.method, request.path, what, took_ms, shown,
        extra=known,
    )  # fmt: skip
