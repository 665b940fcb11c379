"""
``/api/v1/basket`` and ``/api/v1/basket/order``: saved baskets; and NML on ``/orders/kart``.

Source: docs/wire/baskets.md.
"""

from typing import Final

from kavach.api.gateway.gateway import Edge, check_owner
from kavach.api.gateway.route import PREFIX, Query, Route
from kavach.api.http.call import Call, Reply, encode
from kavach.api.http.listing import listing, rows_of
from kavach.api.routes.fields import keyed
from kavach.api.routes.order_terms import (
    PRICED,
    WAITING,
    LineExecution,
    kept_or,
    line_execution,
    terms_of,
    type_of,
    within,
)
from kavach.api.rows.basket_rows import basket_row, basket_rows, line_rows
from kavach.api.rows.legs import LegView
from kavach.core.commands import KeyedCommand, Leg
from kavach.core.model.baskets.basket import BasketExecution, BasketOrder, BasketType, SavedBasket
from kavach.core.model.baskets.commands import (
    AddBasketOrder,
    CreateBasket,
    DeleteBasket,
    EditBasketOrder,
    ExecuteBasket,
    RemoveBasketOrder,
    RenameBasket,
)
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.baskets.requests import ALL
from kavach.units import OrderType, Pips, Product
from kavach.wire import baskets as wire
from kavach.wire import fields as read
from kavach.wire import headers
from kavach.wire.errors import BadField
from kavach.wire.messages import read_inner, read_message
from kavach.wire.orders import answers
from kavach.wire.orders.statuses import OrderStatus

BASKET: Final = f"{PREFIX}/basket"
LINE: Final = f"{PREFIX}/basket/order"
ORDER_INFO: Final = "order_info"
LOGIN: Final = Query(name="login_id", description="The account; must be the token's own.")


_basket_type: Final = read.word(BasketType)

_Owned = (
    wire.CreateBasketRequest
    | wire.RenameBasketRequest
    | wire.DeleteBasketRequest
    | wire.AddLineRequest
    | wire.EditLineRequest
    | wire.RemoveLineRequest
)


# --- The list ---------------------------------------------------------------------------------


