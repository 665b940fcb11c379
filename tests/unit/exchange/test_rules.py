"""Every check of an order, each with the exchange's own number."""

import re
from pathlib import Path

import pytest

from kavach.exchange.codes import TEXT, Code
from kavach.exchange.liquidity import LiquidityError
from kavach.exchange.state import FIRST_ORDER_ID
from kavach.units import Exchange as Segment
from tests.unit.exchange.scenario import Floor, check
from tests.unit.exchange.schedules import instrument

SPEC = Path(__file__).parents[3] / "docs" / "spec" / "exchange.md"
FUTURE = instrument(Segment.NFO, 2, lot=65, freeze=1800)
OPTION = instrument(Segment.NFO, 3, slm=False)


def test_price_and_trigger() -> None:
    """Tick, band, relation and side of prices are each refused with their number; edges pass."""
    floor = check("""
        A buy 5 @ 100.01                 -> #1 rejected 16283
        A buy 5 @ 100.45                 -> #2 rejected 16284
        A buy 5 @ 99.55                  -> #3 rejected 16284
        A buy 5 stop 100.01              -> #4 rejected 16316
        A buy 5 stop 100.45              -> #5 rejected 16284
        A buy 5 stop 100.10 @ 100.05     -> #6 rejected 16315
        A sell 5 stop 99.90 @ 99.95      -> #7 rejected 16315
        A buy 5 stop 100                 -> #8 rejected 16408
        A buy 5 stop 99.95               -> #9 rejected 16408
        A sell 5 stop 100                -> #10 rejected 16408
        A buy 5 @ 99.60                  -> #11 accepted
        A sell 5 @ 100.40                -> #12 accepted
        A buy 5 stop 100.05 @ 100.05     -> #13 accepted
        A sell 5 stop 99.95              -> #14 accepted
    """)
    assert floor.book() == "5/1@99.6 | 5/1@100.4"


def test_quantities() -> None:
    """Lot, freeze and disclosed quantity are checked; the largest whole lots pass."""
    floor = check(
        """
        A buy 0 @ 100               -> #1 rejected 16556
        A buy 64 @ 100              -> #2 rejected 16556
        A buy 66 @ 100              -> #3 rejected 16328
        A buy 1820 @ 100            -> #4 rejected 16606
        A buy 130 @ 100 show 195    -> #5 rejected 16324
        A buy 130 @ 100 show 64     -> #6 rejected 16325
        A buy 1755 @ 100 show 65    -> #7 accepted
        amend #7 1820 @ 100         -> #7 amend refused 16606
        """,
        FUTURE,
    )
    assert floor.book() == "65/1@100 | none"


def test_stop_market_only_where_allowed() -> None:
    """Where the exchange takes no SLM it says 16445, for a new order and for a change alike."""
    floor = check(
        """
        A buy 5 stop 100.05            -> #1 rejected 16445
        A buy 5 stop 100.05 @ 100.10   -> #2 accepted
        amend #2 5 stop 100.05         -> #2 amend refused 16445
        """,
        OPTION,
    )
    assert floor.book() == "none | none"


def test_ids_tell_the_segment() -> None:
    """Order ids have 16 digits (MCX 15), begin with their segment's prefix and count up."""
    for segment in Segment:
        floor = check(
            """
            A buy 5 @ 99.90  -> #1 accepted
            A buy 5 @ 100.45 -> #2 rejected 16284
            A buy 5 @ 99.90  -> #3 accepted
            """,
            instrument(segment, 9),
        )
        first, second = floor.ids[1], floor.ids[3]
        assert len(first) == (15 if segment is Segment.MCX else 16)
        assert int(first) == FIRST_ORDER_ID[segment] + 1 == int(second) - 1
    prefixes = {str(first)[:2] for first in FIRST_ORDER_ID.values()}
    assert len(prefixes) == len(Segment)
    assert Floor().ask("A buy 1 @ 99.90")[0] != Floor().ask("A buy 2 @ 99.90")[0]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("quote 5@100.01 5@100.20", "bid: 100.01 is not a multiple of the tick 0.05"),
        ("quote 5@100 5@100.45", "ask: 100.45 is outside the day's range 99.60 to 100.40"),
        ("quote 5@100.10 5@100.10", "bid: 100.10 is not below the ask 100.10"),
        ("quote -1@100 5@100.10", "bid_quantity: -1 must be at least 0 and a multiple of 1"),
        ("house buy 0 @ 100", "quantity: 0 must be at least 1 and a multiple of 1"),
        ("house buy 1 @ 99.55", "price: 99.55 is outside the day's range 99.60 to 100.40"),
        ("print 1 @ 100.45", "price: 100.45 is outside the day's range 99.60 to 100.40"),
    ],
)
def test_house_is_told_what_is_wrong(words: str, field: str) -> None:
    """A house call that can't be done names the field and changes nothing."""
    floor = Floor()
    floor.check("quote 7@99.90 7@100.10 -> nothing")
    with pytest.raises(LiquidityError, match=re.escape(field)):
        floor.ask(words)
    assert floor.book() == "7/1@99.9 | 7/1@100.1"


def test_house_waits_for_the_opening() -> None:
    """While its segment is closed the house can't quote, trade or print."""
    floor = check("close -> NSE closed")
    for words in ("quote 7@99.90 7@100.10", "house buy 5", "print 1 @ 100"):
        with pytest.raises(LiquidityError, match="exchange: NSE is closed"):
            floor.ask(words)
    assert floor.book() == "none | none"


def test_every_code_has_a_text_and_is_documented() -> None:
    """The specification lists exactly the numbers of the code, each with its text."""
    listed = dict(re.findall(r"^\| (\d+) \| ([^|]+?) \|", SPEC.read_text(), re.MULTILINE))
    assert listed == {str(code.value): TEXT[code] for code in Code if code}
    assert set(TEXT) == set(Code)
