"""
Naming an instrument: by exchange and token, by name as ``"NSE:IDEA-EQ"``, by what a call returned.

A name is looked up once for each client, by a search, and then remembered. What a call returned (a
contract, an order, a position, a quote) knows its exchange and token by itself.

Source: docs/client.md, "Methods"; docs/wire/contracts.md.
"""

from difflib import get_close_matches
from typing import Any, Protocol

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import BadArgument
from kavach.sdk.params import ExchangeWord, Token
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.answers import read_rows, result_of
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import Contract
from kavach.units import Exchange


class HasToken(Protocol):
    """What a search found, a leg of an option chain, an order of a rule."""

    @property
    def exchange(self) -> str:
        """Where it is listed."""

    @property
    def token(self) -> int:
        """What it is called there."""


class HasInstrumentToken(Protocol):
    """A row of an order, trade or position, a quote, an item of the feed."""

    @property
    def exchange(self) -> str:
        """Where it is listed."""

    @property
    def instrument_token(self) -> int:
        """What it is called there."""


Instrument = str | HasToken | HasInstrumentToken


class Spot(msgspec.Struct, frozen=True):
    """An instrument as it was given: its token, or the name by which that is to be found."""

    exchange: Exchange
    token: str
    name: str = ""


def spot(
    instrument: Instrument | None,
    exchange: ExchangeWord | Instrument | None,
    instrument_token: Token | None,
) -> Spot:
    """Return the instrument that was given in one of the ways, and only in one.

    What stands alone in the place of the exchange is an instrument. Raises ``BadArgument``.
    """
    if instrument is None and instrument_token is None and exchange is not None:
        instrument, exchange = exchange, None
    if instrument is None:
        if exchange is None or instrument_token is None:
            raise BadArgument(
                'instrument: must be given, as "NSE:IDEA-EQ", or exchange and instrument_token'
            )
        return Spot(
            params.exchange("exchange", exchange),
            params.token("instrument_token", instrument_token),
        )
    if exchange is not None or instrument_token is not None:
        raise BadArgument("instrument: must be given without exchange and instrument_token")
    return _spot_of_text(instrument) if isinstance(instrument, str) else pair(instrument)


def pair(instrument: Any) -> Spot:
    """Return the instrument of a row or a contract; raises ``BadArgument`` for anything else."""
    token = getattr(instrument, "instrument_token", None) or getattr(instrument, "token", None)
    if not token or not hasattr(instrument, "exchange"):
        raise BadArgument(
            f'instrument: {params.shown(instrument)} is neither a name, as "NSE:IDEA-EQ", nor a row'
        )
    return Spot(
        params.exchange("instrument", instrument.exchange), params.token("instrument", token)
    )


def _spot_of_text(text: str) -> Spot:
    exchange, colon, name = params.text("instrument", text).strip().partition(":")
    if not colon or not name:
        raise BadArgument(
            f'instrument: {params.shown(text)} must be exchange and name, as "NSE:IDEA-EQ"'
        )
    listed = params.exchange("instrument", exchange)
    if name.isascii() and name.isdigit():
        return Spot(listed, name)
    return Spot(listed, "0", name.strip().upper())


def token_of(account: Account, wanted: Spot) -> Plan[str]:
    """Return the token of an instrument, asking for it once if it was named."""
    if not wanted.name:
        return wanted.token
    found = yield from _look_up(account, wanted)
    return str(found.token)


def contract(account: Account, instrument: Instrument) -> Plan[Contract]:
    """
    Return the contract of a name such as "NSE:IDEA-EQ"; it is asked for once, then remembered.

    Raises ``BadArgument``, with names that are close, when there is none.
    """
    wanted = spot(instrument, None, None)
    if not wanted.name:
        raise BadArgument(f"instrument: {params.shown(instrument)} is not a name")
    return (yield from _look_up(account, wanted))


def _look_up(account: Account, wanted: Spot) -> Plan[Contract]:
    full = f"{wanted.exchange}:{wanted.name}"
    if full not in account.contracts:
        for row in (yield from search(account, wanted.name)):
            if _full_name(row) == full:
                account.contracts[full] = row
                break
        else:
            raise BadArgument(
                f"instrument: {full} is not listed{(yield from _close(account, full))}"
            )
    return account.contracts[full]


def _close(account: Account, full: str) -> Plan[str]:
    """Return the rest of a sentence: names that are nearly this one, if there are any."""
    symbol = full.partition(":")[2].partition("-")[0]
    names = [_full_name(row) for row in (yield from search(account, symbol))]
    return f"; there are {', '.join(get_close_matches(full, names, cutoff=0))}" if names else ""


def _full_name(row: Contract) -> str:
    return f"{row.exchange}:{row.trading_symbol}".upper()


def search(account: Account, words: str) -> Plan[list[Contract]]:
    """Return the contracts that these words may mean, the best first."""
    request = Request(
        method="GET", path="/api/v1/search", query={"key": params.text("words", words)}
    )
    response = yield from ask(request)
    return read_rows(request, response, Contract, result_of(request, response) or [])
