"""The authorization code flow, as browsers and apps go through it."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import httpx
import pytest

from kavach.core.model.people.book import CODE_LIFETIME_NS
from kavach.units import NS_PER_SECOND
from tests.unit.api.people.stage import (
    APP,
    APP_SECRET,
    AUTH,
    BACK,
    OTHER_APP,
    OTHER_BACK,
    OTHER_SECRET,
    PASSWORD,
    PIN,
    STATE,
    TOKEN,
    Page,
    People,
    asked,
    totp,
)

VERIFIER = "v" * 50
S256 = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def test_an_app_gets_a_token_for_its_user(server: People) -> None:
    """Password, PIN, back to the app with code, scope and state; the code becomes a token."""
    with server.browser() as browser:
        page = Page(browser.get(AUTH, params=asked()))
        assert page.answer.status_code == 200
        page = page.submit(browser, login_id="PIN1", password=PASSWORD)
        assert 'name="answer" type="password"' in page.answer.text
        page = page.submit(browser, answer=PIN)
        assert page.answer.status_code == 303
        told = page.sent_back()
    assert set(told) == {"from", "code", "scope", "state"}
    assert (told["scope"], told["state"], told["from"]) == ("orders holdings", STATE, "kavach")
    answer = server.exchange(told["code"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["access_token", "expires_in", "scope", "token_type"]
    assert (body["scope"], body["token_type"]) == ("orders holdings", "bearer")
    assert re.fullmatch(r"[\w-]{43}\.[\w-]{43}", body["access_token"])
    assert 0 < body["expires_in"] <= 86_399
    assert answer.headers["cache-control"] == "no-store"
    assert server.who(body["access_token"]) == "PIN1"


def test_a_totp_opens_the_page_too(server: People) -> None:
    """Who has a TOTP is asked for it, and can use it once."""
    with server.browser() as browser:
        page = Page(browser.get(AUTH, params=asked()))
        page = page.submit(browser, login_id="TOTP1", password=PASSWORD)
        assert "authenticator" in page.answer.text
        code = totp()
        assert page.submit(browser, answer=code).sent_back()["code"]
        page = Page(browser.get(AUTH, params=asked()))
        page = page.submit(browser, login_id="TOTP1", password=PASSWORD)
        again = page.submit(browser, answer=code)
        assert (again.answer.status_code, again.error) == (401, "Invalid TOTP, please try again.")


@pytest.mark.parametrize("name", ["redirect_uri", "redirect-uri"])
def test_both_spellings_are_understood(server: People, name: str) -> None:
    """Clients write redirect_uri with a hyphen or an underscore."""
    given = {"redirect_uri": "", name: BACK}
    assert server.exchange(server.code(**given)).status_code == 200


def test_an_app_with_one_address_need_not_give_it(server: People) -> None:
    """Without an address people are sent to the only one there is; then none is checked."""
    code = server.code(redirect_uri="")
    assert server.exchange(code, redirect_uri=None).status_code == 200


@pytest.mark.parametrize(
    ("method", "challenge"), [("S256", S256), ("plain", VERIFIER), ("", VERIFIER)]
)
def test_pkce_is_checked(server: People, method: str, challenge: str) -> None:
    """A code with a challenge is good only with its verifier, made either way."""
    code = server.code(code_challenge=challenge, code_challenge_method=method)
    for wrong in (None, "w" * 50, S256 if method == "S256" else "short"):
        answer = server.exchange(code, code_verifier=wrong)
        assert answer.status_code == 400, wrong
    assert server.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_a_secret_may_come_in_the_form(server: People) -> None:
    """An app may show its secret in the form, but no other app's and no wrong one."""
    code = server.code()
    for name, secret in ((APP, "wrong"), (OTHER_APP, APP_SECRET), ("nobody", APP_SECRET)):
        answer = server.exchange(code, basic=None, client_id=name, client_secret=secret)
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] == "invalid_client"
    answer = server.exchange(code, basic=None, client_id=APP, client_secret=APP_SECRET)
    assert answer.status_code == 200


def test_a_code_is_good_once_and_a_second_time_ends_what_it_gave(server: People) -> None:
    """Whoever shows a code again gets nothing, and the token of the first time is dead."""
    code = server.code()
    kept = server.exchange(server.code()).json()["access_token"]
    token = server.exchange(code).json()["access_token"]
    assert server.who(token) == "PIN1"
    answer = server.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert server.who(token) is None
    assert server.who(kept) == "PIN1"


def test_another_app_can_neither_use_a_code_nor_spoil_it(server: People) -> None:
    """A code is its app's: shown by another it is unknown, and ends nothing."""
    code = server.code()
    other = {"basic": (OTHER_APP, OTHER_SECRET)}
    assert server.exchange(code, **other).json()["error"] == "invalid_grant"
    token = server.exchange(code).json()["access_token"]
    assert server.exchange(code, **other).json()["error"] == "invalid_grant"
    assert server.who(token) == "PIN1"


def test_a_code_does_not_last(server: People) -> None:
    """A code is good for five minutes and no longer."""
    seconds = CODE_LIFETIME_NS // NS_PER_SECOND
    code = server.code()
    server.advance(seconds - 1)
    assert server.exchange(code).status_code == 200
    code = server.code()
    server.advance(seconds)
    assert server.exchange(code).json()["error"] == "invalid_grant"


