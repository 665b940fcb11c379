"""
How the document groups routes, and a request of each that the twin takes as it stands.

Source: docs/wire/README.md, "Routes".
"""

from typing import Any, Final

TAGS: Final = {
    "Cover and bracket orders": "An entry with its compulsory stop; of a bracket, with a target.",
    "Regular orders": "Regular and after-market orders, the order book and trades.",
    "Baskets": "Orders that are kept and executed together.",
    "GTT": "Rules that wait for a price.",
    "Portfolio": "Positions, holdings, funds, margins.",
    "Contracts and quotes": "What can be traded, and its prices.",
    "Login": "Access tokens and whose they are.",
}
# The first beginning of a path that fits decides.
_TAG_OF: Final = {
    "/api/v1/orders/kart": "Cover and bracket orders",
    "/api/v1/order": "Regular orders",
    "/api/v1/trades": "Regular orders",
    "/api/v1/basket": "Baskets",
    "/api/v1/event/gtt": "GTT",
    "/api/v1/position": "Portfolio",
    "/api/v1/holdings": "Portfolio",
    "/api/v1/funds": "Portfolio",
    "/api/v2/funds": "Portfolio",
    "/api/v1/calc": "Portfolio",
    "/api/v1/contract": "Contracts and quotes",
    "/api/v1/search": "Contracts and quotes",
    "/api/v1/optionchain": "Contracts and quotes",
    "/api/v1/marketdata": "Contracts and quotes",
    "/api/v1/user": "Login",
    "/api/v3/user": "Login",
}

_ORDER: Final[dict[str, Any]] = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "order_type": "LIMIT",
    "order_side": "BUY",
    "price": 13.0,
    "trigger_price": 0,
    "quantity": 10,
    "disclosed_quantity": 0,
    "validity": "DAY",
    "product": "MIS",
    "device": "WEB",
    "user_order_id": 10001,
}
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "placeConditionalOrder": _ORDER
    | {
        "execution_type": "CO",
        "stop_loss_value": 12.5,
        "square_off_value": 0,
        "trailing_stop_loss": 0,
        "is_trailing": False,
    },
    "placeOrder": _ORDER | {"execution_type": "REGULAR"},
}


def tag_of(path: str) -> str:
    """Return the group of a route; ``StopIteration`` for a path of no group."""
    return next(tag for start, tag in _TAG_OF.items() if path.startswith(start))
