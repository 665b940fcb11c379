"""The client with more values as people's tools make them, and a context of their own."""

import copy
import decimal
import enum
import pickle
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from kavach.sdk import (
    AsyncFeed,
    AsyncPocket,
    BadArgument,
    Feed,
    MarginOrder,
    OutcomeUnknown,
    Pocket,
    Settled,
    UnreadableAnswer,
)
from kavach.sdk.requests.plan import Request
from tests.contract.client_stage import ORDER, PLAIN, fill, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy, is_change


class Scalar:
    """A scalar of an array library: its plain value, its text, its width and kind, its mask."""

    def __init__(
        self, item: Any, text: str = "", width: int = 8, kind: str = "f", mask: bool = False
    ) -> None:
        self._item, self._text = item, text or str(item)
        self.dtype = SimpleNamespace(itemsize=width, kind=kind)
        self.mask = mask

    def item(self) -> Any:
        """Return the plain value."""
        return self._item

    def __str__(self) -> str:
        return self._text

    def __float__(self) -> float:
        return float(self._item)


class Broken:
    """A value whose own code fails, whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Of tools that ask what a value is called.
            raise AttributeError(name)
        raise RuntimeError(name)

    def __len__(self) -> int:
        raise RuntimeError("len")

    def __float__(self) -> float:
        raise RuntimeError("float")

    def __index__(self) -> int:
        raise RuntimeError("index")

    def __bool__(self) -> bool:
        raise TypeError("boolean value of a missing value is ambiguous")

    def __repr__(self) -> str:
        raise RuntimeError("repr")


class Word(str, enum.Enum):  # noqa: UP042, as older programs make them.
    """Texts that are members as well."""

    BUY = "BUY"
    ID = "DEMO1"
    DEVICE = "MOBILE"


NARROW = Scalar(1234567936.0, "1.2345679e+09", 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instrument_token", NARROW),
        ("quantity", Scalar(16777216.0, width=4)),
        ("quantity", Scalar(3000.0, "3e+03", 2)),
        ("quantity", float(2**53)),
        ("price", Scalar(0.0, "--", mask=True)),
        ("quantity", Scalar(0, "--", mask=True)),
        ("price", Scalar(1798675200000000000, "2026-12-31", kind="M")),
        ("quantity", Scalar(5, "5 seconds", kind="m")),
        ("device", Scalar(12.9, width=4)),
        ("price", Broken()),
        ("quantity", Broken()),
        ("device", Broken()),
        ("side", Broken()),
        ("user_order_id", Broken()),
    ],
)
def test_g2_a_value_that_is_not_surely_one_is_named(
    twin: TwinServer, proxy: FaultyProxy, name: str, value: Any
) -> None:
    """Lost digits, missing and masked values, times and failing code are no numbers."""
    with pocket_of(twin, proxy) as pocket, pytest.raises(BadArgument, match=f"^{name}: "):
        pocket.place_cover_order(**(ORDER | {name: value}))
    assert proxy.seen == []


def test_g2_narrow_floats_and_days_are_taken_where_they_are_sure(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """A 32-bit 12.9 is 12.9, a small whole one is that number, a time stamp is its day."""
    with pocket_of(twin, proxy) as pocket:
        narrow = Scalar(12.899999618530273, "12.9", 4)
        order = pocket.place_order(**(PLAIN | {"price": narrow, "quantity": Scalar(10.0, width=4)}))
        assert (order.price, order.quantity) == (Decimal("12.9"), 10)
        rule = pocket.create_gtt(
            **(PLAIN | {"trigger_price": "12.5"}),
            expiry=Scalar(1798675200000000000, "2026-12-31T00:00:00.000000000", kind="M"),
        )
        assert rule.expiry_time.startswith("2026-12-31")


def test_g2_texts_that_are_members_are_their_texts(twin: TwinServer, proxy: FaultyProxy) -> None:
    """An ``Enum`` with texts is sent as its value, not as the name of the member."""
    token, url = twin.access_token, proxy.url
    with Pocket(Word.ID, token, base_url=url) as pocket:
        pocket.place_cover_order(**(ORDER | {"side": Word.BUY}), device=Word.DEVICE)
    sent = proxy.changes[0].json
    assert (sent["client_id"], sent["order_side"], sent["device"]) == ("DEMO1", "BUY", "MOBILE")


def test_g2_minus_nothing_is_nothing(twin: TwinServer, proxy: FaultyProxy) -> None:
    """A -0.0, as rounding makes it, is sent and compared as 0."""
    with pocket_of(twin, proxy) as pocket:
        order = pocket.place_cover_order(**ORDER, trailing_stop_loss="0.2")
        changed = pocket.modify_cover_order(order, trailing_stop_loss=-0.0, trigger_price="-0.0")
        assert not changed.entry.is_trailing


def test_g2_numbers_travel_without_exponents(twin: TwinServer, proxy: FaultyProxy) -> None:
    """Where the wire has a number as text, 1E+1 is written 10."""
    order = MarginOrder(
        exchange="NSE",
        instrument_token=14366,
        side="BUY",
        quantity=10,
        price=Decimal("1.3E+1"),
        product="CNC",
    )
    with pocket_of(twin, proxy) as pocket:
        pocket.margin([order])
        pocket.place_cover_order(**ORDER, trailing_stop_loss=Decimal("1E-1"))
    assert proxy.seen[0].json["data"][0]["price"] == "13"
    assert proxy.changes[1].json["trailing_stop_loss"] == "0.1"


# --- The caller's own decimal context ---


def test_g2_the_callers_precision_changes_no_amount(twin: TwinServer, proxy: FaultyProxy) -> None:
    """With three digits in the caller's context, amounts come back whole."""
    order = MarginOrder(
        exchange="NSE",
        instrument_token=14366,
        side="BUY",
        quantity=1001,
        price="12.95",
        product="CNC",
    )
    with pocket_of(twin, proxy) as pocket:
        exact = pocket.margin([order])
        with decimal.localcontext() as context:
            context.prec = 3
            assert pocket.margin([order]).combined == exact.combined
            assert context.prec == decimal.getcontext().prec == 3