WRONG_TOKEN_REQUESTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "another address": ({"redirect_uri": OTHER_BACK}, 400, "invalid_grant"),
    "no address": ({"redirect_uri": None}, 400, "invalid_grant"),
    "no code": ({"code": None}, 400, "invalid_request"),
    "a wrong code": ({"code": "x.y"}, 400, "invalid_grant"),
    "another grant": ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    "refresh": ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
    "no grant": ({"grant_type": None}, 400, "unsupported_grant_type"),
    "a wrong secret": ({"basic": (APP, "wrong")}, 401, "invalid_client"),
    "no secret": ({"basic": None}, 401, "invalid_client"),
    "an unknown app": ({"basic": ("nobody", "wrong")}, 401, "invalid_client"),
    "a name only": ({"basic": None, "client_id": APP}, 401, "invalid_client"),
    "a verifier for nothing": ({"code_verifier": VERIFIER}, 400, "invalid_request"),
    "forbidden characters": ({"code": 'a"b'}, 400, "invalid_request"),
    "a line feed": ({"grant_type": "authorization_code\r\nX: y"}, 400, "invalid_request"),
}


@pytest.mark.parametrize("name", WRONG_TOKEN_REQUESTS)
def test_what_is_wrong_with_a_token_request_is_said(server: People, name: str) -> None:
    """Each error has its word in three keys, no cache keeps it, and the code is still good."""
    changes, status, word = WRONG_TOKEN_REQUESTS[name]
    code = server.code()
    answer = server.exchange(**({"code": code} | changes))
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "error_description", "message"}
    assert body["error"] == word
    assert body["error_description"] == body["message"] != ""
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert server.exchange(code).status_code == 200


def test_a_body_that_is_no_form_is_refused(server: People) -> None:
    """JSON, bytes that are no text, and too many fields are invalid requests, not more."""
    for body in (b"\xff\xfe=%ff", b"&".join([b"a=1"] * 100), b"code=1&code=2"):
        answer = server.http.post(TOKEN, content=body, auth=(APP, APP_SECRET))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = server.http.post(TOKEN, json={"code": "x"}, auth=(APP, APP_SECRET))
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


SENT_BACK = {
    "another response": ({"response_type": "token"}, "unsupported_response_type"),
    "a scope that is none": ({"scope": "orders everything"}, "invalid_scope"),
    "a short state": ({"state": "1234567"}, "invalid_state"),
    "no state": ({"state": ""}, "invalid_state"),
    "a short challenge": ({"code_challenge": "short"}, "invalid_request"),
    "a method without challenge": ({"code_challenge_method": "S256"}, "invalid_request"),
    "another method": (
        {"code_challenge": S256, "code_challenge_method": "MD5"},
        "invalid_request",
    ),
}


@pytest.mark.parametrize("name", SENT_BACK)
def test_an_app_is_told_what_is_wrong_with_its_request(server: People, name: str) -> None:
    """Where the app is known and the address is its own, the error goes there, with the state."""
    changes, word = SENT_BACK[name]
    told = Page(server.http.get(AUTH, params=asked(**changes))).sent_back()
    assert told["error"] == word
    assert told["error_description"]
    assert told.get("state", "") == changes.get("state", STATE)


@pytest.mark.parametrize("name", ["redirect_uri", "redirect-uri"])
@pytest.mark.parametrize(
    "address",
    [
        OTHER_BACK,
        BACK + "&more=1",
        BACK.replace("https", "http"),
        BACK.replace("app.example", "app.example.evil.example"),
        BACK.replace("app.example", "app.example@evil.example"),
        BACK.replace("/back", "/back/../evil"),
        BACK.replace("/back", "/Back"),
        BACK.replace("https://", "//"),
        "https://app.example/back",
        "javascript:alert(1)",
        BACK + "\r\nSet-Cookie: a=b",
        BACK + "#fragment",
        "/docs",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    server: People, name: str, address: str
) -> None:
    """An address is compared to the letter; whatever else is on a page of ours, never followed."""
    given = asked(redirect_uri="") | {name: address}
    answer = server.http.get(AUTH, params=given)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": ""},
        {"client_id": 'x"y'},
        {"redirect-uri": OTHER_BACK},
    ],
)
def test_an_unknown_app_sends_nobody_anywhere(server: People, changes: dict[str, str]) -> None:
    """Without an app there is no address to trust, nor with two that differ."""
    answer = server.http.get(AUTH, params=asked(**changes))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_an_app_with_two_addresses_must_say_which(server: People) -> None:
    """There is no default among two."""
    answer = server.http.get(AUTH, params=asked(client_id=OTHER_APP, redirect_uri=""))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_a_parameter_is_given_once(server: People) -> None:
    """A request that says something twice is none."""
    for name in ("state", "client_id", "redirect_uri", "scope"):
        address = f"{AUTH}?{httpx.QueryParams(asked())}&{name}=another-value"
        assert server.http.get(address).status_code == 400


def test_who_breaks_off_is_sent_back(server: People) -> None:
    """Cancel tells the app that access was denied."""
    with server.browser() as browser:
        page = Page(browser.get(AUTH, params=asked())).submit(browser, deny="1")
        told = page.sent_back()
    assert (told["error"], told["state"]) == ("access_denied", STATE)
    assert "code" not in told
