"""
Every route of the trading API: each module that has handlers lists its own, here they are joined.

Source: docs/wire/README.md, "Routes".
"""

from typing import Final

from kavach.api.routes import (
    account,
    baskets,
    books,
    contracts,
    funds,
    gtt,
    kart,
    portfolio,
    regular,
    web_login,
)

ROUTES: Final = (
    *kart.ROUTES,
    *regular.ROUTES,
    *books.ROUTES,
    *contracts.ROUTES,
    *account.ROUTES,
    *web_login.ROUTES,
    *baskets.ROUTES,
    *gtt.ROUTES,
    *portfolio.ROUTES,
    *funds.ROUTES,
)
