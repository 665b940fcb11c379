"""
What a client sees of each refusal: HTTP status, vendor code, text, and a stable word.

The only place where a reason of the core becomes a text of the wire. ``docs/wire/errors.md``
is printed from this table and a test holds them equal.

Source: docs/wire/README.md, "Cancelling and getting out"; docs/wire/errors.md; docs/wire/README.md,
"Decisions".
"""

from typing import Final, NamedTuple

from msgspec.structs import replace

from kavach.core.commands import Command
from kavach.core.model.baskets.commands import (
    AddBasketOrder,
    CreateBasket,
    DeleteBasket,
    EditBasketOrder,
    ExecuteBasket,
    RemoveBasketOrder,
    RenameBasket,
)
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, ModifyGtt
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.baskets.requests import BASKET_ORDERS_MAX, BASKETS_MAX, NAME_LENGTH_MAX
from kavach.core.rules.gtt.requests import GTTS_MAX
from kavach.wire.errors import (
    FORBIDDEN,
    UNAUTHORISED,
    ErrorCode,
    blank_text,
    invalid_code,
    invalid_text,
)

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


def _within(reason: Reason, outer: str, field: str) -> Told:
    """Name a field of an object that the request holds."""
    return Told(400, ErrorCode.FIELD_INVALID, f"`{outer}` `{field}` is invalid", reason.name)


_FIELD: Final = ErrorCode.FIELD_INVALID
_ORDER: Final = ErrorCode.ORDER_INVALID
_BASKET: Final = ErrorCode.BASKET_INVALID
_SYMBOL: Final = "<trading symbol>"  # Stands in a text for what the refusal names.

_FIELDS: Final[dict[Reason, tuple[str, ErrorCode | None]]] = {
    R.KEY_MUST_NOT_BE_REUSED: ("Idempotency-Key", None),
    R.CLIENT_MUST_BE_NEW: ("client_id", None),
    R.APP_MUST_EXIST: ("client_id", None),
    R.APP_MUST_BE_NEW: ("client_id", None),
    R.CODE_MUST_BE_LIVE: ("code", None),
    R.INSTRUMENT_MUST_EXIST: ("instrument_token", None),
    R.BRACKET_MUST_BE_OFFERED: ("execution_type", None),
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
    R.NEW_PRODUCT_MUST_BE_OFFERED: ("new_product", None),
    R.NEW_PRODUCT_MUST_DIFFER: ("new_product", None),
    R.POSITION_MUST_EXIST: ("instrument_token", _ORDER),
    R.SIDE_MUST_BE_THE_POSITIONS: ("order_side", None),
    R.QUANTITY_MUST_BE_CONVERTIBLE: ("quantity", None),
    R.LEG_MUST_MATCH_ID: ("leg_order_indicator", None),
    R.EXCHANGE_ORDER_ID_MUST_MATCH: ("exchange_order_id", None),
    R.INSTRUMENT_MUST_NOT_CHANGE: ("instrument_token", _FIELD),
    R.SIDE_MUST_NOT_CHANGE: ("order_side", None),
    R.PRODUCT_MUST_NOT_CHANGE: ("product", None),
    R.FILLED_QUANTITY_MUST_MATCH: ("filled_quantity", None),
    R.REMAINING_QUANTITY_MUST_MATCH: ("remaining_quantity", None),
    R.ORDER_TYPE_MUST_NOT_CHANGE: ("order_type", None),
    R.LEG_QUANTITY_MUST_NOT_CHANGE: ("quantity", None),
    R.DISCLOSED_QUANTITY_MUST_NOT_CHANGE: ("disclosed_quantity", None),
    R.PRICE_MUST_NOT_CHANGE: ("price", None),
    R.TRIGGER_PRICE_MUST_NOT_CHANGE: ("trigger_price", None),
    R.VALIDITY_MUST_NOT_CHANGE: ("validity", None),
    R.STOP_MUST_NOT_CHANGE: ("stop_loss_value", None),
    R.TARGET_MUST_NOT_CHANGE: ("square_off_value", None),
    R.TRAILING_MUST_NOT_CHANGE: ("trailing_stop_loss", None),
    R.PROTECTION_MUST_NOT_CHANGE: ("market_protection_percentage", None),
    R.REFERENCE_MUST_BE_CURRENT: ("last_activity_reference", None),
    R.QUANTITY_MUST_COVER_FILLS: ("quantity", None),
    R.QUANTITY_MUST_NOT_GROW: ("quantity", None),
    R.EXPIRY_MUST_BE_AHEAD: ("expiry_time", None),
    R.EXPIRY_MUST_BE_WITHIN_LIMIT: ("expiry_time", None),
}

