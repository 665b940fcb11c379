"""No neighbour and no stranger stalls another client's order: the work of a turn is bounded."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from kavach.core.commands import Leg
from kavach.core.model.orders.parent_order import Trade
from kavach.core.model.state import OmsState
from kavach.data import load_instruments
from tests.contract.counted import CountedWorld, serving
from tests.unit.api.feed.stage import Reader, feed_url, text_frame, upgrade
from tests.unit.api.world import BEARER, KART, TOKEN, entry

FEED = "/ws/v1/feeds"
MASK = b"\0\0\0\0"
PIECE_MOST = 4_096  # Bytes that one connection may have parsed as frames in one turn.
FRAMES_MOST = 1_024  # Frames that all connections may have parsed in one turn.
FLOOD_FRAMES_MOST = 2_200  # Frames of a flood that are parsed at all.
ROWS_MOST = 64  # Rows worded in one turn.
WISHES_MOST = 512  # Instruments asked for that are looked up in one turn.
PARTS_MOST = 1_024  # Parts of chunked bodies taken in one turn.

FLOODS = {
    "unasked pongs": b"\x8a\x80" + MASK,
    "pings": b"\x89\x80" + MASK,
    "pings with something in them": b"\x89\x84" + MASK + b"ping",
    "empty texts": b"\x81\x80" + MASK,
    "tiny texts": b"\x81\x81" + MASK + b"x",
    "heartbeats": text_frame('{"a":"h"}'),
    "messages in two parts, the last of them empty": b"\x01\x81" + MASK + b"x\x80\x80" + MASK,
}
PARTS = {
    "empty continuations": (b"\x01\x81" + MASK + b"x", b"\x00\x80" + MASK),
    "tiny continuations": (b"\x01\x81" + MASK + b"x", b"\x00\x81" + MASK + b"x"),
    "an empty beginning": (b"\x01\x80" + MASK, b"\x00\x80" + MASK),
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountedWorld]:
    """A server whose work is counted."""
    with serving(monkeypatch) as world:
        yield world


def flood(raw: socket.socket, data: bytes) -> bytes:
    """Send until the server has had enough, or all is sent; return what it says until its end."""

    def send() -> None:
        try:
            raw.sendall(data)
        except OSError:
            return

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    said = b""
    try:
        while part := raw.recv(65_536):
            said += part
    except OSError:
        pass
    raw.close()
    sender.join(10)
    return said


def connected(world: CountedWorld, token: str = TOKEN, more: bytes = b"") -> socket.socket:
    """Return a connection that has asked for the feed, and said more in the same breath."""
    address = urlsplit(world.url)
    raw = socket.create_connection((address.hostname, address.port), 15)
    raw.sendall(upgrade(f"{FEED}?login_id=DEMO1&access_token={token}") + more)
    return raw


def close_code(said: bytes) -> int:
    """Return the code of the close frame at the end of what a server said."""
    at = said.rfind(b"\x88")
    return int.from_bytes(said[at + 2 : at + 4], "big") if at >= 0 else 0


@pytest.mark.parametrize("name", ["unasked pongs", "heartbeats"])
def test_e1_a_stranger_has_nothing_parsed_as_frames(world: CountedWorld, name: str) -> None:
    """With a bad token the answer is 401; what was sent behind the handshake is dropped."""
    frame = FLOODS[name]
    said = flood(connected(world, "nobody", frame * 10_000), frame * 100_000)
    assert said.startswith(b"HTTP/1.1 401 ")
    assert world.count.total["parsed bytes"] == 0


def test_e1_what_comes_with_the_handshake_waits_for_the_token(world: CountedWorld) -> None:
    """Bytes that come with a good handshake are parsed once it is let in, in pieces as all are."""
    wish = text_frame('{"a":"subscribe","v":[[1,14366]],"m":"dpr"}')
    with connected(world, more=wish + FLOODS["heartbeats"] * 1_000) as raw:
        said = b""
        while b"\x82\x12\x07" not in said and (part := raw.recv(4_096)):
            said += part
    assert said.startswith(b"HTTP/1.1 101 ")
    assert world.count.most["parsed bytes"] <= PIECE_MOST


@pytest.mark.parametrize("name", FLOODS)
def test_e1_a_flood_of_small_frames_ends(world: CountedWorld, name: str) -> None:
    """A client that floods is told 1008, and few of its frames are ever parsed."""
    frame = FLOODS[name]
    said = flood(connected(world), frame * (1_000_000 // len(frame)))
    assert said.startswith(b"HTTP/1.1 101 ")
    assert close_code(said) == 1008
    assert world.count.total["frames"] <= FLOOD_FRAMES_MOST
    assert world.count.most["parsed bytes"] <= PIECE_MOST


@pytest.mark.parametrize("name", PARTS)
def test_e1_parts_without_an_end_end_the_connection(world: CountedWorld, name: str) -> None:
    """Empty parts of a message end the connection at once, tiny ones when there are too many."""
    first, part = PARTS[name]
    said = flood(connected(world), first + part * (1_000_000 // len(part)))
    assert close_code(said) in (1002, 1008)
    frames = world.count.total["frames"]
    assert frames <= (200 if "empty" in name else FLOOD_FRAMES_MOST), frames
    assert world.count.most["parsed bytes"] <= PIECE_MOST


def test_e1_many_floods_share_one_turn(world: CountedWorld) -> None:
    """Forty floods at once have no more parsed in a turn than a bound for all of them."""
    data = FLOODS["heartbeats"] * 1_900
    raws = [connected(world) for _ in range(40)]
    world.count.clear()
    for raw in raws:
        raw.sendall(data)
    deadline = time.monotonic() + 30
    while world.count.total["frames"] < 40 * 1_900 and time.monotonic() < deadline:
        time.sleep(0.05)
    for raw in raws:
        raw.close()
    assert world.count.total["frames"] >= 40 * 1_900
    assert world.count.most["frames"] <= FRAMES_MOST


def test_e1_a_large_subscription_is_taken_in_parts(world: CountedWorld) -> None:
    """One message that asks for 4 000 instruments has a bounded number looked up in a turn."""
    keys = [[1, one.token] for one in load_instruments() if one.exchange.value == "NSE"]
    wanted = keys * (4_000 // len(keys))
    with Reader(feed_url(world.url, TOKEN)) as reader:
        for mode in ("marketdata", "compact_marketdata", "full_snapquote", "dpr"):
            reader.subscribe(mode, *wanted)
        seen = {reader.frame()[0] for _ in range(4 * len(keys))}
        assert seen == {1, 2, 4, 7}
        assert world.count.most["looked-up instruments"] <= WISHES_MOST


def test_e1_subscriptions_again_and_again_are_budgeted(world: CountedWorld) -> None:
    """Who asks for 5 000 instruments again and again is told 1008 before long."""
    keys = [[1, one.token] for one in load_instruments() if one.exchange.value == "NSE"]
    wish = json.dumps({"a": "subscribe", "v": keys * (4_000 // len(keys)), "m": "dpr"})
    said = flood(connected(world), text_frame(wish) * 60)
    assert close_code(said) == 1008


def test_e1_tiny_chunks_are_taken_in_pieces(world: CountedWorld) -> None:
    """A body in chunks of one byte is read a piece a turn, by whomever it is sent."""
    head = (
        f"POST {KART} HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    address = urlsplit(world.url)
    with socket.create_connection((address.hostname, address.port), 15) as raw:
        said = flood(raw, head + b"1\r\nx\r\n" * 12_000 + b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 4")
    assert world.count.most["parts of bodies"] <= PARTS_MOST


def test_e2_a_row_is_worded_once(world: CountedWorld) -> None:
    """Reading the book twice words no row twice; a change words the rows of that order anew."""
    orders = [world.place(user_order_id=7_000 + number) for number in range(30)]
    world.rows()
    world.count.clear()
    before = world.rows()
    assert (len(before), world.count.total["order rows"]) == (30, 0)
    world.cancel(orders[7])
    after = world.rows()
    assert world.count.total["order rows"] == 1
    assert [row["oms_order_id"] for row in after] == [row["oms_order_id"] for row in before]
    assert [a == b for a, b in zip(after, before, strict=True)].count(False) == 1
    assert after[7]["order_status"] == "CANCEL_CONFIRMED"


def place_many(world: CountedWorld, count: int, **changes: Any) -> None:
    """Place regular orders, on one connection."""
    for number in range(count):
        order = entry(
            execution_type="REGULAR", stop_loss_value=None, user_order_id=number + 1, **changes
        )
        answer = world.http.post("/api/v1/orders", json=order, headers=BEARER)
        assert answer.status_code == 200, answer.text


def test_e2_a_long_book_is_worded_in_pieces(world: CountedWorld) -> None:
    """The first reading of a book of 400 orders words at most 64 rows in one turn."""
    place_many(world, 400, price=12.5)
    world.count.clear()
    rows = world.rows()
    assert len(rows) == 400
    assert world.count.total["order rows"] <= 400
    assert world.count.most["order rows"] <= ROWS_MOST


def test_e2_trades_are_worded_once_and_in_pieces(world: CountedWorld) -> None:
    """Three hundred trades of one order: as many wordings at first, in pieces, then none."""
    row = world.place(quantity=300)
    for _ in range(300):
        world.fill(row, 1, 130_000)
    world.count.clear()
    first = world.http.get("/api/v1/trades", headers=BEARER).json()["data"]["trades"]
    assert len(first) == 300
    assert world.count.most["trade rows"] <= ROWS_MOST
    again = world.http.get("/api/v1/trades", headers=BEARER).json()["data"]["trades"]
    assert again == first
    assert world.count.total["trade rows"] == 300


def test_e2_the_book_is_the_days(world: CountedWorld) -> None:
    """Yesterday's ended orders are asked for by their date; what is still open is today's too."""
    over, parked = world.place(user_order_id=1), world.place(user_order_id=2)
    world.cancel(over)
    world.do(lambda: world.desk.later(86_400))
    today = world.place(user_order_id=3)
    ids = [row["oms_order_id"] for row in world.rows()]
    assert ids == [parked["oms_order_id"], today["oms_order_id"]]
    query = {"type": "all", "date": "2024-06-13"}
    answer = world.http.get("/api/v1/orders", params=query, headers=BEARER).json()
    then = [row["oms_order_id"] for row in answer["data"]["orders"]]
    assert then == [over["oms_order_id"], parked["oms_order_id"]]


def test_e3_what_has_ended_is_not_looked_at(world: CountedWorld) -> None:
    """With 200 closed orders and one open, the pending book looks at one order's legs."""
    for number in range(200):
        world.cancel(world.place(user_order_id=number + 1))
    kept = world.place(user_order_id=999)
    world.rows("pending")
    world.count.clear()
    assert [row["oms_order_id"] for row in world.rows("pending")] == [kept["oms_order_id"]]
    assert world.count.total["legs"] <= 2


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders?type=pending",
        "/api/v1/positions?type=live",
        "/api/v1/positions?type=historical",
        "/api/v2/funds/view?type=all",
        "/api/v1/holdings",
    ],
)
def test_e3_no_reading_goes_through_every_order(
    world: CountedWorld, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is open and what is held is known, and not searched among all that ever was."""
    world.cancel(world.place())
    world.place(user_order_id=2)

    def search(state: OmsState, client_id: str) -> Any:
        raise AssertionError("it goes through every order of the client")

    monkeypatch.setattr(OmsState, "orders_of", search)
    answer = world.http.get(path, headers=BEARER)
    assert answer.status_code == 200, answer.text


def test_e3_a_trade_is_not_compared_with_every_trade(world: CountedWorld) -> None:
    """The thousandth fill of an order looks at no more trades than the hundredth."""
    row = world.place(quantity=600)
    for _ in range(400):
        world.fill(row, 1, 130_000)
    looked = 0

    class Watched(list[Trade]):
        def __iter__(self) -> Iterator[Trade]:
            nonlocal looked
            for trade in super().__iter__():
                looked += 1
                yield trade

    parent = world.desk.state.parents[int(row["oms_order_id"])]
    assert parent.trades is not None and parent.orders_of(Leg.ENTRY)
    parent.trades = Watched(parent.trades)
    for _ in range(10):
        world.fill(row, 1, 130_000)
    assert looked <= 410, "at most once all, and not once all for each"


def test_e3_the_living_are_known(world: CountedWorld) -> None:
    """Open orders of a client are kept as such, in the order in which they came."""
    first, second = world.place(user_order_id=1), world.place(user_order_id=2)
    third = world.place(user_order_id=3)
    world.cancel(second)
    state = world.desk.state
    living = [str(parent.order_id) for parent in state.living_of("DEMO1")]
    assert living == [first["oms_order_id"], third["oms_order_id"]]
