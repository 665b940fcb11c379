"""
Logging in and out through the client, against ``kavach serve``: by password, and by the browser.

The browser is a program that fills in the login page's forms, as a person would.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from kavach.sdk import AsyncPocket, AuthError, BadArgument, OAuthFlow, Pocket, RequestRefused
from tests.twin_server import TwinServer, running

PASSWORD = "open sesame"
PIN = "0417"
BACK = "http://127.0.0.1:9/back"
APP_SECRET = "secret-of-the-demo-app"


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server on which DEMO1 can log in, and an app is known."""
    options = ["--demo-password", PASSWORD, "--demo-pin", PIN]
    options += ["--demo-app-redirect", BACK, "--demo-app-secret", APP_SECRET]
    with running("--data-dir", ":memory:", *options) as started:
        yield started


@pytest.fixture
def stranger(server: TwinServer) -> Iterator[Pocket]:
    """A client without a token."""
    with Pocket("DEMO1", base_url=server.url) as made:
        yield made


def flow_of(server: TwinServer) -> OAuthFlow:
    """Return a login of somebody by the browser, for the demo app."""
    return OAuthFlow(server.url, "DEMOAPP", APP_SECRET, BACK)


def browse(flow: OAuthFlow, pin: str = PIN) -> str:
    """Return the address to which a browser is sent back once its user has logged in."""
    with httpx.Client(trust_env=False, timeout=30) as browser:
        page = browser.get(flow.url)
        for answers in ({"login_id": "DEMO1", "password": PASSWORD}, {"answer": pin}):
            hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
            action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
            target = page.url.join(action[1].replace("&amp;", "&")) if action else page.url
            page = browser.post(target, data=hidden | answers)
        assert page.is_redirect, page.text
        return str(page.headers["location"])


def test_a_password_and_a_pin_open_the_account(server: TwinServer, stranger: Pocket) -> None:
    """The token that a login gives is used from then on; a logout ends it for everybody."""
    token = stranger.login(password=PASSWORD, pin=PIN)

    assert stranger.trading_info().client_id == "DEMO1"
    assert stranger.profile().client_id == "DEMO1" and stranger.profile().twofa_enabled
    assert stranger.orders() == []
    stranger.logout()
    with pytest.raises(BadArgument, match="access_token: must be given"):
        stranger.orders()
    with Pocket("DEMO1", token, base_url=server.url) as late, pytest.raises(AuthError):
        late.orders()
    with Pocket("DEMO1", server.access_token, base_url=server.url) as other:
        assert other.orders() == []


def test_with_asyncio(server: TwinServer) -> None:
    """The same, awaited; two clients hold two tokens."""

    async def both() -> tuple[str, str]:
        async with (
            AsyncPocket("DEMO1", base_url=server.url) as one,
            AsyncPocket("DEMO1", base_url=server.url) as other,
        ):
            tokens = await asyncio.gather(
                one.login(password=PASSWORD, pin=PIN), other.login(password=PASSWORD, pin=PIN)
            )
            await one.logout()
            assert await other.orders() == []
            return tokens[0], tokens[1]

    first, second = asyncio.run(both())
    assert first != second


@pytest.mark.parametrize(
    ("secrets", "error"),
    [
        ({"password": "wrong", "pin": PIN}, AuthError),
        ({"password": PASSWORD, "pin": "9999"}, AuthError),
        ({"password": PASSWORD}, BadArgument),
        ({"password": PASSWORD, "pin": PIN, "totp": "123456"}, BadArgument),
    ],
)
def test_a_wrong_secret_opens_nothing(
    stranger: Pocket, secrets: dict[str, str], error: type[Exception]
) -> None:
    """A refused login is raised, and the client is as it was."""
    with pytest.raises(error):
        stranger.login(**secrets)
    with pytest.raises(BadArgument, match="access_token: must be given"):
        stranger.orders()


def test_the_vendors_names_log_in(stranger: Pocket) -> None:
    """``generateSession`` with a PIN answers the token, and the client uses it."""
    answer = stranger.generateSession("DEMO1", PASSWORD, PIN)

    assert answer["data"]["auth_token"]
    assert stranger.getPendingOrder()["status"] == "success"
    assert stranger.getProfile()["data"]["client_id"] == "DEMO1"


def test_a_login_in_the_browser(server: TwinServer, stranger: Pocket) -> None:
    """A code becomes a token once; the second time it gets nothing."""
    flow = flow_of(server)
    back = browse(flow)
    assert back.startswith(BACK)

    token = stranger.login_with_code(flow, back)

    assert stranger.trading_info().client_id == "DEMO1"
    assert token.count(".") == 1
    with pytest.raises(RequestRefused):
        stranger.login_with_code(flow, back)


def test_an_address_of_another_login_is_refused(server: TwinServer, stranger: Pocket) -> None:
    """State and address are checked before anything is sent."""
    flow, other = flow_of(server), flow_of(server)
    back = browse(other)

    with pytest.raises(BadArgument, match="its state is not this flow's"):
        stranger.login_with_code(flow, back)
    with pytest.raises(BadArgument, match="does not begin with"):
        stranger.login_with_code(other, back.replace(BACK, "http://127.0.0.1:9/elsewhere"))
    with pytest.raises(BadArgument, match="there is no code"):
        stranger.login_with_code(flow, f"{BACK}?state={flow.state}")
    refused = f"{BACK}?error=access_denied&error_description=No&state={flow.state}"
    with pytest.raises(AuthError, match="No"):
        stranger.login_with_code(flow, refused)


def test_a_stolen_code_is_of_no_use(server: TwinServer, stranger: Pocket) -> None:
    """Without the verifier that was made up for the flow, a code opens nothing."""
    flow = flow_of(server)
    back = browse(flow)
    thief = flow_of(server)
    thief.state = flow.state

    with pytest.raises(RequestRefused):
        stranger.login_with_code(thief, back)
    assert stranger.login_with_code(flow, back)


def test_secrets_are_not_shown(server: TwinServer) -> None:
    """What a program may log of a flow names the app and no secret."""
    shown: Any = repr(flow_of(server))
    assert "DEMOAPP" in shown
    assert APP_SECRET not in shown
    assert urlsplit(flow_of(server).url).query.count("code_challenge=") == 1
