"""Every field of every call with every awful value: 400, the field named, nothing changed."""

import json
from typing import Any, Final

import pytest

from tests.unit.twin.stage import ADDRESS, Served

# What no field takes, whatever it is for.
AWFUL: Final[dict[str, Any]] = {
    "missing": ...,
    "null": None,
    "a list": [1],
    "an object": {"rupees": 1},
    "true": True,
    "blank": " ",
    "words": "thirteen \u20b9",
}
AWFUL_NUMBERS: Final[dict[str, Any]] = {
    "negative": -1,
    "negative text": "-1",
    "far too large": 10**30,
    "far too large text": "1" * 60,
    "too large for a double": b"1e400",
    "too large for memory": b"1e999999999",
    "not a number": b"NaN",
    "not a number in text": "NaN",
    "infinite": b"Infinity",
}
AWFUL_COUNTS: Final[dict[str, Any]] = AWFUL_NUMBERS | {"text": "5", "a fraction": 1.5}
AWFUL_PRICES: Final[dict[str, Any]] = AWFUL_NUMBERS | {
    "zero": 0,
    "finer than a pip": "13.00001",
    "off tick": 13.005,
    "below the band": 10.39,
    "above the band": "15.61",
}
AWFUL_SECRETS: Final[dict[str, Any]] = {
    "a number": 7,
    "too short": "JBSWY3DP",
    "not base 32": "1" * 32,
    "too long": "A" * 200,
    "half a byte": "A" * 17,
}
AWFUL_WORDS: Final[dict[str, Any]] = {"a number": 7, "in small letters": "x", "zero": 0}

QUOTE: Final = {**ADDRESS, "bid": 12.9, "bid_quantity": 5, "ask": 13.1, "ask_quantity": 5}
ORDER: Final = {**ADDRESS, "side": "SELL", "price": 13, "quantity": 10}
TRADE: Final = {**ADDRESS, "price": 13, "quantity": 10}
FAULT: Final = {"on": "new", "effect": "reject", "times": 1}
CLIENT: Final = {"client_id": "DEMO2", "cash": 1000, "password": "secret", "pin": "1234"}
CREDENTIALS: Final = {"client_id": "DEMO1", "password": "x", "totp_secret": "JBSWY3DPEHPK3PXP"}
APP: Final = {
    "app_id": "app-1",
    "name": "An app",
    "owner": "DEMO1",
    "redirect_uris": ["https://app.example/back"],
}
ADVANCE: Final = {"action": "advance", "seconds": 5}
SET: Final = {"action": "set", "to": "2026-11-20T15:14:00+05:30"}
SESSION: Final = {"exchange": "NSE", "phase": "closed"}

