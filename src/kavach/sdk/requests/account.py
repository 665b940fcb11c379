"""
Whose orders these are, with which token, and how patient the client is: what each plan must know.

The trading client's id is asked of the server (it knows whose token it is) the first time it is
needed, unless it was given. Both it and the token may come of a login later.
"""

import secrets
from typing import Final, NoReturn

from kavach.sdk import params
from kavach.sdk.requests.answers import data_of, read_one, unreadable
from kavach.sdk.requests.plan import Plan, Request, ask
from kavach.sdk.rows import Contract, TradingInfo

TRADING_INFO: Final = Request(method="GET", path="/api/v1/user/trading_info")


class Uncopied:
    """What holds connections and a token, and so is neither copied nor pickled."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} can be neither pickled nor copied: it holds connections and "
            "a token. Make one where it is needed, in a spawned process too"
        )


class Account(Uncopied):
    """The owner of the orders, and how long to look for the effect of a change."""

    __slots__ = ("access_token", "client_id", "confirm_seconds", "contracts")

    def __init__(self, client_id: str, confirm_seconds: float, access_token: str = "") -> None:
        self.client_id = client_id  # Empty until asked for.
        self.confirm_seconds = confirm_seconds
        self.access_token = params.access_token(access_token)  # Empty until somebody logs in.
        self.contracts: dict[str, Contract] = {}  # Those that were named, by their full names.

    def patience(self, confirm_seconds: object) -> float:
        """Return how long to look for an effect; ``None`` means the client's own setting."""
        if confirm_seconds is None:
            return self.confirm_seconds
        return params.seconds("confirm_seconds", confirm_seconds)

    def now_is(self, client_id: str, access_token: str) -> None:
        """Speak for this client from now on; an empty id is asked for when it is needed."""
        self.access_token = params.access_token(access_token)
        self.client_id = client_id


def trading_info(account: Account) -> Plan[TradingInfo]:
    """Return whose token this is, and what they may trade."""
    response = yield from ask(TRADING_INFO)
    data = data_of(TRADING_INFO, response)
    if not isinstance(data, dict) or not data.get("client_id"):
        unreadable(TRADING_INFO, response, "it names no client_id")
    return read_one(TRADING_INFO, response, TradingInfo, data)


def own_client_id(account: Account) -> Plan[str]:
    """Return the client's id, asking the server for it once if need be."""
    if not account.client_id:
        info = yield from trading_info(account)
        account.client_id = info.client_id
    return account.client_id


def new_idempotency_key() -> str:
    """Return a key that nobody has used."""
    return secrets.token_hex(16)


def key_or_new(value: str | None) -> str:
    """Return the caller's idempotency key, or a new one."""
    return new_idempotency_key() if value is None else params.idempotency_key(value)


def new_user_order_id() -> int:
    """
    Return an order id that nobody has used.

    It has 53 bits, of which 52 are random: as many as a double keeps, so that no client or
    server that treats numbers as doubles can confuse two of them.
    """
    return 1 << 52 | secrets.randbits(52)
