"""
Everything that can go wrong, as one tree.

    PocketError
    ├── BadArgument             the call itself is wrong; nothing was sent (also a ValueError)
    ├── RequestRefused          the server said no; nothing changed
    │   ├── AuthError           40000: the token is missing, expired, or another client's
    │   ├── InvalidRequest      44000: a field is missing or cannot be so
    │   ├── NotFound            404: no such order for this client
    │   └── RateLimited         429: too many requests; wait retry_after seconds
    └── TransportError          no usable answer came; a read, or nothing that matters
        ├── NotSent             no connection was made: nothing was sent, safe to repeat
        ├── UnreadableAnswer    an answer came to a read, and it is not one of this API's
        ├── FeedLost            the feed was closed, or not reached for longer than you are patient
        └── OutcomeUnknown      a change was asked for and may or may not have happened

``OutcomeUnknown`` is the one that needs thought. The request may have reached the market, so
the client never sends it again by itself. The error carries the ``Attempt`` (what was asked,
under which idempotency key and user order id), and ``pocket.resolve(error)`` looks for
its traces in the order book, or among rules, baskets and positions.

A ``KeyboardInterrupt`` or ``asyncio.CancelledError`` that ends a call after a change may have left
is raised as it is, with the ``OutcomeUnknown`` as its ``__cause__``; ``resolve`` takes it as well.

Every error can be pickled and copied. None quotes an answer that can hold a secret.

Source: docs/wire/README.md, "Envelopes"; docs/decisions/0031-what-a-client-may-claim.md.
"""

from enum import StrEnum
from typing import Any

import msgspec


class Kind(StrEnum):
    """What sort of thing a change was about: where its traces are looked for."""

    REGULAR = "REGULAR"  # After-market orders, too.
    COVER = "CO"
    BRACKET = "BO"
    GTT = "GTT"
    BASKET = "BASKET"
    POSITION = "POSITION"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was asked for: all that is needed to find out what became of it."""

    operation: str  # place, modify or cancel; of rules and baskets also others.
    idempotency_key: str
    client_id: str = ""
    user_order_id: str = ""  # As the order book spells it; empty when the request had none.
    oms_order_id: str = ""
    leg: str = ""
    basket_id: str = ""  # Known once a placement was answered; of a saved basket, its own.
    wanted: dict[str, str] = {}  # The row's fields, and the texts that they should show.
    kind: Kind = Kind.COVER
    known: tuple[str, ...] = ()  # What was there before a change that leaves no mark of its own.
    asked: dict[str, str] = {}  # Every field of the request as it was sent.
    by_vendor_name: bool = False  # Only its body is known, not what it was to make of the rows.
    was_so: bool = False  # What was asked for was shown before; that it is proves nothing.


class PocketError(Exception):
    """The root of the tree above."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickling and copying need, whatever ``__init__`` asks for."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[PocketError], args: tuple[Any, ...], state: dict[str, Any]) -> PocketError:
    """Return an error as it was when it was pickled."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class BadArgument(PocketError, ValueError):
    """The call itself is wrong, so nothing was sent; the message names the argument."""


class RequestRefused(PocketError):
    """The server said no and changed nothing."""

    def __init__(
        self, *, code: int, message: str, http_status: int, request_id: str = "", reason: str = ""
    ) -> None:
        super().__init__(code, message, http_status, request_id, reason)
        self.code = code  # The vendor's error_code; 0 when the answer had none.
        self.message = message
        self.http_status = http_status
        self.request_id = request_id
        self.reason = reason  # A stable word such as ENTRY_ALREADY_EXECUTED, where sent.

    def __str__(self) -> str:
        text = f"{self.message or 'refused without a text'} (code {self.code}"
        if self.reason:
            text += f", {self.reason}"
        text += f", HTTP {self.http_status}"
        if self.request_id:
            text += f", request {self.request_id}"
        return text + ")"


class AuthError(RequestRefused):
    """The token is missing, wrong, expired, or belongs to another client."""


class InvalidRequest(RequestRefused):
    """A field is missing, or its value cannot be."""


class NotFound(RequestRefused):
    """There is no such order (or path) for this client."""


class RateLimited(RequestRefused):
    """Too many requests: wait ``retry_after`` seconds, then ask again; nothing was done."""

    retry_after: float | None = None  # Seconds; ``None`` when the server does not say.


class TransportError(PocketError):
    """No usable answer came."""


class NotSent(TransportError):
    """No connection was made, so nothing was sent: safe to repeat, whatever it was."""


class UnreadableAnswer(TransportError):
    """A read was answered by something that is not an answer of this API."""


class FeedLost(TransportError):
    """The feed was closed meanwhile, or could not be reached for as long as it was to try."""


class OutcomeUnknown(TransportError):
    """A change was asked for and may or may not have happened: never repeat it blindly."""

    def __init__(self, why: str, attempt: Attempt) -> None:
        super().__init__(why, attempt)
        self.why = why
        self.attempt = attempt

    @property
    def idempotency_key(self) -> str:
        """The key the request carried: a server that keeps keys will not do it twice."""
        return self.attempt.idempotency_key

    @property
    def user_order_id(self) -> str:
        """The id by which the order, if there is one, can be found; a placement takes it again."""
        return self.attempt.user_order_id

    def __str__(self) -> str:
        return (
            f"outcome of {self.attempt.operation} unknown: {self.why}. Do not send it again; "
            f"ask pocket.resolve(error). Idempotency key {self.attempt.idempotency_key}, "
            f"user order id {self.attempt.user_order_id or 'none'}"
        )


def attempt_in(error: object) -> Attempt | None:
    """Return the attempt that an error carries, itself or in what caused it; ``None`` if none."""
    seen: set[int] = set()
    while isinstance(error, BaseException) and id(error) not in seen:
        if isinstance(error, OutcomeUnknown):
            return error.attempt
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None
