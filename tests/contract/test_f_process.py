"""F9 and F10: a restart keeps the tokens, and a twin at rest writes nothing."""

import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import pytest

from kavach.data import load_instruments
from kavach.engine.record import decode_record
from kavach.journal.sqlite import SqliteJournal
from kavach.market.synthetic import SyntheticMarket
from kavach.units import Pips, Quantity
from tests.twin_server import OPERATOR_TOKEN, TOKEN, TwinServer, ask, running
from tests.unit.market.stage import IDEA, Street

KEPT_WITHIN_SECONDS: Final = 2.5
MADE_UP: Final = ("--demo-token", "", "--operator-token", "")


def tokens_of(directory: Path, *options: str) -> tuple[str, str]:
    """Return both tokens that a start with these options tells of, tried out."""
    with running(*options, "--data-dir", directory / "data", directory=directory) as server:
        ready = msgspec.json.decode((directory / "ready.json").read_bytes())
        assert server.http.get("/api/v1/trades").status_code == 200
        assert server.operator.get("audit").status_code == 200
        return ready["access_token"], ready["operator_token"]


def test_f9_tokens_that_were_made_up_stay(tmp_path: Path) -> None:
    """A start without tokens makes them once; every later one tells the same, and they work."""
    first = tokens_of(tmp_path, *MADE_UP)
    assert tokens_of(tmp_path, *MADE_UP) == first
    assert all(first)


def test_f9_a_token_that_was_given_stays_until_another_is(tmp_path: Path) -> None:
    """What ``--demo-token`` said opens after starts that say nothing; what those tell opens too."""
    given = ("--demo-token", TOKEN, "--operator-token", OPERATOR_TOKEN)
    assert tokens_of(tmp_path, *given) == (TOKEN, OPERATOR_TOKEN)
    told = tokens_of(tmp_path, *MADE_UP)
    assert told == tokens_of(tmp_path, *MADE_UP)
    assert TOKEN not in told and OPERATOR_TOKEN not in told
    options = ("--data-dir", tmp_path / "data")
    with running(*MADE_UP, *options) as server:
        for _ in range(2):
            assert opens(server, TOKEN)
            assert opens(server, told[0])
            server.room("POST", "reset")
    with running("--demo-token", "another", "--operator-token", "", *options) as server:
        assert opens(server, "another")
        assert not opens(server, TOKEN)
        assert server.operator_token == told[1]


def opens(server: TwinServer, token: str) -> bool:
    """Return whether a token opens an account."""
    bearer = {"Authorization": f"Bearer {token}"}
    return server.http.get("/api/v1/trades", headers=bearer).status_code == 200


def synthetic(street: Street) -> None:
    """Make a market in every bundled instrument."""
    bundled = load_instruments()
    street.engine.add_source(SyntheticMarket(street.engine, street.venue, bundled, 1, street.clock))


def test_f10_a_market_that_nobody_trades_in_writes_nothing() -> None:
    """Ten minutes of prices that no rule looks at leave no record."""
    street = Street()
    synthetic(street)
    street.pass_time(10)
    before = street.engine.sequence
    street.pass_time(600)
    assert street.engine.sequence == before
    assert street.venue.quote(IDEA).volume > 0


def test_f10_a_price_is_on_record_when_a_rule_looked_at_it() -> None:
    """A record about an instrument holds where its price stood; of others it holds nothing."""
    street = Street()
    synthetic(street)
    street.pass_time(60)
    street.place(quantity=Quantity(10), price_pips=Pips(110_000), stop_price_pips=Pips(105_000))
    again = street.again()
    assert again.state_hash() == street.engine.state_hash()
    assert again.quotes is not None
    assert street.venue.quote(IDEA).volume == again.quotes.quote(IDEA).volume > 0
    assert again.core.prices[IDEA] == street.engine.core.prices[IDEA]
    told = [decode_record(body) for _, body in street.journal.records()]
    seen = [event for one in told for event in one.venue if hasattr(event, "volume")]
    priced = {getattr(event, "instrument", None) for event in seen}
    assert priced == {IDEA}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_f10_the_market_goes_on_where_it_was_seen_last(tmp_path: Path, ending: int) -> None:
    """Neither a stop nor a kill takes prices back: what was shown a second before it is shown."""
    directory = tmp_path / "data"
    with running("--market", "synthetic", "--data-dir", directory) as server:
        server.room("POST", "clock", action="advance", seconds=60)
        server.room("POST", "clock", action="pause")
        shown = prices(server)
        time.sleep(KEPT_WITHIN_SECONDS)
        server.stop(ending)
    with closing(SqliteJournal(directory, read_only=True)) as journal:
        assert journal.durable_sequence < 20
    with running("--market", "quiet", "--data-dir", directory) as server:
        assert prices(server) == shown
    assert ask("verify", directory).exit_code == 0


def prices(server: TwinServer) -> list[float]:
    """Return what five instruments traded at last."""
    tokens = (14366, 11915, 10666, 3045, 1333)
    return [server.room("GET", f"market/NSE/{token}")["last_price"] for token in tokens]
