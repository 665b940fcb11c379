"""
What a client of the feed knows across its connections, without any I/O.

It remembers what was subscribed to, so that a new connection can be told all of it at once; and
how far it has come in the numbered updates of the account, so that it can go on from there. Each
update must have the number after the last: one that is missing means that the connection is not
to be trusted, and a new one is made which resumes at the last good number. One that was seen
before is passed over.

Source: docs/wire/feeds.md, "Numbered updates"; docs/wire/feeds.md, "Limits and closing".
"""

import decimal
import random
from collections.abc import Iterable
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import BadArgument
from kavach.sdk.feed.ticks import FeedItem, account_item, market_item
from kavach.sdk.instruments import HasInstrumentToken, HasToken, pair
from kavach.sdk.params import ExchangeWord, Token
from kavach.sdk.requests.plan import EXACT
from kavach.wire.feed.packets import EXCHANGE_CODE, BadPacket, decode
from kavach.wire.feed.updates import (
    NUMBERED,
    ORDER,
    POSITION,
    TRADE,
    BadUpdate,
    Kind,
    read_numbered,
)
from kavach.wire.feed.wishes import Mode

FEED_PATH: Final = "/ws/v1/feeds"
HEARTBEAT: Final = '{"a":"h","v":[],"m":""}'
HEARTBEAT_SECONDS: Final = 10.0
WAIT_SECONDS_MIN: Final = 0.1
WAIT_SECONDS_MAX: Final = 5.0
TOKEN_LIMIT: Final = 2**32  # It travels in four bytes.
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024  # A snapshot of a busy account is large.

MarketMode = Literal["quote", "compact", "depth", "band", "open_interest"]
ExchangeMode = Literal["status", "notices"]
MODES: Final = {
    "quote": Mode.MARKETDATA,
    "compact": Mode.COMPACT,
    "depth": Mode.SNAPQUOTE,
    "band": Mode.DPR,
    "open_interest": Mode.OPEN_INTEREST,
}
OF_EXCHANGES: Final = {"status": Mode.MARKET_STATUS, "notices": Mode.EXCHANGE_MESSAGES}
_ACCOUNT_PLAIN: Final = frozenset({ORDER, TRADE, POSITION})

SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
# A variable's text is no ``Literal``.
Instrument = tuple[ExchangeWord | str, Token] | HasToken | HasInstrumentToken


class Untrusted(Exception):
    """The connection has lost something, or sends what is not of this feed: make another."""


