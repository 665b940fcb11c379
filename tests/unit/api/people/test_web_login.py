"""The web login: what each step gives, what is said of each mistake, how often one may guess."""

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from kavach.api.people.checking import WAITING_MAX
from kavach.api.people.guesses import GUESSES_MAX, STRANGERS_MAX, WINDOW_NS, Guesses
from kavach.api.people.logins import Logins
from kavach.core.commands import OpenClient
from kavach.core.model.people.commands import SetCredentials
from kavach.units import NS_PER_SECOND, Paise
from tests.unit.api.people.stage import LOGIN, PASSWORD, PIN, TWOFA, People, digest, totp

WINDOW_SECONDS = WINDOW_NS // NS_PER_SECOND
LOGOUT = "/api/v1/user/logout"
TOTP_ROUTE = "/api/v3/user/validatetotp"


def said(answer: httpx.Response) -> tuple[int, int, str]:
    """Return status, code and text of an error."""
    body = answer.json()
    assert set(body) == {"data", "error_code", "message", "status"}, body
    return answer.status_code, body["error_code"], body["message"]


WRONG_PASSWORD = (401, 40000, "Invalid login_id or password, please try again")
WRONG_PIN = (401, 49008, "Invalid PIN, please try again")
WRONG_TOTP = (401, 49008, "Invalid TOTP, please try again")
NO_TOKEN = (400, 44000, "`twofa_token` is invalid")


def test_two_steps_give_a_token(server: People) -> None:
    """The answers have the documented keys and types; the token opens the account."""
    first = server.first()
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    data = first.json()["data"]
    token = data["twofa"].pop("twofa_token")
    assert data == {
        "alert": "",
        "auth_token": "",
        "login_id": "PIN1",
        "reset_password": False,
        "reset_two_fa": False,
        "twofa": {
            "questions": [{"question": "Enter your PIN", "question_id": 22}],
            "type": "PIN",
        },
        "twofa_enabled": True,
    }
    second = server.second(token)
    assert second.headers["cache-control"] == "no-store"
    told = second.json()["data"]
    access_token = told.pop("auth_token")
    assert told == {"reset_password": False, "reset_two_fa": False}
    assert server.who(access_token) == "PIN1"


@pytest.mark.parametrize("version", ["v1", "v3"])
@pytest.mark.parametrize("names", [("channel_id", "channel_secret"), ("login_id", "password")])
def test_every_spelling_is_understood(server: People, version: str, names: tuple[str, str]) -> None:
    """Both versions of the routes, and both names of the fields."""
    fields = {names[0]: "PIN1", names[1]: PASSWORD, "device": "WEB"}
    answer = server.http.post(f"/api/{version}/user/login", json=fields)
    token = answer.json()["data"]["twofa"]["twofa_token"]
    given = {"login_id": "PIN1", "twofa": [{"answer": PIN}], "twofa_token": token}
    assert server.http.post(f"/api/{version}/user/twofa", json=given).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"type": "TOTP"},
        {"type": "pin"},
        {"twofa": [{"question_id": 100}]},
        {"twofa": [{"question_id": "22"}]},
    ],
)
def test_a_totp_is_taken_under_any_name(server: People, changes: dict[str, Any]) -> None:
    """Clients send a TOTP as type PIN, and question ids as text or another's."""
    first = server.first("TOTP1").json()["data"]["twofa"]
    assert first["type"] == "TOTP"
    assert first["questions"] == [{"question": "Enter your TOTP", "question_id": 100}]
    if "twofa" in changes:
        changes = {"twofa": [changes["twofa"][0] | {"answer": totp()}]}
    answer = server.second(first["twofa_token"], totp(), "TOTP1", **changes)
    assert answer.status_code == 200, answer.text


