"""What the client writes to a log, and how its results print: short, with ids, without secrets."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from kavach.sdk import AsyncPocket, Feed, OutcomeUnknown, Pocket, TransportError
from tests.twin_server import TOKEN, TwinServer, running
from tests.unit.sdk.stage import Answer, Stage

PASSWORD = "a-long-password"
PIN = "271828"
COVER: dict[str, Any] = {
    "instrument": "NSE:IDEA-EQ", "side": "BUY", "quantity": 10,
    "price": "13.05", "stop_loss": "12.5",
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[TwinServer]:
    """A server on which a stranger quotes IDEA, and DEMO1 can log in."""
    given = ("--demo-password", PASSWORD, "--demo-pin", PIN)
    with running("--data-dir", ":memory:", *given) as started:
        started.room(
            "POST", "market/quote", exchange="NSE", instrument_token=14366,
            bid=12.95, bid_quantity=500, ask=13.05, ask_quantity=400,
        )  # fmt: skip
        yield started


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the client has logged."""
    return [record for record in caplog.records if record.name == "kavach.sdk"]


def test_a_change_is_told_with_its_ids(
    server: TwinServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A placement is a line with the ids that its order and the server's answer have."""
    caplog.set_level(logging.INFO)
    with Pocket(access_token=TOKEN, base_url=server.url) as pocket:
        order = pocket.place_cover_order(**COVER)
    [record] = lines(caplog)
    told = record.getMessage()
    assert told.startswith("POST /api/v1/orders/kart: 200 in ")
    assert vars(record)["user_order_id"] == order.user_order_id
    for name in ("request_id", "client_id", "user_order_id", "idempotency_key"):
        assert f"{name}={vars(record)[name]}" in told


def test_reads_are_told_when_asked_for(
    server: TwinServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At debug each read is a line, by either client."""
    caplog.set_level(logging.DEBUG, "kavach.sdk")

    async def ask() -> None:
        async with AsyncPocket("DEMO1", TOKEN, base_url=server.url) as pocket:
            await pocket.orders("pending")

    with Pocket("DEMO1", TOKEN, base_url=server.url) as pocket:
        pocket.orders("pending")
    asyncio.run(ask())
    assert [record.getMessage().partition(" in ")[0] for record in lines(caplog)] == [
        "GET /api/v1/orders: 200"
    ] * 2


def test_a_lost_answer_is_a_warning(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A change without a known outcome is a warning, a read without an answer is not."""
    caplog.set_level(logging.INFO)
    with Pocket("AB001", "a-token", base_url=stage.url, confirm_seconds=0) as pocket:
        stage.answers(Answer(dropped=True))
        with pytest.raises(OutcomeUnknown):
            pocket.place_cover_order(**COVER | {"instrument": "NSE:14366"})
        stage.answers_reads(Answer(dropped=True))
        with pytest.raises(TransportError):
            pocket.funds()
    told = {(record.levelname, record.getMessage().split(":")[0]) for record in lines(caplog)}
    assert ("WARNING", "POST /api/v1/orders/kart") in told
    assert ("INFO", "GET /api/v2/funds/view") in told


def test_no_secret_is_in_any_log(server: TwinServer, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at debug, the libraries' own included, no token or password is told."""
    caplog.set_level(logging.DEBUG)
    with Pocket(base_url=server.url, client_id="DEMO1", access_token=TOKEN) as pocket:
        order = pocket.place_cover_order(**COVER)
        token = pocket.login(password=PASSWORD, pin=PIN)
        pocket.exit_cover_order(order)
        with Feed("DEMO1", token, base_url=server.url) as feed:
            feed.subscribe_account()
            feed.receive(10)
        pocket.logout()
    told = caplog.text
    assert "user_order_id=" in told and "the feed is connected" in told
    for secret in (TOKEN, token, PASSWORD, PIN):
        assert secret not in told


def test_nothing_is_printed_without_a_log(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that sets up no logging sees no line, whatever is lost."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with Pocket("AB001", "a-token", base_url=stage.url, confirm_seconds=0) as pocket:
        stage.answers(Answer(dropped=True))
        with pytest.raises(OutcomeUnknown):
            pocket.place_cover_order(**COVER | {"instrument": "NSE:14366"})
    assert capsys.readouterr() == ("", "")


def test_results_print_in_a_line(server: TwinServer) -> None:
    """An order, its rows, trades, positions and contracts print what matters of them."""
    with Pocket("DEMO1", TOKEN, base_url=server.url) as pocket:
        order = pocket.place_cover_order(**COVER)
        assert order.stop is not None
        assert repr(order.entry) == (
            f"<Order {order.oms_order_id} ENTRY BUY 10/10 NSE:IDEA-EQ LIMIT at 13.05 MIS COMPLETE>"
        )
        assert repr(order) == (
            f"<CoverOrder {order.oms_order_id} ENTRY BUY 10/10 NSE:IDEA-EQ LIMIT at 13.05 MIS"
            f" COMPLETE; {order.stop.oms_order_id} THIRD SELL 0/10 NSE:IDEA-EQ SLM trigger 12.5 MIS"
            " TRIGGER_PENDING; 10 held>"
        )
        gone = pocket.exit_cover_order(order)
        assert repr(gone).startswith("CancelResult(outcome=<CancelOutcome.EXITED")
        assert repr(gone.order).endswith("; over>")
        assert repr(pocket.contract("NSE:IDEA-EQ")) == (
            "<Contract NSE:IDEA-EQ 14366 Vodafone Idea Limited>"
        )
        assert repr(pocket.trades()[0]).endswith("BUY 10 NSE:IDEA-EQ at 13.05>")
        [position] = [row for row in pocket.positions() if row.instrument_token == 14366]
        assert repr(position).startswith("<Position NSE:IDEA-EQ MIS net ")
        found = pocket.scrip_info("NSE:IDEA-EQ")
        assert not found.is_index and "is_index" not in repr(found)  # As most are.
        for one in (order, gone.order, position, pocket.funds()):
            assert len(repr(one)) < 400, one
