"""
Getting a token and giving it back: the web login, an OAuth code, logout, and who one is.

A login changes nothing in a market, so a lost answer is only an error: log in again. A token is
kept by the client for its further calls, and returned so that it can be stored.

Source: docs/wire/login.md, "OAuth2"; docs/wire/login.md, "The web login"; docs/wire/login.md,
"Profile, trading_info, logout".
"""

from typing import Any, Final

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import BadArgument
from kavach.sdk.login.oauth import TOKEN_PATH, OAuthFlow
from kavach.sdk.requests.account import Account, own_client_id
from kavach.sdk.requests.answers import data_of, plain_object, read_one, refused, unreadable
from kavach.sdk.requests.plan import Plan, Request, ask

LOGIN: Final = "/api/v3/user/login"
TWOFA: Final = "/api/v3/user/twofa"
LOGOUT: Final = "/api/v1/user/logout"
PROFILE: Final = "/api/v1/user/profile"
TOTP_QUESTION: Final = 100  # The id of the question that wants a TOTP; any other wants the PIN.


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Who has this token, as far as the server tells."""

    client_id: str
    name: str = ""
    status: str = ""
    email_id: str = ""
    phone_number: str = ""
    pan_number: str = ""
    user_type: str = ""
    exchanges_subscribed: list[str] = []
    products_enabled: list[str] = []
    twofa_enabled: bool = False
    basket_enabled: bool = False
    poa_enabled: bool = False


def login(
    account: Account,
    *,
    password: str,
    pin: str | None = None,
    totp: str | None = None,
    client_id: str | None = None,
) -> Plan[str]:
    """
    Return an access token, which this client uses from then on.

    ``pin`` or ``totp``, whichever the account has. Raises ``RequestRefused`` for a wrong
    password, PIN or TOTP.
    """
    who = account.client_id if client_id is None else params.text("client_id", client_id)
    params.text("password", password, secret=True)
    answer = pin if totp is None else totp
    if not who:
        raise BadArgument("client_id: must be given, here or when the client is made")
    if (pin is None) is (totp is None):
        raise BadArgument("pin: it or totp must be given, not both")
    factor = params.text("pin" if totp is None else "totp", answer, secret=True)
    first = open_request(LOGIN, {"channel_id": who, "channel_secret": password})
    response = yield from ask(first)
    data = data_of(first, response)
    twofa = data.get("twofa") if isinstance(data, dict) else None
    if not isinstance(twofa, dict) or not twofa.get("twofa_token"):
        unreadable(first, response, "it does not ask for a second factor")
    question_id = question_of(twofa)
    second = open_request(
        TWOFA,
        {
            "login_id": who,
            "twofa": [{"question_id": question_id, "answer": factor}],
            "twofa_token": twofa["twofa_token"],
            "type": factor_type(question_id),
            "device_type": "web",
        },
    )
    response = yield from ask(second)
    data = data_of(second, response)
    token = data.get("auth_token") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        unreadable(second, response, "it holds no token")
    account.now_is(who, token)
    return token


def login_with_code(account: Account, flow: OAuthFlow, redirected_to: str) -> Plan[str]:
    """
    Return the access token for a login in the browser, which this client uses from then on.

    ``redirected_to`` is the whole address to which the browser was sent back. Raises
    ``BadArgument`` when it does not belong to ``flow``, ``RequestRefused`` when the login or the
    code was refused.
    """
    if not isinstance(flow, OAuthFlow):
        raise BadArgument(f"flow: an OAuthFlow is needed, not a {type(flow).__name__}")
    code = flow.code_in(redirected_to)
    request = Request(
        method="POST",
        path=TOKEN_PATH,
        form={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
        },
        basic=(flow.app_id, flow.app_secret),
        is_open=True,
        is_secret=True,
    )
    response = yield from ask(request)
    told = plain_object(request, response)
    token = told.get("access_token")
    if response.http_status != 200 or not isinstance(token, str) or not token:
        raise refused(request, response)
    account.now_is("", token)
    return token


def logout(account: Account) -> Plan[None]:
    """End the token on the server, and forget it here."""
    client_id = yield from own_client_id(account)
    request = Request(method="POST", path=LOGOUT, body={"client_id": client_id})
    data_of(request, (yield from ask(request)))
    account.now_is(client_id, "")


def profile(account: Account) -> Plan[Profile]:
    """Return who has this token."""
    client_id = yield from own_client_id(account)
    request = Request(method="GET", path=PROFILE, query={"client_id": client_id})
    response = yield from ask(request)
    return read_one(request, response, Profile, data_of(request, response))


def question_of(twofa: dict[str, Any]) -> Any:
    """Return the id of the question that the second step asks, empty if it asks none."""
    questions = twofa.get("questions")
    first = questions[0] if isinstance(questions, list) and questions else {}
    return first.get("question_id", "") if isinstance(first, dict) else ""


def factor_type(question_id: Any) -> str:
    """Return what the second step's question wants, whether its id is a number or text."""
    return "TOTP" if str(question_id) == str(TOTP_QUESTION) else "PIN"


def open_request(path: str, body: dict[str, Any]) -> Request:
    return Request(method="POST", path=path, body=body, is_open=True, is_secret=True)
