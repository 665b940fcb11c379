"""
What a client sees of each refusal: HTTP status, vendor code, text, and a stable word.

The only place where a reason of the core becomes a text of the wire. ``docs/wire/errors.md``
is printed from this table and a test holds them equal.

Source: cover-order 5.7; wire 1.11, Decisions 1, 5, 6, 7, 15, 19.
"""

from typing import Final, NamedTuple

from kavach.core.refusals import Reason, Refusal
from kavach.wire.errors import FORBIDDEN, UNAUTHORISED, ErrorCode, invalid_code, invalid_text

R = Reason


class Told(NamedTuple):
    """What a client is told."""

    status: int
    code: ErrorCode
    text: str
    word: str  # In ``X-Error-Reason``.


def _field(reason: Reason, field: str, code: ErrorCode | None = None) -> Told:
    """Name the field that is wrong, with the code the vendor gives for it."""
    if code is None:
        return Told(400, invalid_code(field), invalid_text(field), reason.name)
    return Told(400, code, f"`{field}` is invalid", reason.name)


def _order(reason: Reason, text: str) -> Told:
    """Say why the order as it stands does not allow it."""
    return Told(400, ErrorCode.ORDER_INVALID, text, reason.name)


_FIELD: Final = ErrorCode.FIELD_INVALID
_ORDER: Final = ErrorCode.ORDER_INVALID

_FIELDS: Final[dict[Reason, tuple[str, ErrorCode | None]]] = {
    R.KEY_MUST_NOT_BE_REUSED: ("Idempotency-Key", None),
    R.CLIENT_MUST_BE_NEW: ("client_id", None),
    R.APP_MUST_EXIST: ("client_id", None),
    R.APP_MUST_BE_NEW: ("client_id", None),
    R.CODE_MUST_BE_LIVE: ("code", None),
    R.INSTRUMENT_MUST_EXIST: ("instrument_token", None),
    R.PRODUCT_MUST_BE_OFFERED: ("product", None),
    R.ORDER_TYPE_MUST_BE_OFFERED: ("order_type", None),
    R.VALIDITY_MUST_BE_OFFERED: ("validity", None),
    R.QUANTITY_MUST_BE_POSITIVE: ("quantity", None),
    R.QUANTITY_MUST_BE_MULTIPLE_OF_LOT: ("quantity", None),
    R.QUANTITY_MUST_BE_WITHIN_LIMIT: ("quantity", None),
    R.DISCLOSED_QUANTITY_MUST_FIT: ("disclosed_quantity", None),
    R.PRICE_MUST_BE_POSITIVE: ("price", None),
    R.PRICE_MUST_BE_ZERO: ("price", None),
    R.PRICE_MUST_BE_ON_TICK: ("price", None),
    R.PRICE_MUST_BE_IN_BAND: ("price", _FIELD),  # The vendor's code for outside the day's range.
    R.TRIGGER_PRICE_MUST_BE_POSITIVE: ("trigger_price", None),
    R.TRIGGER_PRICE_MUST_BE_ZERO: ("trigger_price", None),
    R.TRIGGER_PRICE_MUST_BE_ON_TICK: ("trigger_price", None),
    R.TRIGGER_PRICE_MUST_BE_IN_BAND: ("trigger_price", None),
    R.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE: ("trigger_price", None),
    R.TRIGGER_PRICE_MUST_NOT_PASS_PRICE: ("trigger_price", None),
    R.STOP_MUST_BE_POSITIVE: ("stop_loss_value", None),
    R.STOP_MUST_BE_ON_TICK: ("stop_loss_value", None),
    R.STOP_MUST_BE_IN_BAND: ("stop_loss_value", None),
    R.STOP_MUST_BE_ON_LOSING_SIDE: ("stop_loss_value", None),
    R.STOP_MUST_BE_BEYOND_LAST_PRICE: ("stop_loss_value", None),
    R.TARGET_MUST_BE_POSITIVE: ("square_off_value", None),
    R.TARGET_MUST_BE_ON_TICK: ("square_off_value", None),
    R.TARGET_MUST_BE_IN_BAND: ("square_off_value", None),
    R.TARGET_MUST_BE_ON_WINNING_SIDE: ("square_off_value", None),
    R.TRAILING_STEP_MUST_FIT: ("trailing_stop_loss", None),
    R.EXECUTION_TYPE_MUST_MATCH: ("execution_type", None),
    R.LEG_MUST_EXIST: ("leg_order_indicator", None),
    R.LEG_MUST_MATCH_ID: ("leg_order_indicator", None),
    R.EXCHANGE_ORDER_ID_MUST_MATCH: ("exchange_order_id", None),
    R.INSTRUMENT_MUST_NOT_CHANGE: ("instrument_token", _FIELD),
    R.SIDE_MUST_NOT_CHANGE: ("order_side", None),
    R.PRODUCT_MUST_NOT_CHANGE: ("product", None),
    R.REFERENCE_MUST_BE_CURRENT: ("last_activity_reference", None),
    R.QUANTITY_MUST_COVER_FILLS: ("quantity", None),
    R.QUANTITY_MUST_NOT_GROW: ("quantity", None),
}