class FeedSession:
    """One client's subscriptions and how far it has come."""

    def __init__(self, base_url: str, access_token: str, client_id: str) -> None:
        address = urlsplit(params.base_url(base_url, tuple(SCHEMES)))
        token = quote(params.access_token(access_token), safe="")
        query = f"login_id={quote(params.text('client_id', client_id))}&access_token={token}"
        self.url = f"{SCHEMES[address.scheme]}://{address.netloc}{FEED_PATH}?{query}"
        self._client_id = client_id
        self._token = access_token
        self._wanted: dict[tuple[Mode, int, int], None] = {}
        self._account = False
        self._epoch = ""
        self._number = 0
        self._failures = 0

    # --- What is wanted -------------------------------------------------------------------------

    def want(self, mode: str, instruments: Iterable[Instrument]) -> list[str]:
        """Remember a subscription and return what to say of it now."""
        return self._change("subscribe", self._keys(mode, instruments), add=True)

    def want_no_more(self, mode: str, instruments: Iterable[Instrument]) -> list[str]:
        """Forget a subscription and return what to say of it now."""
        return self._change("unsubscribe", self._keys(mode, instruments), add=False)

    def want_exchanges(self, mode: str, exchanges: Iterable[ExchangeWord]) -> list[str]:
        """Remember a subscription to the news of exchanges, and return what to say of it."""
        return self._change("subscribe", self._keys_of_exchanges(mode, exchanges), add=True)

    def want_exchanges_no_more(self, mode: str, exchanges: Iterable[ExchangeWord]) -> list[str]:
        """Forget a subscription to the news of exchanges, and return what to say of it."""
        return self._change("unsubscribe", self._keys_of_exchanges(mode, exchanges), add=False)

    def want_account(self) -> list[str]:
        """Remember that the account's updates are wanted, and return what to say now."""
        self._account = True
        return [self._resume()]

    def want_account_no_more(self) -> list[str]:
        """Forget the account's updates; how far they have come stays known, for another time."""
        self._account = False
        return [_wish("unsubscribe", [self._client_id], Mode.NUMBERED_UPDATES)]

    def greeting(self) -> list[str]:
        """Return what a new connection is told: all that is wanted."""
        said = [self._resume()] if self._account else []
        for mode in dict.fromkeys(key[0] for key in self._wanted):
            said.append(_say("subscribe", mode, [k for k in self._wanted if k[0] is mode]))
        return said

    def _keys(self, mode: str, instruments: Iterable[Instrument]) -> list[tuple[Mode, int, int]]:
        asked = MODES[params.one_of("mode", mode, tuple(MODES))]
        return [(asked, *_instrument(instrument)) for instrument in instruments]

    @staticmethod
    def _keys_of_exchanges(
        mode: str, exchanges: Iterable[ExchangeWord]
    ) -> list[tuple[Mode, int, int]]:
        asked = OF_EXCHANGES[params.one_of("mode", mode, tuple(OF_EXCHANGES))]
        return [(asked, EXCHANGE_CODE[params.exchange("exchanges", one)], 0) for one in exchanges]

    def _change(self, action: str, keys: list[tuple[Mode, int, int]], *, add: bool) -> list[str]:
        if not keys:
            return []
        for key in keys:
            if add:
                self._wanted[key] = None
            else:
                self._wanted.pop(key, None)
        return [_say(action, keys[0][0], keys)]

    def _resume(self) -> str:
        values = [self._client_id, self._epoch, self._number]
        return _wish("subscribe", values, Mode.NUMBERED_UPDATES)

    # --- What is told ---------------------------------------------------------------------------

    def read(self, frame: bytes | str) -> FeedItem | None:
        """Return what a frame tells, None if nothing new; raises ``Untrusted``."""
        if isinstance(frame, str) or not frame:
            return None  # Other servers of the family may greet with a text.
        try:
            if frame[0] == NUMBERED:
                return self._read_numbered(frame)
            if frame[0] in _ACCOUNT_PLAIN:
                return None  # We never asked for updates without numbers.
            with decimal.localcontext(EXACT):
                return market_item(decode(frame))
        except BadPacket:
            return None  # A mode that we don't know; it is no mistake of the connection's.
        except (BadUpdate, msgspec.ValidationError, KeyError, AttributeError) as error:
            raise Untrusted(f"the feed sends what is not of it: {error}") from error

    def _read_numbered(self, frame: bytes) -> FeedItem | None:
        numbered = read_numbered(frame)
        if not self._account:
            return None  # It was on its way when the account was unsubscribed.
        if numbered.kind is Kind.RESUMED:
            if (numbered.epoch, numbered.number) != (self._epoch, self._number):
                raise Untrusted("the feed resumes elsewhere")
            return None
        if numbered.kind is Kind.SNAPSHOT:
            item = account_item(numbered)
            self._epoch, self._number = numbered.epoch, numbered.number
            return item
        if numbered.epoch != self._epoch:
            raise Untrusted("updates of another epoch without a snapshot")
        if numbered.number <= self._number:
            return None
        if numbered.number != self._number + 1:
            raise Untrusted(f"update {self._number + 1} is missing")
        item = account_item(numbered)
        self._number = numbered.number
        return item

    def without_token(self, error: BaseException | None) -> str:
        """Return an error's text; the address of the feed has the token in it."""
        return str(error).replace(quote(self._token, safe=""), "...").replace(self._token, "...")

    # --- Connections ----------------------------------------------------------------------------

    def connected(self) -> None:
        """Hear that a connection was made."""
        self._failures = 0

    def next_wait_seconds(self) -> float:
        """Return how long to wait before the next attempt: ever longer, and never in step."""
        self._failures += 1
        longest = min(WAIT_SECONDS_MAX, WAIT_SECONDS_MIN * 2 ** min(self._failures, 10))
        return random.uniform(WAIT_SECONDS_MIN / 2, longest)


def _instrument(instrument: Any) -> tuple[int, int]:
    """Return the code of the exchange and the token of an instrument."""
    if hasattr(instrument, "exchange"):
        row = pair(instrument)
        instrument = (row.exchange, row.token)
    if not isinstance(instrument, (tuple, list)) or len(instrument) != 2:
        shown = params.shown(instrument)
        raise BadArgument(
            f'instruments: {shown} is no pair of exchange and token, as ("NSE", 14366), and no row;'
            ' of a name Pocket.contract("NSE:IDEA-EQ") returns one'
        )
    exchange, token = instrument
    code = EXCHANGE_CODE[params.exchange("instruments", exchange)]
    number = params.whole("instruments", token)
    if not 0 <= number < TOKEN_LIMIT:
        raise BadArgument(f"instruments: {number} is not the token of an instrument")
    return code, number


def _say(action: str, mode: Mode, keys: list[tuple[Mode, int, int]]) -> str:
    pairs: list[object] = [[code, token] for _, code, token in keys]
    if mode in OF_EXCHANGES.values():
        pairs = [code for _, code, _ in keys]
    return _wish(action, pairs, mode)


def _wish(action: str, values: list[Any], mode: Mode) -> str:
    return msgspec.json.encode({"a": action, "v": values, "m": mode.value}).decode()
