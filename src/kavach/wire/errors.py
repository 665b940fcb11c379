"""
The vendor's error codes, texts and envelope A.

Three texts are fixed by the vendor: "`field` is invalid", "`field` can't be blank", and
"Something went wrong" for an instrument it does not know. A blank field is always 44000; an
invalid one has the code that the vendor's page gives for that field.

Source: docs/wire/README.md, "Envelopes"; docs/wire/README.md, "Placing"; docs/wire/README.md,
"Modifying"; docs/wire/errors.md; docs/wire/README.md, "Decisions".
"""

from enum import IntEnum
from typing import Any, Final

import msgspec


class ErrorCode(IntEnum):
    """``error_code`` of envelope A; those below 1000 are of the protocol, not the vendor's."""

    UNAUTHORISED = 40000  # "Request Unauthorised" and "Request forbidden" share it.
    FIELD_INVALID = 44000
    ORDER_INVALID = 45000
    WENT_WRONG = 45010
    SECOND_FACTOR_INVALID = 49008
    ALREADY_ADDED = 46001
    BASKET_INVALID = 48001
    BASKET_PRICE_INVALID = 48004
    NOT_HEDGEABLE = 49002
    BAD_REQUEST = 400
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    TOO_SLOW = 408
    BODY_TOO_LARGE = 413
    TOO_MANY_REQUESTS = 429
    HEAD_TOO_LARGE = 431
    INTERNAL = 500
    UNAVAILABLE = 503


INVALID_CODE: Final = {
    "price": ErrorCode.ORDER_INVALID,
    "quantity": ErrorCode.ORDER_INVALID,
    "oms_order_id": ErrorCode.ORDER_INVALID,
    "exchange_order_id": ErrorCode.ORDER_INVALID,
    "last_activity_reference": ErrorCode.ORDER_INVALID,
    "instrument_token": ErrorCode.WENT_WRONG,
}

UNAUTHORISED: Final = "Request Unauthorised"
FORBIDDEN: Final = "Request forbidden"


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Envelope A: what every refusal of an order or portfolio call looks like."""

    data: dict[str, Any]
    error_code: int
    message: str
    status: str
    error_type: str | None = None  # Only with --error-type: makes the official SDK raise.


def error_body(code: int, message: str, error_type: str | None = None) -> ErrorBody:
    """Return envelope A with this code and text."""
    return ErrorBody({}, int(code), message, "error", error_type)


class BadField(Exception):
    """A field of a request that cannot be what it is; ``message`` is the vendor's text."""

    def __init__(self, field: str, *, blank: bool = False, hint: str = "") -> None:
        self.field = field
        self.blank = blank
        self.code = ErrorCode.FIELD_INVALID if blank else invalid_code(field)
        self.message = blank_text(field) if blank else invalid_text(field)
        if hint:
            self.message += f": {hint}"
        super().__init__(self.message)

    def within(self, outer: str) -> "BadField":
        """Return the same about a field of an object: "`order` `product` is invalid"."""
        found = BadField(self.field, blank=self.blank)
        found.message = f"`{outer}` {self.message}"
        return found


def invalid_code(field: str) -> ErrorCode:
    """Return the code that the vendor gives for a bad value of this field."""
    return INVALID_CODE.get(field, ErrorCode.FIELD_INVALID)


def invalid_text(field: str) -> str:
    """Return the vendor's text for a bad value of this field."""
    text = f"`{field}` is invalid"
    return f"Something went wrong: {text}" if field == "instrument_token" else text


def blank_text(field: str) -> str:
    """Return the vendor's text for a field that is missing, null or empty."""
    return f"`{field}` can't be blank"


ERROR_TYPE: Final = {
    ErrorCode.UNAUTHORISED: "TokenException",
    ErrorCode.FIELD_INVALID: "InputException",
    ErrorCode.ORDER_INVALID: "OrderException",
    ErrorCode.WENT_WRONG: "InputException",
    ErrorCode.SECOND_FACTOR_INVALID: "TokenException",
    ErrorCode.ALREADY_ADDED: "InputException",
    ErrorCode.BASKET_INVALID: "InputException",
    ErrorCode.BASKET_PRICE_INVALID: "InputException",
    ErrorCode.NOT_HEDGEABLE: "OrderException",
}


def error_type_of(code: int) -> str:
    """Return the exception class of the official SDK that fits this code."""
    return ERROR_TYPE.get(ErrorCode(code), "GeneralException")
