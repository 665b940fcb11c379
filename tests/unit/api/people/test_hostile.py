"""Those who mean ill: forged forms, injected text, codes shown twice, other people's names."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from kavach.wire.redirects import policy_source_of, redirect_fault
from tests.unit.api.people.stage import (
    AUTH,
    BACK,
    OTHER_BACK,
    PASSWORD,
    PIN,
    TOKEN,
    Page,
    People,
    asked,
)


def at_form(server: People, browser: httpx.Client) -> Page:
    """Return the first page of a login."""
    return Page(browser.get(AUTH, params=asked()))


def test_a_page_says_what_a_browser_may_do(server: People) -> None:
    """No script, no frame, no cache, no referrer; forms go here, and to the app alone."""
    with server.browser() as browser:
        first = at_form(server, browser)
        second = first.submit(browser, login_id="PIN1", password=PASSWORD)
        wrong = first.submit(browser, login_id="PIN1", password="wrong")
    error = Page(server.http.get(AUTH))
    assert wrong.answer.status_code == 401
    for page in (first, second, wrong, error):
        headers = page.answer.headers
        policy = dict(
            part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        target = " https://app.example" if page is not error else ""
        assert policy["form-action"] == f"'self'{target}"
        assert policy["style-src"].startswith("'sha256-")
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert not re.search(r"<script|\son\w+=|src=|href=|url\(|@import", page.answer.text)
    cookie = first.answer.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=Lax", f"Path={AUTH}"):
        assert word in cookie


def test_people_who_do_not_see_can_log_in(server: People) -> None:
    """Each field has a label, an error is announced and tied to its field, the title says it."""
    with server.browser() as browser:
        first = at_form(server, browser)
        wrong = first.submit(browser, login_id="PIN1", password="wrong")
        second = first.submit(browser, login_id="PIN1", password=PASSWORD)
        wrong_pin = second.submit(browser, answer="9999")
    for page in (first, wrong, second, wrong_pin):
        text = page.answer.text
        assert '<html lang="en">' in text
        visible = re.findall(r'<input id="(\w+)"', text)
        assert visible
        assert re.findall(r'<label for="(\w+)"', text) == visible
        assert all("autocomplete=" in field for field in re.findall(r"<input id=[^>]*>", text))
        assert text.count("autofocus") == 1
    for page in (wrong, wrong_pin):
        assert 'role="alert"' in page.answer.text
        assert 'aria-describedby="error"' in page.answer.text
        assert "login_id" not in page.error
        assert "<title>Error: " in page.answer.text
    assert wrong.fields["login_id"] == "PIN1"  # Need not be typed again.
    assert "password" not in {n for n, value in wrong.fields.items() if value}


def test_what_others_have_written_is_text(server: People) -> None:
    """Names, ids and states with markup in them are shown, not obeyed."""
    nasty = '"><script>alert(1)</script>'
    with server.browser() as browser:
        page = Page(browser.get(AUTH, params=asked(state=nasty)))
        assert "The &lt;b&gt;app-1&lt;/b&gt;" in page.answer.text
        assert "<b>" not in page.answer.text
        wrong = page.submit(browser, login_id=nasty, password="x")
        assert "<script" not in page.answer.text + wrong.answer.text
        assert wrong.fields["login_id"] == nasty
        page = page.submit(browser, login_id="PIN1", password=PASSWORD)
        told = page.submit(browser, answer=PIN).sent_back()
    assert told["state"] == nasty
    error = server.http.get(AUTH, params=asked(response_type="<script>", client_id="<script>"))
    assert (error.status_code, "<script" in error.text) == (400, False)


@pytest.mark.parametrize(
    "state", ["a\r\nSet-Cookie: evil=1", "a\nLocation: //evil", "\0" * 8, "é" * 8]
)
def test_a_state_cannot_break_out_of_the_header(server: People, state: str) -> None:
    """Whatever bytes it has, it comes back encoded, as it was, in the one header that it is in."""
    with server.browser() as browser:
        page = Page(browser.get(AUTH, params=asked(state=state)))
        answer = page.submit(browser, deny="1").answer
    assert Page(answer).sent_back()["state"] == state
    assert "set-cookie" not in answer.headers
    assert answer.headers["location"].isascii()
    assert answer.headers["location"].isprintable()


def test_a_form_is_taken_only_with_its_cookie(server: People) -> None:
    """Another browser's form, another app's, a made-up mark or cookie: 403, and nothing happens."""
    before = server.world.desk.state_hash()
    with server.browser() as mine, server.browser() as theirs:
        page = at_form(server, mine)
        at_form(server, theirs)
        filled = page.fields | {"login_id": "PIN1", "password": PASSWORD}
        forged = [
            server.http.post(page.action, data=filled),
            theirs.post(page.action, data=filled),
            mine.post(page.action, data=filled | {"form_token": ""}),
            mine.post(page.action, data=filled | {"form_token": "0" * 64}),
            mine.post(page.action, data=filled | {"form_token": "é"}),
            mine.post(page.action + "&x=1", data=filled),
            mine.post(f"{AUTH}?{httpx.QueryParams(asked(state='another-state'))}", data=filled),
            theirs.post(page.action, data=filled | {"deny": "1"}),
        ]
        for answer in forged:
            assert answer.status_code == 403
            assert "location" not in answer.headers
            assert "begin again" in answer.text
        assert mine.post(page.action, data=filled).status_code == 200
        own = f"kavach-login={mine.cookies['kavach-login']}"
        for cookies in (f"{own}; kavach-login={'x' * 43}", f"kavach-login={'x' * 43}; {own}"):
            # Which of two is ours cannot be known: another site may have set the other.
            answer = server.http.post(page.action, data=filled, headers={"Cookie": cookies})
            assert answer.status_code == 403
        assert server.http.post(page.action, data=filled, headers={"Cookie": own}).is_success
    for cookie in ("", "short", "x" * 43 + ";kavach-login=" + "y" * 43, '"' * 43):
        headers = {"Cookie": f"kavach-login={cookie}"}
        assert server.http.post(page.action, data=filled, headers=headers).status_code == 403
    assert server.world.desk.state_hash() == before


def test_two_logins_side_by_side_in_one_browser(server: People) -> None:
    """A second window does not spoil the first: both have the browser's one cookie."""
    with server.browser() as browser:
        one, two = at_form(server, browser), at_form(server, browser)
        assert one.fields == two.fields
        for page in (one, two):
            page = page.submit(browser, login_id="PIN1", password=PASSWORD)
            assert page.submit(browser, answer=PIN).sent_back()["code"]


