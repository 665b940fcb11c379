"""
What can be subscribed to of the market: an instrument in a mode, or an exchange's own news.

A topic's packet is encoded and framed once when something has changed, and the same bytes go to
everybody. ``Quotes`` makes packets of what the exchange shows; yearly prices are made up as for
a quote that is asked for, and open interest, which nobody knows here, is 0.

Source: docs/wire/feeds.md, "What a client says".
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from kavach.api.feed.socket import binary_frame
from kavach.api.rows.contract_rows import year_range
from kavach.engine.quote import Level, Quote
from kavach.instruments import Instrument
from kavach.units import NS_PER_SECOND, Exchange, InstrumentKey, Phase
from kavach.wire.feed.packets import (
    EXCHANGE_CODE,
    LEVELS,
    CompactMarketdata,
    Dpr,
    ExchangeMessage,
    Five,
    Marketdata,
    MarketStatus,
    Packet,
    Snapquote,
    encode,
    scaled,
)
from kavach.wire.feed.wishes import Mode

MARKET_TYPE: Final = "NORMAL"
# What each phase is called in a packet of MARKET_STATUS, and how a message says it.
_WORDS: Final[dict[Phase, tuple[str, str]]] = {
    Phase.OPEN: ("OPEN", "is open"),
    Phase.CLOSED: ("CLOSE", "is closed"),
    Phase.PRE_OPEN: ("PRE_OPEN_START", "is in the opening auction"),
    Phase.PRE_OPEN_LIMIT: ("PRE_OPEN_START", "is in the opening auction"),
    Phase.BUFFER: ("PRE_OPEN_END", "waits for its next phase"),
    Phase.CLOSING_REFERENCE: ("CLOSE", "is in the closing auction"),
    Phase.CLOSING_AUCTION: ("CLOSE", "is in the closing auction"),
    Phase.CLOSING_AUCTION_LIMIT: ("CLOSE", "is in the closing auction"),
    Phase.POST_CLOSE: ("POST_CLOSE_START", "trades at the closing price"),
}


class Phases(Protocol):
    """Who knows when an exchange trades."""

    def phase(self, session: str) -> Phase:
        """Return the phase of a session; an exchange's name is that of its main session."""


class Looks(Protocol):
    """A venue as everybody sees it."""

    @property
    def exchange(self) -> Phases:
        """The exchange inside."""

    def quote(self, key: InstrumentKey) -> Quote:
        """Return an instrument as everybody sees it."""


class Topic:
    """One thing to be subscribed to, its newest frame and who wants it."""

    __slots__ = ("exchange", "frame", "instrument", "mode", "readers")

    def __init__(self, mode: Mode, exchange: Exchange, instrument: Instrument | None) -> None:
        self.mode = mode
        self.exchange = exchange
        self.instrument = instrument
        self.frame = b""  # What was published last; empty before.
        self.readers: dict[Any, None] = {}  # Channels, in the order in which they came.


