"""
A session's way from phase to phase: what each change does to the orders that are there.

An auction that ends is matched, its leftovers are disposed of; one that begins expires the stops;
the end of the session, and that of all trading but at the closing price, expires everything.

Source: docs/spec/exchange.md, "Auctions".
"""

from typing import Final

from kavach.exchange import auction, liquidity
from kavach.exchange.book import Book
from kavach.exchange.matching import emit, removed
from kavach.exchange.messages import Event, PhaseChanged, Removal
from kavach.exchange.phases import AUCTIONS, CLOSING_AUCTION, OPENING_AUCTION
from kavach.exchange.state import State
from kavach.instruments import SESSIONS, sessions_of
from kavach.units import Exchange, Phase, TimestampNs

_EXPIRY: Final = {
    Phase.CLOSED: "The session has ended",
    Phase.POST_CLOSE: "Trading has ended, but at the closing price",
}


def change_phase(
    state: State, exchange: Exchange, phase: Phase, at_ns: TimestampNs, session: str
) -> list[Event]:
    """Return what it did to bring a session, or all of an exchange, into a phase."""
    out: list[Event] = []
    named = sessions_of(exchange, session)
    changed = [name for name in named if state.phases[name] is not phase]
    for book in [book for book in state.books.in_order() if book.session in changed]:
        _change(state, book, phase, at_ns, out)
    if len(changed) == len(SESSIONS[exchange]):
        changed = [""]
    for name in changed:
        emit(state, out, PhaseChanged(exchange, phase, at_ns, name))
    return out


def _change(state: State, book: Book, phase: Phase, at_ns: TimestampNs, out: list[Event]) -> None:
    before, after = _auction_of(state.phases[book.session]), _auction_of(phase)
    if before and before is not after:
        auction.end(state, book, at_ns, out, closing=before is CLOSING_AUCTION)
    if phase in _EXPIRY:
        liquidity.vanish(book)
        for ladder in book.ladders:
            for order in list(ladder):
                emit(state, out, removed(order, Removal.EXPIRED, 0, _EXPIRY[phase]))
    if after and before is not after:
        auction.expire_stops(state, book, out)
        if after is CLOSING_AUCTION:
            auction.begin_closing(state, book, at_ns, out)


def _auction_of(phase: Phase) -> frozenset[Phase]:
    """Return the phases of the auction that a phase belongs to; none for one outside of any."""
    if phase not in AUCTIONS:
        return frozenset()
    return CLOSING_AUCTION if phase in CLOSING_AUCTION else OPENING_AUCTION
