"""Every route times every wrong credential: nobody gets in, and nothing happens."""

import json
from hashlib import sha256

import pytest

from kavach.api.routes.every_route import ROUTES
from kavach.twin.control_room import CALLS
from tests.reliability.hostile.raw import KART, Answer, Raw, check_envelope, request
from tests.reliability.security.conftest import OTHER, Doors
from tests.twin_server import OPERATOR_TOKEN, TOKEN

ORDER = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "client_id": "DEMO1",
    "order_type": "LIMIT",
    "price": 12.9,
    "quantity": 10,
    "validity": "DAY",
    "product": "MIS",
    "order_side": "BUY",
    "execution_type": "CO",
    "stop_loss_value": 12.5,
}
TRADING = [
    (method, route.path.replace("{oms_order_id}", "1") + ("?type=all" if route.query else ""))
    for route in ROUTES
    if not route.is_open  # Who logs in has no token yet.
    for method in ([route.method, "HEAD"] if route.method == "GET" else [route.method])
]
ROOM = [
    (method, f"/twin/v1/{path}".replace("{exchange}/{instrument_token}", "NSE/14366"))
    for path, methods in CALLS.items()
    for method in methods
]

# What stands where "good" is the token of the door that is knocked at, and "other" one of
# another client. Each is a list of header lines.
NONE_OF_THESE = {
    "none": [],
    "empty": ["Authorization:"],
    "spaces": ["Authorization:    "],
    "scheme alone": ["Authorization: Bearer"],
    "scheme and space": ["Authorization: Bearer "],
    "another scheme": ["Authorization: Basic {good}"],
    "digest": ['Authorization: Digest username="DEMO1", response="{good}"'],
    "scheme twice": ["Authorization: Bearer Bearer {good}"],
    "a colon": ["Authorization: Bearer: {good}"],
    "quoted": ['Authorization: Bearer "{good}"'],
    "upper case": ["Authorization: Bearer {GOOD}"],
    "one more letter": ["Authorization: Bearer {good}x"],
    "one letter less": ["Authorization: Bearer {shorter}"],
    "a space inside": ["Authorization: Bearer {first} {rest}"],
    "two tokens": ["Authorization: Bearer {good} {good}"],
    "two in a list": ["Authorization: Bearer {good}, Bearer {other}"],
    "two headers that differ": ["Authorization: Bearer {good}", "x-authorization-token: {other}"],
    "two others that differ": ["x-auth-token: {other}", "x-authorization-token: {good}"],
    "its digest": ["Authorization: Bearer {digest}"],
    "the name of the client": ["Authorization: Bearer DEMO1"],
    "very long": ["Authorization: Bearer {long}"],
    "not ASCII": ["Authorization: Bearer {good}\xe9"],
    "bytes that are no text": ["Authorization: Bearer \xff\xfe\xfd"],
    "a cookie": ["Cookie: token={good}; authorization={good}"],
    "a header of another name": ["X-Api-Key: {good}"],
    "a proxy's header": ["Proxy-Authorization: Bearer {good}"],
    "an underscore": ["x_authorization_token: {good}"],
    "percent-encoded": ["Authorization: Bearer {percent}"],
    "null": ["Authorization: Bearer null"],
    "a wild card": ["Authorization: Bearer *"],
    "an injection": ["Authorization: Bearer ' OR '1'='1"],
}


def lines_of(name: str, good: str, other: str) -> bytes:
    """Return the header lines of a wrong credential."""
    filled = [
        line.format(
            good=good,
            GOOD=good.upper(),
            other=other,
            shorter=good[:-1],
            first=good[:4],
            rest=good[4:],
            digest=_digest(good),
            long=good * 500,
            percent="".join(f"%{ord(letter):02x}" for letter in good),
        )
        for line in NONE_OF_THESE[name]
    ]
    return "".join(f"{line}\r\n" for line in filled).encode("latin-1")


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def knock(doors: Doors, method: str, path: str, credentials: bytes, **fields: str) -> Answer:
    """Return the answer to a request that would do something, were it let in."""
    body = json.dumps(ORDER | fields).encode() if method in ("POST", "PUT", "DELETE") else b""
    with Raw(doors.server.url) as raw:
        raw.send(request(method, path, body, token=credentials))
        return raw.answer() if method != "HEAD" else _head(raw)


