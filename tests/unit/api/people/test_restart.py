"""Sessions, their ends, and the single use of codes outlive a kill."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.twin_server import TwinServer, run, running
from tests.unit.api.people.stage import AUTH, BACK, Page, asked

PASSWORD = "a passw0rd to be found"
PIN = "80808080"
SECRET = "the-secret-0f-the-app"
OPTIONS = (
    *("--demo-password", PASSWORD, "--demo-pin", PIN),
    *("--demo-app-redirect", BACK, "--demo-app-secret", SECRET),
)


def browser(server: TwinServer) -> httpx.Client:
    """Return a browser that has never been here."""
    return httpx.Client(base_url=server.url, trust_env=False, timeout=30)


def code(server: TwinServer) -> str:
    """Return a code for DEMO1, got by the page."""
    with browser(server) as http:
        page = Page(http.get(AUTH, params=asked(client_id="DEMOAPP")))
        page = page.submit(http, login_id="DEMO1", password=PASSWORD)
        return page.submit(http, answer=PIN).sent_back()["code"]


def exchange(server: TwinServer, shown: str) -> httpx.Response:
    """Return the answer to a code."""
    fields = {"grant_type": "authorization_code", "code": shown, "redirect_uri": BACK}
    with browser(server) as http:
        return http.post("/oauth2/token", data=fields, auth=("DEMOAPP", SECRET))


def token(server: TwinServer) -> str:
    """Return an access token for DEMO1, got by the web login."""
    with browser(server) as http:
        fields = {"login_id": "DEMO1", "password": PASSWORD}
        first = http.post("/api/v3/user/login", json=fields).json()["data"]["twofa"]
        fields = {"login_id": "DEMO1", "twofa_token": first["twofa_token"]}
        answer = http.post("/api/v3/user/twofa", json=fields | {"twofa": [{"answer": PIN}]})
        return str(answer.json()["data"]["auth_token"])


def opens(server: TwinServer, shown: str) -> bool:
    """Return whether a token opens DEMO1."""
    with browser(server) as http:
        headers = {"x-authorization-token": shown}
        return http.get("/api/v1/user/profile", headers=headers).status_code == 200


def log_out(server: TwinServer, shown: str) -> int:
    """Return the status of a logout."""
    with browser(server) as http:
        headers = {"x-authorization-token": shown}
        return http.post("/api/v3/user/logout", headers=headers).status_code


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_true_of_sessions_is_true_after_a_restart(
    signal_number: int, tmp_path: Path
) -> None:
    """A token opens, an ended one doesn't, a used code stays used and still ends what it gave."""
    data = tmp_path / "data"
    with running(*OPTIONS, "--data-dir", data) as server:
        kept, ended = token(server), token(server)
        used, unused = code(server), code(server)
        given = exchange(server, used).json()["access_token"]
        assert log_out(server, ended) == 200
        before = server.audit()["state_hash"]
        server.stop(signal_number)
    with running(*OPTIONS, "--data-dir", data) as server:
        assert server.audit()["state_hash"] == before  # The same password is no new one.
        assert [opens(server, one) for one in (kept, ended, given)] == [True, False, True]
        assert exchange(server, used).json()["error"] == "invalid_grant"
        assert not opens(server, given)
        fresh = exchange(server, unused).json()["access_token"]
        assert opens(server, fresh)
        assert exchange(server, unused).status_code == 400
        assert [opens(server, one) for one in (kept, fresh)] == [True, False]
        server.stop(signal_number)
    checked = run("verify", data)
    assert checked.returncode == 0, checked.stderr
    for secret in (PASSWORD, PIN, SECRET, kept, ended, given, used, unused, fresh):
        stored = b"".join(path.read_bytes() for path in data.iterdir() if path.is_file())
        assert secret.encode() not in stored
        assert secret not in checked.stdout


def test_a_new_password_ends_what_the_old_one_gave(tmp_path: Path) -> None:
    """After a start with another password the old one and its sessions open nothing."""
    data = tmp_path / "data"
    with running(*OPTIONS, "--data-dir", data) as server:
        old = token(server)
        server.stop()
    with running("--demo-password", "another", "--data-dir", data) as server:
        assert not opens(server, old)
        with browser(server) as http:
            for password, status in ((PASSWORD, 401), ("another", 200)):
                fields = {"login_id": "DEMO1", "password": password}
                assert http.post("/api/v3/user/login", json=fields).status_code == status
        server.stop()
    # Not given: as it was.
    with running("--data-dir", data) as server, browser(server) as http:
        fields = {"login_id": "DEMO1", "password": "another"}
        assert http.post("/api/v3/user/login", json=fields).status_code == 200


def test_midnight_by_the_twins_clock(tmp_path: Path) -> None:
    """A day ahead a login's token is dead and DEMO1's is not; a reset forgets logins, not DEMO1."""
    with running(*OPTIONS, "--data-dir", tmp_path / "data") as server:
        old = token(server)
        server.room("POST", "clock", action="pause")
        server.room("POST", "clock", action="advance", seconds=86_400)
        assert not opens(server, old)
        assert opens(server, server.access_token)
        new = token(server)
        assert opens(server, new)
        server.room("POST", "reset")
        assert not opens(server, new)
        assert opens(server, server.access_token)
        assert opens(server, token(server))
        assert exchange(server, code(server)).status_code == 200


def test_what_people_read_of_a_journal_has_no_secret(tmp_path: Path) -> None:
    """A TOTP secret has to be kept, but is not printed; nor is anything else that opens a door."""
    data, totp_secret = tmp_path / "data", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    with running(*OPTIONS, "--data-dir", data) as server:
        given = {"password": "open barley", "pin": "55667788", "totp_secret": totp_secret}
        server.room("POST", "clients", client_id="TEST-7", cash=1, **given)
        server.room("POST", "credentials", client_id="TEST-7", **given)
        shown = code(server)
        opened = exchange(server, shown).json()["access_token"]
        server.stop()
    for options in ((), ("--json",)):
        printed = run("journal", data, *options)
        assert printed.returncode == 0, printed.stderr
        for event in ("CredentialsSet", "ClientOpened", "AppRegistered", "CodeRedeemed"):
            assert event in printed.stdout
        for secret in (*given.values(), PASSWORD, PIN, SECRET, shown, opened):
            assert secret not in printed.stdout


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_a_token_that_has_ended_stays_so_after_a_restart(
    signal_number: int, tmp_path: Path
) -> None:
    """The clock was set behind a token's midnight: no restart makes it earlier again."""
    data = tmp_path / "data"
    with running(*OPTIONS, "--market", "quiet", "--data-dir", data) as server:
        old = token(server)
        server.room("POST", "clock", action="advance", seconds=86_400)
        assert not opens(server, old)
        server.stop(signal_number)
    with running(*OPTIONS, "--market", "quiet", "--data-dir", data) as server:
        assert not opens(server, old)