# A stop and a target can also be asked for by the prices of their rows.
_ASKED_BY: Final = {"price_pips": "price", "trigger_price_pips": "trigger_price"}

# Fields that an order has, and may be named within the object that describes it.
_INNER: Final = frozenset(_FIELDS) - {
    R.KEY_MUST_NOT_BE_REUSED,
    R.CLIENT_MUST_BE_NEW,
    R.EXPIRY_MUST_BE_AHEAD,
    R.EXPIRY_MUST_BE_WITHIN_LIMIT,
}

_ORDERS: Final[dict[Reason, str]] = {
    R.ENTRIES_MUST_BE_ALLOWED: "Error from backend: (1010)-blocked by broker",
    R.VENUE_MUST_BE_REACHABLE: "Error from backend: (1009)-Adapter is offline",
    R.MARGIN_MUST_SUFFICE: "Error from backend: (12001)-Margin unavailable",
    R.HOLDING_MUST_SUFFICE: "Error from backend: (12006)-Holding unavailable",
    R.ORDER_MUST_BE_THE_CLIENTS: (
        "Order is the system's own square-off of a position: it can't be changed or cancelled"
    ),
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
    R.GTT_MUST_BE_ACTIVE: "Error from backend: (1600)-the rule is no longer active",
    R.GTTS_MUST_BE_FEWER: f"Error from backend: (1600)-no more than {GTTS_MAX} active rules",
    R.VENUE_REFUSED: "Error from backend",
    R.TOO_LATE: "Too late: the exchange had already executed the order",
}

_BASKETS: Final[dict[Reason, tuple[ErrorCode, str]]] = {
    R.BASKET_MUST_EXIST: (_BASKET, "BasketId doesn't exists"),
    R.BASKET_TO_DELETE_MUST_EXIST: (_BASKET, "Basket doesnt exists"),
    R.BASKET_NAME_MUST_BE_SHORT: (
        _BASKET,
        f"`name` Basket name restricted to {NAME_LENGTH_MAX} characters",
    ),
    R.BASKET_NAME_MUST_BE_NEW: (_BASKET, "name has already been taken"),
    R.BASKETS_MUST_BE_FEWER: (_BASKET, f"No more than {BASKETS_MAX} baskets can be kept"),
    R.BASKET_ORDER_MUST_EXIST: (_BASKET, "`order_id` is not in the basket"),
    R.BASKET_PRICE_MUST_NOT_BE_ZERO: (
        ErrorCode.BASKET_PRICE_INVALID,
        "`order_info` order price cannot be zero in SL/LIMIT order",
    ),
    R.HEDGED_UNDERLYING_MUST_BE_AN_INDEX: (
        _BASKET,
        "`order_info` Hedge basket feature enabled only for NIFTY 50 & NIFTY BANK as underlying",
    ),
    R.BASKET_INSTRUMENT_MUST_BE_NEW: (ErrorCode.ALREADY_ADDED, "Instrumetn already added"),
    R.BASKET_ORDERS_MUST_BE_FEWER: (
        _BASKET,
        f"No more than {BASKET_ORDERS_MAX} orders can be in a basket",
    ),
    R.BASKET_MUST_HOLD_ORDERS: (_BASKET, "Basket has no orders"),
    R.HEDGED_INSTRUMENT_MUST_BE_DERIVATIVE: (
        ErrorCode.NOT_HEDGEABLE,
        f"instrument `{_SYMBOL}` is disabled for hedging",
    ),
}

