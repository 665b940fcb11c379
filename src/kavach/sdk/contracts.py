"""
What is listed and what it costs: search, scrip info, option chain, quotes, the download.

Prices come back in rupees throughout. The wire mixes units: in a quote bid, ask and the yearly
prices are in paise and the rest in rupees, closes of contracts are text.

Source: docs/wire/contracts.md; docs/wire/README.md, "Envelopes".
"""

from decimal import Decimal
from typing import Any, Final

import msgspec

from kavach.sdk import params
from kavach.sdk.instruments import Instrument, Spot, spot, token_of
from kavach.sdk.params import ExchangeWord, Price, Token, Whole
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.answers import data_of, read_one, refused, result_of, unreadable
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import NOTHING, read_row
from kavach.units import Exchange

PAISE: Final = 100
CAPITAL: Final = frozenset({Exchange.NSE, Exchange.BSE})
_IN_PAISE: Final = ("bid_price", "ask_price", "yearly_high", "yearly_low")
_ZIP: Final = b"PK"


class ScripInfo(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Everything about one contract that a program may want to know before it trades it."""

    instrument_token: int
    trading_symbol: str
    symbol: str = ""
    company_name: str = ""
    display_name: str = ""
    isin: str = ""
    series: str = ""
    instrument_name: str = ""
    board_lot_quantity: int = 1
    tick_size: Decimal = NOTHING
    lower_circuit_limit: Decimal = NOTHING
    higher_circuit_limit: Decimal = NOTHING
    close_price: Decimal = NOTHING
    yearly_high_price: Decimal = NOTHING
    yearly_low_price: Decimal = NOTHING
    strike: Decimal = NOTHING
    option_type: str = ""
    expiry: int = 0
    freeze: int = 0
    underlying_token: int = 0
    is_index: bool = False
    tradable: bool = True


class Option(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """A call or a put."""

    exchange: str
    token: int
    trading_symbol: str = ""
    display_name: str = ""
    strike_price: Decimal = NOTHING
    close_price: Decimal = NOTHING


class OptionStrike(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Both options of one strike; ``None`` where one is not listed."""

    strike_price: Decimal
    call: Option | None = None
    put: Option | None = None


class OptionExpiry(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """The strikes of one expiry."""

    expiry_date: str
    strikes: tuple[OptionStrike, ...] = ()


class MarketQuote(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """A quote; every price in rupees."""

    exchange: str = ""
    instrument_token: int = 0
    last_trade_price: Decimal = NOTHING
    last_trade_qty: int = 0
    last_trade_time: int = 0
    bid_price: Decimal = NOTHING
    bid_qty: int = 0
    ask_price: Decimal = NOTHING
    ask_qty: int = 0
    open_price: Decimal = NOTHING
    high_price: Decimal = NOTHING
    low_price: Decimal = NOTHING
    close_price: Decimal = NOTHING
    average_trade_price: Decimal = NOTHING
    trade_volume: int = 0
    total_buy_qty: int = 0
    total_sell_qty: int = 0
    yearly_high: Decimal = NOTHING
    yearly_low: Decimal = NOTHING
    exchange_timestamp: int = 0


def scrip_info(
    account: Account,
    exchange: ExchangeWord | Instrument | None = None,
    instrument_token: Token | None = None,
    *,
    instrument: Instrument | None = None,
) -> Plan[ScripInfo]:
    """Return everything about one contract; raises ``NotFound`` when there is none."""
    wanted = spot(instrument, exchange, instrument_token)
    query = {"info": "scrip", "token": (yield from token_of(account, wanted))}
    request = Request(method="GET", path=f"/api/v1/contract/{wanted.exchange}", query=query)
    response = yield from ask(request)
    return read_one(request, response, ScripInfo, result_of(request, response))


def option_chain(
    account: Account,
    underlying_token: Token,
    *,
    price: Price,
    strikes: Whole = 20,
    exchange: ExchangeWord = Exchange.NFO,
) -> Plan[list[OptionExpiry]]:
    """Return calls and puts of an underlying, by expiry and strike, around a price."""
    path = f"/api/v1/optionchain/{params.exchange('exchange', exchange)}"
    query = {
        "token": params.token("underlying_token", underlying_token),
        "num": str(params.whole("strikes", strikes)),
        "price": f"{params.price('price', price):f}",
    }
    request = Request(method="GET", path=path, query=query)
    response = yield from ask(request)
    result = result_of(request, response)
    if not isinstance(result, list):
        unreadable(request, response, "its result holds no list of expiries")
    try:
        return [_expiry(row) for row in result]
    except (AttributeError, KeyError, TypeError, msgspec.ValidationError) as error:
        unreadable(request, response, f"an expiry cannot be read: {error!r}")


def quote(
    account: Account,
    exchange: ExchangeWord | Instrument | None = None,
    instrument_token: Token | None = None,
    *,
    instrument: Instrument | None = None,
) -> Plan[MarketQuote]:
    """Return the quote of an instrument, whatever its segment."""
    wanted = spot(instrument, exchange, instrument_token)
    request = yield from _quote(account, wanted)
    response = yield from ask(request)
    seen = read_one(request, response, MarketQuote, data_of(request, response))
    in_rupees = {name: getattr(seen, name) / PAISE for name in _IN_PAISE}
    return msgspec.structs.replace(seen, **in_rupees)


def last_price(
    account: Account,
    exchange: ExchangeWord | Instrument | None = None,
    instrument_token: Token | None = None,
    *,
    instrument: Instrument | None = None,
) -> Plan[Decimal]:
    """Return the last price of an instrument."""
    wanted = spot(instrument, exchange, instrument_token)
    return (yield from _figure(account, wanted, "last_trade_price"))


def close_price(
    account: Account,
    exchange: ExchangeWord | Instrument | None = None,
    instrument_token: Token | None = None,
    *,
    instrument: Instrument | None = None,
) -> Plan[Decimal]:
    """Return the previous close of an instrument."""
    wanted = spot(instrument, exchange, instrument_token)
    return (yield from _figure(account, wanted, "close_price"))


def download_contracts(account: Account, *exchanges: ExchangeWord) -> Plan[bytes]:
    """Return the ZIP of every contract, one CSV for each exchange; all of them if none is named."""
    named = [params.exchange("exchanges", exchange) for exchange in exchanges]
    query = {"info": "download"}
    if named:
        query["exchanges"] = ",".join(named)
    request = Request(method="GET", path="/api/v1/contract/Compact", query=query, is_open=True)
    response = yield from ask(request)
    if response.http_status != 200:
        raise refused(request, response)
    if not response.body.startswith(_ZIP):
        unreadable(request, response, "not a ZIP")
    return response.body


def _quote(account: Account, wanted: Spot, **query: str) -> Plan[Request]:
    segment = "Capital" if wanted.exchange in CAPITAL else "FutOpt"
    token = yield from token_of(account, wanted)
    path = f"/api/v1/marketdata/{wanted.exchange}/{segment}"
    return Request(method="GET", path=path, query={"token": token, **query})


def _figure(account: Account, wanted: Spot, key: str) -> Plan[Decimal]:
    request = yield from _quote(account, wanted, key=key)
    response = yield from ask(request)
    data = data_of(request, response)
    if not isinstance(data, (Decimal, int)) or isinstance(data, bool):
        unreadable(request, response, "its data is no number")
    return Decimal(data)


def _expiry(row: dict[str, Any]) -> OptionExpiry:
    return OptionExpiry(
        expiry_date=row["expiry_date"],
        strikes=tuple(
            OptionStrike(
                strike_price=Decimal(strike["strike_price"]),
                call=_option(strike.get("call_option")),
                put=_option(strike.get("put_option")),
            )
            for strike in row["strikes"]
        ),
    )


def _option(row: Any) -> Option | None:
    return read_row(Option, row) if row else None
