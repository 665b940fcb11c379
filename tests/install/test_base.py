"""``pip install kavach-oms`` is the client and nothing more: light, and complete by itself."""

import subprocess
import sys
from importlib.metadata import Distribution

import pytest

from tests.install.client_environment import Environment, build_wheel, make_environment, required
from tests.twin_server import TwinServer, twin

__all__ = ["twin"]

WEIGHT_MAX = 25_000_000  # Bytes, all that it requires included.

STORY = """
from kavach.sdk import Feed, Pocket

with Feed() as feed, Pocket() as pocket:
    feed.subscribe_account()
    print(type(feed.receive(10)).__name__)
    order = pocket.place_cover_order(
        exchange="NSE", instrument_token=14366, side="BUY",
        quantity=1, price="12.90", stop_loss="12.50",
    )
    print(pocket.cancel_cover_order(order).outcome.name)
"""

LOADED = """
import sys
import kavach.sdk
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

SERVER = {
    "apsw", "argon2", "authlib", "click", "cryptography", "httptools", "prometheus_client", "pyotp",
    "rapidfuzz", "rich", "starlette", "uvicorn", "uvloop",
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel's base."""
    place = tmp_path_factory.mktemp("base")
    return make_environment(place / "venv", build_wheel(place))


def test_the_base_is_light(base: Environment) -> None:
    """The client weighs 25 MB at most, with all that it requires."""
    assert 1_000_000 < base.weight <= WEIGHT_MAX


def test_the_client_loads_nothing_of_the_server(base: Environment) -> None:
    """The client can be imported where the server is not, and loads none of its packages here."""
    alone = base.run("-c", LOADED)
    assert alone.returncode == 0, alone.stderr
    beside = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    for loaded in (alone.stdout.split(), beside.stdout.split()):
        assert {"httpx2", "kavach"} <= set(loaded)
        # httpx loads these two itself, where they are, for a command of its own.
        assert SERVER & set(loaded) <= {"click", "rich"}


def test_the_client_works_with_nothing_beside_it(base: Environment, twin: TwinServer) -> None:
    """It follows its account, places a cover order and cancels it, with KAVACH_* for arguments."""
    told = base.run(
        "-c",
        STORY,
        KAVACH_URL=twin.url,
        KAVACH_TOKEN=twin.access_token,
        KAVACH_CLIENT_ID=twin.client_id,
    )
    assert told.stdout.splitlines() == ["Snapshot", "CANCELLED"], told.stderr


def test_the_command_says_what_to_install(base: Environment) -> None:
    """Without the server's packages the command is one sentence with the remedy, exit code 2."""
    told = base.run("-m", "kavach", "serve")
    assert (told.returncode, told.stdout) == (2, "")
    [sentence] = told.stderr.splitlines()
    assert sentence.startswith("kavach: ") and 'pip install "kavach-oms[server]"' in sentence


def test_the_extras_are_of_the_server(base: Environment) -> None:
    """The wheel names an extra for the server, and requires each of its packages only with it."""
    [metadata] = base.packages.glob("kavach_oms-*.dist-info")
    kavach = Distribution.at(metadata)
    assert {"server", "testing"} <= set(kavach.metadata.get_all("Provides-Extra") or [])
    assert required(kavach) & {"click", "apsw", "starlette", "uvicorn"} == set()
    [script] = kavach.entry_points.select(group="console_scripts")
    assert (script.name, script.value) == ("kavach", "kavach.__main__:main")