_WITHIN: Final[dict[Reason, tuple[str, str]]] = {
    R.BASKET_PRODUCT_MUST_MATCH: ("order_info", "product"),
    R.BASKET_ORDER_TYPE_MUST_MATCH: ("order_info", "order_type"),
    R.GTT_STOP_TRIGGER_MUST_FIT: ("order", "sl_trigger_price"),
    R.GTT_STOP_QUANTITY_MUST_FIT: ("order", "sl_order_quantity"),
    R.GTT_STOP_PRICE_MUST_FIT: ("order", "sl_order_price"),
    R.GTT_TRIGGER_MUST_NOT_BE_LAST_PRICE: ("order", "trigger_price"),
    R.GTT_TRIGGERS_MUST_SURROUND_LAST_PRICE: ("order", "sl_trigger_price"),
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
    R.REQUESTS_MUST_BE_WITHIN_LIMIT: Told(
        429, ErrorCode.TOO_MANY_REQUESTS, "Too many requests", "RATE_LIMITED"
    ),
    R.MARKET_PROTECTION_MUST_BE_GIVEN: Told(
        400,
        _FIELD,
        blank_text("market_protection_percentage"),
        R.MARKET_PROTECTION_MUST_BE_GIVEN.name,
    ),
    # The same answer for an id that is unknown and for one that is somebody else's.
    R.ORDER_MUST_EXIST: Told(404, _ORDER, invalid_text("oms_order_id"), "ORDER_NOT_FOUND"),
    **{reason: _field(reason, *field) for reason, field in _FIELDS.items()},
    **{reason: _order(reason, text) for reason, text in _ORDERS.items()},
    R.CLIENT_MUST_HAVE_GTTS: Told(
        404, _ORDER, "Error from backend: (500)-no gtt data found", R.CLIENT_MUST_HAVE_GTTS.name
    ),
    R.GTT_MUST_EXIST: Told(
        404, _ORDER, "Error from backend: (500)-event id not found", R.GTT_MUST_EXIST.name
    ),
    R.GTT_TO_MODIFY_MUST_EXIST: Told(
        404,
        _ORDER,
        "Error from backend: (1600)-cannot modify, no data found with this id",
        R.GTT_TO_MODIFY_MUST_EXIST.name,
    ),
    **{reason: _within(reason, *path) for reason, path in _WITHIN.items()},
    **{reason: Told(400, code, text, reason.name) for reason, (code, text) in _BASKETS.items()},
}


# The object of a request that holds the fields of its order.
_OUTER: Final[dict[type[Command], str]] = {
    **dict.fromkeys((CreateGtt, ModifyGtt, CancelGtt), "order"),
    **dict.fromkeys(
        (
            CreateBasket,
            RenameBasket,
            DeleteBasket,
            AddBasketOrder,
            EditBasketOrder,
            RemoveBasketOrder,
            ExecuteBasket,
        ),
        "order_info",
    ),
}


def told(refusal: Refusal, command: Command | None = None) -> tuple[Told, str]:
    """Return the entry for a refusal, and its text with the figures for people behind it.

    A field of an object within the request is named so: "`order` `product` is invalid".
    """
    entry = REFUSALS[refusal.reason]
    if refusal.by:
        entry = _field(refusal.reason, _ASKED_BY[refusal.by])
    elif _names_exchange(refusal, command):
        entry = _field(refusal.reason, "exchange", _FIELD)
        refusal = replace(refusal, detail=refusal.detail.partition(":")[0])
    text = entry.text
    outer = _OUTER.get(type(command)) if command is not None else None
    if outer and refusal.reason in _INNER and text.startswith("`"):
        text = f"`{outer}` {text}"
    if _SYMBOL in text:
        return entry, text.replace(_SYMBOL, refusal.detail)
    if refusal.reason is R.INSTRUMENT_MUST_EXIST:
        return entry, f"{text}: no contract {refusal.detail}"
    if refusal.detail and entry.status in (400, 429):  # Who may not know gets no figures.
        return entry, f"{text}: {refusal.detail}"
    return entry, text


def _names_exchange(refusal: Refusal, command: Command | None) -> bool:
    """Return whether of exchange and token it is the exchange that must not change."""
    if refusal.reason is not R.INSTRUMENT_MUST_NOT_CHANGE:
        return False
    named: str = getattr(command, "instrument", None) or ""
    own = refusal.detail.partition(":")[0]
    return bool(named and own) and named.partition(":")[0] != own
