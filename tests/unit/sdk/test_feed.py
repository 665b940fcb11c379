"""The client's feed against a real server: typed items, and nothing missed whatever happens."""

import asyncio
import signal
import socket
from decimal import Decimal
from pathlib import Path

import pytest

from kavach.sdk import (
    AsyncFeed,
    AuthError,
    BadArgument,
    CompactQuote,
    Depth,
    Exchange,
    ExchangeNotice,
    Feed,
    FeedItem,
    FeedLost,
    OrderChange,
    PositionChange,
    PriceBand,
    Quote,
    SessionStatus,
    Snapshot,
    TradeDone,
)
from kavach.sdk.feed.session import FeedSession, Untrusted
from kavach.wire.feed.updates import Kind, numbered_frame
from tests.twin_server import TOKEN, TwinServer, running
from tests.twin_server import twin as twin
from tests.unit.api.feed.test_market import quote
from tests.unit.api.feed.test_orders import place, sell

IDEA = ("NSE", 14366)


def feed_of(server: TwinServer, patience_seconds: float = 30) -> Feed:
    """Return DEMO1's feed."""
    return Feed("DEMO1", TOKEN, base_url=server.url, patience_seconds=patience_seconds)


def test_market_items_are_typed(twin: TwinServer) -> None:
    """Each mode is an item of its own, with prices as exact decimals in rupees."""
    twin.room("POST", "reset")
    quote(twin, 12.9, 13.05)
    with feed_of(twin) as feed:
        for mode in ("quote", "compact", "depth", "band"):
            feed.subscribe(mode, IDEA)
        feed.subscribe_exchanges("status", "NSE")
        feed.subscribe_exchanges("notices", Exchange.NSE)
        items: dict[type, FeedItem] = {}
        while len(items) < 5:
            item = feed.receive(10)
            items[type(item)] = item
        twin.room("POST", "session", exchange="NSE", phase="closed")
        while not isinstance(item, ExchangeNotice):
            item = feed.receive(10)
    seen = items[Quote]
    assert isinstance(seen, Quote)
    assert (seen.exchange, seen.bid, seen.ask) == (Exchange.NSE, Decimal("12.9"), Decimal("13.05"))
    assert (seen.bid_quantity, seen.close, seen.band_high) == (40, Decimal(13), Decimal("15.6"))
    compact, depth, band = items[CompactQuote], items[Depth], items[PriceBand]
    assert isinstance(compact, CompactQuote) and compact.change == 0
    assert isinstance(depth, Depth)
    assert [(level.price, level.quantity, level.orders) for level in depth.bids] == [
        (Decimal("12.9"), 40, 1)
    ]
    assert isinstance(band, PriceBand) and band.low == Decimal("10.4")
    assert isinstance(items[SessionStatus], SessionStatus)
    assert (item.text, item.exchange) == ("NSE is closed", Exchange.NSE)


def test_account_items_are_typed(twin: TwinServer) -> None:
    """A snapshot first, then each change with its number, the trade and the position."""
    twin.room("POST", "reset")
    with feed_of(twin) as feed:
        feed.subscribe_account()
        first = feed.receive(10)
        assert first == Snapshot(number=0, complete=True, orders=(), trades=(), positions=())
        place(twin, quantity=100)
        sell(twin, 100, 13)
        items = [feed.receive(10) for _ in range(5)]
        with pytest.raises(TimeoutError):
            feed.receive(0.2)
    change, complete, trade, stop, position = items
    assert isinstance(change, OrderChange) and change.order.order_status == "CONFIRMED"
    assert change.basket_id and change.mode == "NEW"
    assert isinstance(complete, OrderChange) and complete.order.quantity_traded == 100
    assert isinstance(trade, TradeDone)
    assert (trade.trade.trade_price, trade.trade.trade_quantity) == (Decimal(13), 100)
    assert isinstance(stop, OrderChange) and stop.order.trigger_price == Decimal("12.5")
    assert isinstance(position, PositionChange) and position.position.net_quantity == 100


def test_a_lost_connection_is_made_again(twin: TwinServer) -> None:
    """Cut the wire: the feed comes back by itself, subscribed, with what was missed and no more."""
    twin.room("POST", "reset")
    with feed_of(twin) as feed:
        feed.subscribe_account()
        feed.subscribe("compact", IDEA)
        assert {type(feed.receive(10)) for _ in range(2)} == {Snapshot, CompactQuote}
        place(twin, quantity=100)
        numbers = [number_of(feed)]
        assert feed._connection is not None
        feed._connection.socket.shutdown(socket.SHUT_RDWR)
        sell(twin, 100, 13)
        while len(numbers) < 5:
            numbers.append(number_of(feed))
        quote(twin, 12.8, 13.2)
        item = feed.receive(10)
        while not (isinstance(item, CompactQuote) and item.bid == Decimal("12.8")):
            item = feed.receive(10)
    assert numbers == [1, 2, 3, 4, 5]


