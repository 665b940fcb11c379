"""
GTT rules: make, change and end one, and know what happened.

A rule is named by the id that making it is answered with. It bears no mark of the client's own, so
before a rule is made the client looks which there are; if the answer is then lost, the rule that
is new and says what was asked for is it.

Source: docs/wire/gtt.md; docs/wire/gtt.md for rules with two triggers.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import Attempt, BadArgument, Kind, NotFound, RequestRefused
from kavach.sdk.instruments import Instrument, spot, token_of
from kavach.sdk.orders.cancelling import cancel_result
from kavach.sdk.orders.cover import CancelResult
from kavach.sdk.orders.placing import PRICED, as_sent, needed
from kavach.sdk.params import (
    ExchangeWord,
    OrderTypeWord,
    Price,
    ProductWord,
    SideWord,
    Token,
    ValidityWord,
    Whole,
)
from kavach.sdk.requests.account import Account, key_or_new, new_user_order_id, own_client_id
from kavach.sdk.requests.answers import data_of, identified, read_rows
from kavach.sdk.requests.changes import (
    CancelOutcome,
    Shown,
    Traces,
    Verdict,
    agrees,
    as_it_was,
    changed,
    ended,
    placed,
    shown_after,
)
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.requests.watching import look_once, watch_for
from kavach.sdk.rows import NOTHING, spelled
from kavach.units import OrderType, Validity

GTT: Final = "/api/v1/event/gtt"
NO_RULES: Final = "no gtt data found"  # In the message that stands for an empty list.
SINGLE: Final = "single_order"
OCO: Final = "oco_order"


class GttOrder(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """The order that a rule places, and the prices at which it does."""

    exchange: str = ""
    token: int = 0
    trading_symbol: str = ""
    order_side: str = ""
    order_type: str = ""
    prod_type: str = ""
    quantity: int = 0
    disclosed_qty: int = 0
    price: Decimal = NOTHING
    trigger_price: Decimal = NOTHING
    sl_trigger_price: Decimal = NOTHING  # Of a rule with two triggers, the second.
    sl_order_price: Decimal = NOTHING
    sl_order_quantity: int = 0
    validity: str = ""


class GttRule(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """A rule as the server lists it."""

    id: str
    order: GttOrder
    status: str = ""
    action_type: str = ""
    client_id: str = ""
    expiry_time: str = ""  # The last day, YYYY-MM-DD.
    created_at: str = ""
    updated_at: str = ""
    reject_code: int = 0
    reject_reason: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the rule still waits."""
        return self.status.upper() == "ACTIVE"