FREE_TEXT: Final = {"reason", "password", "pin", "name"}
OPTIONAL: Final = {
    *("leg", "client_id", "code", "reason", "delay_ms", "times"),
    *("password", "pin", "totp_secret", "app_id", "name", "owner"),
}
ADDRESSED: Final = {
    "exchange": AWFUL_WORDS,
    "instrument_token": AWFUL_COUNTS | {"zero": 0, "unknown": 999_999, "text": "14366x"},
}
CALLS: Final[list[tuple[str, dict[str, Any], dict[str, dict[str, Any]]]]] = [
    (
        "market/quote",
        QUOTE,
        ADDRESSED
        | {
            "bid": AWFUL_PRICES | {"not below the ask": 13.2},
            "bid_quantity": AWFUL_COUNTS,
            "ask": AWFUL_PRICES,
            "ask_quantity": AWFUL_COUNTS,
        },
    ),
    (
        "market/order",
        ORDER,
        ADDRESSED
        | {"side": AWFUL_WORDS, "price": AWFUL_PRICES, "quantity": AWFUL_COUNTS | {"zero": 0}},
    ),
    ("market/trade", TRADE, ADDRESSED | {"price": AWFUL_PRICES, "quantity": AWFUL_COUNTS}),
    (
        "faults",
        FAULT,
        {
            "on": AWFUL_WORDS,
            "leg": AWFUL_WORDS | {"one that no order has": "FOURTH"},
            "client_id": {"a number": 7, "nobody": "NOBODY"},
            "effect": AWFUL_WORDS,
            "code": AWFUL_COUNTS,
            "reason": {"a number": 7, "too long": "x" * 129},
            "delay_ms": AWFUL_COUNTS,
            "times": AWFUL_COUNTS | {"zero": 0},
        },
    ),
    ("venue/link", {"up": False}, {"up": {"a word": "no", "zero": 0}}),
    ("clock", ADVANCE, {"action": AWFUL_WORDS, "seconds": AWFUL_COUNTS | {"zero": 0}}),
    (
        "clock",
        SET,
        {
            "to": {
                "a number": 1_795_060_800,
                "past": "2026-11-18T00:00:00+05:30",
                "without its offset": "2026-11-20T15:14:00",
                "a day only": "2026-11-20",
                "no day": "2026-02-30T00:00:00+05:30",
                "two years ahead": "2028-11-20T15:14:00+05:30",
                "far ahead": "9999-12-31T23:59:59+00:00",
            }
        },
    ),
    ("session", SESSION, {"exchange": AWFUL_WORDS, "phase": AWFUL_WORDS}),
    (
        "clients",
        CLIENT,
        {
            "client_id": {
                "a number": 7,
                "taken": "DEMO1",
                "a path": "../x",
                "too long": "x" * 33,
                "in two lines": "A\nB",
            },
            "cash": AWFUL_NUMBERS | {"finer than a paisa": "1.001"},
            "password": {"a number": 7, "too long": "x" * 129},
            "pin": {"a number": 1234},
            "totp_secret": AWFUL_SECRETS,
        },
    ),
    (
        "credentials",
        CREDENTIALS,
        {
            "client_id": {"a number": 7, "nobody": "NOBODY"},
            "password": {"a number": 7, "too long": "x" * 129},
            "pin": {"a number": 1234},
            "totp_secret": AWFUL_SECRETS,
        },
    ),
    (
        "apps",
        APP,
        {
            "app_id": {"a number": 7, "a path": "../x", "too long": "x" * 33},
            "name": {"a number": 7, "too long": "x" * 129},
            "owner": {"a number": 7, "nobody": "NOBODY"},
            "redirect_uris": {
                "none": [],
                "text": "https://app.example/back",
                "a number in it": ["https://app.example/back", 7],
                "a script": ["javascript:alert(1)"],
                "two lines": ["https://app.example/\r\nX: y"],
                "a fragment": ["https://app.example/#x"],
                "no host": ["https://"],
                "too many": [f"https://app.example/{number}" for number in range(17)],
            },
        },
    ),
]
CASES: Final = [
    pytest.param(path, good, field, value, id=f"{path}-{field}-{name}")
    for path, good, fields in CALLS
    for field, special in fields.items()
    for name, value in (AWFUL | special).items()
    if not (name in ("missing", "null") and field in OPTIONAL)
    and not (name == "null" and (path, field) == ("market/order", "price"))
    and not (name == "words" and field in FREE_TEXT)
    and not (name == "a fraction" and field == "seconds")
    and not (name == "true" and field == "up")
]


def written(fields: dict[str, Any]) -> bytes:
    """Return fields as JSON; bytes stand for themselves, what is ``...`` is left out."""
    kept = {name: value for name, value in fields.items() if value is not ...}
    parts = [
        f"{json.dumps(name)}: {value.decode() if isinstance(value, bytes) else json.dumps(value)}"
        for name, value in kept.items()
    ]
    return f"{{{', '.join(parts)}}}".encode()


@pytest.mark.parametrize(("path", "good", "field", "value"), CASES)
def test_an_awful_value_is_refused(
    calm: Served, path: str, good: dict[str, Any], field: str, value: Any
) -> None:
    """The answer names the field and says what is wrong with it; the state is as it was."""
    before = calm.state_hash(), calm.get("clock")
    error = calm.refused(path, written(good | {field: value}))
    named, _, wrong = error.partition(": ")
    assert named == field
    assert wrong
    assert "\n" not in error
    assert (calm.state_hash(), calm.get("clock")) == before
    assert not calm.stage.venue.faults


