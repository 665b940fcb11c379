"""
Whatever is sent to the login routes, nobody is sent anywhere but to an app's own address.

Hypothesis makes parameters, forms and cookies, from words that mean something here and from any
text. No answer is a server error but 503, none redirects to an address that is not registered,
none repeats a secret or sets a header of the sender's making, and nobody gets a token.
"""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api.people.stage import (
    APP,
    APP_SECRET,
    AUTH,
    BACK,
    LOGIN,
    OTHER_APP,
    OTHER_BACK,
    PASSWORD,
    STATE,
    TOKEN,
    TWOFA,
    Page,
    People,
    asked,
    people,
)

WORDS = (
    APP,
    OTHER_APP,
    BACK,
    OTHER_BACK,
    STATE,
    "code",
    "token",
    "orders",
    "S256",
    "plain",
    "",
    " ",
)
EVIL = (
    "//evil.example",
    "https://evil.example/",
    BACK + "@evil.example",
    "javascript:x",
    "\r\nX: y",
)
VALUES = st.one_of(st.sampled_from((*WORDS, *EVIL)), st.text(max_size=60))
NAMES = st.one_of(
    st.sampled_from(
        (
            *("client_id", "redirect_uri", "redirect-uri", "response_type", "scope", "state"),
            *("code_challenge", "code_challenge_method", "form_token", "login_id", "password"),
            *("twofa_token", "answer", "deny", "grant_type", "code", "client_secret"),
        )
    ),
    st.text(max_size=20),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=40)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def server() -> Iterator[People]:
    """One server for all examples."""
    with people() as started:
        yield started


def encoded(pairs: list[tuple[str, str]]) -> str:
    """Return pairs as a query or form; what has no bytes in UTF-8 is left out."""
    kept = [pair for pair in pairs if "".join(pair).isprintable() or "".join(pair).isascii()]
    return urlencode(kept, errors="replace")


def check(answer: httpx.Response) -> None:
    """Fail if an answer does what none may do."""
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    location = answer.headers.get("location", "")
    assert location == "" or location.startswith((BACK, OTHER_BACK, "http://127.0.0.1:5000/cb?"))
    assert location.isascii() and location.isprintable()
    assert "code" not in dict(parse_qsl(urlsplit(location).query))
    assert "x" not in answer.headers
    assert PASSWORD not in answer.text + str(answer.headers)
    assert "access_token" not in answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS, base=st.booleans())
def test_no_request_of_an_app_sends_anybody_astray(
    server: People, pairs: list[tuple[str, str]], base: bool
) -> None:
    """A request made of anything, or a good one with something added or changed."""
    given_pairs = list((asked() | dict(pairs)).items()) if base else pairs
    check(server.http.get(f"{AUTH}?{encoded(given_pairs)}"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(pairs=PAIRS, mark=st.booleans())
def test_no_form_lets_anybody_in(server: People, pairs: list[tuple[str, str]], mark: bool) -> None:
    """A form made of anything, with the page's own mark or without."""
    with server.browser() as browser:
        page = Page(browser.get(AUTH, params=asked()))
        fields = [*pairs, ("form_token", page.fields["form_token"])] if mark else pairs
        form = {"content-type": "application/x-www-form-urlencoded"}
        check(browser.post(page.action, content=encoded(fields), headers=form))
    server.advance(1_000)  # Guesses that it made are forgiven.


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS, good_app=st.booleans())
def test_no_form_of_an_app_gets_a_token(
    server: People, pairs: list[tuple[str, str]], good_app: bool
) -> None:
    """Without a code that was given there is no token, whatever else is right."""
    auth = httpx.BasicAuth(APP, APP_SECRET) if good_app else httpx.USE_CLIENT_DEFAULT
    answer = server.http.post(TOKEN, content=encoded(pairs), auth=auth)
    check(answer)
    assert set(answer.json()) == {"error", "error_description", "message"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON, path=st.sampled_from([LOGIN, TWOFA, "/api/v3/user/validatetotp"]))
def test_no_message_logs_anybody_in(server: People, body: object, path: str) -> None:
    """JSON made of anything is a refusal in the vendor's envelope."""
    answer = server.http.post(path, json=body)
    check(answer)
    assert answer.status_code in (400, 401, 429)
    assert set(answer.json()) == {"data", "error_code", "message", "status"}
