"""The client with other people's values, strange answers, and errors that travel."""

import copy
import inspect
import pickle
from decimal import Decimal
from typing import Any

import pytest

from kavach.sdk import (
    AsyncFeed,
    AsyncPocket,
    BadArgument,
    Feed,
    NotSent,
    Pocket,
    PocketError,
    RateLimited,
    RequestRefused,
)
from tests.contract.client_stage import ORDER, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy

# --- G4, G12, G13: values ---


@pytest.mark.parametrize("seconds", [None, "2", -1, float("nan"), float("inf"), True, 10**9, []])
def test_g4_a_time_that_cannot_be_is_a_bad_argument(
    twin: TwinServer, proxy: FaultyProxy, seconds: Any
) -> None:
    """Every number of seconds is looked at before anything is sent."""
    for name in ("confirm_seconds", "timeout_seconds"):
        with pytest.raises(BadArgument, match=name):
            Pocket(base_url=proxy.url, **{name: seconds})
    with pytest.raises(BadArgument, match="patience_seconds"):
        Feed("DEMO1", "t", base_url=proxy.url, patience_seconds=seconds)
    if seconds is None:
        return
    with pocket_of(twin, proxy) as pocket, pytest.raises(BadArgument, match="confirm_seconds"):
        pocket.cancel_cover_order("2026113000000001", confirm_seconds=seconds)
    assert proxy.seen == []