def test_a_totp_is_good_once(server: People) -> None:
    """The same TOTP opens nothing twice; the next one does, and one from long ago does not."""
    code = totp()
    assert server.second(server.twofa_token("TOTP1"), code, "TOTP1").status_code == 200
    token = server.twofa_token("TOTP1")
    assert said(server.second(token, code, "TOTP1")) == WRONG_TOTP
    assert said(server.second(token, totp(-4), "TOTP1")) == WRONG_TOTP
    assert server.second(token, totp(1), "TOTP1").status_code == 200


def test_an_older_client_sends_its_totp_elsewhere(server: People) -> None:
    """The route of its own is the second step for who has a TOTP; who has a PIN can't use it."""
    fields = {"login_id": "TOTP1", "twofa_token": server.twofa_token("TOTP1"), "totp": totp()}
    answer = server.http.post(TOTP_ROUTE, json=fields)
    assert server.who(answer.json()["data"]["auth_token"]) == "TOTP1"
    fields = {"login_id": "PIN1", "twofa_token": server.twofa_token(), "totp": PIN}
    assert said(server.http.post(TOTP_ROUTE, json=fields)) == WRONG_PIN


def test_an_unknown_client_and_a_wrong_password_are_told_the_same(server: People) -> None:
    """Neither text nor header nor limit says whether there is such a client."""
    answers = {}
    for name in ("PIN1", "NOBODY"):
        answers[name] = [server.first(name, "wrong") for _ in range(GUESSES_MAX + 2)]
    for known, unknown in zip(*answers.values(), strict=True):
        assert known.status_code == unknown.status_code
        assert known.content == unknown.content
        assert set(known.headers) == set(unknown.headers)
    assert said(answers["PIN1"][0]) == WRONG_PASSWORD
    assert answers["PIN1"][-1].status_code == 429


@pytest.mark.alone  # It measures time.
def test_an_unknown_client_takes_as_long_as_a_known_one(server: People) -> None:
    """An answer about nobody is computed as one about somebody; so is one without a password."""

    def seconds(name: str) -> float:
        begun = time.perf_counter()
        assert server.first(name, "wrong").status_code == 401
        server.advance(WINDOW_SECONDS)
        return time.perf_counter() - begun

    server.world.desk.execute(SetCredentials(client_id="PIN2", password_digest="", pin_digest=""))
    names = ("PIN1", "PIN2", "NOBODY")
    times = {name: [seconds(name) for _ in range(9)] for name in names}
    # The floor of several is what the work costs; a machine that is busy adds to single ones.
    floors = {name: min(values) for name, values in times.items()}
    assert min(floors.values()) > 0.4 * max(floors.values()), floors
    assert min(statistics.median(values) for values in times.values()) > 0.005


def test_guesses_are_limited_and_the_limit_is_told(server: People) -> None:
    """After five wrong ones the right one is not looked at, until a quarter of an hour is over."""
    for _ in range(GUESSES_MAX):
        assert said(server.first("PIN1", "wrong")) == WRONG_PASSWORD
    answer = server.first()
    assert said(answer)[:2] == (429, 429)
    assert answer.headers["x-error-reason"] == "TOO_MANY_GUESSES"
    seconds = int(answer.headers["retry-after"])
    assert WINDOW_SECONDS - 5 < seconds <= WINDOW_SECONDS
    assert f"in {seconds} seconds" in answer.json()["message"]
    assert server.first("PIN2").status_code == 200  # Nobody else suffers.
    server.advance(seconds - 1)
    assert server.first().status_code == 429
    server.advance(1)
    assert server.first().status_code == 200


def test_who_has_the_password_cannot_try_all_pins(server: People) -> None:
    """Wrong PINs count whatever right passwords come between; a whole login forgets them."""
    for _ in range(GUESSES_MAX - 1):
        assert said(server.second(server.twofa_token(), "9999")) == WRONG_PIN
    server.log_in()
    for _ in range(GUESSES_MAX):
        assert said(server.second(server.twofa_token("PIN2"), "9999", "PIN2")) == WRONG_PIN
    assert server.first("PIN2").status_code == 429
    assert server.second(server.twofa_token()).status_code == 200


