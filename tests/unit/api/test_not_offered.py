"""What other servers of the family have and this one does not: told so in JSON, never in HTML."""

import pytest

from tests.unit.api.test_bad_input import check_envelope
from tests.unit.api.world import BEARER, World

NOT_OFFERED = [
    ("POST", "/api/v1/tradeipo/get-all-ipo"),
    ("POST", "/api/v1/tradeipo/place-order"),
    ("GET", "/oapi/v1/orders?type=pending"),  # HDFC's gateway.
    ("GET", "/api/v1/event/sip"),
    ("GET", "/api/v1/event/iceberg"),
    ("GET", "/api/v1/funds/transactions"),
    ("GET", "/api/v1/futureschain/NFO?token=26000"),
    ("GET", "/api/v1/charts"),
    ("GET", "/api/v1/alerts"),
    ("POST", "/api/v1/user/password"),
    ("POST", "/api/v3/setup_totp"),
    ("GET", "/wsapi/v1/session?token=t&api_key=k"),
    ("GET", "/api/v1/marketdata/NSE/14366/last_trade_price"),  # A slip of the documents.
    ("DELETE", "/api/v1/orders/"),
    ("GET", "/"),
]


@pytest.mark.parametrize(("method", "path"), NOT_OFFERED)
@pytest.mark.parametrize("headers", [BEARER, {}], ids=["token", "no token"])
def test_what_is_not_offered(calm: World, method: str, path: str, headers: dict[str, str]) -> None:
    """A path that is no route is 404 in envelope A, whoever asks."""
    answer = calm.http.request(method, path, headers=headers)
    check_envelope(answer, 404)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "data": {},
        "error_code": 404,
        "message": "Resource Not Found",
        "status": "error",
    }