def test_g2_the_callers_precision_makes_no_false_verdict(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """12.85 that never arrived is not DONE, though it is 12.8 with three digits, as the row's."""
    with pocket_of(twin, proxy) as pocket, decimal.localcontext() as context:
        context.prec = 3
        order = pocket.place_order(**(PLAIN | {"price": "12.80"}))
        proxy.fail("lost_request", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.modify_order(order, price="12.8049")
        assert pocket.resolve(caught.value).settled is Settled.NOT_SEEN


def test_g2_the_callers_traps_do_not_spring(twin: TwinServer, proxy: FaultyProxy) -> None:
    """A context that forbids floats and rounding is the caller's business and not the client's."""
    with decimal.localcontext() as context:
        for trap in (decimal.FloatOperation, decimal.Inexact, decimal.Rounded):
            context.traps[trap] = True
        with pocket_of(twin, proxy, confirm_seconds=1.5) as pocket:
            order = pocket.place_order(**(PLAIN | {"price": 12.9}))
            pocket.quote("NSE", 14366)
            assert pocket.cancel_order(order, confirm_seconds=1.5).is_final
        with Feed(twin.client_id, twin.access_token, base_url=twin.url) as feed:
            feed.subscribe("quote", ("NSE", 14366))
            feed.receive(10)


# --- Clients ---


@pytest.mark.parametrize("value", [Broken(), 7, float("nan"), True, [], b"DEMO1"])
def test_g2_who_one_is_must_be_text(value: Any) -> None:
    """An id or a token of another kind is a BadArgument of each kind of client."""
    makers: list[Any] = [Pocket, AsyncPocket, Feed, AsyncFeed]
    for make in makers:
        with pytest.raises(BadArgument, match=r"^client_id: "):
            make(value, "t")
        with pytest.raises(BadArgument, match=r"^access_token: "):
            make("DEMO1", value)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:SECRET@127.0.0.1:1",
        "http://user:SECRET@[::1",
        "http://user:SECRET@h:99999",
        "ftp://user:SECRET@h",
        "http://127.0.0.1:1?a=1",
        "http://127.0.0.1:1#a",
    ],
)
def test_g2_an_address_is_an_address_and_nothing_more(url: str) -> None:
    """A password in the address would be sent instead of the token; it is refused, unquoted."""
    makers: list[Any] = [Pocket, AsyncPocket, Feed, AsyncFeed]
    for make in makers:
        with pytest.raises(BadArgument, match=r"^base_url: ") as caught:
            make("DEMO1", "t", base_url=url)
        assert "SECRET" not in str(caught.value)


