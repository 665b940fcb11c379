"""
Rows while reports are owed: of an exit of which nothing stands, of an order not acknowledged.

Source: docs/spec/cover_order.md (Rows, INV-22); docs/decisions/0019.
"""

from typing import Final

import pytest

from kavach.api.rows.legs import LegView
from kavach.core.commands import Leg
from kavach.units import Side
from tests.unit.core.scenario import Scene
from tests.unit.core.stocks import stock

BRACKET: Final = """
    place 100 @ 13 stopoff 1 targetoff 1 -> E1 buy 100 @ 13, ok                | ENTRY_SENT
    E1 acked                             -> nothing                            | ENTRY_OPEN
    E1 traded 40                         -> S1 sell 40 on 12                   | COVERING
    S1 acked                             -> T2 sell 40 @ 14                    | COVERED_OPEN
    T2 acked                             -> nothing                            | COVERED_OPEN
"""
Row = tuple[int, int, int, str]


def row(scene: Scene, leg: Leg) -> Row:
    """Return quantity, filled, remaining and status of a leg's row."""
    assert scene.cover is not None
    view = LegView(scene.cover, leg, scene.item)
    return view.quantity, view.filled, view.remaining, view.status


@pytest.mark.parametrize("side", Side)
def test_what_an_exit_traded_untold_is_left_in_the_row(side: Side) -> None:
    """Linked exits of 40 and 100, the trade of the first untold: 60 of 100, 40 remaining."""
    scene = Scene(side)
    scene.play(
        BRACKET
        + """
    C2               -> out: user, cancel E1, cancel T2, ok              | EXITING
    T2 cancelled     -> nothing                                          | EXITING
    E1 traded 60     -> S1 to 40 @ market, X3 sell 100 @ market          | EXITING
    S1 amended       -> nothing                                          | EXITING
    X3 acked         -> nothing                                          | EXITING
    S1 silently traded 40 -> nothing                                     | EXITING
    X3 traded 60     -> nothing                                          | EXITING
    """
    )
    assert row(scene, Leg.THIRD) == (100, 60, 40, "PARTIAL_TRADE")
    scene.play("X3 unlinked -> nothing | EXITING")
    assert row(scene, Leg.THIRD) == (100, 60, 40, "PARTIAL_TRADE")
    scene.play("S1 asked -> nothing | EXITED")
    assert row(scene, Leg.THIRD) == (100, 100, 0, "COMPLETE")


@pytest.mark.parametrize("side", Side)
def test_a_growth_in_flight_leaves_what_it_was_for(side: Side) -> None:
    """A stop that filled its confirmed 40 while it grows to 100: 60 are held, and 60 remain."""
    scene = Scene(side)
    scene.play(
        BRACKET
        + """
    E1 traded 60          -> S1 to 100 on 12                             | COVERING
    S1 silently triggered -> nothing                                     | COVERING
    S1 traded 40          -> nothing                                     | TRIGGERED
    """
    )
    assert row(scene, Leg.THIRD) == (100, 40, 60, "MODIFY_PENDING")


@pytest.mark.parametrize("side", Side)
def test_a_stop_whose_total_the_target_traded_stands_for_what_is_left(side: Side) -> None:
    """The target has traded all 40 that the stop confirmed; of the position 60 remain."""
    scene = Scene(side)
    scene.play(
        BRACKET
        + """
    E1 traded 60     -> S1 to 100 on 12                                  | COVERING
    T2 traded 40     -> nothing                                          | COVERING
    """
    )
    assert row(scene, Leg.THIRD) == (100, 0, 60, "MODIFY_PENDING")


@pytest.mark.parametrize("side", Side)
def test_an_exit_that_trades_before_it_is_acknowledged(side: Side) -> None:
    """A stop of 40 whose first trade overtakes its acknowledgement: 10 of 40, 30 remaining."""
    scene = Scene(side)
    for words in ("place 40 @ 13 stop 12", "E1 acked", "E1 traded 40", "S1 silently acked"):
        scene.tell(words)
    scene.tell("S1 silently triggered")
    scene.tell("S1 traded 10")
    assert row(scene, Leg.THIRD)[:3] == (40, 10, 30)
    scene.check_replay()


@pytest.mark.parametrize("traded", [40, 15])
@pytest.mark.parametrize("side", Side)
def test_a_trade_of_an_added_order_is_its_acknowledgement(side: Side, traded: int) -> None:
    """A change that adds an order of 40 is made once that trades, its acknowledgement lost."""
    scene = Scene(side, stock(freeze=60))
    for words in ("place 50 @ 13 stop 12", "E1 acked", "C3 quantity 100", "E1 amended"):
        scene.tell(words)
    assert row(scene, Leg.ENTRY)[3] == "MODIFY_PENDING"
    scene.tell(f"E2 traded {traded}")
    assert row(scene, Leg.ENTRY) == (100, traded, 100 - traded, "PARTIAL_TRADE")
    assert scene.cover is not None and scene.cover.quantity == 100
    told = [line.what for line in scene.cover.changes or () if line.leg is Leg.ENTRY]
    assert told.count("amended") == 2 and told.count("traded") == 1
    scene.tell("E2 acked")
    assert row(scene, Leg.ENTRY) == (100, traded, 100 - traded, "PARTIAL_TRADE")
    scene.check_replay()
