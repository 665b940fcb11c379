"""
Who has this token, and the end of it: profile, trading_info, logout.

What the twin does not know of a person (bank, address, birthday) is empty, in the documented
type.

Source: docs/wire/login.md, "Profile, trading_info, logout".
"""

from typing import Final

from kavach.api.gateway.route import CLIENT, PREFIX, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import AuthenticatedRequest, Reply, encode
from kavach.api.rows.order_rows import NNF_ID
from kavach.core.model.people.commands import RevokeToken
from kavach.core.refusals import Answer
from kavach.units import Exchange
from kavach.wire import fields as read
from kavach.wire.exact import exact
from kavach.wire.login import (
    LOGGED_OUT,
    ExchangeNnf,
    LogoutAnswer,
    Nothing,
    Profile,
    ProfileAnswer,
    logout_decoder,
)
from kavach.wire.orders.answers import TradingInfoAnswer
from kavach.wire.orders.requests import decode
from kavach.wire.orders.rows import TradingInfo
from kavach.wire.query import read_query

PREFIX_3: Final = "/api/v3"


def profile(view: View, request: AuthenticatedRequest) -> Reply:
    """Return everything that is known of a client."""
    _check_named(request)
    client = view.engine.state.clients[request.client_id]
    told = Profile(
        exchanges_subscribed=_exchanges(),
        client_id=request.client_id,
        name=request.client_id,
        exchange_nnf=ExchangeNnf(BSE=NNF_ID, MCX=NNF_ID, NFO=NNF_ID, NSE=NNF_ID),
        dp_id=[],
        bo_id=[],
        products_enabled=_products(view),
        twofa_enabled=bool(client.pin_digest or client.totp_secret),
        user_conscents=[],
    )
    return Reply(200, encode(ProfileAnswer(told)))


def trading_info(view: View, request: AuthenticatedRequest) -> Reply:
    """Return whose token this is."""
    _check_named(request)
    info = TradingInfo(
        bo_id=[],
        client_id=request.client_id,
        email_id="",
        exchanges_subscribed=_exchanges(),
        name=request.client_id,
        poa_enabled=False,
        products_enabled=_products(view),
        status="active",
    )
    return Reply(200, encode(TradingInfoAnswer(info)))


def read_logout(view: View, request: AuthenticatedRequest) -> RevokeToken:
    """Return the command that ends the token of this request, and no other of the client."""
    _check_named(request)
    if request.body.strip():  # Nothing need be said, but whom it names must be the token's.
        named = exact(decode(logout_decoder, request.body))
        check_owner(request, named.client_id)
        check_owner(request, named.login_id)
    return RevokeToken(token_digest=request.token_digest)


def write_logout(view: View, command: RevokeToken, answer: Answer) -> Reply:
    """Return the answer to POST logout."""
    return Reply(200, encode(LogoutAnswer(Nothing(), LOGGED_OUT)))


def _check_named(request: AuthenticatedRequest) -> None:
    """Raise ``Refused`` if the query names another account."""
    pairs, _ = read_query(request.query)
    check_owner(request, read.optional(read.text, pairs.get("client_id"), "client_id"))


def _exchanges() -> list[str]:
    return [exchange.value for exchange in Exchange]


def _products(view: View) -> list[str]:
    return sorted({product.value for product in view.engine.state.settings.margin_permille})


ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PREFIX}/user/profile",
        name="getProfile",
        summary="Everything that is known of a client.",
        show=profile,
        answer=ProfileAnswer,
        query=(CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/user/trading_info",
        name="getTradingInfo",
        summary="Whose access token this is.",
        show=trading_info,
        answer=TradingInfoAnswer,
        query=(CLIENT,),
    ),
    *(
        Route(
            method="POST",
            path=f"{prefix}/user/logout",
            name=name,
            summary="End the access token that this is asked with.",
            read=read_logout,
            write=write_logout,
            answer=LogoutAnswer,
            query=(CLIENT,),
        )
        for prefix, name in ((PREFIX, "logout"), (PREFIX_3, "logoutV3"))
    ),
)
