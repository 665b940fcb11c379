"""
The contracts that are shown, and every way to find one: search, option chains, the download.

Made once, at the start; nothing in it changes. Prices are not its business.

Source: docs/wire/contracts.md.
"""

from collections.abc import Sequence
from typing import Final

from kavach.contracts.chains import Chains
from kavach.contracts.published import Published
from kavach.contracts.rows import CASH, INDEX
from kavach.contracts.search import Search
from kavach.instruments import Instrument
from kavach.units import Exchange

_OTHER: Final = {Exchange.NSE: Exchange.BSE, Exchange.BSE: Exchange.NSE}
_DERIVED: Final = {Exchange.NSE: Exchange.NFO, Exchange.BSE: Exchange.BFO}


class Catalogue:
    """What is listed."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.search = Search(instruments)
        self.chains = Chains(instruments)
        self.published = Published(instruments)
        self._shares: dict[tuple[Exchange, str], Instrument] = {}
        self._with_futures: set[tuple[Exchange, int]] = set()
        for one in reversed(instruments):  # Of several the first counts.
            if one.exchange in CASH and one.instrument_name != INDEX:
                for name in (one.symbol, one.isin):
                    if name:
                        self._shares[one.exchange, name] = one
            elif one.option_type == "XX":
                self._with_futures.add((one.exchange, one.underlying_token))

    def alternate(self, instrument: Instrument) -> Instrument | None:
        """Return the same share on the other exchange, by ISIN or else by symbol."""
        other = _OTHER.get(instrument.exchange)
        if other is None or instrument.instrument_name == INDEX:
            return None
        by_isin = self._shares.get((other, instrument.isin)) if instrument.isin else None
        return by_isin or self._shares.get((other, instrument.symbol))

    def has_futures(self, instrument: Instrument) -> bool:
        """Return whether futures are listed on a share or an index."""
        derived = _DERIVED.get(instrument.exchange)
        return derived is not None and (derived, instrument.token) in self._with_futures

    def has_options(self, instrument: Instrument) -> bool:
        """Return whether options are listed on a share or an index."""
        derived = _DERIVED.get(instrument.exchange)
        return derived is not None and self.chains.has_options(derived, instrument.token)
