"""
Contracts and prices by the vendor's names.

Source: docs/compatibility.md; docs/wire/contracts.md.
"""

from typing import Any, Final

from kavach.sdk import params
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.plan import Plan
from kavach.sdk.vendor.requesting import Answer, read

_LAST: Final = "last_trade_price"


def search_scrip(account: Account, key: str) -> Plan[Answer]:
    """Return the answer that holds the contracts which these words may mean."""
    return (yield from read("/api/v1/search", key=str(key)))


def get_scrip_info(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """Return the answer that holds everything about one contract."""
    named = params.path_piece("exchange", exchange)
    return (
        yield from read(
            f"/api/v1/contract/{named}", info="scrip", token=params.identifier("token", token)
        )
    )


def get_option_chain(
    account: Account, equity_token: int | str, number_of_entries: int | str, price: Any
) -> Plan[Answer]:
    """Return the answer that holds calls and puts of an underlying around a price."""
    return (
        yield from read(
            "/api/v1/optionchain/NFO",
            token=params.identifier("equity_token", equity_token),
            num=params.identifier("number_of_entries", number_of_entries),
            price=f"{params.price('price', price):f}",
        )
    )


def get_marketdata(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """Return the answer that holds the quote of a share."""
    return (yield from _quote(exchange, "Capital", token))


def get_ltp(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """Return the answer that holds the last price of a share."""
    return (yield from _quote(exchange, "Capital", token, key=_LAST))


def get_close_price(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """Return the answer that holds the previous close of a share."""
    return (yield from _quote(exchange, "Capital", token, key="close_price"))


def get_fno_data(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """Return the answer that holds the quote of a future or an option."""
    return (yield from _quote(exchange, "FutOpt", token))


def get_fno_ltp(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """Return the answer that holds the last price of a future or an option."""
    return (yield from _quote(exchange, "FutOpt", token, key=_LAST))


def get_dpr_data(account: Account, exchange: str, token: int | str) -> Plan[Answer]:
    """
    Return the daily price range as its page shows it, in rupees.

    No address gives that answer, so it is put together from scrip info; the range has no time
    of its own, hence an ``exchange_timestamp`` of 0, as on the page.
    """
    told = yield from get_scrip_info(account, exchange, token)
    scrip = told.get("result")
    if not isinstance(scrip, dict) or "higher_circuit_limit" not in scrip:
        return {"data": {}, "message": "Invalid parameters", "status": "error"}
    data = {
        "exchange": exchange,
        "exchange_timestamp": 0,
        "high_dpr": scrip["higher_circuit_limit"],
        "instrument_token": scrip.get("instrument_token", token),
        "low_dpr": scrip.get("lower_circuit_limit"),
    }
    return {"data": data, "message": "", "status": "success"}


def _quote(exchange: str, segment: str, token: int | str, **query: str) -> Plan[Answer]:
    named = params.path_piece("exchange", exchange)
    return read(
        f"/api/v1/marketdata/{named}/{segment}", token=params.identifier("token", token), **query
    )