def test_a_hundred_guesses_at_once_are_a_hundred(server: People) -> None:
    """Guesses sent together are counted before they are looked at."""
    with ThreadPoolExecutor(20) as many:
        answers = list(many.map(lambda n: server.first("PIN1", f"wrong {n}"), range(20)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == GUESSES_MAX
    assert statuses.count(429) == 20 - GUESSES_MAX


def test_strangers_names_do_not_fill_the_memory() -> None:
    """Of names that are nobody's the oldest is forgotten, those of clients are counted apart."""
    guesses = Guesses(STRANGERS_MAX)
    for number in range(STRANGERS_MAX + 10):
        assert guesses.take(f"N{number}", 1) == 0
    assert len(guesses._counted) == STRANGERS_MAX
    for _ in range(GUESSES_MAX - 1):
        assert guesses.take("N5000", 1) == 0
    assert guesses.take(f"N{STRANGERS_MAX}", 1) == 0


def test_a_name_that_is_guessed_at_again_is_the_newest() -> None:
    """A name that is guessed at anew after its window is not the next to be forgotten."""
    guesses = Guesses(2)
    guesses.take("A", 0)
    guesses.take("B", 1)
    for _ in range(GUESSES_MAX):
        assert guesses.take("A", WINDOW_NS) == 0
    assert guesses.take("C", WINDOW_NS) == 0  # In the place of B.
    assert guesses.take("A", WINDOW_NS) == WINDOW_SECONDS


def test_inventing_names_makes_nobody_forget(server: People) -> None:
    """Strangers' names are counted in a table of their own, which is bounded."""

    async def guess() -> None:
        logins = Logins(server.world.desk)
        for number in range(STRANGERS_MAX + 10):
            logins._guess(f"N{number}")
        assert len(logins._strangers._counted) == STRANGERS_MAX
        assert not logins._clients._counted

    asyncio.run(guess())


def test_the_token_between_the_steps_is_good_for_one_login(server: People) -> None:
    """A mistyped PIN does not end it, a login does; another client's it never is."""
    token = server.twofa_token()
    assert said(server.second(token, login_id="PIN2")) == NO_TOKEN
    assert said(server.second(token, "0000")) == WRONG_PIN
    assert server.second(token).status_code == 200
    assert said(server.second(token)) == NO_TOKEN
    assert said(server.second("never")) == NO_TOKEN


def test_the_token_between_the_steps_is_good_once_even_at_once(server: People) -> None:
    """Of ten right answers sent together one gives a token."""
    token = server.twofa_token()
    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda _: server.second(token), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


def test_the_token_between_the_steps_does_not_last(server: People) -> None:
    """After five minutes the password is asked for again."""
    token = server.twofa_token()
    server.advance(301)
    assert said(server.second(token)) == NO_TOKEN


def test_other_credentials_count_at_once(server: People) -> None:
    """A PIN that was changed between the steps is the one that opens."""
    token = server.twofa_token()
    changed = SetCredentials(
        client_id="PIN1", password_digest=digest(PASSWORD), pin_digest=digest("7777")
    )
    server.world.desk.execute(changed)
    assert said(server.second(token)) == WRONG_PIN
    assert server.second(token, "7777").status_code == 200


def test_a_password_alone_is_not_enough(server: People) -> None:
    """An account with neither PIN nor TOTP is told so, and gets no token."""
    answer = server.first("NONE1")
    assert said(answer)[:2] == (403, 40000)
    assert answer.headers["x-error-reason"] == "NO_SECOND_FACTOR"


BAD_FIRST: list[tuple[Any, str]] = [
    ({}, "`channel_id` can't be blank"),
    ({"channel_id": "PIN1"}, "`channel_secret` can't be blank"),
    ({"login_id": "PIN1"}, "`password` can't be blank"),
    ({"login_id": "PIN1", "password": " "}, "`password` can't be blank"),
    ({"login_id": ["PIN1"], "password": "x"}, "`login_id` is invalid: printable text"),
    ({"login_id": "x" * 65, "password": "x"}, "`login_id` is invalid: at most 64 characters"),
    ({"login_id": "PIN1", "password": "x" * 129}, "`password` is invalid"),
    ({"login_id": "PIN1", "password": {"a": 1}}, "`password` is invalid"),
    ({"login_id": "PIN1", "password": "a\x00b"}, "`password` is invalid"),
    ([], "`body` is invalid: it must be a JSON object"),
]


@pytest.mark.parametrize("number", range(len(BAD_FIRST)))
def test_a_bad_first_step_names_its_field(server: People, number: int) -> None:
    """What can't be a name or a password is 44000, and no guess is counted."""
    body, text = BAD_FIRST[number]
    for _ in range(GUESSES_MAX + 1):
        assert said(server.http.post(LOGIN, json=body)) == (400, 44000, text)


BAD_SECOND: list[tuple[dict[str, Any], str]] = [
    ({"login_id": None}, "`login_id` can't be blank"),
    ({"twofa_token": None}, "`twofa_token` can't be blank"),
    ({"twofa_token": "x"}, "`twofa_token` is invalid"),
    ({"twofa": None}, "`twofa` can't be blank"),
    ({"twofa": "0417"}, "`twofa` is invalid"),
    ({"twofa": []}, "`twofa` is invalid"),
    ({"twofa": [{"answer": PIN}] * 2}, "`twofa` is invalid"),
    ({"twofa": [[PIN]]}, "`twofa` is invalid"),
    ({"twofa": [{}]}, "`answer` can't be blank"),
    ({"twofa": [{"answer": "1" * 129}]}, "`answer` is invalid"),
    ({"twofa": [{"answer": True}]}, "`answer` is invalid"),
    ({"twofa": [{"answer": PIN, "question_id": 23}]}, "`question_id` is invalid"),
    ({"twofa": [{"answer": PIN, "question_id": [22]}]}, "`question_id` is invalid"),
    ({"type": "SMS"}, "`type` is invalid: PIN or TOTP"),
]


@pytest.mark.parametrize("number", range(len(BAD_SECOND)))
def test_a_bad_second_step_names_its_field(server: People, number: int) -> None:
    """What can't be an answer is 44000, no guess is counted, and the login can go on."""
    changes, text = BAD_SECOND[number]
    token = server.twofa_token()
    for _ in range(GUESSES_MAX + 1):
        assert said(server.second(token, **changes)) == (400, 44000, text)
    assert server.second(token).status_code == 200


def test_a_pin_may_be_a_number(server: People) -> None:
    """Some clients send the PIN as a number, which has lost its zeros only if it had any."""
    pin = 4242
    changed = SetCredentials(
        client_id="PIN1", password_digest=digest(PASSWORD), pin_digest=digest(str(pin))
    )
    server.world.desk.execute(changed)
    assert server.second(server.twofa_token(), twofa=[{"answer": pin}]).status_code == 200


def test_several_sessions_live_beside_each_other(server: People) -> None:
    """Each login gives a token of its own; a logout ends the one that it is asked with."""
    one, two = server.log_in(), server.log_in()
    assert one != two
    answer = server.http.post(LOGOUT, headers={"x-authorization-token": one})
    assert answer.json() == {"data": {}, "message": "Logged out successfully", "status": "success"}
    assert (server.who(one), server.who(two), server.who("standing-PIN1")) == (None, "PIN1", "PIN1")
    again = server.http.post(LOGOUT, headers={"x-authorization-token": one})
    assert said(again) == (401, 40000, "Request Unauthorised")


def test_a_logout_is_for_its_owner(server: People) -> None:
    """A logout that names another account is forbidden and ends nothing; bytes are no body."""
    token = server.log_in()
    bearer = {"Authorization": f"Bearer {token}"}
    for answer in (
        server.http.post(f"{LOGOUT}?client_id=PIN2", headers=bearer),
        server.http.post(LOGOUT, json={"client_id": "PIN2"}, headers=bearer),
        server.http.post(LOGOUT, json={"login_id": "PIN2"}, headers=bearer),
    ):
        assert said(answer) == (403, 40000, "Request forbidden")
    assert server.http.post(LOGOUT, content=b"\xff", headers=bearer).status_code == 400
    assert server.who(token) == "PIN1"
    assert server.http.post(LOGOUT, json={"client_id": "PIN1"}, headers=bearer).status_code == 200


def test_the_operators_token_is_ended_by_the_operator(server: People) -> None:
    """A logout with a standing token is refused, and says why."""
    answer = server.http.post(LOGOUT, headers={"Authorization": "Bearer standing-PIN1"})
    assert said(answer)[:2] == (403, 40000)
    assert answer.headers["x-error-reason"] == "TOKEN_MUST_NOT_STAND"
    assert server.who("standing-PIN1") == "PIN1"


def test_at_midnight_a_token_is_a_strangers(server: People) -> None:
    """An expired token is told what an unknown one is told; a standing one goes on."""
    token = server.log_in()
    ends_ns = max(
        session.expires_at_ns for session in server.world.desk.state.people.sessions_of("PIN1")
    )
    server.advance((ends_ns - server.now_ns()) / NS_PER_SECOND - 1)
    assert server.who(token) == "PIN1"
    server.advance(2)
    headers = {"Authorization": f"Bearer {token}"}
    expired = server.http.get("/api/v1/trades", headers=headers)
    unknown = server.http.get("/api/v1/trades", headers={"Authorization": "Bearer never"})
    assert said(expired) == said(unknown) == (401, 40000, "Request Unauthorised")
    assert server.who("standing-PIN1") == "PIN1"
    assert server.who(server.log_in()) == "PIN1"


def test_the_event_loop_turns_while_a_digest_is_computed(server: People) -> None:
    """Others are served meanwhile: the loop goes round many times during one login."""

    async def turns() -> int:
        logins = Logins(server.world.desk)
        login = asyncio.ensure_future(logins.first("PIN1", PASSWORD))
        counted = 0
        while not login.done():
            counted += 1
            await asyncio.sleep(0)
        assert login.result().client_id == "PIN1"
        return counted

    assert asyncio.run(turns()) > 20


def test_too_many_at_once_are_told_to_come_again(server: People) -> None:
    """Beyond what a second can compute logins are refused, before a guess is counted."""

    async def crowd() -> list[str]:
        logins = Logins(server.world.desk)
        clients = (logins.first(name, "x") for name in names[:WAITING_MAX])
        tries = (logins.first("PIN1", PASSWORD) for _ in range(GUESSES_MAX))
        stranger = logins.first("NOBODY", "x")  # Or it would be told that nobody has the name.
        ended = await asyncio.gather(*clients, *tries, stranger, return_exceptions=True)
        assert (await logins.first("PIN1", PASSWORD)).client_id == "PIN1"
        return [type(one).__name__ for one in ended]

    names = [f"MANY{number}" for number in range(WAITING_MAX)]
    for name in names:
        account = OpenClient(
            client_id=name, cash_paise=Paise(1), password_digest=digest(PASSWORD), pin_digest=""
        )
        server.world.desk.execute(account)
    refused = ["TooManyLogins"] * (GUESSES_MAX + 1)
    assert asyncio.run(crowd()) == ["Refused"] * WAITING_MAX + refused


def test_the_routes_need_no_token_and_mind_none(server: People) -> None:
    """The official SDK sends its stale token along; the login does not look at it."""
    fields = {"channel_id": "PIN1", "channel_secret": PASSWORD}
    for token in ("stale", "standing-PIN2"):
        headers = {"x-authorization-token": token}
        assert server.http.post(LOGIN, json=fields, headers=headers).status_code == 200
    assert server.http.get(LOGIN).status_code == 405
    assert server.http.post(TWOFA, content=b"").status_code == 400
