"""From where the control room may be asked: this machine, unless the operator says more."""

import httpx
import pytest

from tests.twin_server import OPERATOR_TOKEN, TwinServer, running

EVERYWHERE = ("--data-dir", ":memory:", "--host", "0.0.0.0")


def statuses(server: TwinServer, **headers: str) -> tuple[int, int]:
    """Return what the trading API and the control room answer."""
    room = server.operator.get("clock", headers=headers)
    return server.http.get("/api/v1/trades").status_code, room.status_code


def test_beyond_the_loopback_the_room_is_closed() -> None:
    """Clients trade, the room answers nobody, right token or not, and both logs say why."""
    with running(*EVERYWHERE) as server:
        assert statuses(server) == (200, 403)
        said = server.operator.get("clock").json()["error"]
        assert said.startswith("control room: is closed") and "--insecure" in said
        stranger = httpx.get(f"{server.url}/twin/v1/clock", trust_env=False)
        assert stranger.status_code == 403
        assert server.said().count("--insecure") == 1
        assert OPERATOR_TOKEN not in server.said()


def test_an_operator_may_open_it() -> None:
    """With --insecure the room is open as on the loopback, and no warning is given."""
    with running(*EVERYWHERE, "--insecure") as server:
        assert statuses(server) == (200, 200)
        assert "--insecure" not in server.said()


@pytest.mark.parametrize(("value", "status"), [("https", 200), ("HTTPS", 200), ("http", 403)])
def test_a_proxy_may_vouch_for_tls(value: str, status: int) -> None:
    """With --proxy-header only what came to the proxy by TLS is answered."""
    with running(*EVERYWHERE, "--proxy-header", "X-Forwarded-Proto") as server:
        assert statuses(server) == (200, 403)
        assert statuses(server, **{"X-Forwarded-Proto": value}) == (200, status)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_on_the_loopback_it_is_open(host: str) -> None:
    """On addresses that no other machine reaches nothing needs to be said."""
    with running("--data-dir", ":memory:", "--host", host) as server:
        assert statuses(server) == (200, 200)