class Quotes:
    """Packets of what one exchange shows."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def frame(self, topic: Topic, now_ns: int) -> bytes:
        """Return the frame that shows a topic as it is now."""
        now = now_ns // NS_PER_SECOND
        if topic.instrument is None:
            return binary_frame(encode(self._of_exchange(topic, now)))
        return binary_frame(encode(_PACKET[topic.mode](self, topic.instrument, now)))

    def _of_exchange(self, topic: Topic, now: int) -> Packet:
        exchange = topic.exchange
        code, phase = EXCHANGE_CODE[exchange], self._looks.exchange.phase(exchange)
        if topic.mode is Mode.MARKET_STATUS:
            return MarketStatus(
                exchange_code=code, market_type=MARKET_TYPE, status=_WORDS[phase][0]
            )
        text = f"{exchange.value} {_WORDS[phase][1]}"
        return ExchangeMessage(exchange_code=code, message=text, exchange_timestamp=now)

    def marketdata(self, instrument: Instrument, now: int) -> Marketdata:
        """Return everything but the depth."""
        exchange, seen = instrument.exchange, self._looks.quote(instrument.key)
        bid, ask = _best(seen.bids), _best(seen.asks)
        year_high_pips, year_low_pips = year_range(instrument, seen)
        return Marketdata(
            exchange_code=EXCHANGE_CODE[exchange],
            instrument_token=instrument.token,
            last_traded_price=scaled(seen.last_price_pips, exchange),
            last_traded_time=seen.traded_at_ns // NS_PER_SECOND,
            last_traded_quantity=seen.last_quantity,
            trade_volume=seen.volume,
            best_bid_price=scaled(bid[0], exchange),
            best_bid_quantity=bid[1],
            best_ask_price=scaled(ask[0], exchange),
            best_ask_quantity=ask[1],
            total_buy_quantity=seen.bid_total,
            total_sell_quantity=seen.ask_total,
            average_trade_price=scaled(_average_pips(seen), exchange),
            exchange_timestamp=now,
            open_price=scaled(seen.open_pips, exchange),
            high_price=scaled(seen.high_pips, exchange),
            low_price=scaled(seen.low_pips, exchange),
            close_price=scaled(instrument.previous_close_pips, exchange),
            yearly_high_price=scaled(year_high_pips, exchange),
            yearly_low_price=scaled(year_low_pips, exchange),
            low_dpr=scaled(instrument.band_low_pips, exchange),
            high_dpr=scaled(instrument.band_high_pips, exchange),
            current_open_interest=0,
            initial_open_interest=0,
        )

    def compact(self, instrument: Instrument, now: int) -> CompactMarketdata:
        """Return last price, best prices and band."""
        exchange, seen = instrument.exchange, self._looks.quote(instrument.key)
        last = scaled(seen.last_price_pips, exchange)
        return CompactMarketdata(
            exchange_code=EXCHANGE_CODE[exchange],
            instrument_token=instrument.token,
            last_traded_price=last,
            change=last - scaled(instrument.previous_close_pips, exchange),
            last_traded_time=seen.traded_at_ns // NS_PER_SECOND,
            low_dpr=scaled(instrument.band_low_pips, exchange),
            high_dpr=scaled(instrument.band_high_pips, exchange),
            current_open_interest=0,
            initial_open_interest=0,
            bid_price=scaled(_best(seen.bids)[0], exchange),
            ask_price=scaled(_best(seen.asks)[0], exchange),
        )

    def snapquote(self, instrument: Instrument, now: int) -> Snapquote:
        """Return five levels a side."""
        exchange, seen = instrument.exchange, self._looks.quote(instrument.key)
        bids, asks = seen.bids, seen.asks
        return Snapquote(
            exchange_code=EXCHANGE_CODE[exchange],
            instrument_token=instrument.token,
            buyers=_five([level[2] for level in bids]),
            bid_prices=_five([scaled(level[0], exchange) for level in bids[:LEVELS]]),
            bid_quantities=_five([level[1] for level in bids]),
            sellers=_five([level[2] for level in asks]),
            ask_prices=_five([scaled(level[0], exchange) for level in asks[:LEVELS]]),
            ask_quantities=_five([level[1] for level in asks]),
            average_trade_price=scaled(_average_pips(seen), exchange),
            open_price=scaled(seen.open_pips, exchange),
            high_price=scaled(seen.high_pips, exchange),
            low_price=scaled(seen.low_pips, exchange),
            close_price=scaled(instrument.previous_close_pips, exchange),
            total_buy_quantity=seen.bid_total,
            total_sell_quantity=seen.ask_total,
            trade_volume=seen.volume,
        )

    def dpr(self, instrument: Instrument, now: int) -> Dpr:
        """Return the day's band."""
        return Dpr(
            exchange_code=EXCHANGE_CODE[instrument.exchange],
            instrument_token=instrument.token,
            exchange_timestamp=now,
            high_dpr=scaled(instrument.band_high_pips, instrument.exchange),
            low_dpr=scaled(instrument.band_low_pips, instrument.exchange),
        )


def _best(levels: list[Level]) -> tuple[int, int]:
    return (levels[0][0], levels[0][1]) if levels else (0, 0)


def _average_pips(seen: Quote) -> int:
    """Return the mean price of the day's trades, to the nearest pip; 0 before the first."""
    return (seen.value_pips + seen.volume // 2) // seen.volume if seen.volume else 0


def _five(values: list[int]) -> Five:
    a, b, c, d, e, *_ = [*values[:LEVELS], 0, 0, 0, 0, 0]
    return a, b, c, d, e


_PACKET: Final[Mapping[Mode, Callable[[Quotes, Instrument, int], Packet]]] = {
    Mode.MARKETDATA: Quotes.marketdata,
    Mode.COMPACT: Quotes.compact,
    Mode.SNAPQUOTE: Quotes.snapquote,
    Mode.DPR: Quotes.dpr,
}
OF_INSTRUMENTS: Final = frozenset(_PACKET)
OF_EXCHANGES: Final = frozenset({Mode.MARKET_STATUS, Mode.EXCHANGE_MESSAGES})
