"""
The two clients: ``Pocket`` for ordinary programs, ``AsyncPocket`` for asyncio.

Both have the same methods, written once as plans; here each is only joined to a driver, and
takes its name, signature and description from its plan. Nothing touches the network before the
first method is called.

Source: kavach.sdk.plan (how plans and drivers meet); wire Part 6 (what upstream does instead).
"""

import os
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import Signature, signature
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, get_args

import httpx

from kavach.sdk import book, cancelling, modifying, placing, resolving, vendor
from kavach.sdk.account import Account, trading_info
from kavach.sdk.errors import BadArgument
from kavach.sdk.plan import Plan, T
from kavach.sdk.transport import AwaitingDriver, BlockingDriver, settings

P = ParamSpec("P")

DEFAULT_URL: Final = "http://127.0.0.1:8080"  # Where ``kavach serve`` listens: no real money.
TIMEOUT_SECONDS: Final = 7.0
CONFIRM_SECONDS: Final = 2.0


class _Connection:
    """What a client is made from, whichever kind it is; arguments win over the environment."""

    def __init__(
        self,
        client_id: str | None,
        access_token: str | None,
        base_url: str | None,
        timeout_seconds: float,
        confirm_seconds: float,
    ) -> None:
        token = access_token or os.environ.get("KAVACH_TOKEN", "")
        if not token:
            raise BadArgument("access_token: must be given, here or as KAVACH_TOKEN")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise BadArgument("access_token: must be printable ASCII without blanks")
        url = base_url or os.environ.get("KAVACH_URL") or DEFAULT_URL
        if not url.startswith(("http://", "https://")):
            raise BadArgument(f"base_url: {url!r} must begin with http:// or https://")
        self.account = Account(client_id or os.environ.get("KAVACH_CLIENT_ID", ""), confirm_seconds)
        self.settings = settings(url, token, timeout_seconds)


def _blocking(
    plan: Callable[Concatenate[Account, P], Plan[T]],
) -> "Callable[Concatenate[Pocket, P], T]":
    """Return the method of ``Pocket`` that carries out ``plan``."""

    @wraps(plan)
    def method(self: "Pocket", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._driver.run(plan(self._account, *args, **kwargs))

    method.__signature__ = _signature(plan)  # type: ignore[attr-defined]
    return method


def _awaiting(
    plan: Callable[Concatenate[Account, P], Plan[T]],
) -> "Callable[Concatenate[AsyncPocket, P], Coroutine[Any, Any, T]]":
    """Return the method of ``AsyncPocket`` that carries out ``plan``."""

    @wraps(plan)
    async def method(self: "AsyncPocket", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._driver.run(plan(self._account, *args, **kwargs))

    method.__signature__ = _signature(plan)  # type: ignore[attr-defined]
    return method


def _signature(plan: Callable[..., Plan[Any]]) -> Signature:
    """Return what ``help`` shows of a method: the plan's own arguments, and its result."""
    shown = signature(plan)
    account, *arguments = shown.parameters.values()
    *_, result = get_args(shown.return_annotation)
    return shown.replace(
        parameters=[account.replace(name="self", annotation=Signature.empty), *arguments],
        return_annotation=result,
    )


class Pocket:
    """
    A client of the trading API for ordinary, blocking programs.

    ``base_url``, ``access_token`` and ``client_id`` are taken from KAVACH_URL, KAVACH_TOKEN and
    KAVACH_CLIENT_ID when not given; without a client id the server is asked whose token it is.
    ``timeout_seconds`` is the longest silence of the server to wait for, ``confirm_seconds`` how
    long to watch the order book for the effect of a change. ``transport`` replaces httpx's own.

    Connections are kept for the next call, so make one client and use it again; close it, or use
    it in a ``with``. One client may serve several threads. Errors: ``kavach.sdk.errors``.
    """

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        confirm_seconds: float = CONFIRM_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        made = _Connection(client_id, access_token, base_url, timeout_seconds, confirm_seconds)
        self._account = made.account
        self._driver = BlockingDriver(httpx.Client(transport=transport, **made.settings))

    def close(self) -> None:
        """Let go of all connections; the client cannot be used any more."""
        self._driver.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    place_cover_order = _blocking(placing.place_cover_order)
    modify_cover_order = _blocking(modifying.modify_cover_order)
    cancel_cover_order = _blocking(cancelling.cancel_cover_order)
    exit_cover_order = _blocking(cancelling.exit_cover_order)
    resolve = _blocking(resolving.resolve)
    cover_order = _blocking(book.cover_order)
    orders = _blocking(book.orders)
    order_history = _blocking(book.order_history)
    trades = _blocking(book.trades)
    positions = _blocking(book.positions)
    trading_info = _blocking(trading_info)

    placeConditionalOrder = _blocking(vendor.place_conditional_order)
    modifyConditionalOrder = _blocking(vendor.modify_conditional_order)
    cancelConditionalOrder = _blocking(vendor.cancel_conditional_order)
    getPendingOrder = _blocking(vendor.get_pending_order)
    getCompletedOrder = _blocking(vendor.get_completed_order)
    getOrderHistory = _blocking(vendor.get_order_history)
    getTradeBook = _blocking(vendor.get_trade_book)
    getPositionsDaywise = _blocking(vendor.get_positions_daywise)
    getPositionsNetwise = _blocking(vendor.get_positions_netwise)


class AsyncPocket:
    """
    The same client for asyncio: the same arguments and methods, each of them awaited.

    A task that is cancelled while a change is on its way has an unknown outcome too: pass your
    own ``user_order_id`` and ``idempotency_key`` if you mean to cancel tasks.
    """

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        confirm_seconds: float = CONFIRM_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        made = _Connection(client_id, access_token, base_url, timeout_seconds, confirm_seconds)
        self._account = made.account
        self._driver = AwaitingDriver(httpx.AsyncClient(transport=transport, **made.settings))

    async def close(self) -> None:
        """Let go of all connections; the client cannot be used any more."""
        await self._driver.client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    place_cover_order = _awaiting(placing.place_cover_order)
    modify_cover_order = _awaiting(modifying.modify_cover_order)
    cancel_cover_order = _awaiting(cancelling.cancel_cover_order)
    exit_cover_order = _awaiting(cancelling.exit_cover_order)
    resolve = _awaiting(resolving.resolve)
    cover_order = _awaiting(book.cover_order)
    orders = _awaiting(book.orders)
    order_history = _awaiting(book.order_history)
    trades = _awaiting(book.trades)
    positions = _awaiting(book.positions)
    trading_info = _awaiting(trading_info)

    placeConditionalOrder = _awaiting(vendor.place_conditional_order)
    modifyConditionalOrder = _awaiting(vendor.modify_conditional_order)
    cancelConditionalOrder = _awaiting(vendor.cancel_conditional_order)
    getPendingOrder = _awaiting(vendor.get_pending_order)
    getCompletedOrder = _awaiting(vendor.get_completed_order)
    getOrderHistory = _awaiting(vendor.get_order_history)
    getTradeBook = _awaiting(vendor.get_trade_book)
    getPositionsDaywise = _awaiting(vendor.get_positions_daywise)
    getPositionsNetwise = _awaiting(vendor.get_positions_netwise)
