"""
The two clients: ``Pocket`` for ordinary programs, ``AsyncPocket`` for asyncio.

Both have the same methods, written once as plans; here each is only joined to a driver, and
takes its name, signature and description from its plan. Nothing touches the network before the
first method is called.

Source: kavach.sdk.requests.plan (how plans and drivers meet); docs/compatibility.md.
"""

from collections.abc import Callable, Coroutine
from functools import cached_property, wraps
from inspect import Signature, signature
from types import MethodType, TracebackType
from typing import Any, Concatenate, Final, Generic, ParamSpec, Self, get_args, overload

import httpx2

from kavach.sdk import baskets, contracts, gtt, instruments, params, portfolio, resolving
from kavach.sdk.found import door
from kavach.sdk.login import logging_in
from kavach.sdk.orders import book, bracket, cancelling, modifying, placing, regular
from kavach.sdk.requests.account import Account, Uncopied, trading_info
from kavach.sdk.requests.plan import Plan, T
from kavach.sdk.transport.drivers import AwaitingDriver, BlockingDriver
from kavach.sdk.vendor import baskets as vendor_baskets
from kavach.sdk.vendor import contracts as vendor_contracts
from kavach.sdk.vendor import gtt as vendor_gtt
from kavach.sdk.vendor import login as vendor_login
from kavach.sdk.vendor import orders as vendor_orders
from kavach.sdk.vendor import portfolio as vendor_portfolio

P = ParamSpec("P")

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
        found = door(base_url, access_token, client_id)
        patience = params.seconds("confirm_seconds", confirm_seconds)
        self.account = Account(found.client_id, patience, found.access_token)
        self.base_url = found.base_url
        self.seconds = params.seconds("timeout_seconds", timeout_seconds, least=0.001)


class _Method(Generic[P, T]):
    """A method of both clients: a plan that ``Pocket`` carries out, and ``AsyncPocket`` awaits."""

    def __init__(self, plan: Callable[Concatenate[Account, P], Plan[T]]) -> None:
        self._plan = plan
        self.__doc__ = plan.__doc__

    @overload
    def __get__(
        self, client: None, kind: "type[Pocket]"
    ) -> "Callable[Concatenate[Pocket, P], T]": ...
    @overload
    def __get__(
        self, client: None, kind: "type[AsyncPocket]"
    ) -> "Callable[Concatenate[AsyncPocket, P], Coroutine[Any, Any, T]]": ...
    @overload
    def __get__(self, client: "Pocket", kind: "type[Pocket]") -> Callable[P, T]: ...
    @overload
    def __get__(
        self, client: "AsyncPocket", kind: "type[AsyncPocket]"
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: "Pocket | AsyncPocket | None", kind: Any) -> Any:
        method = self._awaiting if issubclass(kind, AsyncPocket) else self._blocking
        return method if client is None else MethodType(method, client)

    @cached_property
    def _blocking(self) -> Callable[..., T]:
        @wraps(self._plan)
        def method(client: "Pocket", /, *args: P.args, **kwargs: P.kwargs) -> T:
            return client._driver.run(self._plan(client._account, *args, **kwargs))

        method.__signature__ = _signature(self._plan)  # type: ignore[attr-defined]
        return method

    @cached_property
    def _awaiting(self) -> Callable[..., Coroutine[Any, Any, T]]:
        @wraps(self._plan)
        async def method(client: "AsyncPocket", /, *args: P.args, **kwargs: P.kwargs) -> T:
            return await client._driver.run(self._plan(client._account, *args, **kwargs))

        method.__signature__ = _signature(self._plan)  # type: ignore[attr-defined]
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


