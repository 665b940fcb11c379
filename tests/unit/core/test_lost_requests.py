"""A request that never arrived is no refusal: what was wanted is asked for again."""

from typing import Final

import pytest

from tests.unit.core.scenario import play
from tests.unit.core.test_silence import COVERED, OPEN

LOST: Final = {
    "a lost cancel is sent again": OPEN
    + """
    C1                     -> cancel E1, ok CANCEL_PENDING      | ENTRY_OPEN
    E1 lost                -> nothing                           | ENTRY_OPEN
    wait 1000ms            -> alarm unknown, ask E1             | ENTRY_OPEN
    E1 asked               -> cancel E1                         | ENTRY_OPEN
    E1 cancelled           -> nothing                           | CANCELLED
    """,
    "15: a lost conversion is sent again, and there is one exit": COVERED
    + """
    C2                     -> out: user, S1 to 100 @ market, ok | EXITING
    S1 lost                -> nothing                           | EXITING
    wait 1000ms            -> alarm unknown, ask S1             | EXITING
    S1 asked               -> S1 to 100 @ market+2              | EXITING
    S1 amended             -> nothing                           | EXITING
    S1 traded 100          -> nothing                           | EXITED
    """,
    "a lost growth is sent again": OPEN
    + """
    E1 traded 40           -> S1 sell 40 on 12                  | COVERING
    S1 acked               -> nothing                           | COVERED_OPEN
    E1 traded 60           -> S1 to 100 on 12                   | COVERING
    S1 lost                -> nothing                           | COVERING
    wait 1000ms            -> alarm unknown, ask S1, alarm naked | COVERING
    S1 asked               -> S1 to 100 on 12                   | COVERING
    S1 amended             -> nothing                           | COVERED
    """,
}


@pytest.mark.parametrize("story", LOST.values(), ids=LOST.keys())
def test_a_request_that_never_arrived(story: str) -> None:
    """A request that got lost is no refusal: what was wanted is asked for again."""
    assert play(story)
