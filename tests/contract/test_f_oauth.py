"""F6: both spellings of the app's id, and errors that are sentences."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.api.people.stage import (
    APP,
    APP_SECRET,
    AUTH,
    BACK,
    OTHER_APP,
    TOKEN,
    Page,
    People,
    asked,
    people,
)


@pytest.fixture
def server() -> Iterator[People]:
    """A fresh server with an app."""
    with people() as started:
        yield started


@pytest.mark.parametrize("name", ["app_id", "app-id", "client-id"])
def test_f6_the_app_may_be_called_by_the_vendors_word(server: People, name: str) -> None:
    """The vendor's table calls the app's id ``app_id``: page and token request take it."""
    given = {key: value for key, value in asked().items() if key != "client_id"} | {name: APP}
    page = Page(server.http.get(AUTH, params=given))
    assert page.answer.status_code == 200, page.answer.text
    code = server.code()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect-uri": BACK,
        name: APP,
        "app_secret": APP_SECRET,
    }
    answer = server.http.post(TOKEN, data=form)
    assert answer.status_code == 200, answer.text


def test_f6_two_spellings_that_differ_are_refused(server: People) -> None:
    """Which app is meant must be clear; the message names both parameters."""
    answer = server.http.get(AUTH, params=asked(app_id=OTHER_APP))
    assert answer.status_code == 400
    assert "client_id and app_id differ" in answer.text


BAD_REQUESTS = {
    "no response type": ({"response_type": ""}, "response_type"),
    "another response type": ({"response_type": "token"}, "response_type"),
    "a scope that is none": ({"scope": "orders everything"}, "everything"),
    "a short state": ({"state": "1234567"}, "8 characters"),
    "a short challenge": ({"code_challenge": "short"}, "code_challenge"),
    "another method": (
        {"code_challenge": "c" * 43, "code_challenge_method": "MD5"},
        "code_challenge_method",
    ),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_f6_what_is_wrong_is_a_sentence(server: People, name: str) -> None:
    """The description is one sentence that names the parameter; no value of a program shows."""
    changes, wanted = BAD_REQUESTS[name]
    page = Page(server.http.get(AUTH, params=asked(**changes)))
    text = page.sent_back()["error_description"]
    assert wanted in text
    assert_sentence(text)


BAD_TOKENS = {
    "no grant type": ({"grant_type": ""}, "grant_type"),
    "another grant type": ({"grant_type": "password"}, "authorization_code"),
    "no code": ({"code": ""}, "code"),
    "another code": ({"code": "nothing"}, "code"),
    "another address": ({"redirect_uri": "https://other.example/"}, "redirect_uri"),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_f6_a_token_request_is_refused_in_a_sentence(server: People, name: str) -> None:
    """The same of the token request, with the app's secret by Basic."""
    changes, wanted = BAD_TOKENS[name]
    form = {"grant_type": "authorization_code", "code": server.code(), "redirect_uri": BACK}
    answer = server.http.post(TOKEN, data=form | changes, auth=(APP, APP_SECRET))
    text = answer.json()["error_description"]
    assert wanted in text
    assert_sentence(text)


@pytest.mark.parametrize(("app", "secret"), [(APP, "wrong"), ("nobody", APP_SECRET), ("", "")])
def test_f6_a_wrong_secret_is_refused_in_a_sentence(server: People, app: str, secret: str) -> None:
    """An unknown app and a wrong secret are told alike, and how to show them."""
    form = {"grant_type": "authorization_code", "code": server.code(), "redirect_uri": BACK}
    shown = {"auth": httpx.BasicAuth(app, secret)} if app else {}
    answer = server.http.post(TOKEN, data=form, **shown)  # type: ignore[arg-type]
    text = answer.json()["error_description"]
    assert "client_id" in text and "client_secret" in text
    assert_sentence(text)


def assert_sentence(text: str) -> None:
    """Fail unless a text is a sentence for a person."""
    assert re.fullmatch(r"[A-Zc-z][^\n]*\.", text), text
    assert "None" not in text and "=" not in text, text
