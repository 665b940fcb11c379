"""Market packets: what the exchange shows, on every mode, to who asked for it."""

from typing import Any

import pytest

from kavach.data import load_instruments
from kavach.units import Exchange
from kavach.wire.feed import packets
from tests.twin_server import TwinServer
from tests.unit.api.feed.stage import Reader, feed_url

IDEA = [1, 14366]
MARKET_MODES = {"marketdata": 1, "compact_marketdata": 2, "full_snapquote": 4, "dpr": 7}
SILENT_MODES = [
    "auction_marketdata",
    "spreaddata",
    "open_interest",
    "tbt_full_snapquote",
    "greekdata",
    "markup_marketdata",
    "cash_updates",
    "something_new",
]


def quote(server: TwinServer, bid: float, ask: float, quantity: int = 40) -> None:
    """Let the house quote IDEA."""
    server.room(
        "POST",
        "market/quote",
        exchange="NSE",
        instrument_token=14366,
        bid=bid,
        bid_quantity=quantity,
        ask=ask,
        ask_quantity=quantity,
    )


def trade(server: TwinServer, side: str, quantity: int) -> None:
    """Let a stranger trade IDEA at market."""
    server.room(
        "POST",
        "market/order",
        exchange="NSE",
        instrument_token=14366,
        side=side,
        price=None,
        quantity=quantity,
    )


@pytest.mark.parametrize("token", [14366, "14366"])
@pytest.mark.parametrize("mode", MARKET_MODES)
def test_a_subscription_shows_where_things_stand(
    fresh: TwinServer, mode: str, token: int | str
) -> None:
    """The first packet comes at once, whichever way the token is written."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe(mode, [1, token])
        packet = reader.packet()
    assert packet.mode == MARKET_MODES[mode]
    assert not isinstance(packet, packets.MarketStatus | packets.ExchangeMessage)
    assert (packet.exchange_code, packet.instrument_token) == (1, 14366)


@pytest.mark.parametrize("mode", SILENT_MODES)
def test_a_mode_without_data_is_taken_in_silence(fresh: TwinServer, mode: str) -> None:
    """Nothing comes, nothing breaks, and other modes go on."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe(mode, IDEA)
        reader.say("unsubscribe", mode, IDEA)
        assert reader.silent()
        reader.subscribe("dpr", IDEA)
        packet = reader.packet()
    assert isinstance(packet, packets.Dpr)
    assert (packet.high_dpr, packet.low_dpr) == (1_560, 1_040)


def test_a_quote_shows_in_each_mode(fresh: TwinServer) -> None:
    """Best prices and quantities, levels and totals are those of the book."""
    with Reader(feed_url(fresh.url)) as reader:
        for mode in ("marketdata", "compact_marketdata", "full_snapquote"):
            reader.subscribe(mode, IDEA)
            reader.packet()
        quote(fresh, 12.9, 13.05)
        seen: dict[int, Any] = {}
        for _ in range(3):
            packet = reader.packet()
            seen[packet.mode] = packet
    assert (seen[1].best_bid_price, seen[1].best_ask_price) == (1_290, 1_305)
    assert (seen[1].best_bid_quantity, seen[1].total_sell_quantity) == (40, 40)
    assert (seen[1].close_price, seen[1].low_dpr, seen[1].high_dpr) == (1_300, 1_040, 1_560)
    assert (seen[2].bid_price, seen[2].ask_price, seen[2].change) == (1_290, 1_305, 0)
    assert (seen[4].buyers, seen[4].bid_prices) == ((1, 0, 0, 0, 0), (1_290, 0, 0, 0, 0))
    assert (seen[4].ask_quantities, seen[4].total_buy_quantity) == ((40, 0, 0, 0, 0), 40)


def test_the_year_is_the_same_as_in_a_quote_that_is_asked_for(fresh: TwinServer) -> None:
    """A client that shows both sees one range of the year."""
    asked = fresh.http.get("/api/v1/marketdata/NSE/Capital?token=14366").json()["data"]
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("marketdata", IDEA)
        packet = reader.packet()
    assert isinstance(packet, packets.Marketdata)
    assert (packet.yearly_high_price, packet.yearly_low_price) == (1_820, 780)
    assert (asked["yearly_high"], asked["yearly_low"]) == (1_820, 780)