def fetch(edge: Edge, call: Call) -> Reply:
    """Return every basket, oldest first."""
    request = read_message(wire.DeleteBasketRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    baskets = list(edge.backend.state.shelf.of(call.client_id))
    found = (basket_row(edge, basket) for basket in baskets)
    return Reply(200, b"", listing=listing(rows_of(found), wire.BasketListAnswer([])))


def create(edge: Edge, call: Call) -> Reply:
    """Return the answer to POST: every basket, the new one last."""
    request = read_message(wire.CreateBasketRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    name = _name(request.name)
    command = CreateBasket(
        client_id=call.client_id,
        name=name,
        basket_type=read.optional(_basket_type, request.type, "type") or BasketType.NORMAL,
        product_type=_or_all(read.product, request.product_type, "product_type"),
        order_type=_or_all(read.order_type, request.order_type, "order_type"),
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    text = f"Basket {name} created successfully"
    return _reply(answer, encode(wire.BasketListAnswer(basket_rows(edge, call.client_id), text)))


def rename(edge: Edge, call: Call) -> Reply:
    """Return the answer to PUT: the basket under its new name."""
    request = read_message(wire.RenameBasketRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    command = RenameBasket(
        client_id=call.client_id,
        basket_id=read.text(request.basket_id, "basket_id"),
        name=_name(request.name),
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    return _told_of(edge, answer, "Basket name updated successfully")


def delete(edge: Edge, call: Call) -> Reply:
    """Return the answer to DELETE: the baskets that are left."""
    request = read_message(wire.DeleteBasketRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    command = DeleteBasket(
        client_id=call.client_id, basket_id=read.text(request.basket_id, "basket_id")
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    text = f"Basket {answer.state} deleted successfully"
    body = encode(wire.BasketListAnswer(basket_rows(edge, call.client_id), text))
    return Reply(200, body, replayed=answer.replayed)


# --- Orders in a basket -----------------------------------------------------------------------


def add_line(edge: Edge, call: Call) -> Reply:
    """Return the answer to POST of an order: the basket with it."""
    request = read_message(wire.AddLineRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    basket_id = read.text(request.basket_id, "basket_id")
    line = read_inner(wire.LineRequest, request.order_info, ORDER_INFO, wire.LINE_NAMES)
    command = AddBasketOrder(
        client_id=call.client_id, basket_id=basket_id, terms=_terms(line, call, None)
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    return _told_of(edge, answer, "Order added in the basket {}.")


def edit_line(edge: Edge, call: Call) -> Reply:
    """Return the answer to PUT of an order: the basket with it as it is now."""
    request = read_message(wire.EditLineRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    basket_id = read.text(request.basket_id, "basket_id")
    order_id = read.text(request.order_id, "order_id")
    line = read_inner(wire.EditedLine, request.order_info, ORDER_INFO, wire.LINE_NAMES)
    own = _line(edge, call, basket_id, order_id)
    if isinstance(own, Refusal):
        return edge.refusal(own)
    command = EditBasketOrder(
        client_id=call.client_id,
        basket_id=basket_id,
        line_id=order_id,
        terms=_terms(line, call, own.terms),
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    return _told_of(edge, answer, "Order added in the basket {}.")  # As documented.


def remove_line(edge: Edge, call: Call) -> Reply:
    """Return the answer to DELETE of an order: what is left in the basket."""
    request = read_message(wire.RemoveLineRequest, call.body, call.query, wire.NAMES)
    _check_owner(call, request)
    command = RemoveBasketOrder(
        client_id=call.client_id,
        basket_id=read.text(request.basket_id, "basket_id"),
        line_id=read.text(request.order_id, "order_id"),
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    basket = _basket(edge, answer)
    left = line_rows(edge, basket) if basket else []
    text = f"Order remove from the basket {basket.name if basket else ''}."
    return _reply(answer, encode(wire.LinesAnswer(left, text)))


def _line(edge: Edge, call: Call, basket_id: str, order_id: str) -> BasketOrder | Refusal:
    """Return the order as it is kept; what is not there is refused as the core would."""
    basket = edge.backend.state.shelf.baskets.get(basket_id)
    if basket is None or basket.client_id != call.client_id:
        return Refusal(Reason.BASKET_MUST_EXIST)
    number = basket.line(order_id)
    return Refusal(Reason.BASKET_ORDER_MUST_EXIST) if number is None else basket.orders[number]


def _terms(line: wire.LineRequest, call: Call, own: OrderTerms | None) -> OrderTerms:
    """Return the order that a line describes."""
    check_owner(call, read.optional(read.text, line.client_id, "client_id"))
    with within(ORDER_INFO):
        kind = type_of(line, own)
        return terms_of(
            line,
            own,
            price_pips=_price(line.price, own.price_pips if own else None, "price", kind in PRICED),
            trigger_price_pips=_price(
                line.trigger_price,
                own.trigger_price_pips if own else None,
                "trigger_price",
                kind in WAITING,
            ),
            amo=_amo(line, own),
        )


def _price(value: object, own: Pips | None, field: str, wanted: bool) -> Pips:
    """Return a price; a type that has none needs none."""
    return kept_or(value, own if wanted and own is not None else Pips(0), read.price, field)


def _amo(line: wire.LineRequest, own: OrderTerms | None) -> bool:
    """Return whether the order is to be placed as an AMO.

    A line that says BO or CO and has no legs, as the vendor's own page has it, is a plain order.
    """
    for field in ("stop_loss_value", "square_off_value"):
        if read.optional(read.price, getattr(line, field), field):
            raise BadField(field, hint="a basket holds no cover or bracket orders")
    if read.is_blank(line.execution_type):
        return own is not None and own.amo
    return line_execution(line.execution_type, "execution_type") is LineExecution.AMO


# --- Execute ----------------------------------------------------------------------------------


def execute(edge: Edge, call: Call) -> Reply:
    """Return the answer to NML on ``/orders/kart``: the orders are placed, each on its own feet."""
    request = read_message(wire.ExecuteBasketRequest, call.body, b"", wire.NAMES)
    check_owner(call, read.optional(read.text, request.client_id, "client_id"))
    read.optional(read.flag, request.execution_state, "execution_state")
    command = ExecuteBasket(
        client_id=call.client_id,
        basket_id=read.text(request.basket_id, "basket_id"),
        square_off=read.optional(read.flag, request.square_off, "square_off") or False,
    )
    answer = _execute(edge, call, command)
    if isinstance(answer, Reply):
        return answer
    execution = edge.backend.state.shelf.executions[answer.basket_id]
    reply = _reply(answer, encode(answers.placed(str(answer.basket_id))))
    reply.more = ((headers.BASKET_ORDERS.lower().encode(), _outcomes(edge, execution).encode()),)
    return reply


def _outcomes(edge: Edge, execution: BasketExecution) -> str:
    """Return each order's id in the basket, in the book, and where it stands or why it is none."""
    state = edge.backend.state
    told = []
    for outcome in execution.outcomes:
        if outcome.order_id:
            order = state.regulars[outcome.order_id]
            view = LegView(order, Leg.ENTRY, edge.backend.instruments[order.instrument])
            told.append(f"{outcome.line_id}={outcome.order_id}:{view.status.value}")
        else:
            told.append(f"{outcome.line_id}=0:{OrderStatus.REJECTED.value}")
    return ", ".join(told)


# --- What goes back ---------------------------------------------------------------------------


def _execute(edge: Edge, call: Call, command: KeyedCommand) -> Answer | Reply:
    outcome = edge.backend.execute(keyed(call, command))
    return edge.refusal(outcome, ORDER_INFO, command) if isinstance(outcome, Refusal) else outcome


def _reply(answer: Answer, body: bytes) -> Reply:
    return Reply(200, body, order_state=answer.state, replayed=answer.replayed)


def _basket(edge: Edge, answer: Answer) -> SavedBasket | None:
    """Return the basket that an answer is about; a repeated one may be about a basket now gone."""
    return edge.backend.state.shelf.baskets.get(answer.subject)


def _told_of(edge: Edge, answer: Answer, text: str) -> Reply:
    basket = _basket(edge, answer)
    if basket is None:
        return edge.refusal(Refusal(Reason.BASKET_MUST_EXIST))
    body = encode(wire.SavedBasketAnswer(basket_row(edge, basket), text.format(basket.name)))
    return _reply(answer, body)


def _check_owner(call: Call, request: _Owned) -> None:
    for field in ("login_id", "client_id"):
        check_owner(call, read.optional(read.text, getattr(request, field), field))


def _or_all(reader: read.Reader[Product | OrderType], value: object, field: str) -> str:
    """Return the one word that a basket takes, or ALL, which is also what blank means."""
    return ALL if value == ALL or read.is_blank(value) else reader(value, field).value


def _name(value: object) -> str:
    """Return a basket's name; one that is far too long is as much too long as any."""
    if isinstance(value, str) and len(value) > read.TEXT_LENGTH_MAX:
        value = value[: read.TEXT_LENGTH_MAX]
    return read.text(value, "name")


ROUTES: Final = (
    Route(
        method="POST",
        path=BASKET,
        name="createBasket",
        summary="Keep a new basket; answers all of them.",
        handler=create,
        request=wire.CreateBasketRequest,
        answer=wire.BasketListAnswer,
    ),
    Route(
        method="GET",
        path=BASKET,
        name="fetchBasket",
        summary="Every saved basket.",
        handler=fetch,
        answer=wire.BasketListAnswer,
        query=(LOGIN,),
    ),
    Route(
        method="PUT",
        path=BASKET,
        name="renameBasket",
        summary="Give a basket another name.",
        handler=rename,
        request=wire.RenameBasketRequest,
        answer=wire.SavedBasketAnswer,
    ),
    Route(
        method="DELETE",
        path=BASKET,
        name="deleteBasket",
        summary="Forget a basket; answers those that are left.",
        handler=delete,
        request=wire.DeleteBasketRequest,
        answer=wire.BasketListAnswer,
    ),
    Route(
        method="POST",
        path=LINE,
        name="addInstrumentToBasket",
        summary="Keep one more order in a basket.",
        handler=add_line,
        request=wire.AddLineRequest,
        answer=wire.SavedBasketAnswer,
    ),
    Route(
        method="PUT",
        path=LINE,
        name="editBasketInstrument",
        summary="Change an order in a basket.",
        handler=edit_line,
        request=wire.EditLineRequest,
        answer=wire.SavedBasketAnswer,
    ),
    Route(
        method="DELETE",
        path=LINE,
        name="deleteBasketInstrument",
        summary="Take an order out of a basket; answers what is left in it.",
        handler=remove_line,
        request=wire.RemoveLineRequest,
        answer=wire.LinesAnswer,
    ),
)
