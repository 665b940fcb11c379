"""
A running server with clients who can log in, an app that they can log in to, and a clock to set.

The password's digest is cheap to make once and dear to make for each test, so it is made once.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pyotp

from kavach.core.commands import OpenClient
from kavach.core.model.people.commands import RegisterApp
from kavach.core.refusals import Answer
from kavach.credentials import secret_digest, token_digest
from kavach.units import NS_PER_SECOND, Paise
from tests.unit.api.world import World, running

PASSWORD: Final = "open sesame"
PIN: Final = "0417"
TOTP_SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
APP: Final = "app-1"
APP_SECRET: Final = "secret-of-app-1"
BACK: Final = "https://app.example/back?from=kavach"
OTHER_APP: Final = "app-2"
OTHER_SECRET: Final = "secret-of-app-2"
OTHER_BACK: Final = "https://other.example/back"
STATE: Final = "state-of-the-app"
AUTH: Final = "/oauth2/auth"
TOKEN: Final = "/oauth2/token"
LOGIN: Final = "/api/v3/user/login"
TWOFA: Final = "/api/v3/user/twofa"
WHO: Final = "/api/v1/user/trading_info"


class Inputs(HTMLParser):
    """The fields of a form, by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a field."""
        given = dict(attrs)
        if tag == "input":
            self.found[given["name"] or ""] = given.get("value") or ""


@cache
def digest(secret: str) -> str:
    """Return a digest of a secret, made once."""
    return secret_digest(secret)


@dataclass
class People:
    """The server, and what a browser or a program says to it."""

    world: World

    @property
    def http(self) -> httpx.Client:
        """A client without cookies or tokens of its own."""
        return self.world.http

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        clock: Any = self.world.desk.clock
        clock.time_ns += int(seconds * NS_PER_SECOND)

    def now_ns(self) -> int:
        """Return the engine's time."""
        return self.world.desk.now_ns()

    # --- The web login ------------------------------------------------------------------------

    def first(self, login_id: str = "PIN1", password: str = PASSWORD) -> httpx.Response:
        """Return the answer to the first step."""
        return self.http.post(LOGIN, json={"channel_id": login_id, "channel_secret": password})

    def twofa_token(self, login_id: str = "PIN1") -> str:
        """Return what the first step gives for the second."""
        answer = self.first(login_id)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["twofa"]["twofa_token"])

    def second(
        self, token: str, answer: str = PIN, login_id: str = "PIN1", **changes: Any
    ) -> httpx.Response:
        """Return the answer to the second step."""
        fields = {
            "login_id": login_id,
            "twofa": [{"question_id": 22, "answer": answer}],
            "twofa_token": token,
            "type": "PIN",
            "device_type": "web",
        }
        return self.http.post(TWOFA, json=fields | changes)

    def log_in(self, login_id: str = "PIN1") -> str:
        """Return an access token."""
        answer = self.second(self.twofa_token(login_id), login_id=login_id)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["auth_token"])

    def who(self, token: str) -> str | None:
        """Return whom a token opens; None if nobody."""
        answer = self.http.get(WHO, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 401:
            return None
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["client_id"])

    # --- OAuth --------------------------------------------------------------------------------

    def browser(self) -> httpx.Client:
        """Return a browser that has never been here."""
        return httpx.Client(base_url=self.world.url, trust_env=False)

    def code(self, login_id: str = "PIN1", **changes: str) -> str:
        """Return a code, got as people get one."""
        with self.browser() as browser:
            page = Page(browser.get(AUTH, params=asked(**changes)))
            page = page.submit(browser, login_id=login_id, password=PASSWORD)
            page = page.submit(browser, answer=PIN)
            return page.sent_back()["code"]

    def exchange(self, code: str, **changes: Any) -> httpx.Response:
        """Return the answer to a code."""
        basic = changes.pop("basic", (APP, APP_SECRET))
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK} | changes
        kept = {name: value for name, value in fields.items() if value is not None}
        return self.http.post(TOKEN, data=kept, auth=basic)


def asked(**changes: str) -> dict[str, str]:
    """Return what an app asks for; an empty value takes a parameter away."""
    fields = {
        "client_id": APP,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "orders holdings",
        "state": STATE,
    } | changes
    return {name: value for name, value in fields.items() if value}


@dataclass
class Page:
    """What a browser shows."""

    answer: httpx.Response

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the form, by name."""
        return Inputs(self.answer.text).found

    @property
    def action(self) -> str:
        """Where the form goes."""
        found = re.search(r'<form method="post" action="([^"]+)">', self.answer.text)
        assert found, self.answer.text
        return unescape(found[1])

    @property
    def error(self) -> str:
        """What the page says is wrong."""
        found = re.search(r'role="alert">([^<]+)<', self.answer.text)
        return unescape(found[1]) if found else ""

    def submit(self, browser: httpx.Client, **filled: str) -> "Page":
        """Return what comes when the form is sent."""
        return Page(browser.post(self.action, data=self.fields | filled))

    def sent_back(self) -> dict[str, str]:
        """Return what the app is told in the address that the browser is sent to."""
        assert self.answer.status_code in (302, 303), self.answer.text
        assert self.answer.headers["location"].startswith(BACK.partition("?")[0])
        return dict(parse_qsl(urlsplit(self.answer.headers["location"]).query))


def query(**fields: str) -> str:
    """Return a query string."""
    return urlencode(asked(**fields))


def totp(ahead: int = 0) -> str:
    """Return what the authenticator shows, so many steps ahead."""
    return pyotp.TOTP(TOTP_SECRET).at(int(time.time()) + 30 * ahead)


@contextmanager
def people() -> Iterator[People]:
    """Give a server with clients PIN1, PIN2 (a PIN), TOTP1 (a TOTP) and NONE1 (neither)."""
    with running() as world:
        desk = world.desk
        for client_id, pin, secret in (
            ("PIN1", PIN, ""),
            ("PIN2", PIN, ""),
            ("TOTP1", "", TOTP_SECRET),
            ("NONE1", "", ""),
        ):
            outcome = desk.execute(
                OpenClient(
                    client_id=client_id,
                    cash_paise=Paise(10**9),
                    token_digest=token_digest(f"standing-{client_id}"),
                    password_digest=digest(PASSWORD),
                    pin_digest=digest(pin) if pin else "",
                    totp_secret=secret,
                )
            )
            assert isinstance(outcome, Answer)
        for app_id, secret, back in (
            (APP, APP_SECRET, (BACK,)),
            (OTHER_APP, OTHER_SECRET, (OTHER_BACK, "http://127.0.0.1:5000/cb")),
        ):
            command = RegisterApp(
                app_id=app_id,
                name=f"The <b>{app_id}</b>",
                secret_digest=token_digest(secret),
                redirect_uris=back,
            )
            assert isinstance(desk.execute(command), Answer)
        yield People(world)
