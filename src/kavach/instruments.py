"""
What is traded: one ``Instrument`` a contract, with the limits its exchange sets.

Shared by the core (which refuses early and kindly) and the exchange (which refuses late and
tersely). Prices are pips, quantities shares or contracts.

Source: docs/wire/limits.md; docs/twin.md.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from kavach.units import Exchange, InstrumentKey, Pips, Quantity

CASH: Final = (Exchange.NSE, Exchange.BSE)
# By the name of an instrument's class.
_STOP_LIMIT_PERCENT: Final = {"FUTIDX": 3, "FUTSTK": 3, "OPTIDX": 20, "OPTSTK": 20}
_WITH_CLOSING_AUCTION: Final = {exchange: f"{exchange.value}-CAS" for exchange in CASH}

# The sessions of each exchange, the main one first: what trades by the same hours.
SESSIONS: Final[dict[Exchange, tuple[str, ...]]] = {
    exchange: (exchange.value, _WITH_CLOSING_AUCTION[exchange])
    if exchange in CASH
    else (exchange.value,)
    for exchange in Exchange
}


class Instrument(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """
    One contract; ``key`` is unique.

    Journals hold the terms of imported contracts, as arrays: fields are only ever appended.
    """

    key: InstrumentKey
    exchange: Exchange
    token: int
    trading_symbol: str
    symbol: str
    company: str
    isin: str
    series: str
    instrument_name: str  # EQ, FUTIDX, FUTSTK, OPTIDX, OPTSTK, FUTCOM, FUTCUR, INDEX ...
    segment: str  # Capital, FutOpt, Currency, Commodities
    lot: Quantity
    tick_pips: Pips
    freeze_quantity: Quantity  # The largest quantity of one order, inclusive; 0: none at all.
    previous_close_pips: Pips
    band_low_pips: Pips  # The daily price range, both ends inclusive and on tick.
    band_high_pips: Pips
    slm_allowed: bool  # Whether the exchange takes stops without a limit.
    intraday_allowed: bool  # False in trade-to-trade series.
    multiplier: int = 1  # Rupees of value per rupee of price and unit of quantity.
    expiry: str = ""  # ISO date, empty for cash.
    strike_pips: Pips = Pips(0)
    option_type: str = ""  # CE, PE, XX (future), empty for cash.
    underlying_token: int = 0
    imported: bool = False  # Its terms may change between runs, so a journal keeps those it used.
    closing_auction: bool = False  # A cash share with derivatives: it closes by an auction.

    @property
    def session(self) -> str:
        """The name of the session it trades in: the exchange, or "NSE-CAS", "BSE-CAS"."""
        if self.closing_auction:
            return _WITH_CLOSING_AUCTION[self.exchange]
        return SESSIONS[self.exchange][0]

    @property
    def slice_max(self) -> int:
        """The largest quantity of one order that is a whole number of lots."""
        return self.freeze_quantity // self.lot * self.lot

    @property
    def tradable(self) -> bool:
        """Whether it can be ordered at all: an index can't."""
        return self.freeze_quantity > 0

    @property
    def stop_limit_percent(self) -> int | None:
        """How far a stop's limit may be from its trigger, in percent of it (16448); None: any.

        Source: docs/spec/exchange.md, "Protection".
        """
        return _STOP_LIMIT_PERCENT.get(self.instrument_name)

    @property
    def is_option(self) -> bool:
        """Whether it is a call or a put."""
        return self.option_type in ("CE", "PE")


Listing = dict[InstrumentKey, Instrument]


def sessions_of(exchange: Exchange, session: str) -> tuple[str, ...]:
    """Return the sessions that are meant: one, or with no name all of the exchange."""
    assert not session or session in SESSIONS[exchange], f"{session} is none of {exchange}"
    return (session,) if session else SESSIONS[exchange]


def listing(instruments: Iterable[Instrument] | Listing) -> Listing:
    """Return instruments by key; what is a listing already is taken as it is, and so shared."""
    if isinstance(instruments, dict):
        return instruments
    return {instrument.key: instrument for instrument in instruments}
