"""
The client: everything that the trading API can, from Python, and what really happened.

    from kavach.sdk import Pocket

    with Pocket(base_url="http://127.0.0.1:8080", access_token=token) as pocket:
        order = pocket.place_cover_order(
            exchange="NSE", instrument_token=14366, side="BUY",
            quantity=1, price="12.90", stop_loss="12.50",
        )
        print(pocket.cancel_cover_order(order).outcome)

``AsyncPocket`` is the same for asyncio. ``Feed`` and ``AsyncFeed`` tell what happens, as it
happens. The tree of errors is the docstring of ``kavach.sdk.errors``.
"""

from kavach.sdk.baskets import Basket, BasketExecution, BasketOrder, BasketOutcome
from kavach.sdk.contracts import (
    MarketQuote,
    Option,
    OptionExpiry,
    OptionStrike,
    ScripInfo,
)
from kavach.sdk.errors import (
    Attempt,
    AuthError,
    BadArgument,
    FeedLost,
    InvalidRequest,
    Kind,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PocketError,
    RateLimited,
    RequestRefused,
    TransportError,
    UnreadableAnswer,
)
from kavach.sdk.feed.feed import AsyncFeed, Feed
from kavach.sdk.feed.ticks import (
    CompactQuote,
    Depth,
    ExchangeNotice,
    FeedItem,
    Level,
    OpenInterest,
    OrderChange,
    PositionChange,
    PriceBand,
    Quote,
    SessionStatus,
    Snapshot,
    TradeDone,
)
from kavach.sdk.gtt import GttOrder, GttRule
from kavach.sdk.login.logging_in import Profile
from kavach.sdk.login.oauth import OAuthFlow
from kavach.sdk.orders.cover import BracketOrder, CancelResult, CoverOrder, Leg
from kavach.sdk.pocket import AsyncPocket, Pocket
from kavach.sdk.portfolio import Funds, Holding, Margin, MarginOrder
from kavach.sdk.requests.changes import CancelOutcome, Settled
from kavach.sdk.resolution import Resolution
from kavach.sdk.rows import Contract, HistoryEntry, Order, Position, Trade, TradingInfo
from kavach.units import Exchange, OrderType, Product, Side, Validity

__all__ = [
    "AsyncFeed",
    "AsyncPocket",
    "Attempt",
    "AuthError",
    "BadArgument",
    "Basket",
    "BasketExecution",
    "BasketOrder",
    "BasketOutcome",
    "BracketOrder",
    "CancelOutcome",
    "CancelResult",
    "CompactQuote",
    "Contract",
    "CoverOrder",
    "Depth",
    "Exchange",
    "ExchangeNotice",
    "Feed",
    "FeedItem",
    "FeedLost",
    "Funds",
    "GttOrder",
    "GttRule",
    "HistoryEntry",
    "Holding",
    "InvalidRequest",
    "Kind",
    "Leg",
    "Level",
    "Margin",
    "MarginOrder",
    "MarketQuote",
    "NotFound",
    "NotSent",
    "OAuthFlow",
    "OpenInterest",
    "Option",
    "OptionExpiry",
    "OptionStrike",
    "Order",
    "OrderChange",
    "OrderType",
    "OutcomeUnknown",
    "Pocket",
    "PocketError",
    "Position",
    "PositionChange",
    "PriceBand",
    "Product",
    "Profile",
    "Quote",
    "RateLimited",
    "RequestRefused",
    "Resolution",
    "ScripInfo",
    "SessionStatus",
    "Settled",
    "Side",
    "Snapshot",
    "Trade",
    "TradeDone",
    "TradingInfo",
    "TransportError",
    "UnreadableAnswer",
    "Validity",
]
