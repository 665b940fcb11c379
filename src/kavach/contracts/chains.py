"""
Option chains: the calls and puts of an underlying, by expiry and strike.

Source: docs/wire/contracts.md.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from kavach.instruments import Instrument
from kavach.units import Exchange, Pips


class Strike(NamedTuple):
    """A call and a put that are exercised at one price; one of them may not be listed."""

    strike_pips: Pips
    call: Instrument | None
    put: Instrument | None


class Chains:
    """Every option chain there is."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._chains: dict[tuple[Exchange, int], dict[str, list[Strike]]] = {}
        pairs: dict[tuple[Exchange, int], dict[str, dict[Pips, dict[str, Instrument]]]] = {}
        for one in instruments:
            if one.is_option and one.underlying_token:
                expiries = pairs.setdefault((one.exchange, one.underlying_token), {})
                strikes = expiries.setdefault(one.expiry, {})
                strikes.setdefault(one.strike_pips, {})[one.option_type] = one
        for underlying, expiries in pairs.items():
            self._chains[underlying] = {
                expiry: [
                    Strike(strike, both.get("CE"), both.get("PE"))
                    for strike, both in sorted(strikes.items())
                ]
                for expiry, strikes in sorted(expiries.items())
            }

    def around(
        self, exchange: Exchange, underlying_token: int, price_pips: int, number: int
    ) -> list[tuple[str, list[Strike]]] | None:
        """
        Return every expiry, and half of so many strikes on each side of the price.

        Of an odd number both halves are rounded up. None if there are no such options.
        """
        expiries = self._chains.get((exchange, underlying_token))
        if expiries is None:
            return None
        half = (number + 1) // 2
        found = []
        for expiry, strikes in expiries.items():
            middle = bisect_right(strikes, price_pips, key=lambda strike: strike.strike_pips)
            found.append((expiry, strikes[max(0, middle - half) : middle + half]))
        return found

    def has_options(self, exchange: Exchange, underlying_token: int) -> bool:
        """Return whether options are listed on this underlying."""
        return (exchange, underlying_token) in self._chains
