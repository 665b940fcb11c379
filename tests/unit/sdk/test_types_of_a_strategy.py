"""
What a type checker finds in a program that uses the client: ten mistakes, each in its line.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]

STRATEGY: Final = '''
"""Buy what falls, in an hour of trading; ten lines are wrong, each in another way."""

from decimal import Decimal

from kavach.sdk import (
    BadArgument,
    CancelOutcome,
    CompactQuote,
    CoverOrder,
    Feed,
    OrderChange,
    OutcomeUnknown,
    Pocket,
    RequestRefused,
    Settled,
)

IDEA = 14366
FALL = Decimal("0.10")


def buy(pocket: Pocket, quote: CompactQuote) -> CoverOrder | None:
    """Return the order that was placed, if one was."""
    try:
        return pocket.place_cover_order(
            exchange="NSE",
            instrument_token=quote.instrument_token,
            side="BUUY",  # 1
            quantity=10,
            price=quote.ask,
            stop_loss=quote.ask - FALL,
        )
    except OutcomeUnknown as unknown:
        found = pocket.resolve(unknown)
        if found.settled is Settled.DONE and isinstance(found.order, CoverOrder):
            return found.order
        print(unknown.idempotencykey)  # 2
    except RequestRefused as refusal:
        print(refusal.reason, refusal.code)
    except BadArgument as error:
        print(error)
    return None


def tighten(pocket: Pocket, order: CoverOrder) -> CoverOrder:
    """Return the order with a stop that is nearer."""
    if order.stop is None:
        return pocket.modify_cover_order(order, stop="12.60")  # 3
    return pocket.modify_cover_order(order, stop_loss=order.stop.trigger_prise + FALL)  # 4


def leave(pocket: Pocket, order: CoverOrder) -> bool:
    """Return whether the position is closed."""
    result = pocket.cancel_cover_order(order, "FOURTH")  # 5
    if result.outcome is CancelOutcome.CANCELED:  # 6
        return True
    return pocket.exit_cover_order(order).is_final


def follow(feed: Feed, pocket: Pocket) -> None:
    """Trade on what the feed tells."""
    feed.subscribe("compct", ("NSE", IDEA))  # 7
    feed.subscribe_account()
    order: CoverOrder | None = None
    for item in feed:
        if isinstance(item, CompactQuote) and order is None:
            order = buy(pocket, item)
        elif isinstance(item, OrderChange) and order is not None:
            order = tighten(pocket, order)


def plain(pocket: Pocket) -> None:
    """Place a regular order and look around."""
    pocket.place_order(  # 8
        exchange="NSE", instrument_token=IDEA, side="SELL", quantity=1, price="13.00"
    )
    pocket.place_order(
        exchange="NSE", instrument_token=IDEA, side="SELL", product="CNC", quantity="ten"  # 9
    )
    rows = pocket.orders("pending")
    print(rows.status)  # 10


if __name__ == "__main__":
    with Pocket() as pocket, Feed() as feed:
        follow(feed, pocket)
'''


def test_mypy_finds_ten_mistakes_of_ten(tmp_path: Path) -> None:
    """Words, names, fields and numbers that cannot be are found before the program runs."""
    program = tmp_path / "strategy.py"
    program.write_text(STRATEGY.lstrip(), encoding="utf-8")
    expected = {
        number for number, line in enumerate(STRATEGY.lstrip().splitlines(), 1) if "  # " in line
    }
    assert len(expected) == 10

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(program)],
        cwd=ROOT,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    found = {int(match) for match in re.findall(r"strategy\.py:(\d+): error", done.stdout)}
    assert found == expected, done.stdout + done.stderr