def _head(raw: Raw) -> Answer:
    """Return the answer to HEAD, whose length counts what is not sent."""
    text = raw._until(b"\r\n\r\n").decode()
    lines = dict(line.split(": ", 1) for line in text.split("\r\n")[1:])
    return Answer(int(text.split(" ")[1]), lines, b"")


def check_refused(answer: Answer) -> None:
    """Fail unless this is what every stranger is told on the trading routes."""
    assert answer.status == 401
    assert answer.word == "UNAUTHORISED"
    if answer.body:
        check_envelope(answer, 401)
        assert answer.json()["error_code"] == 40000
        assert answer.json()["message"] == "Request Unauthorised"


@pytest.mark.parametrize("name", NONE_OF_THESE)
def test_no_wrong_credential_opens_a_trading_route(doors: Doors, name: str) -> None:
    """401 in the vendor's words on every route, and the state is as before."""
    before = doors.server.audit()["state_hash"]
    credentials = lines_of(name, TOKEN, doors.other_token)
    for method, path in TRADING:
        check_refused(knock(doors, method, path, credentials))
    assert doors.server.audit()["state_hash"] == before


TWICE = {
    "the right one last": ["Authorization: Bearer {other}", "Authorization: Bearer {good}"],
    "the right one first": ["Authorization: Bearer {good}", "Authorization: Bearer nobody"],
    "the right one both times": ["Authorization: Bearer {good}", "Authorization: Bearer {good}"],
}


@pytest.mark.parametrize("name", TWICE)
def test_a_credential_given_twice_opens_nothing(doors: Doors, name: str) -> None:
    """400 on every route of both doors, as for any line that may stand once."""
    for good, other, routes in (
        (TOKEN, doors.other_token, TRADING),
        (OPERATOR_TOKEN, TOKEN, ROOM),
    ):
        lines = [line.format(good=good, other=other) for line in TWICE[name]]
        credentials = "".join(f"{line}\r\n" for line in lines).encode()
        for method, path in routes:
            answer = knock(doors, method, path, credentials)
            assert (answer.status, answer.word) == (400, "GIVEN_TWICE")


# The control room knows one header only, and there the right token stands.
ROOM_KNOWS = {"two headers that differ"}


@pytest.mark.parametrize("name", [name for name in NONE_OF_THESE if name not in ROOM_KNOWS])
def test_no_wrong_credential_opens_the_control_room(doors: Doors, name: str) -> None:
    """401 on every call, whatever it is."""
    before = doors.server.audit()["state_hash"]
    credentials = lines_of(name, OPERATOR_TOKEN, TOKEN)
    for method, path in ROOM:
        answer = knock(doors, method, path, credentials)
        assert (answer.status, list(answer.json())) == (401, ["error"])
    assert doors.server.audit()["state_hash"] == before


@pytest.mark.parametrize(("method", "path"), TRADING)
def test_a_nul_never_reaches_a_route(doors: Doors, method: str, path: str) -> None:
    """A token with NUL or a line end in it is no HTTP."""
    for poison in (b"\0", b"\r", b"\n", b"\x7f\0"):
        with Raw(doors.server.url) as raw:
            line = b"Authorization: Bearer " + TOKEN.encode() + poison + b"x\r\n"
            answers = raw.send(request(method, path, b"{}", token=line)).everything()
        assert [answer.status for answer in answers] == [400]


@pytest.mark.parametrize(("method", "path"), TRADING)
def test_the_operators_token_does_not_trade(doors: Doors, method: str, path: str) -> None:
    """The token of the control room is nobody's on the trading routes."""
    check_refused(
        knock(doors, method, path, f"Authorization: Bearer {OPERATOR_TOKEN}\r\n".encode())
    )
    check_refused(knock(doors, method, path, f"x-auth-token: {OPERATOR_TOKEN}\r\n".encode()))


