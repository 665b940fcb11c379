"""Limits as a client meets them over a socket: 429 in envelope A, and what passes all the same."""

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from kavach.api.http.options import ApiOptions
from kavach.api.http.pacing import Pacing
from kavach.api.routes.every_route import ROUTES
from kavach.core.model.limits.commands import ChooseLimits
from kavach.core.model.limits.profiles import LimitClass, Profile
from kavach.core.model.limits.standing import LimitsStanding
from kavach.core.model.state import OmsState
from kavach.core.refusals import Refusal
from kavach.core.settings import Settings
from kavach.units import NS_PER_SECOND
from tests.unit.api.world import BEARER, KART, NOW_NS, OTHER, World, entry, running

ORDERS: Final = "/api/v1/orders"
TOO_MANY: Final = {
    "data": {},
    "error_code": 429,
    "message": "Too many requests: at most 25 in a second",
    "status": "error",
}


def regular(**changes: Any) -> dict[str, Any]:
    """Return a well-formed request for a regular order; None takes a field away."""
    fields: dict[str, Any] = {
        "exchange": "NSE",
        "instrument_token": 14366,
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 12,
        "quantity": 10,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "user_order_id": 7,
        "execution_type": "REGULAR",
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def under(world: World, profile: Profile) -> World:
    """Let these rules hold."""
    world.do(lambda: world.desk.execute(ChooseLimits(profile=profile)))
    return world


@pytest.fixture
def limited() -> Iterator[World]:
    """A server under the documented limits."""
    with running() as world:
        yield under(world, Profile.DOCUMENTED)


@pytest.fixture
def regulated() -> Iterator[World]:
    """A server under the regulator's rules."""
    with running() as world:
        yield under(world, Profile.SEBI_2026)


def until_refused(world: World, most: int = 40, **sent: Any) -> tuple[int, httpx.Response]:
    """Return how many regular orders are taken, and the answer to the next."""
    for number in range(most):
        answer = world.http.post(ORDERS, json=regular(**sent), headers=BEARER)
        if answer.status_code != 200:
            return number, answer
    raise AssertionError("nothing was too much")


def check_told(answer: httpx.Response, *, status: int = 429) -> None:
    """Assert that an answer says that it was too much, and when it will not be."""
    assert answer.status_code == status
    assert answer.headers["x-error-reason"] == "RATE_LIMITED"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_code"] == 429


def test_one_too_many(limited: World) -> None:
    """The twenty-sixth order of a second is 429 in envelope A, and nothing has changed."""
    number, answer = until_refused(limited)
    assert number == 25
    check_told(answer)
    assert answer.json() == TOO_MANY
    before = limited.state_hash()
    check_told(limited.http.post(KART, json=entry(), headers=BEARER))
    assert limited.state_hash() == before


def test_errors_as_200() -> None:
    """For clients that look no further it travels under 200, and says the same."""
    with running(ApiOptions(errors_as_200=True)) as world:
        under(world, Profile.DOCUMENTED)
        for _ in range(25):
            world.http.post(ORDERS, json=regular(), headers=BEARER)
        answer = world.http.post(ORDERS, json=regular(), headers=BEARER)
        check_told(answer, status=200)
        assert answer.json() == TOO_MANY


def test_cancels_pass_while_entries_are_refused(limited: World) -> None:
    """Over the limit a client still cancels, moves a stop, and gets out; entries wait."""
    row = limited.place()
    limited.fill(row, 10, 130_000)
    waits = limited.place(price=12.9)
    until_refused(limited)
    third = limited.third(row)
    moved = {
        "client_id": "DEMO1",
        "oms_order_id": third["oms_order_id"],
        "execution_type": "CO",
        "stop_loss_value": 12.6,
    }
    changed = {"client_id": "DEMO1", "oms_order_id": waits["oms_order_id"], "price": 12.8}
    check_told(limited.http.put(KART, json=changed | {"execution_type": "CO"}, headers=BEARER))
    assert limited.http.put(KART, json=moved, headers=BEARER).status_code == 200
    assert limited.cancel(waits).status_code == 200
    assert limited.cancel(third).status_code == 200
    rests = next(row for row in limited.rows("pending") if row["execution_type"] == "REGULAR")
    gone = limited.http.delete(f"{ORDERS}/{rests['oms_order_id']}", headers=BEARER)
    assert gone.status_code == 200
    check_told(limited.http.post(ORDERS, json=regular(), headers=BEARER))
    assert limited.row(third["oms_order_id"])["order_type"] == "LIMIT"


def test_a_refusal_uses_up_no_key(limited: World) -> None:
    """The same request under its key is taken later, once, and answered again over the limit."""
    until_refused(limited)
    keyed = BEARER | {"Idempotency-Key": "k1"}
    check_told(limited.http.post(KART, json=entry(), headers=keyed))
    limited.do(lambda: _pass_seconds(limited, 1))
    first = limited.http.post(KART, json=entry(), headers=keyed)
    assert (first.status_code, "x-idempotent-replay" in first.headers) == (200, False)
    until_refused(limited)
    again = limited.http.post(KART, json=entry(), headers=keyed)
    assert (again.status_code, again.headers["x-idempotent-replay"]) == (200, "true")
    assert again.content == first.content


def _pass_seconds(world: World, seconds: int) -> None:
    clock: Any = world.desk.clock
    clock.time_ns += seconds * NS_PER_SECOND


def test_clients_and_classes_do_not_share(limited: World) -> None:
    """Who has placed too much still looks, and others do both."""
    until_refused(limited)
    answers = [limited.http.get(f"{ORDERS}?type=all", headers=BEARER) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    check_told(answers[20])
    assert answers[20].json()["message"] == "Too many requests: at most 20 in a second"
    check_told(limited.http.get("/api/v1/trades", headers=BEARER))
    assert limited.http.head("/api/v1/trades", headers=BEARER).status_code == 429
    assert limited.http.get("/api/v1/trades", headers=OTHER).status_code == 200
    other = regular(client_id="DEMO2")
    assert limited.http.post(ORDERS, json=other, headers=OTHER).status_code == 200
    limited.do(lambda: _pass_seconds(limited, 1))
    assert limited.http.get("/api/v1/trades", headers=BEARER).status_code == 200


def test_without_limits_nothing_is_too_much() -> None:
    """Under ``off`` a client may do as it likes."""
    with running() as world:
        answers = [world.http.get("/api/v1/trades", headers=BEARER) for _ in range(60)]
        answers += [world.http.post(ORDERS, json=regular(), headers=BEARER) for _ in range(60)]
        assert {answer.status_code for answer in answers} == {200}


def test_every_route_has_its_class() -> None:
    """What the core counts is not counted at the edge, and the other way round."""
    orders = {route.name for route in ROUTES if route.limit is LimitClass.ORDERS}
    ways = (ORDERS, "/api/v1/event/gtt")
    changes = {route.name for route in ROUTES if route.path.startswith(ways)}
    looks = {route.name for route in ROUTES if route.method == "GET"}
    assert orders == changes - looks
    data = {route.name for route in ROUTES if route.limit is LimitClass.DATA}
    assert data == {
        "getScripInfo",
        "searchScrip",
        "getOptionChain",
        "getMarketdataCapital",
        "getMarketdataFutOpt",
    }


def state_under(profile: Profile) -> OmsState:
    """Return a state in which these rules hold."""
    state = OmsState([], Settings())
    state.rule_by(LimitsStanding(profile))
    return state


def test_data_has_its_own_limit() -> None:
    """Ten a second and five thousand an hour, apart from what else is looked at."""
    pacing, state = Pacing(), state_under(Profile.DOCUMENTED)
    now_ns = NOW_NS
    for _ in range(10):
        assert pacing.refuses(state, "C", LimitClass.DATA, now_ns) is None
    refused = pacing.refuses(state, "C", LimitClass.DATA, now_ns)
    assert isinstance(refused, Refusal)
    assert refused.retry_at_ns == now_ns + NS_PER_SECOND
    assert pacing.refuses(state, "C", LimitClass.OTHER, now_ns) is None
    assert pacing.refuses(state, "D", LimitClass.DATA, now_ns) is None
    for number in range(1, 4991):
        at_ns = now_ns + number * NS_PER_SECOND // 10 + NS_PER_SECOND
        assert pacing.refuses(state, "C", LimitClass.DATA, at_ns) is None
    refused = pacing.refuses(state, "C", LimitClass.DATA, now_ns + 600 * NS_PER_SECOND)
    assert isinstance(refused, Refusal)
    assert refused.detail == "at most 5000 in an hour"
    assert refused.retry_at_ns == now_ns + 3600 * NS_PER_SECOND


def test_another_world_has_another_clock() -> None:
    """What was counted in a world that was reset holds nobody back in the next."""
    pacing = Pacing()
    late = NOW_NS + 10**6 * NS_PER_SECOND
    for _ in range(20):
        assert pacing.refuses(state_under(Profile.DOCUMENTED), "C", LimitClass.OTHER, late) is None
    anew = state_under(Profile.DOCUMENTED)
    assert pacing.refuses(anew, "C", LimitClass.OTHER, NOW_NS) is None


# --- The regulator's rules --------------------------------------------------------------------


def test_a_market_order_without_protection(regulated: World) -> None:
    """It is refused with the name of what is missing, and taken with it; the row shows it."""
    cover = entry(order_type="MARKET", price=None)
    plain = regular(order_type="MARKET", price=0)
    for path, body in ((KART, cover), (ORDERS, plain)):
        for blank in ({}, {"market_protection_percentage": 0}):
            answer = regulated.http.post(path, json=body | blank, headers=BEARER)
            assert answer.status_code == 400
            assert answer.json()["error_code"] == 44000
            text = "`market_protection_percentage` can't be blank"
            assert answer.json()["message"] == text
            word = answer.headers["x-error-reason"]
            assert word == "MARKET_PROTECTION_MUST_BE_GIVEN"
        good = body | {"market_protection_percentage": 2.5}
        assert regulated.http.post(path, json=good, headers=BEARER).status_code == 200
    rows = regulated.rows()
    assert [row["market_protection_percentage"] for row in rows] == [2.5, 2.5]
    assert [row["order_tag"] for row in rows] == ["RETAIL", "RETAIL"]


def test_the_stop_has_the_tag_and_no_protection_of_its_own(regulated: World) -> None:
    """Both rows of a cover order show the tag; the percentage is the entry's."""
    row = regulated.place(market_protection_percentage="5")
    regulated.fill(row, 10, 130_000)
    row, third = regulated.row(row["oms_order_id"]), regulated.third(row)
    assert (row["market_protection_percentage"], third["market_protection_percentage"]) == (5, 0)
    assert (row["order_tag"], third["order_tag"]) == ("RETAIL", "RETAIL")


@pytest.mark.parametrize(
    ("sent", "shown"), [(1, 1), ("1", 1), (100, 100), (0.01, 0.01), ("2.50", 2.5), (None, 0)]
)
def test_how_a_percentage_is_written(sent: object, shown: float) -> None:
    """A whole percent or two decimals, as number or text; without limits it is a choice."""
    with running() as world:
        changes = {"market_protection_percentage": sent, "order_type": "MARKET", "price": 0}
        row = world.place(**changes)
        assert row["market_protection_percentage"] == shown
        assert type(row["market_protection_percentage"]) is type(shown)
        assert row["order_tag"] == ""


@pytest.mark.parametrize("sent", [-1, 101, 100.01, 0.001, "much", True, [], {}, "1 %"])
def test_what_is_no_percentage(sent: object) -> None:
    """Anything else names the field and changes nothing, on place and on modify."""
    with running() as world:
        row = world.place()
        before = world.state_hash()
        said = {"market_protection_percentage": sent}
        known = {"client_id": "DEMO1", "oms_order_id": row["oms_order_id"], "execution_type": "CO"}
        answers = [
            world.http.post(KART, json=entry(**said), headers=BEARER),
            world.http.put(KART, json=known | said, headers=BEARER),
            world.http.post(ORDERS, json=regular(**said), headers=BEARER),
            world.http.put(ORDERS, json=known | said | {"execution_type": ""}, headers=BEARER),
        ]
        for answer in answers:
            assert answer.status_code == 400
            told = answer.json()["message"]
            assert told.startswith("`market_protection_percentage` is invalid: ")
        assert world.state_hash() == before


def test_a_change_brings_protection(regulated: World) -> None:
    """A change to market names its percentage, and one without it keeps what there is."""
    row = regulated.place(price=12.9)
    known = {"client_id": "DEMO1", "oms_order_id": row["oms_order_id"], "execution_type": "CO"}
    at_market = known | {"order_type": "MARKET", "price": 0}
    assert regulated.http.put(KART, json=at_market, headers=BEARER).status_code == 400
    at_market["market_protection_percentage"] = 1
    assert regulated.http.put(KART, json=at_market, headers=BEARER).status_code == 200
    assert regulated.row(row["oms_order_id"])["market_protection_percentage"] == 1
    smaller = known | {"quantity": 5, "market_protection_percentage": 0}
    assert regulated.http.put(KART, json=smaller, headers=BEARER).status_code == 200
    assert regulated.row(row["oms_order_id"])["market_protection_percentage"] == 1


def test_the_exchange_gets_six_entries_a_second(regulated: World) -> None:
    """The seventh entry of a second is too much, and a cancel is not."""
    number, answer = until_refused(regulated)
    assert number == 6
    check_told(answer)
    assert answer.json()["message"] == "Too many requests: at most 6 in a second"
    row = regulated.rows()[0]
    gone = regulated.http.delete(f"{ORDERS}/{row['oms_order_id']}", headers=BEARER)
    assert gone.status_code == 200
    check_told(regulated.http.post(KART, json=entry(), headers=BEARER))
