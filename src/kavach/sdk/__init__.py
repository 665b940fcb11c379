"""
The client: place, modify, cancel and exit cover orders from Python, and know what happened.

    from kavach.sdk import Pocket

    with Pocket(base_url="http://127.0.0.1:8080", access_token=token) as pocket:
        order = pocket.place_cover_order(
            exchange="NSE", instrument_token=14366, side="BUY",
            quantity=1, price="12.90", stop_loss="12.50",
        )
        print(pocket.cancel_cover_order(order).outcome)

``AsyncPocket`` is the same for asyncio. The tree of errors is the docstring of
``kavach.sdk.errors``.
"""

from kavach.sdk.cover import CancelOutcome, CancelResult, CoverOrder, Leg, Resolution, Settled
from kavach.sdk.errors import (
    Attempt,
    AuthError,
    BadArgument,
    InvalidRequest,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PocketError,
    RateLimited,
    RequestRefused,
    TransportError,
    UnreadableAnswer,
)
from kavach.sdk.pocket import AsyncPocket, Pocket
from kavach.sdk.rows import HistoryEntry, Order, Position, Trade, TradingInfo
from kavach.units import Exchange, OrderType, Product, Side, Validity

__all__ = [
    "AsyncPocket",
    "Attempt",
    "AuthError",
    "BadArgument",
    "CancelOutcome",
    "CancelResult",
    "CoverOrder",
    "Exchange",
    "HistoryEntry",
    "InvalidRequest",
    "Leg",
    "NotFound",
    "NotSent",
    "Order",
    "OrderType",
    "OutcomeUnknown",
    "Pocket",
    "PocketError",
    "Position",
    "Product",
    "RateLimited",
    "RequestRefused",
    "Resolution",
    "Settled",
    "Side",
    "Trade",
    "TradingInfo",
    "TransportError",
    "UnreadableAnswer",
    "Validity",
]