@pytest.mark.parametrize(("method", "path"), ROOM)
def test_a_clients_token_does_not_operate(doors: Doors, method: str, path: str) -> None:
    """A client's token is nobody's in the control room, its own headers included."""
    for line in ("Authorization: Bearer {}", "Authorization: {}", "x-authorization-token: {}"):
        for token in (TOKEN, doors.other_token):
            answer = knock(doors, method, path, (line.format(token) + "\r\n").encode())
            assert answer.status == 401
    # Nor do the other headers of the trading API open it for the operator.
    for name in ("x-authorization-token", "x-auth-token"):
        assert knock(doors, method, path, f"{name}: {OPERATOR_TOKEN}\r\n".encode()).status == 401


@pytest.mark.parametrize(("method", "path"), TRADING)
def test_a_token_in_the_address_is_none(doors: Doors, method: str, path: str) -> None:
    """Query strings end up in logs and histories, so no token is read from them."""
    for name in ("token", "access_token", "authorization", "Authorization", "x-auth-token"):
        mark = "&" if "?" in path else "?"
        check_refused(knock(doors, method, f"{path}{mark}{name}={TOKEN}", b""))
    with Raw(doors.server.url) as raw:  # Nor from the address's own place for a name.
        host = f"http://DEMO1:{TOKEN}@127.0.0.1"
        raw.send(request(method, host + path, b"{}", token=b""))
        check_refused(raw.answer() if method != "HEAD" else _head(raw))


# A calculation's request has no place for a client, and its answer is nobody's.
NAMING = [t for t in TRADING if t[0] != "HEAD" and not t[1].endswith("/calc")]


@pytest.mark.parametrize(("method", "path"), NAMING)
def test_another_clients_token_does_not_speak_for_this_one(
    doors: Doors, method: str, path: str
) -> None:
    """A good token with another's id, in body or query, is 403, and nothing happens."""
    before = doors.server.audit()["state_hash"]
    mark = "&" if "?" in path else "?"
    url = path if method in ("POST", "PUT", "DELETE") else f"{path}{mark}client_id=DEMO1"
    credentials = f"Authorization: Bearer {doors.other_token}\r\n".encode()
    answer = knock(doors, method, url, credentials, leg_order_indicator="THIRD")
    check_envelope(answer, 403)
    assert answer.json()["message"] == "Request forbidden"
    assert doors.server.audit()["state_hash"] == before


def test_another_clients_order_is_as_if_it_were_not(doors: Doors) -> None:
    """Answers about an order of somebody else are those about an order that never was."""
    good = f"Authorization: Bearer {TOKEN}\r\n".encode()
    other = f"Authorization: Bearer {doors.other_token}\r\n".encode()
    assert knock(doors, "POST", KART, good).status == 200
    rows = doors.server.http.get("/api/v1/orders?type=all").json()["data"]["orders"]
    row = rows[-1]
    before = doors.server.audit()["state_hash"]

    def about(order_id: str, exchange_order_id: str) -> list[tuple[int, bytes, str]]:
        said = []
        for leg in ("ENTRY", "THIRD"):
            fields = {
                "client_id": OTHER,
                "oms_order_id": order_id,
                "exchange_order_id": exchange_order_id,
                "leg_order_indicator": leg,
            }
            for method, path in (("PUT", KART), ("DELETE", f"{KART}/{order_id}"), ("DELETE", KART)):
                answer = knock(doors, method, path, other, **fields)
                said.append((answer.status, answer.body, answer.word))
        history = knock(doors, "GET", f"/api/v1/order/{order_id}/history", other)
        return [*said, (history.status, history.body, history.word)]

    foreign = about(row["oms_order_id"], row["exchange_order_id"])
    unknown = about("999999999999999", row["exchange_order_id"])
    assert foreign == unknown
    assert {status for status, _, _ in foreign} == {404}
    assert doors.server.audit()["state_hash"] == before