@pytest.mark.parametrize(
    ("path", "good", "field", "value", "wrong"),
    [
        ("market/order", ORDER, "quantity", 1_000_000_001, "must be from 1 to 1000000000"),
        ("faults", FAULT, "times", 1_000_001, "must be from 1 to 1000000"),
        ("faults", FAULT, "code", 1_000_001, "must be from 0 to 1000000"),
        ("faults", FAULT, "delay_ms", 3_600_001, "must be from 0 to 3600000"),
        ("clock", ADVANCE, "seconds", 31_622_401, "must be more than 0 and at most 31622400"),
        ("clients", CLIENT, "client_id", "x" * 33, "must be 1 to 32 letters, digits, - or _"),
        ("clients", CLIENT, "password", "x" * 129, "must be 1 to 128 printable characters"),
        ("apps", APP, "redirect_uris", ["x"] * 17, "must be a list of 1 to 16 addresses"),
    ],
)
def test_one_beyond_a_limit_is_told_the_limit(
    calm: Served, path: str, good: dict[str, Any], field: str, value: Any, wrong: str
) -> None:
    """The limit is in the answer, and the first value beyond it is refused."""
    assert calm.refused(path, written(good | {field: value})) == f"{field}: {wrong}"


def test_a_body_may_have_64_kB(calm: Served) -> None:
    """A byte more is refused for its size; so many are read, and refused for what they are."""
    assert calm.refused("clock", b"x" * 65_537) == "body: is larger than 64 kB"
    assert calm.refused("clock", b"x" * 65_536) == "body: is not JSON: one object is wanted"


@pytest.mark.parametrize(("path", "good"), [(path, good) for path, good, _ in CALLS])
def test_the_untouched_request_is_good(served: Served, path: str, good: dict[str, Any]) -> None:
    """Each request of the table is fine without its awful value, so that is what is refused."""
    assert served.http.post(f"/twin/v1/{path}", json=good).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not JSON",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"exchange": "NSE"' * 5_000,
        b"[" * 60_000,
        b'{"exchange": ' + b"1" * 60_000 + b"}",
        b"x" * 1_000_000,
    ],
    ids=range(11),
)
@pytest.mark.parametrize("path", sorted({path for path, _, _ in CALLS}))
def test_an_awful_body_is_refused(calm: Served, path: str, body: bytes) -> None:
    """What is no JSON object, or is too large, is refused in the same shape, by a living server."""
    before = calm.state_hash()
    error = calm.refused(path, body)
    assert error.partition(": ")[2]
    assert len(error) < 300
    assert calm.state_hash() == before


@pytest.mark.parametrize(("path", "good"), [(path, good) for path, good, _ in CALLS])
def test_a_misspelt_field_is_refused(calm: Served, path: str, good: dict[str, Any]) -> None:
    """A field that the call does not have is named, since it would silently say nothing."""
    before = calm.state_hash()
    error = calm.refused(path, good | {"qantity": 5})
    assert error.startswith("qantity: is no field of this call")
    assert calm.state_hash() == before


@pytest.mark.parametrize("path", ["market/XXX/14366", "market/NSE/1x", "market/NSE/999999"])
def test_an_unknown_instrument_is_refused_in_a_path_too(calm: Served, path: str) -> None:
    """The address in a path is read as strictly as one in a body."""
    answer = calm.http.get(f"/twin/v1/{path}")
    assert answer.status_code == 400
    assert answer.json()["error"].partition(": ")[0] in ("exchange", "instrument_token")


def test_lots_are_whole(calm: Served) -> None:
    """A quantity that is not whole lots is refused by the exchange, with the field's name."""
    future = {"exchange": "NFO", "instrument_token": 35001}
    error = calm.refused("market/order", {**ORDER, **future, "price": 26050, "quantity": 66})
    assert error == "quantity: 66 must be at least 1 and a multiple of 65"
