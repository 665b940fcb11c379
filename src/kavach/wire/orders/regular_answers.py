"""
What ``/orders`` answers: the order's id, and nothing else.

Source: docs/wire/README.md, "Regular and after-market orders".
"""

import msgspec

from kavach.wire.orders.answers import Success


class OrderId(msgspec.Struct, frozen=True):
    """What a request about a regular order gets."""

    oms_order_id: str


class OrderIdAnswer(Success[OrderId], frozen=True):
    """The answer to POST, PUT and DELETE."""


def placed(order_id: str) -> OrderIdAnswer:
    """Return the answer to a placed order."""
    return OrderIdAnswer(OrderId(order_id), "Order place successfully")


def modified(order_id: str) -> OrderIdAnswer:
    """Return the answer to a modified order."""
    return OrderIdAnswer(OrderId(order_id), "Order modification request submitted")


def cancelled(order_id: str) -> OrderIdAnswer:
    """Return the answer to an accepted cancel; whether it is done says ``X-Order-State``."""
    text = f"Order cancellation request submitted for OMS Order: {order_id}"
    return OrderIdAnswer(OrderId(order_id), text)
