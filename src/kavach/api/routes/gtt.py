"""
``/api/v1/event/gtt``: rules that place an order when a price is reached.

Source: docs/wire/gtt.md.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from kavach.api.gateway.route import CLIENT, PREFIX, Route, Write
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.http.listing import listing, rows_of
from kavach.api.routes.order_terms import kept_or, terms_of, within
from kavach.core.commands import Command
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish, ModifyGtt
from kavach.core.model.gtt.rule import GttAction, GttRule
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND, Pips, Quantity
from kavach.wire import fields as read
from kavach.wire import gtt as wire
from kavach.wire.errors import BadField
from kavach.wire.exact import exact, sent
from kavach.wire.messages import read_message
from kavach.wire.money import number
from kavach.wire.query import read_query

GTT: Final = f"{PREFIX}/event/gtt"
ORDER: Final = "order"
RULE_ID: Final = "id"
_NAMES: Final = {"ClientId": "client_id", "Id": "id"}
_ACTION_WORDS: Final = {
    "single": GttAction.SINGLE,
    "single_order": GttAction.SINGLE,
    "oco": GttAction.OCO,
    "oco_order": GttAction.OCO,
    "two_leg": GttAction.OCO,
    "two-leg": GttAction.OCO,
}
_TYPE: Final = "GTTStock"


def read_create(view: View, request: AuthenticatedRequest) -> CreateGtt:
    """Return the command of a POST."""
    message = read_message(wire.CreateGttRequest, request.body, request.query, _NAMES)
    check_owner(request, message.client_id)
    action = _action(message.action_type)
    expiry_day = message.expiry_time
    terms, wishes = _order(message.order, request, action, None)
    return CreateGtt(
        client_id=request.client_id,
        action=action,
        terms=terms,
        wishes=wishes,
        expiry_day=expiry_day,
    )


def read_modify(view: View, request: AuthenticatedRequest) -> ModifyGtt | Refusal:
    """Return the command of a PUT; what is blank stays as it is."""
    message = read_message(wire.ModifyGttRequest, request.body, request.query, _NAMES)
    check_owner(request, message.client_id)
    rule = view.engine.state.gtts.rules.get(message.id)
    order = message.order or exact(wire.ModifiedGttOrder())
    with within(ORDER):
        check_owner(request, order.client_id)
    if rule is None or rule.client_id != request.client_id:
        return Refusal(Reason.GTT_TO_MODIFY_MUST_EXIST)
    action = rule.action if message.action_type is None else _action(message.action_type)
    terms, wishes = _order(order, request, action, rule)
    return ModifyGtt(
        client_id=request.client_id,
        rule_id=rule.rule_id,
        action=action,
        terms=terms,
        wishes=wishes,
        expiry_day=kept_or(message.expiry_time, rule.expiry_day),
    )


def read_cancel(view: View, request: AuthenticatedRequest) -> CancelGtt:
    """Return the command of a DELETE: the rule waits no longer."""
    message = read_message(wire.CancelGttRequest, request.body, request.query, _NAMES)
    check_owner(request, request.path.get("client_id"))
    check_owner(request, message.client_id)
    rule_id = request.path[RULE_ID]
    if (message.id or rule_id) != rule_id:
        raise BadField("id", hint="path and parameters disagree")
    return CancelGtt(client_id=request.client_id, rule_id=rule_id)


def _write(message: str) -> Write:
    """Return what words the answer to a change of a rule: its id."""

    def write(view: View, command: Command, answer: Answer) -> Reply:
        body = encode(wire.GttIdAnswer(wire.GttId(answer.subject), message))
        return Reply(200, body, order_state=answer.state, replayed=answer.replayed)

    return write


def fetch(view: View, request: AuthenticatedRequest) -> Reply | Refusal:
    """Return every rule of the client, oldest first; having none is an error upstream."""
    pairs, _ = read_query(request.query)
    for named in (request.path.get("client_id"), pairs.get("client_id"), pairs.get("ClientId")):
        check_owner(request, read.optional(read.text, named, "client_id"))
    rules = view.engine.state.gtts.of(request.client_id)
    if not rules:
        return Refusal(Reason.CLIENT_MUST_HAVE_GTTS)
    found = (_row(view, rule) for rule in list(rules))
    return Reply(200, b"", listing=listing(rows_of(found), wire.GttListAnswer([])))


# --- What is asked ----------------------------------------------------------------------------


def _action(written: str) -> GttAction:
    """Return how many triggers a rule has, as real clients and other brokers write it."""
    action = _ACTION_WORDS.get(written.lower())
    if action is None:
        raise BadField("action_type")
    return action


def _order(
    order: wire.GttOrderRequest,
    request: AuthenticatedRequest,
    action: GttAction,
    rule: GttRule | None,
) -> tuple[OrderTerms, tuple[GttWish, ...]]:
    """Return the order to be placed and the prices to wait for, the rule's own where blank."""
    with within(ORDER):
        check_owner(request, order.client_id)
        own = None if rule is None else rule.terms
        first = None if rule is None else rule.triggers[0]
        price_pips = kept_or(order.price, own.price_pips if own else Pips(0))
        terms = terms_of(order, own, price_pips=price_pips, trigger_price_pips=Pips(0))
        at_pips = kept_or(order.trigger_price, first.at_pips if first else None)
        wishes = [GttWish(at_pips, terms.price_pips, terms.quantity)]
        if action is GttAction.OCO:
            wishes.append(_second(order, terms, rule))
        else:
            _check_no_second(order)
        return terms, tuple(wishes)