def test_g2_slashes_at_the_end_of_an_address_are_none(twin: TwinServer) -> None:
    """An address that ends with slashes is the one without them."""
    with Pocket(twin.client_id, twin.access_token, base_url=f"{twin.url}//") as pocket:
        assert pocket.close_price("NSE", 14366) == 13


def test_g2_clients_are_not_copied() -> None:
    """A client is neither copied nor pickled, its token with it; the error says what to do."""
    made: list[Any] = [one("DEMO1", "SECRET") for one in (Pocket, AsyncPocket, Feed, AsyncFeed)]
    for client in made:
        for again in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="Make one where it is needed"):
                again(client)


def test_g2_results_travel(twin: TwinServer, proxy: FaultyProxy) -> None:
    """What methods return, and what ``resolve`` finds, can be pickled and copied."""
    with pocket_of(twin, proxy) as pocket:
        order = pocket.place_cover_order(**ORDER)
        fill(twin, 5)
        results: list[Any] = [order, *pocket.orders(), *pocket.positions(), *pocket.trades()]
        proxy.fail("lost_answer", match=is_change)
        with pytest.raises(OutcomeUnknown) as caught:
            pocket.place_order(**PLAIN)
        results += [pocket.resolve(caught.value), caught.value.attempt]
        results += [pocket.exit_cover_order(order), pocket.quote("NSE", 14366), pocket.funds()]
    for result in results:
        for again in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
            assert again == result


def test_g2_a_request_shows_no_secret() -> None:
    """Tools that print the variables of a traceback print no password."""
    body = {"password": "SECRET"}
    request = Request(method="POST", path="/x", body=body, basic=("app", "SECRET"), is_secret=True)
    assert "SECRET" not in f"{request!r}{request}"


# --- Bodies of the vendor's names ---


def body_with(name: str, value: Any) -> dict[str, Any]:
    """Return a regular order as the vendor's documents write it, with this value in it."""
    return {
        "client_id": "DEMO1",
        "exchange": "NSE",
        "instrument_token": 14366,
        "order_type": "LIMIT",
        "price": 12.9,
        "quantity": 10,
        "disclosed_quantity": 0,
        "validity": "DAY",
        "product": "CNC",
        "order_side": "BUY",
        "device": "WEB",
        "user_order_id": 1,
        "trigger_price": 0,
        "execution_type": "REGULAR",
    } | {name: value}


def test_g2_bodies_take_the_numbers_of_libraries(twin: TwinServer, proxy: FaultyProxy) -> None:
    """A method by its vendor's name takes the values that the others take."""
    with pocket_of(twin, proxy) as pocket:
        for name, value in (
            ("quantity", Scalar(10, kind="i")),
            ("price", Scalar(12.899999618530273, "12.9", 4)),
            ("order_side", Word.BUY),
        ):
            assert pocket.placeOrder(body_with(name, value))["status"] == "success", name
        assert {row.price for row in pocket.orders()} == {Decimal("12.9")}


@pytest.mark.parametrize(
    "value", [float("nan"), float("-inf"), Decimal("NaN"), Scalar(0.0, "--", mask=True), "\ud800"]
)
def test_g2_bodies_hold_nothing_that_is_sent_as_null(
    twin: TwinServer, proxy: FaultyProxy, value: Any
) -> None:
    """What JSON has no word for is named, however deep it lies, and nothing is sent."""
    with pocket_of(twin, proxy) as pocket:
        with pytest.raises(BadArgument, match=r"^price: "):
            pocket.placeOrder(body_with("price", value))
        with pytest.raises(BadArgument, match=r"^order_info\.price: "):
            pocket.addInstrumentToBasket({"order_info": {"price": value}})
    assert proxy.seen == []


def test_g2_a_price_that_is_a_truth_value_is_none(twin: TwinServer, proxy: FaultyProxy) -> None:
    """An answer whose figure is ``true`` is not a price of 1."""
    proxy.fail("none", body=b'{"data":true,"status":"success","message":""}')
    with pocket_of(twin, proxy) as pocket, pytest.raises(UnreadableAnswer):
        pocket.last_price("NSE", 14366)
