"""
``/api/v1/basket`` and ``/api/v1/basket/order``: saved baskets; and NML on ``/orders/kart``.

Source: docs/wire/baskets.md.
"""

from typing import Final

from kavach.api.gateway.route import PREFIX, Query, Route, Write
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.http.listing import listing, rows_of
from kavach.api.routes.order_terms import (
    PRICED,
    WAITING,
    kept_or,
    terms_of,
    type_of,
    within,
)
from kavach.api.rows.basket_rows import basket_row, basket_rows, line_rows
from kavach.api.rows.legs import LegView
from kavach.core.commands import Command, Leg
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
from kavach.units import Pips
from kavach.wire import baskets as wire
from kavach.wire import headers
from kavach.wire.errors import BadField
from kavach.wire.messages import read_message
from kavach.wire.orders import answers
from kavach.wire.orders.statuses import OrderStatus

BASKET: Final = f"{PREFIX}/basket"
LINE: Final = f"{PREFIX}/basket/order"
ORDER_INFO: Final = "order_info"
LOGIN: Final = Query(name="login_id", description="The account; must be the token's own.")


_Owned = (
    wire.CreateBasketRequest
    | wire.RenameBasketRequest
    | wire.DeleteBasketRequest
    | wire.AddLineRequest
    | wire.EditLineRequest
    | wire.RemoveLineRequest
)


# --- The list ---------------------------------------------------------------------------------


