"""
What an answer says: the data of a success, the error of a refusal, or that it cannot be told.

The body decides first (``status`` is ``error``, or an error envelope), then the HTTP status:
this API may send an error under 200. An answer that is not JSON, is empty, or comes under a
5xx says nothing about whether a change took effect.

Source: docs/wire/README.md, "Envelopes"; docs/wire/README.md, "Decisions".
"""

from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from kavach.sdk.errors import (
    AuthError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    RequestRefused,
    UnreadableAnswer,
)
from kavach.sdk.requests.plan import Request, Response
from kavach.sdk.rows import R, read_row
from kavach.wire import headers
from kavach.wire.errors import ErrorCode

FRACTION_LENGTH_MAX: Final = 64
RETRY_SECONDS_MAX: Final = 86_400.0


def _exact(text: str) -> Decimal:
    """Return a fraction as it was written; one of absurd size is no answer of this API."""
    number = Decimal(text)
    if len(text) > FRACTION_LENGTH_MAX or abs(number.adjusted()) > FRACTION_LENGTH_MAX:
        raise ValueError("a number of absurd size")
    return number


_EXACT: Final = msgspec.json.Decoder(float_hook=_exact)
_PLAIN: Final = msgspec.json.Decoder()


def data_of(request: Request, response: Response) -> Any:
    """
    Return the ``data`` of a successful answer, its fractions as ``Decimal``.

    Raises ``RequestRefused`` for a refusal, ``UnreadableAnswer`` or ``OutcomeUnknown`` for an
    answer that says neither yes nor no.
    """
    body = _object(request, response, _EXACT)
    if body.get("status") == "success" and response.http_status < 300:
        return body.get("data")
    if not refuses(body, response) or response.http_status >= 500:
        unreadable(request, response, "neither a success nor an error of this API")
    raise _refusal(body, response)


def result_of(request: Request, response: Response) -> Any:
    """
    Return the ``result`` of a successful answer about contracts, its fractions as ``Decimal``.

    These travel in an envelope of their own, whose success is an error of code 0. Raises as
    ``data_of`` does.
    """
    body = _object(request, response, _EXACT)
    error = body.get("error")
    is_fine = isinstance(error, dict) and error.get("code") == 0
    if is_fine and "result" in body and response.http_status < 300:
        return body["result"]
    if not refuses(body, response) or response.http_status >= 500:
        unreadable(request, response, "neither a result nor an error of this API")
    raise _refusal(body, response)


def identified(data: Any, key: str) -> str:
    """Return the id in the data of a placement, empty if there is none."""
    found = data.get(key) if isinstance(data, dict) else None
    return str(found) if isinstance(found, (str, int)) else ""


def plain_object(request: Request, response: Response) -> dict[str, Any]:
    """Return the JSON object of an answer, whether it is a success or an error."""
    return _object(request, response, _PLAIN)


def clear_object(request: Request, response: Response) -> dict[str, Any]:
    """Return the JSON object of an answer to a change, which must be a clear yes or a clear no."""
    body = _object(request, response, _PLAIN)
    is_yes = body.get("status") in ("success", True) and response.http_status < 300
    if not is_yes and not (refuses(body, response) and response.http_status < 500):
        unreadable(request, response, "neither a success nor an error of this API")
    return body


def refuses(body: dict[str, Any], response: Response) -> bool:
    """Return whether the answer is a clear no."""
    return (
        body.get("status") == "error"
        or bool(body.get("error") or body.get("error_code"))
        or response.http_status >= 400
    )


def refused(request: Request, response: Response) -> RequestRefused:
    """Return the error for an answer that is surely no success, whose envelope is not known."""
    if response.http_status >= 500 or response.http_status < 300:
        unreadable(request, response, "neither a success nor an error of this API")
    return _refusal(_object(request, response, _EXACT), response)


def unreadable(request: Request, response: Response, why: str) -> NoReturn:
    """Raise the error for an answer that says neither yes nor no."""
    text = f"HTTP {response.http_status}, {why}"
    if not request.is_secret:  # Half of a login's answer can hold a whole token.
        text += f": {response.body[:80].decode('utf-8', 'replace')!r}"
    if request.attempt is not None:
        raise OutcomeUnknown(text, request.attempt)
    raise UnreadableAnswer(f"{request.method} {request.path}: {text}")


def read_one(request: Request, response: Response, kind: type[R], row: Any) -> R:
    """Return one row as ``kind``."""
    try:
        return read_row(kind, row)
    except msgspec.ValidationError as error:
        unreadable(request, response, f"it cannot be read: {error}")


def read_rows(request: Request, response: Response, kind: type[R], rows: Any) -> list[R]:
    """Return a list of rows, each as ``kind``."""
    if not isinstance(rows, list):
        unreadable(request, response, "its data holds no list of rows")
    try:
        return [read_row(kind, row) for row in rows]
    except msgspec.ValidationError as error:
        unreadable(request, response, f"a row cannot be read: {error}")


def _object(
    request: Request, response: Response, decoder: msgspec.json.Decoder[Any]
) -> dict[str, Any]:
    body = _decoded(response.body, decoder)
    if not isinstance(body, dict):
        unreadable(request, response, "not JSON" if body is None else "not a JSON object")
    return body


def _decoded(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return the value of a JSON text; ``None`` if it is none, or nested without an end."""
    try:
        return decoder.decode(body)
    except (ValueError, ArithmeticError, RecursionError):  # They can hold the text: not chained.
        return None


def _refusal(body: dict[str, Any], response: Response) -> RequestRefused:
    """Return the error that fits a refusal, whichever envelope it came in."""
    nested = body.get("error")
    inner = nested if isinstance(nested, dict) else {}
    code = body.get("error_code", inner.get("code", 0))
    message = (
        body.get("message")
        or body.get("error_description")
        or inner.get("message")
        or (nested if nested else "")
    )
    number = code if isinstance(code, int) and not isinstance(code, bool) else 0
    refusal = _kind(number, response.http_status)(
        code=number,
        message=str(message),
        http_status=response.http_status,
        request_id=response.header(headers.REQUEST_ID),
        reason=response.header(headers.ERROR_REASON),
    )
    if isinstance(refusal, RateLimited):
        refusal.retry_after = _seconds(response.header("Retry-After"))
    return refusal


def _seconds(text: str) -> float | None:
    """Return how long to wait; a date, which this API never sends, says nothing."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        return None
    return min(float(text), RETRY_SECONDS_MAX)


def _kind(code: int, http_status: int) -> type[RequestRefused]:
    numbers = (code, http_status)  # Some envelopes hold an HTTP status as their code.
    if ErrorCode.TOO_MANY_REQUESTS in numbers:
        return RateLimited
    if http_status in (401, 403) or code == ErrorCode.UNAUTHORISED:
        return AuthError
    if ErrorCode.NOT_FOUND in numbers:
        return NotFound
    return InvalidRequest if code == ErrorCode.FIELD_INVALID else RequestRefused
