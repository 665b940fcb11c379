"""Every request of the client says whose it is, where the server has to know."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest

from kavach.sdk import Pocket, RequestRefused
from tests.twin_server import TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import Seen
from tests.unit.sdk.faulty_cases import CASES
from tests.unit.sdk.test_table_of_faults import Worker

# About instruments, about a token, or about a basket that its own id names.
NOBODYS: Final = (
    ("GET", "/api/v1/contract/"),
    ("GET", "/api/v1/marketdata/"),
    ("GET", "/api/v1/optionchain/"),
    ("GET", "/api/v1/search"),
    ("GET", "/api/v1/user/trading_info"),
    ("POST", "/oauth2/token"),
    ("PUT", "/api/v1/basket"),
    ("DELETE", "/api/v1/basket"),
)
NAMES: Final = ("client_id", "login_id", "channel_id")
NESTED: Final = ("order", "order_info")


@pytest.fixture
def worker(twin: TwinServer) -> Iterator[Worker]:
    """Return a client with an instrument of its own, and a faithful proxy before the server."""
    made = Worker(twin, 0)
    yield made
    made.close()


def owners(seen: Seen) -> list[str]:
    """Return whom a request names, in its query, its body or its path."""
    fields: list[dict[str, Any]] = [dict(seen.query)]
    if seen.headers.get("content-type") == "application/json":
        body = seen.json
        fields += [body, *(body[key] for key in NESTED if isinstance(body.get(key), dict))]
    named = [one[name] for one in fields for name in NAMES if name in one]
    return named + [piece for piece in seen.path.split("/") if piece.startswith("TABLE")]


def test_g2_each_request_says_whose_it_is(worker: Worker) -> None:
    """Each request of each method names the client; of those that do not, the list is complete."""
    wrong, open_ones, asked = [], set(), 0
    told: dict[str, Any] = {"base_url": worker.proxy.url, "timeout_seconds": 10}
    for method in sorted(CASES):
        call, _ = CASES[method](worker.world)
        worker.proxy.mend()
        made = Pocket(worker.world.client_id, worker.world.access_token, **told)
        with made as pocket, suppress(RequestRefused):  # What matters is what was sent.
            call(pocket)
        assert worker.proxy.seen, f"{method} asks for nothing"
        asked += len(worker.proxy.seen)
        for seen in worker.proxy.seen:
            rule = next(
                (one for one in NOBODYS if one[0] == seen.method and seen.path.startswith(one[1])),
                None,
            )
            named = owners(seen)
            if any(owner != worker.world.client_id for owner in named):
                wrong.append(f"{method}: {seen.method} {seen.path} names {named}")
            elif not named and rule is None:
                wrong.append(f"{method}: {seen.method} {seen.path} names no client")
            elif not named and rule is not None:
                open_ones.add(rule)
    assert not wrong, "\n".join(wrong)
    assert open_ones == set(NOBODYS), "a rule without a request is a hole in the table"
    assert asked > len(CASES)
