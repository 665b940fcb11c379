"""
Who has this token, and the end of it: profile, trading_info, logout.

What the twin does not know of a person (bank, address, birthday) is empty, in the documented
type.

Source: docs/wire/login.md, "Profile, trading_info, logout".
"""

from typing import Final

from kavach.api.gateway.gateway import Edge, check_owner
from kavach.api.gateway.route import CLIENT, PREFIX, Route
from kavach.api.http.call import Call, Reply, encode
from kavach.api.rows.order_rows import NNF_ID
from kavach.core.model.people.commands import RevokeToken
from kavach.core.refusals import Refusal
from kavach.units import Exchange
from kavach.wire import fields as read
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


def profile(edge: Edge, call: Call) -> Reply:
    """Return everything that is known of a client."""
    _check_named(call)
    client = edge.backend.state.clients[call.client_id]
    told = Profile(
        exchanges_subscribed=_exchanges(),
        client_id=call.client_id,
        name=call.client_id,
        exchange_nnf=ExchangeNnf(BSE=NNF_ID, MCX=NNF_ID, NFO=NNF_ID, NSE=NNF_ID),
        dp_id=[],
        bo_id=[],
        products_enabled=_products(edge),
        twofa_enabled=bool(client.pin_digest or client.totp_secret),
        user_conscents=[],
    )
    return Reply(200, encode(ProfileAnswer(told)))


def trading_info(edge: Edge, call: Call) -> Reply:
    """Return whose token this is."""
    _check_named(call)
    info = TradingInfo(
        bo_id=[],
        client_id=call.client_id,
        email_id="",
        exchanges_subscribed=_exchanges(),
        name=call.client_id,
        poa_enabled=False,
        products_enabled=_products(edge),
        status="active",
    )
    return Reply(200, encode(TradingInfoAnswer(info)))


def logout(edge: Edge, call: Call) -> Reply:
    """End the token that this was asked with, and no other of the client."""
    _check_named(call)
    if call.body.strip():  # Nothing need be said, but whom it names must be the token's.
        named = decode(logout_decoder, call.body)
        for field in ("client_id", "login_id"):
            check_owner(call, read.optional(read.text, getattr(named, field), field))
    outcome = edge.backend.execute(RevokeToken(token_digest=call.token_digest))
    if isinstance(outcome, Refusal):
        return edge.refusal(outcome)
    return Reply(200, encode(LogoutAnswer(Nothing(), LOGGED_OUT)))


def _check_named(call: Call) -> None:
    """Raise ``Refused`` if the query names another account."""
    pairs, _ = read_query(call.query)
    check_owner(call, read.optional(read.text, pairs.get("client_id"), "client_id"))


def _exchanges() -> list[str]:
    return [exchange.value for exchange in Exchange]


def _products(edge: Edge) -> list[str]:
    return sorted({product.value for product in edge.backend.state.settings.margin_permille})


ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PREFIX}/user/profile",
        name="getProfile",
        summary="Everything that is known of a client.",
        handler=profile,
        answer=ProfileAnswer,
        query=(CLIENT,),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/user/trading_info",
        name="getTradingInfo",
        summary="Whose access token this is.",
        handler=trading_info,
        answer=TradingInfoAnswer,
        query=(CLIENT,),
    ),
    *(
        Route(
            method="POST",
            path=f"{prefix}/user/logout",
            name=name,
            summary="End the access token that this is asked with.",
            handler=logout,
            answer=LogoutAnswer,
            query=(CLIENT,),
        )
        for prefix, name in ((PREFIX, "logout"), (PREFIX_3, "logoutV3"))
    ),
)