def test_a_trade_moves_price_change_and_day(fresh: TwinServer) -> None:
    """Last price, change against the close (negative, too), volume and the day's range follow."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("marketdata", IDEA)
        reader.packet()
        quote(fresh, 12.9, 13.05)
        reader.packet()
        trade(fresh, "SELL", 15)
        packet = reader.packet()
        reader.subscribe("compact_marketdata", IDEA)
        compact = reader.packet()
    assert isinstance(packet, packets.Marketdata)
    assert (packet.last_traded_price, packet.trade_volume) == (1_290, 15)
    assert (packet.open_price, packet.high_price, packet.low_price) == (1_290, 1_290, 1_290)
    assert abs(packet.exchange_timestamp - packet.last_traded_time) <= 1
    assert packet.best_bid_quantity == 25
    assert (packet.last_traded_quantity, packet.average_trade_price) == (15, 1_290)
    assert isinstance(compact, packets.CompactMarketdata)
    assert compact.change == -10


def test_a_currency_future_is_scaled_as_its_exchange_has_it(fresh: TwinServer) -> None:
    """CDS prices are rupees times ten million."""
    with Reader(feed_url(fresh.url)) as reader:
        future = next(i for i in load_instruments() if i.exchange is Exchange.CDS)
        reader.subscribe("compact_marketdata", [3, future.token])
        packet = reader.packet()
    assert isinstance(packet, packets.CompactMarketdata)
    assert packet.last_traded_price == future.previous_close_pips * 1_000


def test_unsubscribing_ends_it(fresh: TwinServer) -> None:
    """After unsubscribing one mode, the other still comes."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("marketdata", IDEA)
        reader.subscribe("compact_marketdata", IDEA)
        reader.packet(), reader.packet()
        reader.say("unsubscribe", "marketdata", [1, "14366"], [1, 999], [5, 1])
        reader.settle()
        quote(fresh, 12.9, 13.05)
        assert reader.packet().mode == 2
        assert reader.silent()


def test_a_second_subscription_changes_nothing(fresh: TwinServer) -> None:
    """Who asks twice is sent once."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("marketdata", IDEA, IDEA)
        reader.subscribe("marketdata", IDEA)
        reader.packet()
        assert reader.silent()
        quote(fresh, 12.9, 13.05)
        reader.packet()
        assert reader.silent()


def test_nothing_is_sent_that_nobody_asked_for(fresh: TwinServer) -> None:
    """Another instrument's packets go to another reader."""
    with Reader(feed_url(fresh.url)) as reader, Reader(feed_url(fresh.url)) as other:
        reader.subscribe("marketdata", [1, 3045])
        reader.packet()
        other.subscribe("marketdata", IDEA)
        other.packet()
        quote(fresh, 12.9, 13.05)
        assert other.packet().mode == 1
        assert reader.silent()


def test_the_session_is_told(fresh: TwinServer) -> None:
    """Market status at once and when it changes; exchange messages only when it changes."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("exchange_messages", 1, 4, 99, "x")
        reader.subscribe("market_status", 1, "4", None)
        status = [reader.packet(), reader.packet()]
        assert status == [
            packets.MarketStatus(exchange_code=code, market_type="NORMAL", status="OPEN")
            for code in (1, 4)
        ]
        fresh.room("POST", "session", exchange="NSE", phase="closed")
        news = {packet.mode: packet for packet in (reader.packet(), reader.packet())}
        assert reader.silent()
    assert news[9] == packets.MarketStatus(exchange_code=1, market_type="NORMAL", status="CLOSE")
    message = news[10]
    assert isinstance(message, packets.ExchangeMessage)
    assert (message.exchange_code, message.message) == (1, "NSE is closed")


def test_a_burst_is_one_packet_or_few(fresh: TwinServer) -> None:
    """Fifty changes within a moment are not fifty packets; the last shows the end."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("compact_marketdata", IDEA)
        reader.packet()
        for number in range(50):
            quote(fresh, 12 + number / 100 // 0.05 * 0.05, 13.5)
        quote(fresh, 12.75, 13.5)
        seen = []
        while True:
            packet = reader.packet()
            assert isinstance(packet, packets.CompactMarketdata)
            seen.append(packet.bid_price)
            if packet.bid_price == 1_275:
                break
        assert reader.silent()
    assert len(seen) < 50


def test_a_reset_begins_anew(fresh: TwinServer) -> None:
    """After a reset of the world the same subscription shows the new one."""
    with Reader(feed_url(fresh.url)) as reader:
        reader.subscribe("compact_marketdata", IDEA)
        reader.packet()
        quote(fresh, 12.9, 13.05)
        reader.packet()
        fresh.room("POST", "reset")
        packet = reader.packet()
        assert isinstance(packet, packets.CompactMarketdata)
        assert (packet.bid_price, packet.ask_price) == (0, 0)
        quote(fresh, 12.8, 13.1)
        packet = reader.packet()
    assert isinstance(packet, packets.CompactMarketdata)
    assert packet.bid_price == 1_280