def fetch(view: View, request: AuthenticatedRequest) -> Reply:
    """Return every basket, oldest first."""
    message = read_message(wire.DeleteBasketRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    baskets = list(view.engine.state.shelf.of(request.client_id))
    found = (basket_row(view, basket) for basket in baskets)
    return Reply(200, b"", listing=listing(rows_of(found), wire.BasketListAnswer([])))


def read_create(view: View, request: AuthenticatedRequest) -> CreateBasket:
    """Return the command of a POST."""
    message = read_message(wire.CreateBasketRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    return CreateBasket(
        client_id=request.client_id,
        name=message.name,
        basket_type=BasketType(message.type or BasketType.NORMAL),
        product_type=message.product_type or ALL,
        order_type=message.order_type or ALL,
    )


def read_rename(view: View, request: AuthenticatedRequest) -> RenameBasket:
    """Return the command of a PUT."""
    message = read_message(wire.RenameBasketRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    return RenameBasket(
        client_id=request.client_id,
        basket_id=message.basket_id,
        name=message.name,
    )


def read_delete(view: View, request: AuthenticatedRequest) -> DeleteBasket:
    """Return the command of a DELETE."""
    message = read_message(wire.DeleteBasketRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    return DeleteBasket(client_id=request.client_id, basket_id=message.basket_id)


# --- Orders in a basket -----------------------------------------------------------------------


def read_add_line(view: View, request: AuthenticatedRequest) -> AddBasketOrder:
    """Return the command of a POST of an order."""
    message = read_message(wire.AddLineRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    basket_id = message.basket_id
    line = message.order_info
    return AddBasketOrder(
        client_id=request.client_id, basket_id=basket_id, terms=_terms(line, request, None)
    )


def read_edit_line(view: View, request: AuthenticatedRequest) -> EditBasketOrder | Refusal:
    """Return the command of a PUT of an order."""
    message = read_message(wire.EditLineRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    basket_id = message.basket_id
    order_id = message.order_id
    line = message.order_info
    own = _line(view, request, basket_id, order_id)
    if isinstance(own, Refusal):
        return own
    return EditBasketOrder(
        client_id=request.client_id,
        basket_id=basket_id,
        line_id=order_id,
        terms=_terms(line, request, own.terms),
    )


def read_remove_line(view: View, request: AuthenticatedRequest) -> RemoveBasketOrder:
    """Return the command of a DELETE of an order."""
    message = read_message(wire.RemoveLineRequest, request.body, request.query, wire.NAMES)
    _check_owner(request, message)
    return RemoveBasketOrder(
        client_id=request.client_id,
        basket_id=message.basket_id,
        line_id=message.order_id,
    )


def _line(
    view: View, request: AuthenticatedRequest, basket_id: str, order_id: str
) -> BasketOrder | Refusal:
    """Return the order as it is kept; what is not there is refused as the core would."""
    basket = view.engine.state.shelf.baskets.get(basket_id)
    if basket is None or basket.client_id != request.client_id:
        return Refusal(Reason.BASKET_MUST_EXIST)
    number = basket.line(order_id)
    return Refusal(Reason.BASKET_ORDER_MUST_EXIST) if number is None else basket.orders[number]


def _terms(
    line: wire.LineRequest, request: AuthenticatedRequest, own: OrderTerms | None
) -> OrderTerms:
    """Return the order that a line describes."""
    check_owner(request, line.client_id)
    with within(ORDER_INFO):
        kind = type_of(line, own)
        return terms_of(
            line,
            own,
            price_pips=_price(line.price, own.price_pips if own else None, kind in PRICED),
            trigger_price_pips=_price(
                line.trigger_price, own.trigger_price_pips if own else None, kind in WAITING
            ),
            amo=_amo(line, own),
        )


def _price(value: Pips | None, own: Pips | None, wanted: bool) -> Pips:
    """Return a price; a type that has none needs none."""
    return kept_or(value, own if wanted and own is not None else Pips(0))


def _amo(line: wire.LineRequest, own: OrderTerms | None) -> bool:
    """Return whether the order is to be placed as an AMO.

    A line that says BO or CO and has no legs, as the vendor's own page has it, is a plain order.
    """
    for field in ("stop_loss_value", "square_off_value"):
        if getattr(line, field):
            raise BadField(field, hint="a basket holds no cover or bracket orders")
    kind = line.execution_type
    if kind is None:
        return own is not None and own.amo
    return kind is wire.LineWord.AMO


# --- Execute ----------------------------------------------------------------------------------


def read_execute(request: AuthenticatedRequest) -> ExecuteBasket:
    """Return the command of NML on ``/orders/kart``: the orders are placed, each by itself."""
    message = read_message(wire.ExecuteBasketRequest, request.body, b"", wire.NAMES)
    check_owner(request, message.client_id)
    _ = message.execution_state
    return ExecuteBasket(
        client_id=request.client_id,
        basket_id=message.basket_id,
        square_off=message.square_off or False,
    )


def write_execute(view: View, answer: Answer) -> Reply:
    """Return the answer to NML on ``/orders/kart``, with what became of each order."""
    execution = view.engine.state.shelf.executions[answer.basket_id]
    reply = _reply(answer, encode(answers.placed(str(answer.basket_id))))
    reply.more = ((headers.BASKET_ORDERS.lower().encode(), _outcomes(view, execution).encode()),)
    return reply


def _outcomes(view: View, execution: BasketExecution) -> str:
    """Return each order's id in the basket, in the book, and where it stands or why it is none."""
    state = view.engine.state
    told = []
    for outcome in execution.outcomes:
        if outcome.order_id:
            order = state.regulars[outcome.order_id]
            entry = LegView(order, Leg.ENTRY, view.engine.instruments[order.instrument])
            told.append(f"{outcome.line_id}={outcome.order_id}:{entry.status.value}")
        else:
            told.append(f"{outcome.line_id}=0:{OrderStatus.REJECTED.value}")
    return ", ".join(told)


# --- What goes back ---------------------------------------------------------------------------


def write_create(view: View, command: CreateBasket, answer: Answer) -> Reply:
    """Return every basket, the new one last."""
    text = f"Basket {command.name} created successfully"
    rows = basket_rows(view, command.client_id)
    return _reply(answer, encode(wire.BasketListAnswer(rows, text)))


def write_delete(view: View, command: DeleteBasket, answer: Answer) -> Reply:
    """Return the baskets that are left."""
    text = f"Basket {answer.state} deleted successfully"
    body = encode(wire.BasketListAnswer(basket_rows(view, command.client_id), text))
    return Reply(200, body, replayed=answer.replayed)


def write_removed(view: View, command: RemoveBasketOrder, answer: Answer) -> Reply:
    """Return the orders that are left in the basket."""
    basket = _basket(view, answer)
    left = line_rows(view, basket) if basket else []
    text = f"Order remove from the basket {basket.name if basket else ''}."
    return _reply(answer, encode(wire.LinesAnswer(left, text)))


def _write_basket(text: str) -> Write:
    """Return what words the answer to a change of a basket: the basket as it is now."""

    def write(view: View, command: Command, answer: Answer) -> Reply | Refusal:
        basket = _basket(view, answer)
        if basket is None:
            return Refusal(Reason.BASKET_MUST_EXIST)
        body = encode(wire.SavedBasketAnswer(basket_row(view, basket), text.format(basket.name)))
        return _reply(answer, body)

    return write


def _reply(answer: Answer, body: bytes) -> Reply:
    return Reply(200, body, order_state=answer.state, replayed=answer.replayed)


def _basket(view: View, answer: Answer) -> SavedBasket | None:
    """Return the basket that an answer is about; a repeated one may be about a basket now gone."""
    return view.engine.state.shelf.baskets.get(answer.subject)


def _check_owner(request: AuthenticatedRequest, message: _Owned) -> None:
    check_owner(request, message.login_id)
    check_owner(request, message.client_id)


ROUTES: Final = (
    Route(
        method="POST",
        path=BASKET,
        name="createBasket",
        summary="Keep a new basket; answers all of them.",
        read=read_create,
        write=write_create,
        request=wire.CreateBasketRequest,
        answer=wire.BasketListAnswer,
    ),
    Route(
        method="GET",
        path=BASKET,
        name="fetchBasket",
        summary="Every saved basket.",
        show=fetch,
        answer=wire.BasketListAnswer,
        query=(LOGIN,),
    ),
    Route(
        method="PUT",
        path=BASKET,
        name="renameBasket",
        summary="Give a basket another name.",
        read=read_rename,
        write=_write_basket("Basket name updated successfully"),
        request=wire.RenameBasketRequest,
        answer=wire.SavedBasketAnswer,
    ),
    Route(
        method="DELETE",
        path=BASKET,
        name="deleteBasket",
        summary="Forget a basket; answers those that are left.",
        read=read_delete,
        write=write_delete,
        request=wire.DeleteBasketRequest,
        answer=wire.BasketListAnswer,
    ),
    Route(
        method="POST",
        path=LINE,
        name="addInstrumentToBasket",
        summary="Keep one more order in a basket.",
        read=read_add_line,
        write=_write_basket("Order added in the basket {}."),
        request=wire.AddLineRequest,
        answer=wire.SavedBasketAnswer,
    ),
    Route(
        method="PUT",
        path=LINE,
        name="editBasketInstrument",
        summary="Change an order in a basket.",
        read=read_edit_line,
        write=_write_basket("Order added in the basket {}."),  # As documented.
        request=wire.EditLineRequest,
        answer=wire.SavedBasketAnswer,
    ),
    Route(
        method="DELETE",
        path=LINE,
        name="deleteBasketInstrument",
        summary="Take an order out of a basket; answers what is left in it.",
        read=read_remove_line,
        write=write_removed,
        request=wire.RemoveLineRequest,
        answer=wire.LinesAnswer,
    ),
)