def _second(order: wire.GttOrderRequest, terms: OrderTerms, rule: GttRule | None) -> GttWish:
    """Return an OCO's other side: the quantity is the first one's where none is said."""
    own = rule.triggers[1] if rule is not None and rule.action is GttAction.OCO else None
    quantity = order.sl_order_quantity
    if quantity is None and own is not None:
        quantity = own.quantity
    at_pips = order.sl_trigger_price
    if at_pips is None and own is None:
        raise BadField("sl_trigger_price", blank=True)
    return GttWish(
        kept_or(at_pips, own.at_pips if own else None),
        kept_or(order.sl_order_price, own.price_pips if own else Pips(0)),
        Quantity(quantity or terms.quantity),
    )


def _check_no_second(order: wire.GttOrderRequest) -> None:
    """Raise where a rule with one trigger speaks of a second: it would be silently naked there."""
    # Each is read as a price, the quantity too: all that counts is whether it is 0.
    for field in ("sl_trigger_price", "sl_order_price", "sl_order_quantity"):
        if read.optional(read.price, getattr(sent(order), field), field):
            raise BadField(field, hint="only an oco_order has two triggers")


# --- What goes back ---------------------------------------------------------------------------


def _row(view: View, rule: GttRule) -> wire.GttRow:
    day = rule.expiry_day
    return wire.GttRow(
        action_type=f"{rule.action.value}_order",
        client_id=rule.client_id,
        created_at=_indian_time(rule.created_at_ns),
        expiry_time=f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}",
        id=rule.rule_id,
        login_id=rule.client_id,
        order=_order_row(view, rule),
        reject_code=rule.reject_code,
        reject_reason=rule.reject_text,
        status=rule.state.value.capitalize(),
        type=_TYPE,
        updated_at=_indian_time(rule.updated_at_ns),
    )


def _order_row(view: View, rule: GttRule) -> wire.GttOrderRow:
    terms, first = rule.terms, rule.triggers[0]
    second = rule.triggers[1] if len(rule.triggers) > 1 else None
    instrument = view.engine.instruments[terms.instrument]
    return wire.GttOrderRow(
        disclosed_qty=terms.disclosed_quantity,
        exchange=instrument.exchange.value,
        execution_type="",
        mode="NEW",
        order_side=terms.side.value,
        order_type=terms.order_type.value,
        price=number(first.price_pips),
        pro_cli="CLIENT",
        prod_type=terms.product.value,
        quantity=first.quantity,
        segment=instrument.segment,
        sl_order_price=number(second.price_pips) if second else 0,
        sl_order_quantity=second.quantity if second else 0,
        sl_trigger_price=number(second.at_pips) if second else 0,
        square_off_price=0,
        token=instrument.token,
        trading_symbol=instrument.trading_symbol,
        trailing_stop_loss=0,
        trigger_price=number(first.at_pips),
        validity=terms.validity.value,
        vendor_code="00",
    )


def _indian_time(at_ns: int) -> str:
    at = datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC) + timedelta(seconds=IST_OFFSET_SECONDS)
    return at.strftime("%Y-%m-%d %H:%M:%S")


ROUTES: Final = (
    Route(
        method="POST",
        path=GTT,
        limit=LimitClass.ORDERS,
        name="gttCreateRule",
        summary="Wait for a price until a day is over, then place an order.",
        read=read_create,
        write=_write(wire.CREATED),
        request=wire.CreateGttRequest,
        answer=wire.GttIdAnswer,
    ),
    Route(
        method="PUT",
        path=GTT,
        limit=LimitClass.ORDERS,
        name="gttModifyRule",
        summary="Change an active rule, and arm it from the price as it is now.",
        read=read_modify,
        write=_write(wire.MODIFIED),
        request=wire.ModifyGttRequest,
        answer=wire.GttIdAnswer,
    ),
    Route(
        method="GET",
        path=GTT,
        name="gttFetchRule",
        summary="Every rule, active or over.",
        show=fetch,
        answer=wire.GttListAnswer,
        query=(CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{GTT}/{{client_id}}",
        name="gttFetchRuleOfClient",
        summary="The same, the account in the path.",
        show=fetch,
        answer=wire.GttListAnswer,
    ),
    Route(
        method="DELETE",
        path=f"{GTT}/{{client_id}}/{{{RULE_ID}}}",
        limit=LimitClass.ORDERS,
        name="gttCancelRule",
        summary="Wait no longer.",
        read=read_cancel,
        write=_write(wire.CANCELLED),
        request=wire.CancelGttRequest,
        answer=wire.GttIdAnswer,
    ),
)