class _Methods(Uncopied):
    """What both clients can do, each method once."""

    place_cover_order = _Method(placing.place_cover_order)
    modify_cover_order = _Method(modifying.modify_cover_order)
    cancel_cover_order = _Method(cancelling.cancel_cover_order)
    exit_cover_order = _Method(cancelling.exit_cover_order)
    cover_order = _Method(book.cover_order)

    place_bracket_order = _Method(bracket.place_bracket_order)
    modify_bracket_order = _Method(bracket.modify_bracket_order)
    move_bracket_target = _Method(bracket.move_bracket_target)
    move_bracket_stop = _Method(bracket.move_bracket_stop)
    cancel_bracket_order = _Method(bracket.cancel_bracket_order)
    exit_bracket_order = _Method(bracket.exit_bracket_order)
    bracket_order = _Method(bracket.bracket_order)

    place_order = _Method(regular.place_order)
    modify_order = _Method(regular.modify_order)
    cancel_order = _Method(regular.cancel_order)

    create_gtt = _Method(gtt.create_gtt)
    modify_gtt = _Method(gtt.modify_gtt)
    cancel_gtt = _Method(gtt.cancel_gtt)
    gtt_rule = _Method(gtt.gtt_rule)
    gtt_rules = _Method(gtt.gtt_rules)

    create_basket = _Method(baskets.create_basket)
    rename_basket = _Method(baskets.rename_basket)
    delete_basket = _Method(baskets.delete_basket)
    add_to_basket = _Method(baskets.add_to_basket)
    edit_basket_order = _Method(baskets.edit_basket_order)
    remove_from_basket = _Method(baskets.remove_from_basket)
    execute_basket = _Method(baskets.execute_basket)
    saved_basket = _Method(baskets.saved_basket)
    saved_baskets = _Method(baskets.saved_baskets)

    resolve = _Method(resolving.resolve)
    orders = _Method(book.orders)
    order_history = _Method(book.order_history)
    trades = _Method(book.trades)
    positions = _Method(book.positions)
    convert_position = _Method(portfolio.convert_position)
    holdings = _Method(portfolio.holdings)
    funds = _Method(portfolio.funds)
    margin = _Method(portfolio.margin)

    search = _Method(instruments.search)
    contract = _Method(instruments.contract)
    scrip_info = _Method(contracts.scrip_info)
    option_chain = _Method(contracts.option_chain)
    quote = _Method(contracts.quote)
    last_price = _Method(contracts.last_price)
    close_price = _Method(contracts.close_price)
    download_contracts = _Method(contracts.download_contracts)

    login = _Method(logging_in.login)
    login_with_code = _Method(logging_in.login_with_code)
    logout = _Method(logging_in.logout)
    profile = _Method(logging_in.profile)
    trading_info = _Method(trading_info)

    placeOrder = _Method(vendor_orders.place_order)
    modifyOrder = _Method(vendor_orders.modify_order)
    cancelOrder = _Method(vendor_orders.cancel_order)
    placeConditionalOrder = _Method(vendor_orders.place_conditional_order)
    modifyConditionalOrder = _Method(vendor_orders.modify_conditional_order)
    cancelConditionalOrder = _Method(vendor_orders.cancel_conditional_order)
    getPendingOrder = _Method(vendor_orders.get_pending_order)
    getPendingOrderBook = _Method(vendor_orders.get_pending_order)
    getCompletedOrder = _Method(vendor_orders.get_completed_order)
    getOrderHistory = _Method(vendor_orders.get_order_history)
    getTradeBook = _Method(vendor_orders.get_trade_book)
    gttCreateRule = _Method(vendor_gtt.gtt_create_rule)
    gttModifyRule = _Method(vendor_gtt.gtt_modify_rule)
    gttCancelRule = _Method(vendor_gtt.gtt_cancel_rule)
    gttFetchRule = _Method(vendor_gtt.gtt_fetch_rule)
    createBasket = _Method(vendor_baskets.create_basket)
    fetchBasket = _Method(vendor_baskets.fetch_basket)
    renameBasket = _Method(vendor_baskets.rename_basket)
    deleteBasket = _Method(vendor_baskets.delete_basket)
    addInstrumentToBasket = _Method(vendor_baskets.add_instrument_to_basket)
    editBasketInstrument = _Method(vendor_baskets.edit_basket_instrument)
    deleteBasketInstrument = _Method(vendor_baskets.delete_basket_instrument)
    executeBasket = _Method(vendor_baskets.execute_basket)
    getPositionsDaywise = _Method(vendor_portfolio.get_positions_daywise)
    getPositionsNetwise = _Method(vendor_portfolio.get_positions_netwise)
    convertPosition = _Method(vendor_portfolio.convert_position)
    getDematHoldings = _Method(vendor_portfolio.get_demat_holdings)
    getFunds = _Method(vendor_portfolio.get_funds)
    getProfile = _Method(vendor_portfolio.get_profile)
    searchScrip = _Method(vendor_contracts.search_scrip)
    getScripInfo = _Method(vendor_contracts.get_scrip_info)
    getOptionChain = _Method(vendor_contracts.get_option_chain)
    getMarketdata = _Method(vendor_contracts.get_marketdata)
    getLtp = _Method(vendor_contracts.get_ltp)
    getClosePrice = _Method(vendor_contracts.get_close_price)
    getFNOdata = _Method(vendor_contracts.get_fno_data)
    getFNOltp = _Method(vendor_contracts.get_fno_ltp)
    getFnoLtp = _Method(vendor_contracts.get_fno_ltp)
    getNFOltp = _Method(vendor_contracts.get_fno_ltp)
    getDPRdata = _Method(vendor_contracts.get_dpr_data)
    generateSession = _Method(vendor_login.generate_session)
    validate2FA = _Method(vendor_login.validate_2fa)


class Pocket(_Methods):
    """
    A client of the trading API for ordinary, blocking programs.

    ``base_url``, ``access_token`` and ``client_id`` are taken from KAVACH_URL, KAVACH_TOKEN and
    KAVACH_CLIENT_ID when not given. With neither address nor token it is the one twin that runs on
    this machine. Without a client id the server is asked whose token it is, and without a token the
    first call has to be a login.
    A call takes at most ``timeout_seconds`` until its answer is there, and a change at most
    ``confirm_seconds`` more, in which the order book is watched for its effect. ``transport``
    replaces httpx2's own.

    Connections are kept for the next call, so make one client and use it again; close it, or use
    it in a ``with``. One client may serve several threads, and goes on in a forked child, with
    connections of its own. Errors: ``kavach.sdk.errors``.
    """

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        confirm_seconds: float = CONFIRM_SECONDS,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        made = _Connection(client_id, access_token, base_url, timeout_seconds, confirm_seconds)
        self._account = made.account
        self._driver = BlockingDriver(made.account, made.base_url, made.seconds, transport)

    def close(self) -> None:
        """Let go of all connections; the client cannot be used any more."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncPocket(_Methods):
    """
    The same client for asyncio: the same arguments and methods, each of them awaited.

    A task that is cancelled while a change is on its way has an unknown outcome too: the
    ``CancelledError`` carries it as its cause, and ``resolve`` takes it. Connections belong to an
    event loop; in another one the client makes its own, so close it in the loop that used it.
    """

    def __init__(
        self,
        client_id: str | None = None,
        access_token: str | None = None,
        *,
        base_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        confirm_seconds: float = CONFIRM_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        made = _Connection(client_id, access_token, base_url, timeout_seconds, confirm_seconds)
        self._account = made.account
        self._driver = AwaitingDriver(made.account, made.base_url, made.seconds, transport)

    async def close(self) -> None:
        """Let go of all connections; the client cannot be used any more."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
