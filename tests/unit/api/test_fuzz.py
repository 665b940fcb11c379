"""Whatever is sent, the answer is an envelope, never a 500, and a refusal changes nothing."""

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kavach.api.app import create_app
from kavach.api.http.options import ApiOptions
from kavach.wire.orders.requests import CancelRequest, ModifyRequest, PlaceRequest
from tests.unit.api.world import KART, TOKEN, Desk, entry, open_accounts

FIELDS = sorted(
    {*PlaceRequest.__struct_fields__, *ModifyRequest.__struct_fields__}
    | {*CancelRequest.__struct_fields__}
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["CO", "ENTRY", "THIRD", "NSE", "14366", "DEMO1", "MARKET", "13", "0.05"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
BODIES = (
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=12).map(json.dumps)
    | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3).map(
        lambda changes: json.dumps(entry() | changes)
    )
    | JSON.map(json.dumps)
    | st.text()
).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=200)
PATHS = st.sampled_from(
    [
        *[KART, f"{KART}/202406132", f"{KART}/x", "/api/v1/orders", "/api/v1/positions"],
        *["/api/v1/order/202406132/history", "/api/v1/trades"],
    ]
) | st.text(max_size=20).map(lambda text: f"/{text}")


def ask(desk: Desk, method: str, path: str, query: bytes, body: bytes) -> tuple[int, bytes]:
    """Return status and body of an answer, the application called without a socket."""
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "root_path": "",
        "headers": [(b"x-authorization-token", TOKEN.encode())],
    }
    asyncio.run(_call(create_app(desk, ApiOptions()), scope, receive, send))
    return said[0]["status"], said[1]["body"]


async def _call(app: Any, *arguments: Any) -> None:
    await app(*arguments)


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    PATHS,
    st.binary(max_size=60) | st.sampled_from([b"type=all", b"type=live", b"type=pending&{"]),
    BODIES,
)
def test_nothing_breaks_it(method: str, path: str, query: bytes, body: bytes) -> None:
    """Any method, path, query and body: success or envelope A, and no trace of a refusal."""
    desk = Desk()
    open_accounts(desk)
    before = desk.state_hash()
    status, answer = ask(desk, method, path, query, body)
    said = json.loads(answer)
    assert status in (200, 400, 401, 403, 404, 405)
    assert said["status"] == ("success" if status == 200 else "error")
    if status != 200:
        assert list(said) == ["data", "error_code", "message", "status"]
        assert desk.state_hash() == before
