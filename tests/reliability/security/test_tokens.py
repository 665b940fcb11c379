"""Where tokens are, and where they are not: at rest, in logs, in errors, after renewal."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.reliability.hostile.raw import KART, Raw, request
from tests.twin_server import TwinServer, run, running

# Tokens that can't occur by chance, as the command line takes them.
OLD = "0ld-t0ken-that-was-l0st"
NEW = "new-t0ken-that-is-kept"
OPERATOR = "0perat0r-t0ken-0f-the-r00m"
PASSWORD = "passw0rd-0f-the-sec0nd"
SECRETS = (OLD, NEW, OPERATOR, PASSWORD)


def every_byte(directory: Path) -> bytes:
    """Return the content of all files of a directory."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    assert files, "there is nothing to look at"
    return b"\n".join(path.read_bytes() for path in files)


def live(server: TwinServer, token: str) -> str:
    """Send tokens every way there is, right and wrong ones, and return another client's token."""
    opened = server.room(
        "POST", "clients", client_id="DEMO2", cash=1_000, password=PASSWORD, pin="1234"
    )
    for line in (
        f"Authorization: Bearer {token}",
        f"x-auth-token: {token}",
        f"Authorization: Bearer {token}, {OPERATOR}",
        f"Authorization: Bearer {OPERATOR}",
        f"Idempotency-Key: {token}\r\nAuthorization: Bearer {token}x",
    ):
        for path in (KART, f"/nowhere/{token}", f"/api/v1/orders?type={token}", "/twin/v1/clock"):
            with Raw(server.url) as raw:
                raw.send(request("POST", path, token.encode(), token=f"{line}\r\n".encode()))
                raw.answer()
    with Raw(server.url) as raw:  # And as junk.
        raw.send(token.encode() + b"\r\n\r\n").everything()
    return str(opened["access_token"])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two runs on one journal, the second with another token, and everything they left behind."""
    data = tmp_path_factory.mktemp("story") / "data"
    told: dict[str, str] = {"data": str(data), "errors": "", "output": ""}
    for token in (OLD, NEW):
        options = ("--demo-token", token, "--operator-token", OPERATOR, "--data-dir", data)
        with running(*options) as server:
            if token == OLD:
                told["other"] = live(server, token)
            else:
                told["old"] = str(_knock(server, OLD))
                told["new"] = str(_knock(server, NEW))
                told["kept"] = str(_knock(server, told["other"]))
            code, output, errors = server.stop()
            assert code == 0
            told["output"] += output
            told["errors"] += errors
    return told


def _knock(server: TwinServer, token: str) -> int:
    with Raw(server.url) as raw:
        line = f"Authorization: Bearer {token}\r\n".encode()
        return raw.send(request("GET", "/api/v1/trades", token=line)).answer().status


def test_a_renewed_token_opens_and_the_old_one_does_not(story: dict[str, str]) -> None:
    """After renewal the old token is a stranger's; another client's is as good as before."""
    assert (story["old"], story["new"], story["kept"]) == ("401", "200", "200")


def test_tokens_are_hashed_at_rest(story: dict[str, str]) -> None:
    """No byte of the data directory is part of a token or password; the digests are there."""
    stored = every_byte(Path(story["data"]))
    for secret in (*SECRETS, story["other"]):
        assert secret.encode() not in stored
    for token in (OLD, NEW, story["other"]):
        assert sha256(token.encode()).hexdigest().encode() in stored
    assert sha256(OPERATOR.encode()).hexdigest().encode() not in stored
    assert sha256(PASSWORD.encode()).hexdigest().encode() not in stored  # It is salted and slow.


def test_tokens_are_absent_from_the_log(story: dict[str, str]) -> None:
    """Standard error, where the log goes, holds no token, whatever was sent."""
    for secret in (*SECRETS, story["other"]):
        assert secret not in story["errors"]


def test_tokens_are_told_once_where_they_are_made(story: dict[str, str]) -> None:
    """Standard output names the two tokens of a run, for the person who starts it, and no other."""
    assert story["other"] not in story["output"]
    assert PASSWORD not in story["output"]
    told = [line for line in story["output"].splitlines() if OLD in line or OPERATOR in line]
    places = ("Pocket(", "KAVACH_TOKEN=", "operator token ")
    assert told and all(any(place in line for place in places) for line in told)


def test_the_journal_prints_no_token(story: dict[str, str]) -> None:
    """What people read of a journal holds no token."""
    for command in ("journal", "verify"):
        shown = run(command, story["data"])
        assert shown.returncode == 0, shown.stderr
        for secret in (*SECRETS, story["other"]):
            assert secret not in shown.stdout + shown.stderr


def test_no_answer_repeats_a_token(tmp_path: Path) -> None:
    """Neither headers nor bodies of any answer hold a token that was sent, right or wrong."""
    with running("--data-dir", ":memory:", "--demo-token", OLD, directory=tmp_path) as server:
        for line in (f"Authorization: Bearer {OLD}", f"Authorization: Bearer {NEW}", f"{NEW}: x"):
            for method, path in (("POST", KART), ("GET", "/api/v1/trades"), ("GET", "/twin/v1/x")):
                with Raw(server.url) as raw:
                    raw.send(request(method, path, b"{}", token=f"{line}\r\n".encode()))
                    answer = raw.answer()
                said = repr((answer.headers, answer.body))
                assert OLD not in said and NEW not in said


def test_the_ready_file_is_for_its_owner(tmp_path: Path) -> None:
    """The file that holds the tokens for scripts can be read by its owner only."""
    with running("--data-dir", ":memory:", directory=tmp_path):
        assert (tmp_path / "ready.json").stat().st_mode & 0o777 == 0o600
