"""
What a cover order does when asked one thing after the other: the model for ``linear``.

One BUY of ``QUANTITY``, one stop, a venue that answers at once, a clock that stands still. It is
written from the tables of the specification (5.3, 5.5) and shares no code with the core.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import NamedTuple

QUANTITY = 10


class Told(NamedTuple):
    """What a client sees of an answer: the state in its header, or the word of a refusal."""

    state: str
    word: str = ""
    replayed: bool = False


class Cancel(NamedTuple):
    """C1: cancel the entry."""

    key: str = ""


class Exit(NamedTuple):
    """C2: get out; a client that has not seen the stop's id names the entry's."""

    knows_stop: bool
    key: str = ""


class Fill(NamedTuple):
    """Somebody sells so much at the entry's price; seen: how much of it we bought."""

    quantity: int


class Fire(NamedTuple):
    """The market trades at the stop's price; nothing is seen."""


class Bid(NamedTuple):
    """Somebody bids for more than we can sell; nothing is seen."""


class Look(NamedTuple):
    """A client looks at the entry's row; seen: its status and how much of it has filled."""


@dataclass(frozen=True)
class Cover:
    """The order, and the market as far as it matters."""

    liquid: bool
    filled: int = 0
    entry: str = "OPEN"  # OPEN, FILLED, CANCELLED
    position: str = "NONE"  # NONE, COVERED, TRIGGERED, EXITING, EXITED
    cancelled_by_user: bool = False
    exited_by_user: bool = False
    answers: tuple[tuple[Hashable, Told], ...] = ()  # To requests with a key.

    @property
    def name(self) -> str:
        """The state as the header has it."""
        if self.position == "NONE":
            return "ENTRY_OPEN" if self.entry == "OPEN" else "CANCELLED"
        if self.position == "COVERED":
            return "COVERED_OPEN" if self.entry == "OPEN" else "COVERED"
        return self.position

    def without_rest(self) -> "Cover":
        """Return the order with what had not traded cancelled."""
        return replace(self, entry="CANCELLED") if self.entry == "OPEN" else self

    def sold(self, else_position: str) -> "Cover":
        """Return the order after its exit met the market."""
        return replace(self, position="EXITED" if self.liquid else else_position)


def step(cover: Cover, ask: Hashable) -> tuple[Cover, Hashable]:
    """Return the order after being asked this, and what is seen."""
    if isinstance(ask, Cancel | Exit):
        return _keyed(cover, ask)
    if isinstance(ask, Fill):
        if cover.entry != "OPEN":
            return cover, 0
        bought = min(ask.quantity, QUANTITY - cover.filled)
        filled = cover.filled + bought
        entry = "FILLED" if filled == QUANTITY else "OPEN"
        return replace(cover, filled=filled, entry=entry, position="COVERED"), bought
    if isinstance(ask, Fire):
        if cover.position == "COVERED":
            cover = cover.without_rest().sold("TRIGGERED")
        return cover, None
    if isinstance(ask, Bid):
        cover = replace(cover, liquid=True)
        if cover.position in ("TRIGGERED", "EXITING"):
            cover = cover.sold("")
        return cover, None
    assert isinstance(ask, Look), ask
    status = {"FILLED": "COMPLETE", "CANCELLED": "CANCEL_CONFIRMED"}.get(cover.entry)
    return cover, (status or ("PARTIAL_TRADE" if cover.filled else "CONFIRMED"), cover.filled)


def _keyed(cover: Cover, ask: Cancel | Exit) -> tuple[Cover, Told]:
    """A key gets the first success again; only a request that did something uses up its key."""
    first = dict(cover.answers).get(ask)
    if ask.key and first is not None:
        return cover, first._replace(replayed=True)
    cover, told = _cancel(cover) if isinstance(ask, Cancel) else _exit(cover, ask)
    if ask.key and not told.word and not told.replayed:
        cover = replace(cover, answers=(*cover.answers, (ask, told)))
    return cover, told


def _cancel(cover: Cover) -> tuple[Cover, Told]:
    again = (
        cover.cancelled_by_user
        or (cover.position in ("TRIGGERED", "EXITING") and cover.entry == "CANCELLED")
        or (cover.name == "CANCELLED" and cover.exited_by_user)
    )
    if again:
        return cover, Told(cover.name, replayed=True)
    if cover.entry != "OPEN":
        return cover, Told("", "ENTRY_ALREADY_EXECUTED")
    cover = replace(cover.without_rest(), cancelled_by_user=True)
    return cover, Told(cover.name)


def _exit(cover: Cover, ask: Exit) -> tuple[Cover, Told]:
    if cover.filled and not ask.knows_stop and not cover.exited_by_user:
        return cover, Told("", "EXCHANGE_ORDER_ID_MUST_MATCH")
    if cover.exited_by_user or cover.name == "CANCELLED":
        return cover, Told(cover.name, replayed=True)
    if cover.position == "EXITED":
        return cover, Told("", "ALREADY_EXITED")
    cover = replace(cover.without_rest(), exited_by_user=True)
    if cover.position != "NONE":
        cover = cover.sold("EXITING")
    return cover, Told(cover.name)
