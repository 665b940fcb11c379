"""
The two clients: ``Pocket`` for ordinary programs, ``AsyncPocket`` for asyncio.

Both have the same methods, written once as plans; here each is only joined to a driver, and
takes its name, signature and description from its plan. Nothing touches the network before the
first method is called.

Source: kavach.sdk.requests.plan (how plans and drivers meet); docs/compatibility.md.
"""

import os
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import Signature, signature
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, get_args

import httpx

from kavach.sdk import baskets, contracts, given, gtt, portfolio, resolving
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
        token = given.or_environment(access_token, "KAVACH_TOKEN")
        named = given.or_environment(client_id, "KAVACH_CLIENT_ID")
        url = os.environ.get("KAVACH_URL") or DEFAULT_URL if base_url is None else base_url
        patience = given.seconds("confirm_seconds", confirm_seconds)
        self.account = Account(given.text("client_id", named), patience, token)
        self.base_url = given.base_url(url)
        self.seconds = given.seconds("timeout_seconds", timeout_seconds, least=0.001)


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


class Pocket(Uncopied):
    """
    A client of the trading API for ordinary, blocking programs.

    ``base_url``, ``access_token`` and ``client_id`` are taken from KAVACH_URL, KAVACH_TOKEN and
    KAVACH_CLIENT_ID when not given; without a client id the server is asked whose token it is, and
    without a token the first call has to be a login.
    A call takes at most ``timeout_seconds`` until its answer is there, and a change at most
    ``confirm_seconds`` more, in which the order book is watched for its effect. ``transport``
    replaces httpx's own.

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
        transport: httpx.BaseTransport | None = None,
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

    place_cover_order = _blocking(placing.place_cover_order)
    modify_cover_order = _blocking(modifying.modify_cover_order)
    cancel_cover_order = _blocking(cancelling.cancel_cover_order)
    exit_cover_order = _blocking(cancelling.exit_cover_order)
    cover_order = _blocking(book.cover_order)

    place_bracket_order = _blocking(bracket.place_bracket_order)
    modify_bracket_order = _blocking(bracket.modify_bracket_order)
    move_bracket_target = _blocking(bracket.move_bracket_target)
    move_bracket_stop = _blocking(bracket.move_bracket_stop)
    cancel_bracket_order = _blocking(bracket.cancel_bracket_order)
    exit_bracket_order = _blocking(bracket.exit_bracket_order)
    bracket_order = _blocking(bracket.bracket_order)

    place_order = _blocking(regular.place_order)
    modify_order = _blocking(regular.modify_order)
    cancel_order = _blocking(regular.cancel_order)

    create_gtt = _blocking(gtt.create_gtt)
    modify_gtt = _blocking(gtt.modify_gtt)
    cancel_gtt = _blocking(gtt.cancel_gtt)
    gtt_rule = _blocking(gtt.gtt_rule)
    gtt_rules = _blocking(gtt.gtt_rules)

    create_basket = _blocking(baskets.create_basket)
    rename_basket = _blocking(baskets.rename_basket)
    delete_basket = _blocking(baskets.delete_basket)
    add_to_basket = _blocking(baskets.add_to_basket)
    edit_basket_order = _blocking(baskets.edit_basket_order)
    remove_from_basket = _blocking(baskets.remove_from_basket)
    execute_basket = _blocking(baskets.execute_basket)
    saved_basket = _blocking(baskets.saved_basket)
    saved_baskets = _blocking(baskets.saved_baskets)

    resolve = _blocking(resolving.resolve)
    orders = _blocking(book.orders)
    order_history = _blocking(book.order_history)
    trades = _blocking(book.trades)
    positions = _blocking(book.positions)
    convert_position = _blocking(portfolio.convert_position)
    holdings = _blocking(portfolio.holdings)
    funds = _blocking(portfolio.funds)
    margin = _blocking(portfolio.margin)

    search = _blocking(contracts.search)
    scrip_info = _blocking(contracts.scrip_info)
    option_chain = _blocking(contracts.option_chain)
    quote = _blocking(contracts.quote)
    last_price = _blocking(contracts.last_price)
    close_price = _blocking(contracts.close_price)
    download_contracts = _blocking(contracts.download_contracts)

    login = _blocking(logging_in.login)
    login_with_code = _blocking(logging_in.login_with_code)
    logout = _blocking(logging_in.logout)
    profile = _blocking(logging_in.profile)
    trading_info = _blocking(trading_info)

    placeOrder = _blocking(vendor_orders.place_order)
    modifyOrder = _blocking(vendor_orders.modify_order)
    cancelOrder = _blocking(vendor_orders.cancel_order)
    placeConditionalOrder = _blocking(vendor_orders.place_conditional_order)
    modifyConditionalOrder = _blocking(vendor_orders.modify_conditional_order)
    cancelConditionalOrder = _blocking(vendor_orders.cancel_conditional_order)
    getPendingOrder = _blocking(vendor_orders.get_pending_order)
    getPendingOrderBook = _blocking(vendor_orders.get_pending_order)
    getCompletedOrder = _blocking(vendor_orders.get_completed_order)
    getOrderHistory = _blocking(vendor_orders.get_order_history)
    getTradeBook = _blocking(vendor_orders.get_trade_book)
    gttCreateRule = _blocking(vendor_gtt.gtt_create_rule)
    gttModifyRule = _blocking(vendor_gtt.gtt_modify_rule)
    gttCancelRule = _blocking(vendor_gtt.gtt_cancel_rule)
    gttFetchRule = _blocking(vendor_gtt.gtt_fetch_rule)
    createBasket = _blocking(vendor_baskets.create_basket)
    fetchBasket = _blocking(vendor_baskets.fetch_basket)
    renameBasket = _blocking(vendor_baskets.rename_basket)
    deleteBasket = _blocking(vendor_baskets.delete_basket)
    addInstrumentToBasket = _blocking(vendor_baskets.add_instrument_to_basket)
    editBasketInstrument = _blocking(vendor_baskets.edit_basket_instrument)
    deleteBasketInstrument = _blocking(vendor_baskets.delete_basket_instrument)
    executeBasket = _blocking(vendor_baskets.execute_basket)
    getPositionsDaywise = _blocking(vendor_portfolio.get_positions_daywise)
    getPositionsNetwise = _blocking(vendor_portfolio.get_positions_netwise)
    convertPosition = _blocking(vendor_portfolio.convert_position)
    getDematHoldings = _blocking(vendor_portfolio.get_demat_holdings)
    getFunds = _blocking(vendor_portfolio.get_funds)
    getProfile = _blocking(vendor_portfolio.get_profile)
    searchScrip = _blocking(vendor_contracts.search_scrip)
    getScripInfo = _blocking(vendor_contracts.get_scrip_info)
    getOptionChain = _blocking(vendor_contracts.get_option_chain)
    getMarketdata = _blocking(vendor_contracts.get_marketdata)
    getLtp = _blocking(vendor_contracts.get_ltp)
    getClosePrice = _blocking(vendor_contracts.get_close_price)
    getFNOdata = _blocking(vendor_contracts.get_fno_data)
    getFNOltp = _blocking(vendor_contracts.get_fno_ltp)
    getFnoLtp = _blocking(vendor_contracts.get_fno_ltp)
    getNFOltp = _blocking(vendor_contracts.get_fno_ltp)
    getDPRdata = _blocking(vendor_contracts.get_dpr_data)
    generateSession = _blocking(vendor_login.generate_session)
    validate2FA = _blocking(vendor_login.validate_2fa)


class AsyncPocket(Uncopied):
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
        transport: httpx.AsyncBaseTransport | None = None,
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

    place_cover_order = _awaiting(placing.place_cover_order)
    modify_cover_order = _awaiting(modifying.modify_cover_order)
    cancel_cover_order = _awaiting(cancelling.cancel_cover_order)
    exit_cover_order = _awaiting(cancelling.exit_cover_order)
    cover_order = _awaiting(book.cover_order)

    place_bracket_order = _awaiting(bracket.place_bracket_order)
    modify_bracket_order = _awaiting(bracket.modify_bracket_order)
    move_bracket_target = _awaiting(bracket.move_bracket_target)
    move_bracket_stop = _awaiting(bracket.move_bracket_stop)
    cancel_bracket_order = _awaiting(bracket.cancel_bracket_order)
    exit_bracket_order = _awaiting(bracket.exit_bracket_order)
    bracket_order = _awaiting(bracket.bracket_order)

    place_order = _awaiting(regular.place_order)
    modify_order = _awaiting(regular.modify_order)
    cancel_order = _awaiting(regular.cancel_order)

    create_gtt = _awaiting(gtt.create_gtt)
    modify_gtt = _awaiting(gtt.modify_gtt)
    cancel_gtt = _awaiting(gtt.cancel_gtt)
    gtt_rule = _awaiting(gtt.gtt_rule)
    gtt_rules = _awaiting(gtt.gtt_rules)

    create_basket = _awaiting(baskets.create_basket)
    rename_basket = _awaiting(baskets.rename_basket)
    delete_basket = _awaiting(baskets.delete_basket)
    add_to_basket = _awaiting(baskets.add_to_basket)
    edit_basket_order = _awaiting(baskets.edit_basket_order)
    remove_from_basket = _awaiting(baskets.remove_from_basket)
    execute_basket = _awaiting(baskets.execute_basket)
    saved_basket = _awaiting(baskets.saved_basket)
    saved_baskets = _awaiting(baskets.saved_baskets)

    resolve = _awaiting(resolving.resolve)
    orders = _awaiting(book.orders)
    order_history = _awaiting(book.order_history)
    trades = _awaiting(book.trades)
    positions = _awaiting(book.positions)
    convert_position = _awaiting(portfolio.convert_position)
    holdings = _awaiting(portfolio.holdings)
    funds = _awaiting(portfolio.funds)
    margin = _awaiting(portfolio.margin)

    search = _awaiting(contracts.search)
    scrip_info = _awaiting(contracts.scrip_info)
    option_chain = _awaiting(contracts.option_chain)
    quote = _awaiting(contracts.quote)
    last_price = _awaiting(contracts.last_price)
    close_price = _awaiting(contracts.close_price)
    download_contracts = _awaiting(contracts.download_contracts)

    login = _awaiting(logging_in.login)
    login_with_code = _awaiting(logging_in.login_with_code)
    logout = _awaiting(logging_in.logout)
    profile = _awaiting(logging_in.profile)
    trading_info = _awaiting(trading_info)

    placeOrder = _awaiting(vendor_orders.place_order)
    modifyOrder = _awaiting(vendor_orders.modify_order)
    cancelOrder = _awaiting(vendor_orders.cancel_order)
    placeConditionalOrder = _awaiting(vendor_orders.place_conditional_order)
    modifyConditionalOrder = _awaiting(vendor_orders.modify_conditional_order)
    cancelConditionalOrder = _awaiting(vendor_orders.cancel_conditional_order)
    getPendingOrder = _awaiting(vendor_orders.get_pending_order)
    getPendingOrderBook = _awaiting(vendor_orders.get_pending_order)
    getCompletedOrder = _awaiting(vendor_orders.get_completed_order)
    getOrderHistory = _awaiting(vendor_orders.get_order_history)
    getTradeBook = _awaiting(vendor_orders.get_trade_book)
    gttCreateRule = _awaiting(vendor_gtt.gtt_create_rule)
    gttModifyRule = _awaiting(vendor_gtt.gtt_modify_rule)
    gttCancelRule = _awaiting(vendor_gtt.gtt_cancel_rule)
    gttFetchRule = _awaiting(vendor_gtt.gtt_fetch_rule)
    createBasket = _awaiting(vendor_baskets.create_basket)
    fetchBasket = _awaiting(vendor_baskets.fetch_basket)
    renameBasket = _awaiting(vendor_baskets.rename_basket)
    deleteBasket = _awaiting(vendor_baskets.delete_basket)
    addInstrumentToBasket = _awaiting(vendor_baskets.add_instrument_to_basket)
    editBasketInstrument = _awaiting(vendor_baskets.edit_basket_instrument)
    deleteBasketInstrument = _awaiting(vendor_baskets.delete_basket_instrument)
    executeBasket = _awaiting(vendor_baskets.execute_basket)
    getPositionsDaywise = _awaiting(vendor_portfolio.get_positions_daywise)
    getPositionsNetwise = _awaiting(vendor_portfolio.get_positions_netwise)
    convertPosition = _awaiting(vendor_portfolio.convert_position)
    getDematHoldings = _awaiting(vendor_portfolio.get_demat_holdings)
    getFunds = _awaiting(vendor_portfolio.get_funds)
    getProfile = _awaiting(vendor_portfolio.get_profile)
    searchScrip = _awaiting(vendor_contracts.search_scrip)
    getScripInfo = _awaiting(vendor_contracts.get_scrip_info)
    getOptionChain = _awaiting(vendor_contracts.get_option_chain)
    getMarketdata = _awaiting(vendor_contracts.get_marketdata)
    getLtp = _awaiting(vendor_contracts.get_ltp)
    getClosePrice = _awaiting(vendor_contracts.get_close_price)
    getFNOdata = _awaiting(vendor_contracts.get_fno_data)
    getFNOltp = _awaiting(vendor_contracts.get_fno_ltp)
    getFnoLtp = _awaiting(vendor_contracts.get_fno_ltp)
    getNFOltp = _awaiting(vendor_contracts.get_fno_ltp)
    getDPRdata = _awaiting(vendor_contracts.get_dpr_data)
    generateSession = _awaiting(vendor_login.generate_session)
    validate2FA = _awaiting(vendor_login.validate_2fa)