_ORDERS: Final[dict[Reason, str]] = {
    R.ENTRIES_MUST_BE_ALLOWED: "Error from backend: (1010)-blocked by broker",
    R.VENUE_MUST_BE_REACHABLE: "Error from backend: (1009)-Adapter is offline",
    R.MARGIN_MUST_SUFFICE: "Error from backend: (12001)-Margin unavailable",
    R.LEG_MUST_BE_CANCELLED_AS_SUCH: (
        "Order is a leg of a conditional order; use /api/v1/orders/kart with leg_order_indicator"
    ),
    R.ORDER_ALREADY_EXECUTED: "Order is already executed",
    R.ORDER_IN_FLIGHT: "Order is on its way to the exchange; try again when it is confirmed",
    R.ORDER_BEING_CANCELLED: "Order is being cancelled",
    R.ENTRY_ALREADY_EXECUTED: "Entry leg already executed; cancel leg THIRD to exit",
    R.ENTRY_IN_FLIGHT: "Entry leg is on its way to the exchange; try again when it is confirmed",
    R.ENTRY_BEING_CANCELLED: "Entry leg is being cancelled",
    R.STOP_ALREADY_TRIGGERED: "Stop-loss leg already triggered; cancel leg THIRD to exit faster",
    R.EXIT_IN_PROGRESS: "Exit is already in progress",
    R.ALREADY_CLOSED: "Order is already closed",
    R.ALREADY_EXITED: "Position is already exited",
    R.ALREADY_REJECTED: "Order was rejected",
    R.CARRIED_OVER: "Position was carried over; it can be exited in the next session",
    R.VENUE_REFUSED: "Error from backend",
    R.TOO_LATE: "Too late: the exchange had already executed the order",
}

REFUSALS: Final[dict[Reason, Told]] = {
    R.CLIENT_MUST_EXIST: Told(403, ErrorCode.UNAUTHORISED, FORBIDDEN, R.CLIENT_MUST_EXIST.name),
    R.TOTP_MUST_BE_NEW: Told(
        401,
        ErrorCode.SECOND_FACTOR_INVALID,
        "Invalid TOTP, please try again",
        "WRONG_TOTP",
    ),
    R.TOKEN_MUST_BE_LIVE: Told(
        401, ErrorCode.UNAUTHORISED, UNAUTHORISED, R.TOKEN_MUST_BE_LIVE.name
    ),
    R.TOKEN_MUST_NOT_STAND: Told(
        403,
        ErrorCode.UNAUTHORISED,
        f"{FORBIDDEN}: this token was given by the operator and ends when another is given",
        R.TOKEN_MUST_NOT_STAND.name,
    ),
    # The same answer for an id that is unknown and for one that is somebody else's.
    R.ORDER_MUST_EXIST: Told(404, _ORDER, invalid_text("oms_order_id"), "ORDER_NOT_FOUND"),
    **{reason: _field(reason, *field) for reason, field in _FIELDS.items()},
    **{reason: _order(reason, text) for reason, text in _ORDERS.items()},
}


def told(refusal: Refusal) -> tuple[Told, str]:
    """Return the entry for a refusal, and its text with the figures for people behind it."""
    entry = REFUSALS[refusal.reason]
    if refusal.detail and entry.status == 400:  # Who may not know gets no figures.
        return entry, f"{entry.text}: {refusal.detail}"
    return entry, entry.text
