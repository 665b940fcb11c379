"""
Every reason for which the core refuses a command, in the order in which it looks.

The rules in ``decide`` are a column of early returns in this order, and the first that fails
is the answer. What a client sees of each (HTTP status, vendor code, text) is mapped once, in
``kavach.api.gateway.refusals``; a test holds the two equal.

Source: docs/spec/cover_order.md; docs/wire/README.md, "Cancelling and getting out";
docs/wire/errors.md; docs/wire/README.md, "Decisions".
"""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """What must hold, and did not. Ordered: earlier rules are looked at first."""

    KEY_MUST_NOT_BE_REUSED = "key_must_not_be_reused"
    CLIENT_MUST_EXIST = "client_must_exist"
    CLIENT_MUST_BE_NEW = "client_must_be_new"
    REQUESTS_MUST_BE_WITHIN_LIMIT = "requests_must_be_within_limit"
    # About who asks
    TOTP_MUST_BE_NEW = "totp_must_be_new"
    TOKEN_MUST_BE_LIVE = "token_must_be_live"
    TOKEN_MUST_NOT_STAND = "token_must_not_stand"
    APP_MUST_EXIST = "app_must_exist"
    APP_MUST_BE_NEW = "app_must_be_new"
    CODE_MUST_BE_LIVE = "code_must_be_live"
    # About the fields of the order
    INSTRUMENT_MUST_EXIST = "instrument_must_exist"
    MARKET_PROTECTION_MUST_BE_GIVEN = "market_protection_must_be_given"
    BRACKET_MUST_BE_OFFERED = "bracket_must_be_offered"
    PRODUCT_MUST_BE_OFFERED = "product_must_be_offered"
    ORDER_TYPE_MUST_BE_OFFERED = "order_type_must_be_offered"
    VALIDITY_MUST_BE_OFFERED = "validity_must_be_offered"
    QUANTITY_MUST_BE_POSITIVE = "quantity_must_be_positive"
    QUANTITY_MUST_BE_MULTIPLE_OF_LOT = "quantity_must_be_multiple_of_lot"
    QUANTITY_MUST_BE_WITHIN_LIMIT = "quantity_must_be_within_limit"
    DISCLOSED_QUANTITY_MUST_FIT = "disclosed_quantity_must_fit"
    PRICE_MUST_BE_POSITIVE = "price_must_be_positive"
    PRICE_MUST_BE_ZERO = "price_must_be_zero"
    PRICE_MUST_BE_ON_TICK = "price_must_be_on_tick"
    PRICE_MUST_BE_IN_BAND = "price_must_be_in_band"
    TRIGGER_PRICE_MUST_BE_POSITIVE = "trigger_price_must_be_positive"
    TRIGGER_PRICE_MUST_BE_ZERO = "trigger_price_must_be_zero"
    TRIGGER_PRICE_MUST_BE_ON_TICK = "trigger_price_must_be_on_tick"
    TRIGGER_PRICE_MUST_BE_IN_BAND = "trigger_price_must_be_in_band"
    TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE = "trigger_price_must_be_beyond_last_price"
    TRIGGER_PRICE_MUST_NOT_PASS_PRICE = "trigger_price_must_not_pass_price"
    STOP_MUST_BE_POSITIVE = "stop_must_be_positive"
    STOP_MUST_BE_ON_TICK = "stop_must_be_on_tick"
    STOP_MUST_BE_IN_BAND = "stop_must_be_in_band"
    TRAILING_STEP_MUST_FIT = "trailing_step_must_fit"
    STOP_MUST_BE_ON_LOSING_SIDE = "stop_must_be_on_losing_side"
    STOP_MUST_BE_BEYOND_LAST_PRICE = "stop_must_be_beyond_last_price"
    TARGET_MUST_BE_POSITIVE = "target_must_be_positive"
    TARGET_MUST_BE_ON_TICK = "target_must_be_on_tick"
    TARGET_MUST_BE_IN_BAND = "target_must_be_in_band"
    TARGET_MUST_BE_ON_WINNING_SIDE = "target_must_be_on_winning_side"
    # About a position
    NEW_PRODUCT_MUST_BE_OFFERED = "new_product_must_be_offered"
    NEW_PRODUCT_MUST_DIFFER = "new_product_must_differ"
    POSITION_MUST_EXIST = "position_must_exist"
    SIDE_MUST_BE_THE_POSITIONS = "side_must_be_the_positions"
    QUANTITY_MUST_BE_CONVERTIBLE = "quantity_must_be_convertible"
    # About when it comes
    ENTRIES_MUST_BE_ALLOWED = "entries_must_be_allowed"
    VENUE_MUST_BE_REACHABLE = "venue_must_be_reachable"
    MARGIN_MUST_SUFFICE = "margin_must_suffice"
    HOLDING_MUST_SUFFICE = "holding_must_suffice"
    # About the order it names
    ORDER_MUST_EXIST = "order_must_exist"
    ORDER_MUST_BE_THE_CLIENTS = "order_must_be_the_clients"
    EXECUTION_TYPE_MUST_MATCH = "execution_type_must_match"
    LEG_MUST_EXIST = "leg_must_exist"
    LEG_MUST_MATCH_ID = "leg_must_match_id"
    EXCHANGE_ORDER_ID_MUST_MATCH = "exchange_order_id_must_match"
    INSTRUMENT_MUST_NOT_CHANGE = "instrument_must_not_change"
    SIDE_MUST_NOT_CHANGE = "side_must_not_change"
    PRODUCT_MUST_NOT_CHANGE = "product_must_not_change"
    REFERENCE_MUST_BE_CURRENT = "reference_must_be_current"
    # About what of a leg can change at all
    FILLED_QUANTITY_MUST_MATCH = "filled_quantity_must_match"
    REMAINING_QUANTITY_MUST_MATCH = "remaining_quantity_must_match"
    ORDER_TYPE_MUST_NOT_CHANGE = "order_type_must_not_change"
    LEG_QUANTITY_MUST_NOT_CHANGE = "leg_quantity_must_not_change"
    DISCLOSED_QUANTITY_MUST_NOT_CHANGE = "disclosed_quantity_must_not_change"
    PRICE_MUST_NOT_CHANGE = "price_must_not_change"
    TRIGGER_PRICE_MUST_NOT_CHANGE = "trigger_price_must_not_change"
    VALIDITY_MUST_NOT_CHANGE = "validity_must_not_change"
    STOP_MUST_NOT_CHANGE = "stop_must_not_change"
    TARGET_MUST_NOT_CHANGE = "target_must_not_change"
    TRAILING_MUST_NOT_CHANGE = "trailing_must_not_change"
    PROTECTION_MUST_NOT_CHANGE = "protection_must_not_change"
    # About the saved basket it names, and what it shall hold
    BASKET_MUST_EXIST = "basket_must_exist"
    BASKET_TO_DELETE_MUST_EXIST = "basket_to_delete_must_exist"
    BASKET_NAME_MUST_BE_SHORT = "basket_name_must_be_short"
    BASKET_NAME_MUST_BE_NEW = "basket_name_must_be_new"
    BASKETS_MUST_BE_FEWER = "baskets_must_be_fewer"
    BASKET_ORDER_MUST_EXIST = "basket_order_must_exist"
    BASKET_PRICE_MUST_NOT_BE_ZERO = "basket_price_must_not_be_zero"
    BASKET_PRODUCT_MUST_MATCH = "basket_product_must_match"
    BASKET_ORDER_TYPE_MUST_MATCH = "basket_order_type_must_match"
    HEDGED_UNDERLYING_MUST_BE_AN_INDEX = "hedged_underlying_must_be_an_index"
    BASKET_INSTRUMENT_MUST_BE_NEW = "basket_instrument_must_be_new"
    BASKET_ORDERS_MUST_BE_FEWER = "basket_orders_must_be_fewer"
    BASKET_MUST_HOLD_ORDERS = "basket_must_hold_orders"
    HEDGED_INSTRUMENT_MUST_BE_DERIVATIVE = "hedged_instrument_must_be_derivative"
    # About the GTT rule it names, and when it shall fire
    CLIENT_MUST_HAVE_GTTS = "client_must_have_gtts"
    GTT_MUST_EXIST = "gtt_must_exist"
    GTT_TO_MODIFY_MUST_EXIST = "gtt_to_modify_must_exist"
    GTT_MUST_BE_ACTIVE = "gtt_must_be_active"
    GTT_STOP_TRIGGER_MUST_FIT = "gtt_stop_trigger_must_fit"
    GTT_STOP_QUANTITY_MUST_FIT = "gtt_stop_quantity_must_fit"
    GTT_STOP_PRICE_MUST_FIT = "gtt_stop_price_must_fit"
    EXPIRY_MUST_BE_AHEAD = "expiry_must_be_ahead"
    EXPIRY_MUST_BE_WITHIN_LIMIT = "expiry_must_be_within_limit"
    GTT_TRIGGER_MUST_NOT_BE_LAST_PRICE = "gtt_trigger_must_not_be_last_price"
    GTT_TRIGGERS_MUST_SURROUND_LAST_PRICE = "gtt_triggers_must_surround_last_price"
    GTTS_MUST_BE_FEWER = "gtts_must_be_fewer"
    # About the state it is in
    LEG_MUST_BE_CANCELLED_AS_SUCH = "leg_must_be_cancelled_as_such"
    ORDER_ALREADY_EXECUTED = "order_already_executed"
    ORDER_IN_FLIGHT = "order_in_flight"
    ORDER_BEING_CANCELLED = "order_being_cancelled"
    ENTRY_ALREADY_EXECUTED = "entry_already_executed"
    ENTRY_IN_FLIGHT = "entry_in_flight"
    ENTRY_BEING_CANCELLED = "entry_being_cancelled"
    STOP_ALREADY_TRIGGERED = "stop_already_triggered"
    EXIT_IN_PROGRESS = "exit_in_progress"
    ALREADY_CLOSED = "already_closed"
    ALREADY_EXITED = "already_exited"
    ALREADY_REJECTED = "already_rejected"
    CARRIED_OVER = "carried_over"
    QUANTITY_MUST_COVER_FILLS = "quantity_must_cover_fills"
    QUANTITY_MUST_NOT_GROW = "quantity_must_not_grow"
    # What the venue answered before the answer went out
    VENUE_REFUSED = "venue_refused"
    TOO_LATE = "too_late"


class Refusal(msgspec.Struct, frozen=True):
    """A no, with the reason and what a person needs to see; nothing has changed."""

    reason: Reason
    detail: str = ""  # Figures for people, e.g. the venue's own code and text.
    retry_at_ns: int = 0  # From when on the limit that was met has room; 0: it is no limit.
    by: str = ""  # The field of the command that asked for it, where it is not the reason's own.


class Answer(msgspec.Struct, frozen=True):
    """A yes: which cover order, and where it stands now."""

    order_id: int
    basket_id: int
    state: str  # State of the cover order when the answer was made.
    reason: str = ""  # A stable word, e.g. CANCEL_PENDING.
    replayed: bool = False
    subject: str = ""  # The UUID of a saved basket or a GTT rule, if it is about one.


Outcome = Answer | Refusal