def number_of(feed: Feed) -> int:
    """Return the number of the next item of the account that is no snapshot."""
    while True:
        item = feed.receive(10)
        assert not isinstance(item, Snapshot), "a snapshot was not needed"
        if isinstance(item, OrderChange | TradeDone | PositionChange):
            return item.number


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_of_the_server_is_survived(tmp_path: Path, how: signal.Signals) -> None:
    """The feed waits for the server to come back, and a snapshot tells where things stand."""
    data, port = tmp_path / "data", free_port()
    options = ("--data-dir", data, "--port", str(port))
    with running(*options, directory=tmp_path) as server, feed_of(server) as feed:
        feed.subscribe_account()
        assert isinstance(feed.receive(10), Snapshot)
        place(server, quantity=100)
        assert isinstance(feed.receive(10), OrderChange)
        server.stop(how) if how is signal.SIGTERM else server.process.kill()
        server.process.wait(30)
        with running(*options, directory=tmp_path) as again:
            item = feed.receive(30)
            assert isinstance(item, Snapshot)
            assert [order.order_status for order in item.orders] == ["CONFIRMED"]
            sell(again, 100, 13)
            change = feed.receive(10)
    assert isinstance(change, OrderChange) and change.number == item.number + 1


def free_port() -> int:
    """Return a port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_asyncio_has_the_same(twin: TwinServer) -> None:
    """``AsyncFeed`` subscribes, is cut off, comes back and misses nothing."""
    twin.room("POST", "reset")

    async def follow() -> list[int]:
        numbers = []
        async with AsyncFeed("DEMO1", TOKEN, base_url=twin.url) as feed, asyncio.timeout(20):
            await feed.subscribe_account()
            await feed.subscribe("depth", IDEA)
            async for item in feed:
                if isinstance(item, Snapshot):
                    await asyncio.to_thread(place, twin, quantity=100)
                elif isinstance(item, OrderChange | TradeDone | PositionChange):
                    numbers.append(item.number)
                    if item.number == 1:
                        assert feed._connection is not None
                        feed._connection.transport.abort()
                        await asyncio.to_thread(sell, twin, 100, 13)
                    if item.number == 5:
                        break
        return numbers

    assert asyncio.run(follow()) == [1, 2, 3, 4, 5]


def test_a_bad_token_is_not_tried_again(twin: TwinServer) -> None:
    """401 is an error of the caller's, at once."""
    with pytest.raises(AuthError), Feed("DEMO1", "nobody", base_url=twin.url):
        raise AssertionError("it was let in")
    with pytest.raises(AuthError), Feed("DEMO2", TOKEN, base_url=twin.url):
        raise AssertionError("it was let in")


def test_patience_ends(tmp_path: Path) -> None:
    """Where nobody answers, the feed says so after the time that it was given."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(FeedLost, match="1 seconds"):
        Feed("DEMO1", TOKEN, base_url=url, patience_seconds=1).receive()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda feed: feed.subscribe("quotes", IDEA),
        lambda feed: feed.subscribe("quote", ("NYSE", 1)),
        lambda feed: feed.subscribe_exchanges("quote", "NSE"),
        lambda feed: Feed("DEMO1", TOKEN, base_url="ftp://127.0.0.1"),
        lambda feed: Feed("DEMO1", base_url="http://127.0.0.1"),
        lambda feed: Feed(access_token=TOKEN),
    ],
)
def test_a_wrong_call_names_the_argument(wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be meant is refused before anything is sent."""
    for name in ("KAVACH_TOKEN", "KAVACH_CLIENT_ID", "KAVACH_URL"):
        monkeypatch.delenv(name, raising=False)
    assert callable(wrong)
    with pytest.raises(BadArgument):
        wrong(Feed("DEMO1", TOKEN))


def frame(epoch: str, number: int, kind: Kind = Kind.POSITION) -> bytes:
    """Return a numbered frame."""
    body = b'{"exchange":"NSE","instrument_token":1}'
    if kind is Kind.SNAPSHOT:
        body = b'{"complete":true,"orders":[],"trades":[],"positions":[]}'
    return numbered_frame(epoch, number, kind, body)


def test_numbers_are_checked() -> None:
    """A repeated number is passed over; a missing one, or a foreign epoch, ends the connection."""
    session = FeedSession("http://127.0.0.1", TOKEN, "DEMO1")
    session.want_account()
    assert session.read(frame("a", 7, Kind.SNAPSHOT)) is not None
    assert session.read(frame("a", 8)) is not None
    assert session.read(frame("a", 8)) is None
    assert session.read(frame("a", 7)) is None
    for wrong in (frame("a", 10), frame("b", 9), frame("a", 9, Kind.RESUMED), b"Z\0\0\0\0{"):
        with pytest.raises(Untrusted):
            session.read(wrong)
    assert session.read(frame("a", 9)) is not None
    session.want_account()
    assert '"v":["DEMO1","a",9]' in session.greeting()[0]


def test_what_is_not_known_is_passed_over() -> None:
    """Texts, unknown modes and updates without numbers are no mistake."""
    session = FeedSession("http://127.0.0.1", TOKEN, "DEMO1")
    assert [session.read(x) for x in ("hello", b"", b"\x0e123", b"2\0\0\0\0{}")] == [None] * 4
