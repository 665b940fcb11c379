"""A venue that says nothing: what is unknown stays counted, is asked about, and ends well."""

from typing import Final

import pytest

from tests.unit.core.scenario import play

OPEN: Final = """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok     | ENTRY_SENT
    E1 acked               -> nothing                 | ENTRY_OPEN
"""
COVERED: Final = (
    OPEN
    + """
    E1 traded 100          -> S1 sell 100 on 12       | COVERING
    S1 acked               -> nothing                 | COVERED
"""
)
STORIES: Final = {
    "3: cancel while the entry is unknown, and it had filled": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok           | ENTRY_SENT
    C1                     -> ok CANCEL_PENDING             | ENTRY_SENT
    wait 1000ms            -> alarm unknown, ask E1         | ENTRY_SENT
    E1 silently acked      -> nothing                       | ENTRY_SENT
    E1 silently traded 30  -> nothing                       | ENTRY_SENT
    E1 asked               -> cancel E1, S1 sell 30 on 12   | COVERING
    E1 cancelled           -> nothing                       | COVERING
    S1 acked               -> nothing                       | COVERED
    """,
    "3: cancel while the entry is unknown, and it never arrived": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok           | ENTRY_SENT
    C1                     -> ok CANCEL_PENDING             | ENTRY_SENT
    E1 lost                -> nothing                       | ENTRY_SENT
    wait 1000ms            -> alarm unknown, ask E1         | ENTRY_SENT
    E1 asked               -> nothing                       | REJECTED
    """,
    "an entry that is denied, lives and fills is cancelled and covered": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok           | ENTRY_SENT
    E1 lost                -> nothing                       | ENTRY_SENT
    wait 1000ms            -> alarm unknown, ask E1         | ENTRY_SENT
    E1 asked               -> nothing                       | REJECTED
    E1 acked               -> alarm contradiction, cancel E1 | ENTRY_OPEN
    E1 traded 10           -> S1 sell 10 on 12              | COVERING
    E1 cancelled           -> nothing                       | COVERING
    S1 acked               -> nothing                       | COVERED
    """,
    "an order that is denied after its session is carried with what it filled": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok           | ENTRY_SENT
    E1 lost                -> nothing                       | ENTRY_SENT
    wait 1000ms            -> alarm unknown, ask E1         | ENTRY_SENT
    E1 asked               -> nothing                       | REJECTED
    end                    -> nothing                       | REJECTED
    E1 acked               -> alarm contradiction           | ENTRY_OPEN
    E1 traded 10           -> nothing                       | COVERING
    E1 expired             -> alarm carried                 | CARRIED
    """,
    "a question is asked again at growing intervals": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok   | ENTRY_SENT
    wait 999ms             -> nothing               | ENTRY_SENT
    wait 1ms               -> alarm unknown, ask E1 | ENTRY_SENT
    wait 199ms             -> nothing               | ENTRY_SENT
    wait 1ms               -> ask E1                | ENTRY_SENT
    wait 500ms             -> ask E1                | ENTRY_SENT
    wait 1000ms            -> ask E1                | ENTRY_SENT
    E1 acked               -> nothing               | ENTRY_OPEN
    wait 5000ms            -> nothing               | ENTRY_OPEN
    """,
    "an order that the venue has twice is cancelled once": OPEN
    + """
    E1 doubled             -> alarm stray, cancel the stray E1 | ENTRY_OPEN
    E1 traded 40           -> S1 sell 40 on 12      | COVERING
    """,
    "15: the link is lost during the conversion, which was made": COVERED
    + """
    C2                     -> out: user, S1 to 100 @ market, ok | EXITING
    link lost              -> nothing                           | EXITING
    S1 silently amended    -> nothing                           | EXITING
    C2                     -> again                             | EXITING
    wait 5000ms            -> nothing                           | EXITING
    link back              -> S1 to 100 @ market+1              | EXITING
    S1 amended             -> nothing                           | EXITING
    S1 traded 100          -> nothing                           | EXITED
    """,
    "15: the link is lost during the conversion, and the stop filled": COVERED
    + """
    C2                     -> out: user, S1 to 100 @ market, ok | EXITING
    link lost              -> nothing                           | EXITING
    S1 silently amended    -> nothing                           | EXITING
    S1 silently traded 100 -> nothing                           | EXITING
    link back              -> nothing                           | EXITED
    """,
    "the link is lost, the entry fills, and it is covered when the link is back": OPEN
    + """
    link lost              -> nothing                           | ENTRY_OPEN
    E1 silently traded 40  -> nothing                           | ENTRY_OPEN
    link back              -> S1 sell 40 on 12                  | COVERING
    S1 acked               -> nothing                           | COVERED_OPEN
    """,
    "the link is lost and the stop goes: it is missed when the link is back": COVERED
    + """
    link lost              -> nothing                                | COVERED
    S1 silently removed    -> nothing                                | COVERED
    link back              -> alarm stop_removed, S2 sell 100 on 12  | UNPROTECTED
    S2 acked               -> nothing                                | COVERED
    """,
    "a cancel that is asked for while the link is down is sent when it is back": OPEN
    + """
    link lost              -> nothing                           | ENTRY_OPEN
    C1                     -> ok CANCEL_PENDING                 | ENTRY_OPEN
    C1                     -> again CANCEL_PENDING              | ENTRY_OPEN
    link back              -> cancel E1                         | ENTRY_OPEN
    E1 cancelled           -> nothing                           | CANCELLED
    """,
    "square-off while the link is down waits for it": COVERED
    + """
    C2                     -> out: user, S1 to 100 @ market, ok | EXITING
    S1 amended             -> nothing                           | EXITING
    link lost              -> nothing                           | EXITING
    squareoff              -> nothing                           | EXITING
    link back              -> nothing                           | EXITING
    wait 500ms             -> S1 to 100 @ market+1              | EXITING
    """,
    "an unanswered stop is never doubled": OPEN
    + """
    E1 traded 100          -> S1 sell 100 on 12                            | COVERING
    wait 1000ms            -> alarm unknown, ask S1, alarm naked           | COVERING
    C2                     -> out: user, ok                                | EXITING
    wait 1000ms            -> ask S1, ask S1                               | EXITING
    S1 silently acked      -> nothing                                      | EXITING
    S1 asked               -> S1 to 100 @ market                           | EXITING
    """,
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_silence(story: str) -> None:
    """What the venue does not tell is asked for, and nothing is concluded before it answers."""
    assert play(story)
