"""
The web login by the vendor's names.

Upstream prints the question's id, sends a TOTP as a PIN because it compares a number with text, and
shows the old token to the login; here nothing is printed, the type is the one that was asked for,
and a login is asked without any token.

Source: docs/wire/login.md, "The web login"; docs/compatibility.md.
"""

from typing import Any

from kavach.sdk.login.logging_in import LOGIN, TWOFA, factor_type, open_request, question_of
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.answers import plain_object
from kavach.sdk.requests.plan import Plan, ask
from kavach.sdk.vendor.requesting import Answer


def generate_session(
    account: Account, channel_id: str, channel_secret: str, pin: str | int | None = None
) -> Plan[Answer]:
    """
    Return the answer to the password, or with ``pin`` (a TOTP, too) the answer to that.

    A login that succeeds is this client's from then on.
    """
    answer = yield from _ask(LOGIN, {"channel_id": channel_id, "channel_secret": channel_secret})
    if pin is None or answer.get("status") != "success":
        return answer
    data = answer.get("data")
    twofa = data.get("twofa") if isinstance(data, dict) else None
    if not isinstance(twofa, dict):
        return answer  # It asks for no second factor.
    second = twofa.get("twofa_token", "")
    answer = yield from validate_2fa(account, channel_id, second, pin, question_of(twofa))
    return answer


def validate_2fa(
    account: Account, login_id: str, twofa_token: str, pin: str | int, question_id: int | str
) -> Plan[Answer]:
    """Return the answer to the PIN or the TOTP; its token is this client's from then on."""
    answer = yield from _ask(
        TWOFA,
        {
            "login_id": login_id,
            "twofa": [{"question_id": question_id, "answer": str(pin)}],
            "twofa_token": twofa_token,
            "type": factor_type(question_id),
            "device_type": "web",
        },
    )
    data = answer.get("data")
    token = data.get("auth_token") if isinstance(data, dict) else None
    if answer.get("status") == "success" and isinstance(token, str) and token:
        account.now_is(str(login_id), token)
    return answer


def _ask(path: str, body: dict[str, Any]) -> Plan[Answer]:
    request = open_request(path, body)
    return plain_object(request, (yield from ask(request)))
