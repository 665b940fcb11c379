"""
Logging in with the vendor's own client, and with the recorded requests of others.

Making the official client asks a service on the internet for this machine's address, and goes
on without one; so it is made once.
"""

import base64
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import msgspec
import pyotp
import pytest
from pocketful.pocketful import Pocketful

from tests.twin_server import TwinServer, running
from tests.unit.api.people.stage import Page

PASSWORD, PIN = "open sesame", "0417"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
REDIRECT = "http://localhost:8080/api-redirect"
SECRET = "a-secret-0f-the-app"


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server whose DEMO1 has password and PIN, with an app, and a client with a TOTP."""
    options = ("--demo-password", PASSWORD, "--demo-pin", PIN)
    app = ("--demo-app-redirect", REDIRECT, "--demo-app-secret", SECRET)
    with running("--data-dir", ":memory:", *options, *app) as started:
        started.room(
            "POST",
            "clients",
            client_id="TOTP1",
            cash=1000,
            password=PASSWORD,
            totp_secret=TOTP_SECRET,
        )
        yield started


@pytest.fixture(scope="module")
def made(server: TwinServer) -> Pocketful:
    """The official client, made once, without a token."""
    sdk = Pocketful(clientId="", access_token="stale")
    sdk.root = server.url
    return sdk


@pytest.fixture
def sdk(made: Pocketful) -> Pocketful:
    """The official client as it was made."""
    made.clientId, made.access_token = "", "stale"
    return made


@pytest.mark.parametrize(("name", "question"), [("DEMO1", 22), ("TOTP1", 100)])
def test_the_official_client_logs_in(
    sdk: Pocketful, name: str, question: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One call does both steps, prints the question, sends a TOTP as PIN, and has a token."""
    pin = PIN if name == "DEMO1" else pyotp.TOTP(TOTP_SECRET).at(int(time.time()))
    answer = sdk.generateSession(name, PASSWORD, pin)
    assert answer["status"] == "success", answer
    assert capsys.readouterr().out.split() == [str(question)]
    assert sdk.access_token == answer["data"]["auth_token"] != "stale"
    assert sdk.clientId == name
    assert sdk.getProfile()["data"]["client_id"] == name
    assert sdk.getPendingOrder()["data"]["orders"] == []


def test_the_official_client_logs_in_step_by_step(sdk: Pocketful) -> None:
    """The first step says what the second needs, and each error is a dict as the vendor's are."""
    first = sdk.generateSession("DEMO1", PASSWORD)
    twofa = first["data"]["twofa"]
    [question] = twofa["questions"]
    wrong = sdk.validate2FA("DEMO1", twofa["twofa_token"], "9999", question["question_id"])
    assert (wrong["status"], wrong["error_code"]) == ("error", 49008)
    right = sdk.validate2FA("DEMO1", twofa["twofa_token"], PIN, question["question_id"])
    assert set(right["data"]) == {"auth_token", "reset_password", "reset_two_fa"}
    refused = sdk.generateSession("DEMO1", "wrong", PIN)
    assert (refused["status"], refused["error_code"]) == ("error", 40000)
    assert sdk.access_token == "stale"


def send(server: TwinServer, head: str, body: str = "") -> tuple[int, Any]:
    """Return status and JSON of the answer to these very bytes; ``{host}`` is filled in."""
    parts = urlsplit(server.url)
    assert parts.hostname and parts.port
    lines = [*head.format(host=parts.netloc).splitlines(), f"Content-Length: {len(body)}", "", ""]
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + body.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    first, _, content = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]), msgspec.json.decode(content)


@pytest.mark.parametrize("name", ["redirect-uri", "redirect_uri"])
def test_the_older_clients_oauth_login(server: TwinServer, name: str) -> None:
    """Its address is opened in a browser; its requests get a token, and by it the client's id."""
    query = urlencode(
        {
            "scope": "orders holdings",
            "state": "bdkjbcjhdbsvhj",
            name: REDIRECT,
            "response_type": "code",
            "client_id": "DEMOAPP",
        }
    )
    with httpx.Client(base_url=server.url, trust_env=False) as browser:
        page = Page(browser.get(f"/oauth2/auth?{query}"))
        # Scripts that fill the form take the first field of each type, and the first button.
        assert re.findall(r'<input id="(\w+)"[^>]* type="text"', page.answer.text) == ["login_id"]
        assert re.findall(r'<input id="(\w+)"[^>]* type="password"', page.answer.text) == [
            "password"
        ]
        page = page.submit(browser, login_id="DEMO1", password=PASSWORD)
        location = page.submit(browser, answer=PIN).answer.headers["location"]
    assert location.startswith(f"{REDIRECT}?code=")
    told = dict(parse_qsl(urlsplit(location).query))
    assert (told["scope"], told["state"]) == ("orders holdings", "bdkjbcjhdbsvhj")
    basic = base64.b64encode(f"DEMOAPP:{SECRET}".encode()).decode()
    status, told = send(
        server,
        "POST /oauth2/token HTTP/1.1\n"
        "Host: {host}\n"
        "User-Agent: python-requests/2.32.3\n"
        "Accept-Encoding: gzip, deflate\n"
        "Accept: */*\n"
        "Connection: close\n"
        f"Authorization: Basic {basic}\n"
        "Content-Type: application/x-www-form-urlencoded",
        f"grant_type=authorization_code&code={told['code']}"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fapi-redirect",
    )
    assert status == 200, told
    assert (told["scope"], told["token_type"]) == ("orders holdings", "bearer")
    status, info = send(
        server,
        "GET /api/v1/user/trading_info HTTP/1.1\n"
        "Host: {host}\n"
        "User-Agent: python-requests/2.32.3\n"
        "Accept-Encoding: gzip, deflate\n"
        "Accept: */*\n"
        "Connection: close\n"
        f"Authorization: Bearer {told['access_token']}",
    )
    assert (status, info["data"]["client_id"]) == (200, "DEMO1")


def test_another_clients_step_two_by_heart(server: TwinServer) -> None:
    """Clients that do not look at the question send 22 and type PIN, and read ``auth_token``."""
    status, told = send(
        server,
        "POST /api/v3/user/login HTTP/1.1\n"
        "Host: {host}\n"
        "Connection: close\n"
        "x-device-type: WEB\n"
        "Content-Type: application/json",
        f'{{"login_id": "DEMO1", "password": "{PASSWORD}", "device": "WEB"}}',
    )
    assert status == 200
    token = told["data"]["twofa"]["twofa_token"]
    status, told = send(
        server,
        "POST /api/v3/user/twofa HTTP/1.1\n"
        "Host: {host}\n"
        "Connection: close\n"
        "Content-Type: application/json",
        '{"login_id": "DEMO1", "twofa": [{"question_id": "22", "answer": "0417"}],'
        f' "twofa_token": "{token}", "type": "PIN", "device_type": "web"}}',
    )
    assert status == 200
    status, told = send(
        server,
        "GET /api/v1/user/profile?client_id=DEMO1 HTTP/1.1\n"
        "Host: {host}\n"
        "Connection: close\n"
        f"x-authorization-token: {told['data']['auth_token']}\n"
        f"Authorization: Bearer {told['data']['auth_token']}",
    )
    assert (status, told["data"]["client_id"]) == (200, "DEMO1")
