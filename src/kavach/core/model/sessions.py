"""
Where each trading session stands: continuous, in an auction, closed, and what it still takes.

Instruments of one exchange that share their hours are one session (``Instrument.session``). A
session is open, takes no new cover orders from its cut-off on, opens nothing intraday from its
square-off on, may end in a closing auction, and is closed until the next opening.

Source: docs/spec/cover_order.md, "The clock, the kill switch, the connection"; FIX 5.0 tags 336
(TradingSessionID) and 625 (TradingSessionSubID).
"""

from typing import Final

from kavach.instruments import SESSIONS, Instrument
from kavach.units import Exchange, Phase

OPENING: Final = frozenset({Phase.PRE_OPEN, Phase.PRE_OPEN_LIMIT})
CLOSING: Final = frozenset(
    {Phase.CLOSING_REFERENCE, Phase.CLOSING_AUCTION, Phase.CLOSING_AUCTION_LIMIT}
)
TAKES_MARKET: Final = frozenset({Phase.PRE_OPEN, Phase.CLOSING_AUCTION})
TAKES_EXITS: Final = frozenset({Phase.CLOSING_AUCTION, Phase.CLOSING_AUCTION_LIMIT})


class Sessions:
    """The state of every session; what is not named here trades continuously."""

    __slots__ = ("auctions", "closed", "covers_stopped", "entries_stopped")

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.entries_stopped: set[str] = set()  # The square-off time has come.
        self.covers_stopped: set[str] = set()  # The cut-off for new cover orders has come.
        self.auctions: dict[str, Phase] = {}

    def is_closed(self, instrument: Instrument) -> bool:
        """Return whether the instrument's session is over."""
        return instrument.session in self.closed

    def is_continuous(self, instrument: Instrument) -> bool:
        """Return whether stops can stand: outside of auctions, while the session is open."""
        if self.all_continuous:
            return True
        name = instrument.session
        return name not in self.closed and name not in self.auctions

    @property
    def all_continuous(self) -> bool:
        """Whether no session is over or in an auction."""
        return not (self.closed or self.auctions)

    def takes_covers(self, instrument: Instrument) -> bool:
        """Return whether a new cover order could still be protected."""
        stopped = self.covers_stopped or self.entries_stopped
        if not stopped:
            return True
        name = instrument.session
        return name not in self.covers_stopped and name not in self.entries_stopped

    def squares_off(self, instrument: Instrument) -> bool:
        """Return whether the square-off time of the instrument has come."""
        return instrument.session in self.entries_stopped

    def auction(self, instrument: Instrument) -> Phase | None:
        """Return the phase of the auction that the instrument is in, None outside of one."""
        return self.auctions.get(instrument.session)

    def takes_exits(self, instrument: Instrument) -> bool:
        """Return whether orders that close positions can be sent: not while a price is found."""
        phase = self.auctions.get(instrument.session)
        return phase is None or phase in TAKES_EXITS

    def phase(self, name: str) -> Phase:
        """Return what a session is doing."""
        return Phase.CLOSED if name in self.closed else self.auctions.get(name, Phase.OPEN)

    def all_closed(self, exchange: Exchange) -> bool:
        """Return whether every session of an exchange is over."""
        return all(name in self.closed for name in SESSIONS[exchange])

    # --- Changes --------------------------------------------------------------------------

    def open(self, names: tuple[str, ...]) -> None:
        """Begin continuous trading."""
        for name in names:
            self.closed.discard(name)
            self.entries_stopped.discard(name)
            self.covers_stopped.discard(name)
            self.auctions.pop(name, None)

    def end(self, names: tuple[str, ...]) -> None:
        """End the sessions."""
        for name in names:
            self.closed.add(name)
            self.entries_stopped.add(name)
            self.auctions.pop(name, None)

    def begin_phase(self, names: tuple[str, ...], phase: Phase) -> None:
        """Begin a phase of an auction: of the opening one, or of the closing one."""
        for name in names:
            self.closed.discard(name)
            self.covers_stopped.add(name)
            if phase in OPENING:
                self.entries_stopped.discard(name)
            elif phase is not Phase.BUFFER:
                self.entries_stopped.add(name)
            self.auctions[name] = phase
