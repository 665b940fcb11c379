"""
Positions, holdings, funds and the profile by the vendor's names.

Source: docs/compatibility.md; docs/wire/portfolio.md; docs/wire/login.md, "Profile, trading_info,
logout".
"""

from kavach.sdk.errors import Kind
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.plan import Plan
from kavach.sdk.vendor.requesting import Answer, Parameters, change, read_own, without_blanks


def get_positions_daywise(account: Account) -> Plan[Answer]:
    """Return the answer that holds the day's positions."""
    return (yield from read_own(account, "/api/v1/positions", type="live"))


def get_positions_netwise(account: Account) -> Plan[Answer]:
    """Return the answer that holds all positions, those carried over included."""
    return (yield from read_own(account, "/api/v1/positions", type="historical"))


def convert_position(account: Account, parameters: Parameters) -> Plan[Answer]:
    """Return the server's answer to turning a position into another product's."""
    body = without_blanks(parameters)
    return (yield from change("convert", Kind.POSITION, "PUT", "/api/v1/position/convert", body))


def get_demat_holdings(account: Account) -> Plan[Answer]:
    """Return the answer that holds the shares in the account."""
    return (yield from read_own(account, "/api/v1/holdings"))


def get_funds(account: Account) -> Plan[Answer]:
    """Return the answer that holds the money in the account."""
    return (yield from read_own(account, "/api/v2/funds/view", type="all"))


def get_profile(account: Account) -> Plan[Answer]:
    """Return the answer that tells who has this token."""
    return (yield from read_own(account, "/api/v1/user/profile"))
