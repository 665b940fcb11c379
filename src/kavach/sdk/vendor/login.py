"""
The web login by the vendor's names.

Upstream prints the question's id, sends a TOTP as a PIN because it compares a number with text, and
shows the old token to the login; here nothing is printed, the type is the one that was asked for,
and a login is asked without any token.

Source: wire 5.2, Part 6 #22.
"""

from typing import Any

from kavach.sdk.account import Account
from kavach.sdk.answers import plain_object
from kavach.sdk.logging_in import LOGIN, TWOFA, factor_type
from kavach.sdk.plan import Plan, Request, ask
from kavach.sdk.vendor.asking import Answer


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
    twofa = answer.get("data", {}).get("twofa", {})
    questions = twofa.get("questions") or [{}]
    answer = yield from validate_2fa(
        account, channel_id, twofa.get("twofa_token", ""), pin, questions[0].get("question_id", "")
    )
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
    token = answer.get("data", {}).get("auth_token") if answer.get("status") == "success" else ""
    if token:
        account.now_is(str(login_id), str(token))
    return answer


def _ask(path: str, body: dict[str, Any]) -> Plan[Answer]:
    request = Request(method="POST", path=path, body=body, is_open=True)
    return plain_object(request, (yield from ask(request)))
