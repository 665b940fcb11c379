"""
``docs/wire/errors.md``, printed from the code: every refusal, and what a client sees of it.

    python -m kavach.api.docs.errors_page > docs/wire/errors.md
"""

import sys
from collections.abc import Iterable
from typing import Final

from kavach.api.gateway.refusals import REFUSALS
from kavach.api.http import connection
from kavach.api.people import logins
from kavach.core.refusals import Reason
from kavach.wire.errors import INVALID_CODE, ErrorCode, invalid_text

_HEAD: Final = """\
# Errors

Errors of the trading API have one shape, whatever went wrong; those of
[contracts, search, chains and quotes](contracts.md), of the [calculator](portfolio.md) and of
[OAuth2](login.md) have shapes of their own:

```json
{
  "data": {},
  "error_code": 44000,
  "message": "`exchange_order_id` can't be blank",
  "status": "error"
}
```

`X-Error-Reason` holds the word of the tables below; it does not change from version to version,
texts may. What would have been right follows the text behind a colon: a range, a tick, what the
order is. A refused request has changed nothing. This page is printed by
`python -m kavach.api.docs.errors_page`.

## At the door

| HTTP | error_code | text | X-Error-Reason |
|---|---|---|---|
"""

_DOOR: Final = (
    (401, ErrorCode.UNAUTHORISED, "Request Unauthorised", "UNAUTHORISED"),
    (403, ErrorCode.UNAUTHORISED, "Request forbidden", "FORBIDDEN"),
    (404, ErrorCode.NOT_FOUND, "Resource Not Found", "NO_SUCH_ROUTE"),
    (405, ErrorCode.METHOD_NOT_ALLOWED, "Method Not Allowed", "METHOD_NOT_ALLOWED"),
    (413, ErrorCode.BODY_TOO_LARGE, "Request body is too large", "BODY_TOO_LARGE"),
    (500, ErrorCode.INTERNAL, "Internal error", "INTERNAL"),
    (
        503,
        ErrorCode.UNAVAILABLE,
        "Not durable: the outcome is unknown, look before you send it again",
        "UNKNOWN",
    ),
    (
        503,
        ErrorCode.UNAVAILABLE,
        "The disk takes nothing just now: nothing was done, try again",
        "PAUSED",
    ),
    (
        503,
        ErrorCode.UNAVAILABLE,
        "Too many requests wait for the disk: nothing was done, try again",
        "BUSY",
    ),
    (401, ErrorCode.UNAUTHORISED, logins.WRONG_PASSWORD, "WRONG_PASSWORD"),
    (403, ErrorCode.UNAUTHORISED, logins.NO_FACTOR, "NO_SECOND_FACTOR"),
    *(
        (401, ErrorCode.SECOND_FACTOR_INVALID, text, f"WRONG_{factor.value}")
        for factor, text in logins.WRONG_FACTOR.items()
    ),
    (429, ErrorCode.TOO_MANY_REQUESTS, str(logins.TooManyGuesses(900)), "TOO_MANY_GUESSES"),
    (503, ErrorCode.UNAVAILABLE, logins.CROWDED, "BUSY"),
    (400, ErrorCode.FIELD_INVALID, "`body` is invalid: it must be a JSON object", "INVALID"),
)

_CONNECTION: Final = """
## When the connection ends

After each of these answers the server closes the connection; requests before it were answered.

| HTTP | error_code | text | X-Error-Reason |
|---|---|---|---|
"""

_FAULTS: Final = (
    connection.MALFORMED,
    connection.TWICE,
    connection.TOO_FAR_AHEAD,
    connection.TOO_SLOW,
    connection.HEAD_TOO_LARGE,
    connection.CROWDED,
)

_FIELDS: Final = """
## A field that cannot be read

Missing, null and blank: HTTP 400, 44000, "`<field>` can't be blank", word `BLANK`. Anything else
that is no value of the field: HTTP 400, "`<field>` is invalid", word `INVALID`, and this code:

| field | error_code | text |
|---|---|---|
"""

_REFUSALS: Final = """
## What the order or the rules do not allow

In the order in which the rules look; the first that fails is the answer.

| what must hold | HTTP | error_code | text | X-Error-Reason |
|---|---|---|---|---|
"""


def errors_page() -> str:
    """Return the page."""
    door = (_line(http, code.value, text, f"`{word}`") for http, code, text, word in _DOOR)
    faults = (
        _line(fault.status_line.split()[0], fault.code.value, fault.text, f"`{fault.word}`")
        for fault in _FAULTS
    )
    fields = (_line(f"`{f}`", code.value, invalid_text(f)) for f, code in INVALID_CODE.items())
    other = _line("every other", ErrorCode.FIELD_INVALID.value, "`<field>` is invalid")
    refusals = (
        _line(reason.value, told.status, told.code.value, told.text, f"`{told.word}`")
        for reason, told in ((reason, REFUSALS[reason]) for reason in Reason)
    )
    parts = (_HEAD, *door, _CONNECTION, *faults, _FIELDS, *fields, other, _REFUSALS, *refusals)
    return "".join(parts)


def _line(*cells: object) -> str:
    texts: Iterable[str] = (str(cell) for cell in cells)
    return f"| {' | '.join(texts)} |\n"


if __name__ == "__main__":
    sys.stdout.write(errors_page())
