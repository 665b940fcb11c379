"""
What clients of the feed say: JSON texts ``{"a": action, "v": values, "m": mode name}``.

    {"a": "h"}                                          I am still there
    {"a": "subscribe", "v": [[1, 14366]], "m": "marketdata"}
    {"a": "unsubscribe", "v": [[1, "14366"]], "m": "marketdata"}
    {"a": "subscribe", "v": ["DEMO1", "web"], "m": "updates"}
    {"a": "subscribe", "v": [1, 2], "m": "market_status"}
    {"a": "subscribe", "v": ["DEMO1", epoch, number], "m": "numbered_updates"}

A token is a number or text. Actions and modes that are unknown are no mistake, because newer
clients know more of them; a value that can't be read is passed over.

Source: docs/wire/feeds.md, "Limits and closing"; docs/wire/feeds.md, "What a client says".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

TOKEN_DIGITS_MAX: Final = 12


class Action(StrEnum):
    """What a client wants done."""

    HEARTBEAT = "h"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class Mode(StrEnum):
    """What there is to subscribe to, by the name that clients send."""

    MARKETDATA = "marketdata"
    COMPACT = "compact_marketdata"
    SNAPQUOTE = "full_snapquote"
    DPR = "dpr"
    OPEN_INTEREST = "open_interest"
    MARKET_STATUS = "market_status"
    EXCHANGE_MESSAGES = "exchange_messages"
    UPDATES = "updates"
    POSITION_UPDATES = "position_updates"
    NUMBERED_UPDATES = "numbered_updates"
    # Known by name only: there is nothing to send, so a subscription is taken and stays silent.
    AUCTION = "auction_marketdata"
    SPREAD = "spreaddata"
    TBT = "tbt_full_snapquote"
    GREEKS = "greekdata"
    MARKUP = "markup_marketdata"
    CASH_UPDATES = "cash_updates"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client said, as far as it could be understood."""

    action: Action
    mode: Mode | None
    values: list[Any]

    def instruments(self) -> Iterator[tuple[int, int]]:
        """Yield exchange code and token of each pair that is one."""
        for value in self.values:
            if isinstance(value, list) and len(value) == 2:
                code, token = whole(value[0]), whole(value[1])
                if code is not None and token is not None:
                    yield code, token

    def exchange_codes(self) -> Iterator[int]:
        """Yield each exchange code."""
        for value in self.values:
            code = whole(value)
            if code is not None:
                yield code

    def parts(self, size: int) -> list["Wish"]:
        """Return wishes of at most so many values each, which together are this one."""
        if len(self.values) <= size:
            return [self]
        starts = range(0, len(self.values), size)
        return [Wish(self.action, self.mode, self.values[at : at + size]) for at in starts]

    def text(self, place: int) -> str:
        """Return the text at a place among the values; empty if there is none."""
        value = self.values[place] if place < len(self.values) else ""
        return value if isinstance(value, str) else ""

    def number(self, place: int) -> int:
        """Return the number at a place among the values; 0 if there is none."""
        value = self.values[place] if place < len(self.values) else 0
        return whole(value) or 0


class NotUnderstood(ValueError):
    """A message that is not an object with an action in it."""


def read_wish(message: str | bytes) -> Wish | None:
    """Return what a client wants, None if it is nothing we know; raises ``NotUnderstood``."""
    try:
        found = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("it is no JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("a"), str):
        raise NotUnderstood("it is no object with an action")
    try:
        action = Action(found["a"])
    except ValueError:
        return None
    values = found.get("v")
    name = found.get("m")
    mode = Mode(name) if isinstance(name, str) and name in _MODES else None
    return Wish(action, mode, values if isinstance(values, list) else [])


def whole(value: object) -> int | None:
    """Return a whole number that is not negative, sent as such or as text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 10**TOKEN_DIGITS_MAX else None
    if isinstance(value, str) and len(value) <= TOKEN_DIGITS_MAX:
        return int(value) if value.isascii() and value.isdecimal() else None
    return None


_MODES: Final = frozenset(mode.value for mode in Mode)
