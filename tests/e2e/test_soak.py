"""
Everything at once: a moving market, a client who does as he likes, a venue that misbehaves, and
kill -9. After each step somebody looks from outside; at the end the journal is read again.

A run is a bounded number of steps from one seed; ``make sim`` takes more of them. What the seed
decides is what is asked for; the market and the scheduler decide the rest, so a failure may need
more than one try to see again.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.twin_server import TwinServer, run, running, start

STEPS: Final = max(40, int(os.environ.get("RUNS") or 150))  # Four of them kill it.
SHARES: Final = (14366, 11915, 10666, 3045)
FAULTS: Final = (
    "reject",
    "delay",
    "drop_request",
    "drop_report",
    "duplicate_report",
    "cancel_resting",
)


class Hand:
    """A client and an operator with one seed and no judgement."""

    def __init__(self, twin: TwinServer, seed: int) -> None:
        self.twin = twin
        self.chance = random.Random(seed)
        self.answers: Counter[int] = Counter()
        self.placed = 0

    def ask(self, method: str, path: str, **fields: Any) -> None:
        """Ask for something; whatever is answered, it is no error of the server."""
        answer = self.twin.http.request(method, f"/api/v1/{path}", json=fields)
        assert answer.status_code < 500, answer.text
        self.answers[answer.status_code] += 1

    def row(self) -> dict[str, Any] | None:
        """Return some row of the order book."""
        kind = self.chance.choice(["pending", "pending", "all"])
        query = {"type": kind, "client_id": self.twin.client_id}
        rows = self.twin.http.get("/api/v1/orders", params=query).json()["data"]["orders"]
        return self.chance.choice(rows[-30:]) if rows else None

    def place(self) -> None:
        """Place an order around the market, with a stop three percent away."""
        self.placed += 1
        token = self.chance.choice(SHARES)
        tick = 0.05 if token == 3045 else 0.01
        price = self.twin.room("GET", f"market/NSE/{token}")["last_price"]
        side, away = self.chance.choice([("BUY", 0.97), ("SELL", 1.03)])
        price += self.chance.choice([0, 0, 1, 2, -1, -2]) * tick
        self.ask(
            "POST",
            "orders/kart",
            exchange="NSE",
            instrument_token=token,
            client_id=self.twin.client_id,
            execution_type="CO",
            order_side=side,
            order_type=self.chance.choice(["LIMIT", "LIMIT", "MARKET"]),
            quantity=self.chance.choice([1, 10, 100, 3000]),
            price=round(round(price / tick) * tick, 2),
            stop_loss_value=round(round(price * away / tick) * tick, 2),
            trailing_stop_loss=tick,
            is_trailing=self.chance.random() < 0.3,
            product="MIS",
            validity=self.chance.choice(["DAY", "DAY", "IOC"]),
            user_order_id=self.placed,
        )

    def cancel(self) -> None:
        """Cancel or exit some leg, dead or alive."""
        row = self.row()
        if row is not None:
            self.ask(
                "DELETE",
                f"orders/kart/{row['oms_order_id']}",
                client_id=self.twin.client_id,
                execution_type="CO",
                oms_order_id=row["oms_order_id"],
                exchange_order_id=row["exchange_order_id"],
                leg_order_indicator=row["leg_order_indicator"],
            )

    def modify(self) -> None:
        """Change some leg a little."""
        row = self.row()
        if row is None:
            return
        changes: dict[str, Any] = {"quantity": row["quantity"] + self.chance.choice([0, 1, -1])}
        if row["leg_order_indicator"] == "THIRD":
            changes = {"stop_loss_value": round(row["trigger_price"] * 1.001, 1)}
        ids = {name: row[name] for name in ("oms_order_id", "exchange_order_id", "client_id")}
        self.ask("PUT", "orders/kart", execution_type="CO", **ids, **changes)

    def break_something(self) -> None:
        """Let the next requests to the venue suffer."""
        self.twin.room(
            "POST",
            "faults",
            on=self.chance.choice(["new", "amend", "cancel", "any"]),
            leg=self.chance.choice(["ENTRY", "THIRD", None]),
            effect=self.chance.choice(FAULTS),
            delay_ms=self.chance.choice([50, 400, 1500]),
            times=self.chance.choice([1, 1, 3]),
        )

    def lose_link(self) -> None:
        """Lose the venue, and find it again after something was asked."""
        self.twin.room("POST", "venue/link", up=False)
        self.cancel()
        self.place()
        self.twin.room("POST", "venue/link", up=True)

    def hours(self) -> None:
        """Let the twin's clock run ahead, so that every timer has its say."""
        self.twin.room("POST", "clock", action="advance", seconds=self.chance.choice([1, 4, 60]))


def look(twin: TwinServer) -> str:
    """Return the state's hash, having found no invariant broken."""
    report = twin.audit()
    assert report["violations"] == []
    return str(report["state_hash"])


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_breaks_and_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    """No invariant breaks, no answer is an error of ours, and kill -9 takes nothing away."""
    data = tmp_path / "data"
    options = ("--data-dir", data, "--market", "synthetic", "--seed", str(seed))
    with running(*options) as twin, (tmp_path / "errors").open("a+") as errors:
        hand = Hand(twin, seed)
        deeds: list[Callable[[], None]] = [
            *[hand.place] * 12,
            *[hand.cancel] * 11,
            *[hand.modify] * 5,
            *[hand.break_something] * 3,
            hand.lose_link,
            hand.hours,
        ]
        servers = [twin]
        try:
            for step in range(STEPS):
                hand.chance.choice(deeds)()
                look(hand.twin)
                if step % (STEPS // 4) == STEPS // 8:
                    hand.twin.stop(signal.SIGKILL)
                    hand.twin = start(*options, directory=tmp_path, errors=errors)
                    servers.append(hand.twin)
            hand.twin.room("DELETE", "faults")
            hand.twin.room("POST", "clock", action="advance", seconds=30)
            look(hand.twin)
            assert hand.twin.stop()[0] == 0
        finally:
            for server in servers[1:]:
                server.process.kill()
                server.http.close()
                server.operator.close()
    assert hand.answers[200] > STEPS // 4
    read = run("verify", data)
    assert (read.returncode, read.stderr) == (0, ""), read.stderr