def test_nobody_comes_in_as_somebody_else(server: People) -> None:
    """The second step is for whom the first was: another's name there opens nothing."""
    with server.browser() as browser:
        page = at_form(server, browser).submit(browser, login_id="PIN1", password=PASSWORD)
        other = page.submit(browser, login_id="PIN2", answer=PIN)
        assert (other.answer.status_code, "Password" in other.answer.text) == (400, True)
        skipped = page.submit(browser, twofa_token="made-up", answer=PIN)
        assert skipped.answer.status_code == 400
        empty = page.submit(browser, answer="")
        assert (empty.answer.status_code, empty.error) == (400, "Enter the code.")
        wrong = page.submit(browser, answer="9999")
        assert (wrong.answer.status_code, wrong.error) == (401, "Invalid PIN, please try again.")
        code = wrong.submit(browser, answer=PIN).sent_back()["code"]
        done = page.submit(browser, answer=PIN)
        assert done.answer.status_code == 400  # It was for one login.
    assert server.who(server.exchange(code).json()["access_token"]) == "PIN1"


def test_the_page_and_the_program_share_one_limit(server: People) -> None:
    """Guesses in the browser count with those of the web login, and the page says so."""
    with server.browser() as browser:
        page = at_form(server, browser)
        for _ in range(3):
            assert page.submit(browser, login_id="PIN1", password="x").answer.status_code == 401
        for _ in range(2):
            assert server.first("PIN1", "x").status_code == 401
        full = page.submit(browser, login_id="PIN1", password=PASSWORD)
        assert full.answer.status_code == 429
        assert full.error.startswith("Too many wrong attempts, try again in ")


