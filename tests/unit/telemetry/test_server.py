"""A real server as seen from outside: figures that agree with what was done, and its health."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.reliability.crash.test_disk_trouble import broken_disk
from tests.twin_server import OPERATOR_TOKEN, TOKEN, TwinServer, running
from tests.unit.telemetry.reading import Figures

KART = "/api/v1/orders/kart"
PENDING = "/api/v1/orders?type=pending&client_id=DEMO1"
WORKERS = 8
ORDERS_A_WORKER = 40
MEND_SECONDS_MAX = 30


def order(number: int, **changes: Any) -> dict[str, Any]:
    """Return a cover order that rests in the book."""
    return {
        "exchange": "NSE",
        "instrument_token": 14366,
        "client_id": "DEMO1",
        "order_type": "LIMIT",
        "price": 12.9,
        "quantity": 10,
        "validity": "DAY",
        "product": "MIS",
        "order_side": "BUY",
        "user_order_id": number,
        "execution_type": "CO",
        "stop_loss_value": 12.5,
        **changes,
    }


def scrape(server: TwinServer) -> Figures:
    """Return the figures, asked for without any token."""
    answer = httpx.get(f"{server.url}/metrics", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Figures(answer.text)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TwinServer]:
    """A server with a journal on disk that nothing has happened to."""
    with running("--data-dir", tmp_path / "data") as running_server:
        yield running_server


def test_figures_agree_with_what_was_done(server: TwinServer) -> None:
    """Orders placed, refused, filled and exited are in the figures, each once."""
    for number in range(1, 6):
        assert server.http.post(KART, json=order(number)).status_code == 200
    refused = server.http.post(KART, json=order(6, stop_loss_value=12.95))
    assert refused.status_code == 400
    sell = {"exchange": "NSE", "instrument_token": 14366, "side": "SELL", "price": 12.9}
    assert server.room("POST", "market/order", **sell, quantity=10)["filled"] == 10
    server.room(
        "POST", "market/trade", exchange="NSE", instrument_token=14366, price=12.7, quantity=1
    )
    seen = scrape(server)
    assert seen.get("kavach_cover_orders", state="ENTRY_OPEN") == 4
    assert seen.get("kavach_cover_orders", state="COVERED") == 1
    place = {"command": "PlaceCoverOrder"}
    assert seen.get("kavach_commands_total", **place, outcome="accepted") == 5
    rejected = {**place, "outcome": "stop_must_be_on_losing_side"}
    assert seen.get("kavach_commands_total", **rejected) == 1
    posted = {"method": "POST", "route": KART}
    assert seen.get("kavach_http_requests_total", **posted, status="200") == 5
    assert seen.get("kavach_http_requests_total", **posted, status="400") == 1
    assert seen.get("kavach_http_request_seconds_count", **posted) == 6
    assert seen["kavach_naked_orders"] == seen["kavach_naked_seconds_count"] == 0
    assert seen.get("kavach_venue_round_trip_seconds_count", request="new") == 6
    assert seen["kavach_journal_batch_records_count"] > 0
    assert seen["kavach_journal_batch_records_sum"] >= 7
    assert (
        0
        < seen["kavach_journal_commit_seconds_count"]
        <= seen["kavach_journal_batch_records_count"]
    )
    assert seen["kavach_journal_queue_records"] == 0
    assert seen["process_resident_memory_bytes"] > 0


def test_a_repeated_key_is_an_outcome_of_its_own(server: TwinServer) -> None:
    """A request that is answered from memory counts as replayed, and places nothing."""
    key = {"Idempotency-Key": "once"}
    for _ in range(3):
        assert server.http.post(KART, json=order(1), headers=key).status_code == 200
    seen = scrape(server)
    place = {"command": "PlaceCoverOrder"}
    assert seen.get("kavach_commands_total", **place, outcome="accepted") == 1
    assert seen.get("kavach_commands_total", **place, outcome="replayed") == 2
    assert seen.total("kavach_cover_orders") == 1


def test_an_audit_leaves_its_result(server: TwinServer) -> None:
    """The number of audits is told with what the last one found."""
    assert scrape(server)["kavach_audits_total"] == 0
    assert server.audit()["violations"] == []
    seen = scrape(server)
    assert (seen["kavach_audits_total"], seen["kavach_invariant_violations"]) == (1, 0)


def test_requests_are_counted_by_pattern(server: TwinServer) -> None:
    """Ids and unknown paths never become labels, and each status of a route counts for itself."""
    for number in range(3):
        server.http.get(f"/api/v1/order/20261122000{number}/history?client_id=DEMO1")
        assert server.http.get(f"/nowhere/{number}").status_code == 404
        server.http.request("DELETE", f"{KART}/4711{number}", json={})
    assert server.http.request("PATCH", "/api/v1/orders").status_code == 405
    seen = scrape(server)
    name = "kavach_http_requests_total"
    assert seen.get(name, method="other", route="other", status="404") == 3
    assert seen.get(name, method="other", route="other", status="405") == 1
    history = "/api/v1/order/{oms_order_id}/history"
    assert seen.get("kavach_http_request_seconds_count", method="GET", route=history) == 3
    cancel = f"{KART}/{{oms_order_id}}"
    assert seen.get("kavach_http_request_seconds_count", method="DELETE", route=cancel) == 3


def test_figures_name_nobody(server: TwinServer) -> None:
    """No token, client or order id is in any label, whatever was asked."""
    placed = server.http.post(KART, json=order(4711), headers={"Idempotency-Key": "my-own-key"})
    assert placed.status_code == 200
    server.http.get(f"/api/v1/{TOKEN}?client_id=DEMO1")
    server.room("POST", "clients", client_id="CAROL", cash=1, password="secret", pin="1234")
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    basket_id = placed.json()["data"]["data"]["basket_id"]
    for secret in (TOKEN, OPERATOR_TOKEN, "DEMO1", "CAROL", "secret", "my-own-key", basket_id):
        assert secret not in text, secret


def test_it_is_alive_and_ready(server: TwinServer) -> None:
    """Both are 200 without a token, and nothing of them may be kept by a cache."""
    for path in ("/healthz", "/readyz"):
        answer = httpx.get(f"{server.url}{path}", trust_env=False)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
    everything = {"ready": True, "engine": "running", "journal": "up", "venue": "up"}
    assert server.http.get("/readyz").json() == everything
    assert server.http.get("/healthz").json() == {"alive": True}


def test_a_lost_link_is_not_ready_and_still_alive(server: TwinServer) -> None:
    """With the venue cut off, readiness says which part is not well; with it back all is."""
    server.room("POST", "venue/link", up=False)
    answer = server.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "engine": "running", "journal": "up", "venue": "down"}
    assert server.http.get("/healthz").status_code == 200
    assert scrape(server)["kavach_venue_up"] == 0
    server.room("POST", "venue/link", up=True)
    assert server.http.get("/readyz").status_code == 200


def test_a_failed_disk_is_not_ready_until_it_works_again(server: TwinServer) -> None:
    """Meanwhile the server is alive, shows what is durable, and says in the log how it went."""
    assert server.http.post(KART, json=order(1)).status_code == 200
    with broken_disk(server):
        assert server.http.post(KART, json=order(2)).status_code == 503
        answer = server.http.get("/readyz")
        assert (answer.status_code, answer.json()["journal"]) == (503, "failed")
        assert server.http.get("/healthz").status_code == 200
        failed = scrape(server)
        assert failed["kavach_journal_up"] == 0
        assert failed.get("kavach_cover_orders", state="ENTRY_OPEN") == 1
    end = time.monotonic() + MEND_SECONDS_MAX
    while server.http.get("/readyz").status_code != 200:
        assert time.monotonic() < end, "the disk works, and the server is not ready"
        time.sleep(0.05)
    assert server.http.post(KART, json=order(3)).status_code == 200
    mended = scrape(server)
    assert mended["kavach_journal_up"] == 1
    living = mended.get("kavach_cover_orders", state="ENTRY_OPEN")
    assert living in (2, 3), "the one that met the failure may be kept or not"
    posted = {"method": "POST", "route": KART}
    assert mended.get("kavach_http_requests_total", **posted, status="503") == 1
    assert [line.split()[2] for line in server.said().splitlines()][-1] == "repair"


def test_a_reset_is_watched_too(server: TwinServer) -> None:
    """After a reset the gauges speak of the new world and count what happens there."""
    assert server.http.post(KART, json=order(1)).status_code == 200
    server.room("POST", "reset")
    assert scrape(server).total("kavach_cover_orders") == 0
    assert server.http.post(KART, json=order(1)).status_code == 200
    assert scrape(server).get("kavach_cover_orders", state="ENTRY_OPEN") == 1


def test_recovered_orders_are_counted(tmp_path: Path) -> None:
    """Gauges begin with what the journal held; counters begin anew."""
    data = tmp_path / "data"
    with running("--data-dir", data) as server:
        assert server.http.post(KART, json=order(1)).status_code == 200
        server.stop(signal.SIGKILL)
    with running("--data-dir", data) as server:
        seen = scrape(server)
        assert seen.get("kavach_cover_orders", state="ENTRY_OPEN") == 1
        placed = seen.get("kavach_commands_total", command="PlaceCoverOrder", outcome="accepted")
        assert placed is None
        server.stop()


def test_scrapes_under_load_are_whole_and_only_grow(server: TwinServer) -> None:
    """While eight clients place orders, every scrape can be read and no counter falls."""
    statuses: list[int] = []

    def place(worker: int) -> None:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=server.url, headers=bearer, trust_env=False) as client:
            for turn in range(ORDERS_A_WORKER):
                number = worker * 1_000 + turn
                statuses.append(client.post(KART, json=order(number)).status_code)

    workers = [threading.Thread(target=place, args=(n,)) for n in range(1, WORKERS + 1)]
    for worker in workers:
        worker.start()
    counts = [0.0]
    scrapes = 0
    while any(worker.is_alive() for worker in workers):
        seen = scrape(server)
        placed = seen.get("kavach_commands_total", command="PlaceCoverOrder", outcome="accepted")
        assert (placed or 0) == seen.total("kavach_cover_orders")
        counts.append(placed or 0)
        scrapes += 1
    for worker in workers:
        worker.join()
    assert counts == sorted(counts)
    assert scrapes > 1
    assert statuses == [200] * (WORKERS * ORDERS_A_WORKER)
    last = scrape(server)
    posted = {"method": "POST", "route": KART, "status": "200"}
    assert last.get("kavach_http_requests_total", **posted) == len(statuses)
    assert last.get("kavach_cover_orders", state="ENTRY_OPEN") == len(statuses)


def lines(server: TwinServer) -> list[dict[str, Any]]:
    """Return every line on standard error, each a JSON object."""
    return [json.loads(line) for line in server.said().splitlines()]


def test_json_logs_tell_each_command_with_its_request(tmp_path: Path) -> None:
    """At debug every command is one line with request id and orders, and names nobody."""
    options = ("--log-format", "json", "--log-level", "debug")
    with running("--data-dir", tmp_path / "data", *options) as server:
        placed = server.http.post(KART, json=order(1), headers={"Idempotency-Key": "my-own-key"})
        refused = server.http.post(KART, json=order(2, stop_loss_value=12.95))
        row = server.http.get(PENDING).json()["data"]["orders"][0]
        server.stop()
        told = lines(server)
        text = server.said()
    commands = [line for line in told if line["event"] == "command"]
    placing = [line for line in commands if line["command"] == "PlaceCoverOrder"]
    assert [line["request_id"] for line in placing] == [
        answer.headers["x-request-id"] for answer in (placed, refused)
    ]
    assert placing[0]["outcome"] == "accepted"
    assert placing[0]["orders"] == [int(row["oms_order_id"])]
    assert placing[1]["outcome"] == "stop_must_be_on_losing_side"
    assert {"time", "engine_time", "level", "sequence"} <= placing[0].keys()
    requests = [line for line in told if line["event"] == "request"]
    assert [line["status"] for line in requests] == [200, 400, 200]
    assert told[0]["event"] == "start" and told[-1]["event"] == "stop"
    for secret in (TOKEN, OPERATOR_TOKEN, "DEMO1", "my-own-key"):
        assert secret not in text, secret


def test_an_alarm_is_a_warning_line(tmp_path: Path) -> None:
    """A stop that the venue refuses is told at once, with the order it concerns."""
    with running("--data-dir", ":memory:", "--log-format", "json") as server:
        fault = {"on": "new", "leg": "THIRD", "effect": "reject", "code": 1, "reason": "no more"}
        server.room("POST", "faults", **fault, client_id=None, times=5)
        assert server.http.post(KART, json=order(1)).status_code == 200
        row = server.http.get(PENDING).json()["data"]["orders"][0]
        sell = {"exchange": "NSE", "instrument_token": 14366, "side": "SELL", "price": 12.9}
        server.room("POST", "market/order", **sell, quantity=10)
        alarms = [line for line in lines(server) if line["event"] == "alarm"]
        counted = scrape(server)
    assert alarms and {line["level"] for line in alarms} == {"warning"}
    assert alarms[0]["order"] == int(row["oms_order_id"])
    assert alarms[0]["alarm"] == "stop_refused"
    assert counted.total("kavach_alarms_total") == len(alarms)


def test_the_default_is_quiet() -> None:
    """A run in which nothing is wrong says that it started and that it stopped, as text."""
    with running("--data-dir", ":memory:") as server:
        for number in range(20):
            assert server.http.post(KART, json=order(number + 1)).status_code == 200
        _, _, errors = server.stop()
    assert [line.split()[2] for line in errors.splitlines()] == ["start", "stop"]


def test_a_start_that_fails_is_a_json_line_too(tmp_path: Path) -> None:
    """Who reads JSON from standard error reads nothing else there."""
    data = tmp_path / "data"
    data.write_text("mine")
    with (
        pytest.raises(AssertionError) as failed,
        running("--data-dir", data, "--log-format", "json"),
    ):
        pass
    line = json.loads(str(failed.value).removeprefix("kavach serve did not start: "))
    assert (line["level"], line["event"]) == ("error", "end")
    assert line["error"] == f"{data} is not a directory."