def gtt_rules(account: Account) -> Plan[list[GttRule]]:
    """Return every rule of the client; having none is an empty list, though upstream errs."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=GTT, query={"client_id": client_id})
    response = yield from ask(request)
    try:
        data = data_of(request, response)
    except RequestRefused as refusal:
        if NO_RULES in refusal.message:
            return []
        raise
    return read_rows(request, response, GttRule, [] if data in (None, {}) else data)


def gtt_rule(account: Account, rule: GttRule | str) -> Plan[GttRule]:
    """Return a rule as it is now; ``BadArgument`` when there is none with this id."""
    found = yield from _find(account, _id_of(rule))
    if found is None:
        raise BadArgument(f"rule: there is no rule {_id_of(rule)!r}")
    return found


def create_gtt(
    account: Account,
    *,
    instrument: Instrument | None = None,
    exchange: ExchangeWord | None = None,
    instrument_token: Token | None = None,
    side: SideWord,
    quantity: Whole,
    product: ProductWord,
    trigger_price: Price,
    expiry: date | str,
    price: Price | None = None,
    order_type: OrderTypeWord = OrderType.LIMIT,
    validity: ValidityWord = Validity.DAY,
    disclosed_quantity: Whole = 0,
    stop_trigger_price: Price | None = None,
    stop_price: Price | None = None,
    stop_quantity: Whole | None = None,
    idempotency_key: str | None = None,
    device: str = "WEB",
) -> Plan[GttRule]:
    """
    Return the rule that was made: when the last price reaches the trigger, it places its order.

    With ``stop_trigger_price`` the rule has two triggers, one on either side of the price, and
    whichever is reached first places its order and ends the other. ``expiry`` is the last day.

    Raises ``RequestRefused`` when no rule was made, ``OutcomeUnknown`` when that cannot be told.
    """
    wanted = spot(instrument, exchange, instrument_token)
    kind = params.order_type("order_type", order_type)
    order: dict[str, Any] = {
        "device": params.text("device", device),
        "disclosed_quantity": params.whole("disclosed_quantity", disclosed_quantity),
        "exchange": wanted.exchange,
        "instrument_token": wanted.token,
        "market_protection_percentage": 0,
        "order_side": params.side("side", side),
        "order_type": kind,
        "price": needed("price", price, kind, PRICED),
        "product": params.product("product", product),
        "quantity": params.whole("quantity", quantity),
        "validity": params.validity("validity", validity),
        "trigger_price": params.price("trigger_price", trigger_price),
        "user_order_id": new_user_order_id(),
        **_second(stop_trigger_price, stop_price, stop_quantity),
    }
    key = key_or_new(idempotency_key)
    last_day = params.day("expiry", expiry)
    order["instrument_token"] = yield from token_of(account, wanted)
    order["client_id"] = yield from own_client_id(account)
    before = yield from gtt_rules(account)
    attempt = Attempt(
        operation="create",
        kind=Kind.GTT,
        idempotency_key=key,
        client_id=order["client_id"],
        wanted=_wanted(order | {"expiry": last_day}),
        asked=as_sent(order | {"expiry": last_day}),
        known=tuple(rule.id for rule in before),
    )
    body = {
        "action_type": OCO if stop_trigger_price is not None else SINGLE,
        "expiry_time": last_day,
        "order": order,
    }
    made = yield from _changed(
        account, Request(method="POST", path=GTT, body=body, attempt=attempt)
    )
    return made


def modify_gtt(
    account: Account,
    rule: GttRule | str,
    *,
    price: Price | None = None,
    quantity: Whole | None = None,
    order_type: OrderTypeWord | None = None,
    trigger_price: Price | None = None,
    expiry: date | str | None = None,
    stop_trigger_price: Price | None = None,
    stop_price: Price | None = None,
    stop_quantity: Whole | None = None,
    idempotency_key: str | None = None,
) -> Plan[GttRule]:
    """
    Return the rule once it shows the change; ``None`` leaves a value as it is.

    The rule is armed anew, from the price as it is then. Raises ``RequestRefused`` when nothing
    changed, ``OutcomeUnknown`` when that cannot be told.
    """
    asked = {
        "price": params.optional(params.price, "price", price),
        "quantity": params.optional(params.whole, "quantity", quantity),
        "order_type": params.optional(params.order_type, "order_type", order_type),
        "trigger_price": params.optional(params.price, "trigger_price", trigger_price),
        "sl_trigger_price": params.optional(params.price, "stop_trigger_price", stop_trigger_price),
        "sl_order_price": params.optional(params.price, "stop_price", stop_price),
        "sl_order_quantity": params.optional(params.whole, "stop_quantity", stop_quantity),
        "expiry": params.optional(params.day, "expiry", expiry),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise BadArgument("modify_gtt: nothing to change was given")
    key = key_or_new(idempotency_key)
    current = yield from gtt_rule(account, rule)
    attempt = _attempt("modify", current, key, _wanted(changes), as_sent(changes))
    attempt = as_it_was(RULES, current, attempt)
    order = _as_it_is(current) | {name: changes[name] for name in changes if name != "expiry"}
    body = {
        "action_type": current.action_type or SINGLE,
        "expiry_time": changes.get("expiry", current.expiry_time),
        "id": current.id,
        "order": order,
    }
    made = yield from _changed(account, Request(method="PUT", path=GTT, body=body, attempt=attempt))
    return made


def cancel_gtt(
    account: Account, rule: GttRule | str, *, idempotency_key: str | None = None
) -> Plan[CancelResult[GttRule]]:
    """
    Return what became of ending a rule: CANCELLED, TOO_LATE (it had ended otherwise) or PENDING.

    Raises ``RequestRefused`` when the request was refused and the rule still waits,
    ``OutcomeUnknown`` when no answer came.
    """
    key = key_or_new(idempotency_key)
    current = rule if isinstance(rule, GttRule) else (yield from gtt_rule(account, rule))
    attempt = _attempt("cancel", current, key, {}, {})
    named = params.path_piece("rule", current.id)
    client = params.path_piece(
        "client_id", attempt.client_id or (yield from own_client_id(account))
    )
    request = Request(method="DELETE", path=f"{GTT}/{client}/{named}", attempt=attempt)
    response = yield from ask(request)
    try:
        data = data_of(request, response)
    except RequestRefused as refusal:
        once = yield from look_once(lambda: _find(account, current.id))
        outcome = None if once is None else judge_rule(once)
        if once is None or outcome is None or isinstance(refusal, NotFound):
            raise
        return CancelResult(
            outcome=outcome, order=once, message=refusal.message, reason=refusal.reason
        )
    sighting = yield from watch_for(
        lambda: _find(account, current.id),
        lambda now: judge_rule(now) is not None,
        account.confirm_seconds,
        attempt,
    )
    outcome = None if sighting.seen is None else judge_rule(sighting.seen)
    if sighting.seen is None and sighting.trouble is None:
        outcome = CancelOutcome.CANCELLED  # Servers that list only what waits show it so.
    return cancel_result(current, sighting, outcome, attempt, response, data)


def judge_rule(rule: GttRule) -> CancelOutcome | None:
    """Return what the list says became of ending the rule; ``None`` while it waits."""
    if rule.is_active:
        return None
    ended = rule.status.upper() in ("CANCELLED", "CANCELED")
    return CancelOutcome.CANCELLED if ended else CancelOutcome.TOO_LATE


def _find_rule(account: Account, attempt: Attempt) -> Plan[GttRule | None]:
    """
    Return the rule that an attempt was about.

    One that was being made is the only new rule that says what was asked for; ``None`` when there
    is none, or when several could be meant.
    """
    rules = yield from gtt_rules(account)
    if attempt.oms_order_id:
        return next((rule for rule in rules if rule.id == attempt.oms_order_id), None)
    new = [rule for rule in rules if rule.id not in attempt.known and _says(rule, attempt)]
    return new[0] if len(new) == 1 else None


def _says(rule: GttRule, attempt: Attempt) -> bool | None:
    """Return whether a rule says what was asked for."""

    def shown(name: str) -> Shown:
        return Shown(spelled(rule.expiry_time if name == "expiry" else getattr(rule.order, name)))

    return agrees(attempt.wanted, shown)


def _judge(rule: GttRule, attempt: Attempt) -> Verdict:
    if attempt.operation == "cancel":
        return ended(judge_rule(rule), rule.status)
    if attempt.operation == "create":
        return placed(attempt, bool(_says(rule, attempt)), rule.status)
    says = _says(rule, attempt)
    return changed(attempt, says, is_closed=not rule.is_active, status=rule.status)


RULES: Final = Traces(find=_find_rule, judge=_judge, shown=lambda rule, attempt: {"rule": rule})


def _changed(account: Account, request: Request) -> Plan[GttRule]:
    """Return the rule once the list shows what was asked for."""
    attempt = request.attempt
    assert attempt is not None
    data = data_of(request, (yield from ask(request)))
    named = identified(data, "id")
    attempt = msgspec.structs.replace(attempt, oms_order_id=named or attempt.oms_order_id)
    accepted = f"accepted as rule {named or '?'}, and the list does not show it so"
    return (yield from shown_after(account, RULES, attempt, account.confirm_seconds, accepted))


def _find(account: Account, rule_id: str) -> Plan[GttRule | None]:
    rules = yield from gtt_rules(account)
    return next((rule for rule in rules if rule.id == rule_id), None)


def _id_of(rule: Any) -> str:
    return rule.id if isinstance(rule, GttRule) else params.identifier("rule", rule)


def _second(
    trigger: Price | None, price: Price | None, quantity: Whole | None
) -> dict[str, Decimal | int]:
    """Return the second side of a rule, which a rule with one trigger must not speak of."""
    if trigger is None and (price is not None or quantity is not None):
        raise BadArgument("stop_trigger_price: must be given with stop_price or stop_quantity")
    return {
        "sl_trigger_price": params.price("stop_trigger_price", 0 if trigger is None else trigger),
        "sl_order_price": params.price("stop_price", 0 if price is None else price),
        "sl_order_quantity": params.whole("stop_quantity", 0 if quantity is None else quantity),
    }


_SHOWN: Final = {
    "exchange": "exchange",
    "instrument_token": "token",
    "order_side": "order_side",
    "order_type": "order_type",
    "product": "prod_type",
    "quantity": "quantity",
    "price": "price",
    "trigger_price": "trigger_price",
    "sl_trigger_price": "sl_trigger_price",
    "sl_order_price": "sl_order_price",
    "sl_order_quantity": "sl_order_quantity",
    "expiry": "expiry",
}


def _wanted(asked: dict[str, Any]) -> dict[str, str]:
    """Return what the list should show, by the names that it has for it."""
    wanted = {row: spelled(asked[name]) for name, row in _SHOWN.items() if name in asked}
    if wanted.get("sl_order_quantity") == "0":  # Left to the server, which takes the first's.
        del wanted["sl_order_quantity"]
    return wanted


def _as_it_is(rule: GttRule) -> dict[str, Any]:
    """Return what a modify repeats of the order."""
    order = rule.order
    return {
        "client_id": rule.client_id,
        "disclosed_quantity": order.disclosed_qty,
        "exchange": order.exchange,
        "instrument_token": str(order.token),
        "order_side": order.order_side,
        "order_type": order.order_type,
        "price": order.price,
        "product": order.prod_type,
        "quantity": order.quantity,
        "sl_order_price": order.sl_order_price,
        "sl_order_quantity": order.sl_order_quantity,
        "sl_trigger_price": order.sl_trigger_price,
        "trigger_price": order.trigger_price,
    }


def _attempt(
    operation: str, rule: GttRule, key: str, wanted: dict[str, str], asked: dict[str, str]
) -> Attempt:
    return Attempt(
        operation=operation,
        kind=Kind.GTT,
        idempotency_key=key,
        client_id=rule.client_id,
        oms_order_id=rule.id,
        wanted=wanted,
        asked=asked,
    )