def test_a_login_that_takes_too_long_begins_again(server: People) -> None:
    """After five minutes the page asks for the password, with the name still there."""
    with server.browser() as browser:
        page = at_form(server, browser).submit(browser, login_id="PIN1", password=PASSWORD)
        server.advance(301)
        late = page.submit(browser, answer=PIN)
        assert late.answer.status_code == 400
        assert "took too long" in late.error
        assert late.fields["login_id"] == "PIN1"
        page = late.submit(browser, password=PASSWORD)
        assert page.submit(browser, answer=PIN).sent_back()["code"]


def test_a_code_shown_many_times_at_once_gives_one_token_at_most(server: People) -> None:
    """Of many exchanges at once one succeeds, and since the others were seen, it is dead."""
    code = server.code()
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: server.exchange(code), range(8)))
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert server.who(good[0].json()["access_token"]) is None


def test_a_code_is_no_token_and_a_token_no_code(server: People) -> None:
    """What looks alike is not taken for another."""
    code = server.code()
    assert server.who(code) is None
    token = server.exchange(code).json()["access_token"]
    assert server.exchange(token).status_code == 400
    assert server.second(token).status_code == 400
    assert server.who(server.twofa_token()) is None


def test_huge_forms_are_refused(server: People) -> None:
    """A body of more than 64 kB is 413, on the page and on the token route, and costs no login."""
    with server.browser() as browser:
        page = at_form(server, browser)
        huge = {"password": "x" * 70_000, "login_id": "PIN1"}
        assert page.submit(browser, **huge).answer.status_code == 413
        many = {f"field{number}": "x" for number in range(100)}
        assert page.submit(browser, **many).answer.status_code == 400
        long = page.submit(browser, login_id="x" * 1_000, password="x" * 1_000)
        assert (long.answer.status_code, len(long.fields["login_id"])) == (400, 64)
    assert server.http.post(TOKEN, data={"code": "x" * 70_000}).status_code == 413


def test_only_get_and_post(server: People) -> None:
    """Another method is 405, and HEAD shows what GET would."""
    assert server.http.put(AUTH).status_code == 405
    assert server.http.get(TOKEN).status_code == 405
    assert server.http.head(AUTH, params=asked()).status_code == 200


DANGEROUS = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//app.example/back",
    "/back",
    "back",
    "",
    "https://",
    "https:///back",
    "http://user@app.example/",
    "https://app.example/#part",
    "https://app.example/a b",
    "https://app.example/\r\nX: y",
    "https://app.example/;script-src",
    "https://app.example/,x",
    "https://app.example/'none'",
    'https://app.example/"x',
    "https://app.example\\@evil.example/",
    "https://*.example/",
    "https://[::1/",
    "https://app.example:99999/",
    "https://äpp.example/",
    "https://app.example/" + "x" * 512,
]


@pytest.mark.parametrize("uri", DANGEROUS)
def test_a_dangerous_address_cannot_be_registered(uri: str) -> None:
    """Scripts, fragments, users, wild cards, and what could end a header or a policy."""
    assert redirect_fault(uri)


@pytest.mark.parametrize(
    "uri",
    [
        BACK,
        OTHER_BACK,
        "http://127.0.0.1:5000/pocketful/callback",
        "http://[::1]:8000/back",
        "com.example.app:/back",
        "myapp://done?x=1&y=%20",
    ],
)
def test_a_good_address_can_be_registered(uri: str) -> None:
    """Web addresses, this machine's, and apps' own schemes."""
    assert redirect_fault(uri) == ""


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        (BACK, "https://app.example"),
        ("http://127.0.0.1:5000/cb", "http://127.0.0.1:5000"),
        ("http://[::1]:8000/back", "http:"),
        ("myapp://done?x=1", "myapp:"),
    ],
)
def test_a_policy_names_the_place_of_an_address(uri: str, source: str) -> None:
    """Browsers follow a form's answer only where the policy lets a form go."""
    assert policy_source_of(uri) == source
