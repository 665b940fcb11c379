"""
The web login: a password, then a PIN or a TOTP, then an access token.

Source: docs/wire/login.md, "The web login".
"""

from typing import Any, Final

from kavach.api.gateway.route import PREFIX, Route
from kavach.api.http.call import AnonymousRequest, Reply, encode
from kavach.api.people.logins import Logins
from kavach.api.routes.account import PREFIX_3
from kavach.core.refusals import Reason, Refusal
from kavach.credentials import new_access_token
from kavach.wire.errors import BadField
from kavach.wire.exact import exact
from kavach.wire.login import (
    PIN_QUESTION,
    QUESTIONS,
    TOTP_QUESTION,
    AuthToken,
    FactorWord,
    Login,
    LoginAnswer,
    LoginRequest,
    Question,
    TotpRequest,
    Twofa,
    TwofaAnswer,
    TwofaRequest,
    login_decoder,
    secret,
    totp_decoder,
    twofa_decoder,
)
from kavach.wire.orders.requests import decode

NO_STORE: Final = (b"cache-control", b"no-store")

_QUESTION_OF: Final = {FactorWord.PIN: PIN_QUESTION, FactorWord.TOTP: TOTP_QUESTION}


async def login(logins: Logins, request: AnonymousRequest) -> Reply:
    """Take the password, and return what the second step asks."""
    raw: Any = decode(login_decoder, request.body)
    message = exact(raw)
    login_id = message.login_id
    by_channel = login_id is None
    if login_id is None:
        login_id = message.channel_id
    if login_id is None:
        raise BadField("channel_id", blank=True)
    password = message.password
    if password is None:
        password = secret(raw.channel_secret, "channel_secret" if by_channel else "password")
    pending = await logins.first(login_id, password)
    question_id = _QUESTION_OF[pending.factor]
    twofa = Twofa(
        [Question(QUESTIONS[question_id], question_id)], pending.token, pending.factor.value
    )
    return _told(encode(LoginAnswer(Login(login_id=login_id, twofa=twofa))))


async def twofa(logins: Logins, request: AnonymousRequest) -> Reply | Refusal:
    """Take the PIN or the TOTP, and return an access token."""
    message = exact(decode(twofa_decoder, request.body))
    login_id, token = message.login_id, message.twofa_token
    asked = message.type or FactorWord.PIN
    return await _second_step(logins, login_id, token, message.twofa, asked)


async def validate_totp(logins: Logins, request: AnonymousRequest) -> Reply | Refusal:
    """Take the TOTP as an older client sends it, and return an access token."""
    message = exact(decode(totp_decoder, request.body))
    login_id, token = message.login_id, message.twofa_token
    return await _second_step(logins, login_id, token, message.totp, FactorWord.TOTP)


async def _second_step(
    logins: Logins, login_id: str, token: str, answer: str, asked: FactorWord
) -> Reply | Refusal:
    factor = logins.factor_of(token)
    shown = await logins.second(login_id, token, answer, asked)
    access_token = new_access_token()
    refusal = logins.issue(shown, access_token)
    if refusal is not None:
        if refusal.reason is Reason.TOTP_MUST_BE_NEW:
            raise logins.wrong_factor(factor)
        return refusal
    logins.done(shown, token)
    return _told(encode(TwofaAnswer(AuthToken(access_token))))


def _told(body: bytes) -> Reply:
    """Return a success that no cache may keep: there is a token in it."""
    return Reply(200, body, more=(NO_STORE,))


ROUTES: Final = (
    *(
        Route(
            method="POST",
            path=f"{prefix}/user/login",
            name=name,
            summary="Log in: the password.",
            admit=login,
            answer=LoginAnswer,
            request=LoginRequest,
        )
        for prefix, name in ((PREFIX_3, "login"), (PREFIX, "loginV1"))
    ),
    *(
        Route(
            method="POST",
            path=f"{prefix}/user/twofa",
            name=name,
            summary="Log in: the PIN or the TOTP; gives an access token.",
            admit=twofa,
            answer=TwofaAnswer,
            request=TwofaRequest,
        )
        for prefix, name in ((PREFIX_3, "twofa"), (PREFIX, "twofaV1"))
    ),
    Route(
        method="POST",
        path=f"{PREFIX_3}/user/validatetotp",
        name="validateTotp",
        summary="Log in: the TOTP, as an older client says it.",
        admit=validate_totp,
        answer=TwofaAnswer,
        request=TotpRequest,
    ),
)