class Number:
    """A number as array libraries have them: told by protocol, not by type."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        """Return the plain value, as ``numpy.generic.item`` does."""
        return self.value

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"library.number({self.value})"


class Fraction64(float):
    """A float with a repr of its own, as ``numpy.float64`` has one."""

    def __repr__(self) -> str:
        return f"library.float64({float(self)})"


class Index(Number):
    """A whole number that says so."""

    def __index__(self) -> int:
        return int(self.value)


@pytest.mark.parametrize(
    "values",
    [
        {"price": Fraction64(12.9), "quantity": Index(10), "instrument_token": Index(14366)},
        {"price": Number(12.9), "quantity": 10.0, "instrument_token": 14366.0},
        {"price": " 12.90 ", "quantity": "10", "instrument_token": "14366.0"},
        {"price": Decimal("12.900"), "quantity": Decimal(10), "side": " buy ", "quantity_": 0},
        {"stop_loss": Index(12), "order_type": "limit", "user_order_id": "88001"},
    ],
)
def test_g12_values_are_taken_where_they_are_the_number(
    twin: TwinServer, proxy: FaultyProxy, values: dict[str, Any]
) -> None:
    """Numbers and words of other libraries, of text and of columns with gaps mean what they say."""
    values.pop("quantity_", None)
    with pocket_of(twin, proxy) as pocket:
        order = pocket.place_cover_order(**(ORDER | values))
        assert (order.entry.price, order.entry.quantity) == (Decimal("12.9"), 10)
        assert pocket.cover_order(float(order.oms_order_id)).oms_order_id == order.oms_order_id
        assert pocket.cover_order(int(order.oms_order_id)).oms_order_id == order.oms_order_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"idempotency_key": 5},
        {"idempotency_key": "\ud800"},
        {"device": "\ud800"},
        {"instrument_token": "\ud800"},
        {"user_order_id": 2**70},
        {"price": "1e999999"},
        {"quantity": 2**70},
        {"side": 7},
        {"exchange": None},
    ],
)
def test_g13_an_argument_that_cannot_be_sent_is_named(
    twin: TwinServer, proxy: FaultyProxy, wrong: dict[str, Any]
) -> None:
    """An argument of a wrong kind is a BadArgument that names it, and nothing is sent."""
    with (
        pocket_of(twin, proxy) as pocket,
        pytest.raises(BadArgument, match=next(iter(wrong))),
    ):
        pocket.place_cover_order(**(ORDER | wrong))
    assert proxy.changes == []


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://", "http://a:b:c", "http://h:99999", "http://\ud800", 7]
)
def test_g13_an_address_that_is_none_is_a_bad_argument(url: Any) -> None:
    """A base_url that no request could go to is refused when the client is made."""
    for make in (Pocket, AsyncPocket, Feed, AsyncFeed):
        with pytest.raises(BadArgument, match="base_url"):
            make("DEMO1", "token", base_url=url)


NULLS = [
    b'{"data":null,"message":null,"status":"success"}',
    b'{"data":{"orders":null,"trades":[null],"twofa":null},"status":"success"}',
    b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b',"status":"success"}',
    b'{"error":{"code":null,"message":null},"status":null}',
    b'{"data":[{"orders":[null]}],"result":{"a":null},"error":{"code":0},"status":"success"}',
    b'{"data":[{"orders":[{"order_info":null}]}],"result":[null],"error":{"code":0}}',
    b'{"data":1e999999999999999999999,"status":"success"}',
]


@pytest.mark.parametrize("body", NULLS, ids=range(len(NULLS)))
def test_g13_a_strange_answer_is_an_error_of_the_tree(
    twin: TwinServer, proxy: FaultyProxy, body: bytes
) -> None:
    """Nulls and deep nesting in any answer raise an error of the tree, or mean an empty list."""
    calls: list[Any] = [
        lambda pocket: pocket.orders(),
        lambda pocket: pocket.saved_baskets(),
        lambda pocket: pocket.gtt_rules(),
        lambda pocket: pocket.option_chain(26000, price="26000"),
        lambda pocket: pocket.funds(),
        lambda pocket: pocket.trading_info(),
        lambda pocket: pocket.login(password="p", pin="1"),
        lambda pocket: pocket.generateSession("DEMO1", "p", "1"),
        lambda pocket: pocket.getDPRdata("NSE", 14366),
        lambda pocket: pocket.place_cover_order(**ORDER),
        lambda pocket: pocket.getPendingOrder(),
    ]
    odd: list[str] = []
    with pocket_of(twin, proxy, confirm_seconds=0.05) as pocket:
        proxy.fail("none", body=body, times=10**6, status=200)
        for call in calls:
            try:
                call(pocket)
            except PocketError:
                continue
            except Exception as error:  # Reported below, with its call.
                odd.append(f"{inspect.getsource(call).strip()}: {error!r}"[:200])
        # A login that never took place leaves the token as it was.
        proxy.mend()
    assert odd == []


# --- G9, G14: errors ---

ERRORS = [
    BadArgument("price: no"),
    RequestRefused(code=1, message="no", http_status=400, request_id="r", reason="WHY"),
    NotSent("nothing was sent"),
]


@pytest.mark.parametrize("error", [*ERRORS, "limited"], ids=lambda error: type(error).__name__)
def test_g9_errors_travel(error: Any) -> None:
    """Every error can be pickled and copied, and is the same afterwards."""
    if error == "limited":
        error = RateLimited(code=429, message="slow", http_status=429)
        error.retry_after = 3.0
    if isinstance(error, (BadArgument, NotSent)):
        error = RequestRefused(code=2, message=str(error), http_status=400)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


@pytest.mark.parametrize("effect", ["cut", "none"])
def test_g14_no_error_holds_what_a_login_was_answered(
    twin: TwinServer, proxy: FaultyProxy, effect: str
) -> None:
    """A login's answer that cannot be read is not quoted: it may hold a token."""
    secret = b'{"data":{"auth_token":"SECRET-TOKEN","access_token":"SECRET-TOKEN"'
    proxy.fail("none", body=secret, status=200, times=100)
    with pocket_of(twin, proxy) as pocket:
        calls: list[Any] = [
            lambda: pocket.login(password="SECRET-WORD", pin="1234"),
            lambda: pocket.generateSession("DEMO1", "SECRET-WORD", "1234"),
            lambda: pocket.validate2FA("DEMO1", "SECRET-TWOFA", "1234", 1),
        ]
        for call in calls:
            with pytest.raises(PocketError) as caught:
                call()
            error: BaseException | None = caught.value
            while error is not None:
                assert "SECRET" not in f"{error!s}{error!r}{vars(error)}"
                error = error.__cause__ or error.__context__
