"""
The races that must end well, by name: what happens at the same time, and how it ends.

Source: docs/spec/cover_order.md; the numbers are those of the list of races of the specification.
"""

from typing import Final

import pytest

from kavach.core.settings import Settings
from tests.unit.core.scenario import play
from tests.unit.core.stocks import stock

OPEN: Final = """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok     | ENTRY_SENT
    E1 acked               -> nothing                 | ENTRY_OPEN
"""
COVERED_OPEN: Final = (
    OPEN
    + """
    E1 traded 40           -> S1 sell 40 on 12        | COVERING
    S1 acked               -> nothing                 | COVERED_OPEN
"""
)
COVERED: Final = (
    OPEN
    + """
    E1 traded 100          -> S1 sell 100 on 12       | COVERING
    S1 acked               -> nothing                 | COVERED
"""
)
RACES: Final = {
    "1: cancel of the entry against its full fill, the fill wins": OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING    | ENTRY_OPEN
    E1 traded 100      -> S1 sell 100 on 12               | COVERING
    E1 cancel-refused  -> nothing                         | COVERING
    S1 acked           -> nothing                         | COVERED
    C1                 -> no: entry_already_executed      | COVERED
    """,
    "1: cancel of the entry against its full fill, the cancel wins": OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING    | ENTRY_OPEN
    E1 cancelled       -> nothing                         | CANCELLED
    C1                 -> again                           | CANCELLED
    """,
    "2: cancel against a part, the fill told first": OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING    | ENTRY_OPEN
    E1 traded 30       -> S1 sell 30 on 12                | COVERING
    E1 cancelled       -> nothing                         | COVERING
    S1 acked           -> nothing                         | COVERED
    """,
    "2: cancel against a part, the closing told first": OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING    | ENTRY_OPEN
    E1 closed-early 30 -> nothing                         | ENTRY_OPEN
    E1 told            -> S1 sell 30 on 12                | COVERING
    S1 acked           -> nothing                         | COVERED
    """,
    "3: cancel while the entry is unacknowledged, then the ack": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok         | ENTRY_SENT
    C1                 -> ok CANCEL_PENDING               | ENTRY_SENT
    C1                 -> again CANCEL_PENDING            | ENTRY_SENT
    E1 acked           -> cancel E1                       | ENTRY_OPEN
    E1 cancelled       -> nothing                         | CANCELLED
    """,
    "3: cancel while the entry is unacknowledged, then a refusal": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok         | ENTRY_SENT
    C1                 -> ok CANCEL_PENDING               | ENTRY_SENT
    E1 rejected        -> nothing                         | REJECTED
    """,
    "3: cancel while the entry is unacknowledged, and a fill all the same": """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok         | ENTRY_SENT
    C1                 -> ok CANCEL_PENDING               | ENTRY_SENT
    E1 acked           -> cancel E1                       | ENTRY_OPEN
    E1 traded 10       -> S1 sell 10 on 12                | COVERING
    E1 cancelled       -> nothing                         | COVERING
    S1 acked           -> nothing                         | COVERED
    """,
    "4: exit against the trigger, the trigger wins: one order, re-priced": COVERED
    + """
    C2                 -> out: user, S1 to 100 @ market, ok | EXITING
    S1 triggered       -> nothing                           | EXITING
    S1 amend-refused   -> S1 to 100 @ market                | EXITING
    S1 amended         -> nothing                           | EXITING
    S1 traded 100      -> nothing                           | EXITED
    """,
    "5: exit against the stop's full fill": COVERED
    + """
    C2                 -> out: user, S1 to 100 @ market, ok | EXITING
    S1 traded 100      -> nothing                           | EXITED
    S1 amend-refused   -> nothing                           | EXITED
    C2                 -> again                             | EXITED
    """,
    "6: three exits, square-off and kill at once are one exit": COVERED
    + """
    C2                 -> out: user, S1 to 100 @ market, ok | EXITING
    C2                 -> again                             | EXITING
    squareoff          -> nothing                           | EXITING
    kill               -> nothing                           | EXITING
    C2                 -> again                             | EXITING
    S1 amended         -> nothing                           | EXITING
    S1 traded 100      -> nothing                           | EXITED
    C2                 -> again                             | EXITED
    """,
    "7: exit against a fill of the remainder": COVERED_OPEN
    + """
    C2                 -> out: user, cancel E1, ok                  | EXITING
    E1 traded 60       -> S1 to 40 @ market, X2 sell 60 @ market    | EXITING
    E1 cancel-refused  -> nothing                                   | EXITING
    S1 amended         -> nothing                                   | EXITING
    X2 acked           -> nothing                                   | EXITING
    S1 traded 40       -> nothing                                   | EXITING
    X2 traded 60       -> nothing                                   | EXITED
    """,
    "8: cancel of the entry, then exit": COVERED_OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING     | COVERED_OPEN
    C2                 -> out: user, ok                    | EXITING
    E1 cancelled       -> S1 to 40 @ market                | EXITING
    S1 amended         -> nothing                          | EXITING
    S1 traded 40       -> nothing                          | EXITED
    """,
    "8: exit, then cancel of the entry": COVERED_OPEN
    + """
    C2                 -> out: user, cancel E1, ok         | EXITING
    C1                 -> again                            | EXITING
    E1 cancelled       -> S1 to 40 @ market                | EXITING
    S1 amended         -> nothing                          | EXITING
    S1 traded 40       -> nothing                          | EXITED
    """,
    "9: a moved stop against the trigger, the old one fires": COVERED
    + """
    C4 stop 12.5       -> S1 to 100 on 12.5, ok            | COVERED
    S1 triggered       -> nothing                          | TRIGGERED
    S1 amend-refused   -> nothing                          | TRIGGERED
    S1 traded 100      -> nothing                          | EXITED
    """,
    "9: a moved stop against the trigger, the new one fires": COVERED
    + """
    C4 stop 12.5       -> S1 to 100 on 12.5, ok            | COVERED
    S1 amended         -> nothing                          | COVERED
    S1 triggered       -> nothing                          | TRIGGERED
    S1 traded 100      -> nothing                          | EXITED
    """,
    "10: growth of the stop against the trigger": COVERED_OPEN
    + """
    E1 traded 60       -> S1 to 100 on 12                  | COVERING
    S1 triggered       -> nothing                          | TRIGGERED
    S1 amend-refused   -> X2 sell 60 @ market              | TRIGGERED
    X2 acked           -> nothing                          | TRIGGERED
    S1 traded 40       -> nothing                          | TRIGGERED
    X2 traded 60       -> nothing                          | EXITED
    """,
    "11: fills faster than the stop's answers, one operation at a time": OPEN
    + """
    E1 traded 10       -> S1 sell 10 on 12                 | COVERING
    E1 traded 10       -> nothing                          | COVERING
    E1 traded 10       -> nothing                          | COVERING
    S1 acked           -> S1 to 30 on 12                   | COVERING
    E1 traded 10       -> nothing                          | COVERING
    E1 traded 60       -> nothing                          | COVERING
    S1 amended         -> S1 to 100 on 12                  | COVERING
    S1 amended         -> nothing                          | COVERED
    """,
    "12: a stop that is refused again and again": COVERED_OPEN.replace(
        "S1 acked               -> nothing                 | COVERED_OPEN",
        "S1 rejected -> alarm stop_refused, S2 sell 40 on 12 @ limit | UNPROTECTED",
    )
    + """
    S2 rejected        -> S3 sell 40 on 12 @ limit                             | UNPROTECTED
    S3 rejected        -> nothing                                              | UNPROTECTED
    wait 1000ms        -> alarm naked                                          | UNPROTECTED
    wait 2000ms        -> out: naked_too_long, cancel E1, X4 sell 40 @ market  | EXITING
    X4 rejected        -> nothing                                              | EXITING
    E1 cancelled       -> nothing                                              | EXITING
    wait 500ms         -> X5 sell 40 @ market+1                                | EXITING
    X5 acked           -> nothing                                              | EXITING
    X5 traded 40       -> nothing                                              | EXITED
    """,
    "12: a stop that is refused, and the price passes it meanwhile": COVERED_OPEN.replace(
        "S1 acked               -> nothing                 | COVERED_OPEN",
        "S1 rejected -> alarm stop_refused, S2 sell 40 on 12 @ limit | UNPROTECTED",
    )
    + """
    S2 rejected        -> S3 sell 40 on 12 @ limit                                | UNPROTECTED
    S3 rejected        -> nothing                                                 | UNPROTECTED
    price 12           -> out: breached_on_arrival, cancel E1, X4 sell 40 @ market | EXITING
    """,
    "13: the price jumps through the stop and nobody trades": COVERED
    + """
    price 11.8         -> nothing                                | COVERED
    S1 triggered       -> nothing                                | TRIGGERED
    wait 999ms         -> nothing                                | TRIGGERED
    wait 1ms           -> out: chase, S1 to 100 @ market         | EXITING
    S1 amended         -> nothing                                | EXITING
    wait 500ms         -> S1 to 100 @ market+1                   | EXITING
    S1 amended         -> nothing                                | EXITING
    wait 500ms         -> S1 to 100 @ market+2                   | EXITING
    S1 amended         -> nothing                                | EXITING
    wait 500ms         -> S1 to 100 @ edge                       | EXITING
    S1 amended         -> nothing                                | EXITING
    wait 500ms         -> alarm circuit_locked                   | EXITING
    wait 5000ms        -> nothing                                | EXITING
    S1 traded 100      -> nothing                                | EXITED
    """,
    "16: the exchange removes the stop while a cancel of the entry is on its way": COVERED_OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING           | COVERED_OPEN
    S1 removed         -> alarm stop_removed, S2 sell 40 on 12   | UNPROTECTED
    E1 cancelled       -> nothing                                | UNPROTECTED
    S2 acked           -> nothing                                | COVERED
    """,
    "17: square-off before the end leaves nothing": COVERED_OPEN
    + """
    squareoff          -> out: square_off, cancel E1             | EXITING
    E1 cancelled       -> S1 to 40 @ market                      | EXITING
    S1 amended         -> nothing                                | EXITING
    S1 traded 40       -> nothing                                | EXITED
    end                -> nothing                                | EXITED
    """,
    "18: a fill after the order was cancelled": OPEN
    + """
    C1                 -> cancel E1, ok CANCEL_PENDING               | ENTRY_OPEN
    E1 cancelled       -> nothing                                    | CANCELLED
    E1 traded-late 10  -> alarm resurrected, S1 sell 10 on 12        | COVERING
    S1 acked           -> nothing                                    | COVERED
    """,
    "20: an IOC entry that fills in part": """
    place 100 @ 13 stop 12 ioc -> E1 buy 100 @ 13 ioc, ok | ENTRY_SENT
    E1 acked           -> nothing                         | ENTRY_OPEN
    E1 traded 40       -> S1 sell 40 on 12                | COVERING
    E1 expired         -> nothing                         | COVERING
    S1 acked           -> nothing                         | COVERED
    """,
    "20: an IOC entry that does not fill": """
    place 100 @ 13 stop 12 ioc -> E1 buy 100 @ 13 ioc, ok | ENTRY_SENT
    E1 acked           -> nothing                         | ENTRY_OPEN
    E1 expired         -> nothing                         | EXPIRED
    """,
    "22: the entry changed down to what has filled": COVERED_OPEN
    + """
    C3 quantity 40     -> cancel E1, ok                   | COVERED_OPEN
    E1 cancelled       -> nothing                         | COVERED
    """,
    "22: the entry changed to less than has filled": COVERED_OPEN
    + """
    C3 quantity 39     -> no: quantity_must_cover_fills   | COVERED_OPEN
    """,
    "a trade told twice is one trade": COVERED_OPEN
    + """
    E1 traded-again    -> nothing                         | COVERED_OPEN
    S1 traded 10       -> cancel E1                       | TRIGGERED
    S1 traded-again    -> nothing                         | TRIGGERED
    """,
    "the first fill comes when the price has passed the stop": OPEN
    + """
    price 11.9         -> nothing                                          | ENTRY_OPEN
    E1 traded 40       -> out: breached_on_arrival, cancel E1, X1 sell 40 @ market | EXITING
    E1 traded 20       -> X2 sell 20 @ market                              | EXITING
    """,
    "an exit waits for the remainder for 300 ms and no longer": COVERED_OPEN
    + """
    C2                 -> out: user, cancel E1, ok        | EXITING
    wait 299ms         -> nothing                         | EXITING
    wait 1ms           -> S1 to 40 @ market               | EXITING
    """,
    "an exit before the first fill flattens what fills all the same": OPEN
    + """
    C2                 -> out: user, cancel E1, ok CANCEL_PENDING | ENTRY_OPEN
    E1 traded 10       -> X1 sell 10 @ market                     | EXITING
    E1 cancelled       -> nothing                                 | EXITING
    X1 acked           -> nothing                                 | EXITING
    X1 traded 10       -> nothing                                 | EXITED
    """,
    "a stop that can't be converted is cancelled, then replaced by what is left": COVERED
    + """
    C2                 -> out: user, S1 to 100 @ market, ok | EXITING
    S1 amend-refused   -> cancel S1                         | EXITING
    S1 traded 30       -> nothing                           | EXITING
    S1 cancelled       -> X2 sell 70 @ market               | EXITING
    X2 acked           -> nothing                           | EXITING
    X2 traded 70       -> nothing                           | EXITED
    """,
    "a stop that won't grow gets a second one beside it": COVERED_OPEN
    + """
    E1 traded 60       -> S1 to 100 on 12                   | COVERING
    S1 amend-refused   -> S2 sell 60 on 12                  | COVERING
    S2 acked           -> nothing                           | COVERED
    """,
    "the newest of two wishes for the stop wins": COVERED
    + """
    C4 stop 12.5       -> S1 to 100 on 12.5, ok             | COVERED
    C4 stop 12.6       -> ok                                | COVERED
    C4 stop 12.7       -> ok                                | COVERED
    S1 amended         -> S1 to 100 on 12.7                 | COVERED
    S1 amended         -> nothing                           | COVERED
    """,
    "a carried intraday position is squared off at the next opening": COVERED
    + """
    end                -> nothing                             | COVERED
    S1 expired         -> alarm carried                       | CARRIED
    C2                 -> no: carried_over                    | CARRIED
    open               -> alarm resumed, out: square_off, X2 sell 100 @ market | EXITING
    X2 acked           -> nothing                             | EXITING
    C2                 -> out: user, ok                       | EXITING
    X2 traded 100      -> nothing                             | EXITED
    """,
    "a carried delivery position is protected again, day after day": """
    place 100 @ 13 stop 12 nrml -> E1 buy 100 @ 13, ok         | ENTRY_SENT
    E1 acked           -> nothing                             | ENTRY_OPEN
    E1 traded 60       -> S1 sell 60 on 12                    | COVERING
    S1 acked           -> nothing                             | COVERED_OPEN
    end                -> nothing                             | COVERED_OPEN
    E1 expired         -> nothing                             | COVERED
    S1 expired         -> alarm carried                       | CARRIED
    open               -> alarm resumed, S2 sell 60 on 12     | COVERING
    S2 acked           -> nothing                             | COVERED
    C4 stop 12.5       -> S2 to 60 on 12.5, ok                | COVERED
    S2 amended         -> nothing                             | COVERED
    C2                 -> out: user, S2 to 60 @ market, ok    | EXITING
    S2 amended         -> nothing                             | EXITING
    S2 traded 20       -> nothing                             | EXITING
    end                -> nothing                             | EXITING
    S2 expired         -> alarm carried                       | CARRIED
    open               -> alarm resumed, S3 sell 40 on 12.5   | COVERING
    S3 acked           -> nothing                             | COVERED
    S3 triggered       -> nothing                             | TRIGGERED
    S3 traded 40       -> nothing                             | EXITED
    open               -> nothing                             | EXITED
    """,
    "the same request under the same key is answered as the first time": """
    place 100 @ 13 stop 12 key A -> E1 buy 100 @ 13, ok       | ENTRY_SENT
    place 100 @ 13 stop 12 key A -> again                     | ENTRY_SENT
    E1 acked           -> nothing                             | ENTRY_OPEN
    C1 key B           -> cancel E1, ok CANCEL_PENDING        | ENTRY_OPEN
    E1 cancelled       -> nothing                             | CANCELLED
    C1 key B           -> again CANCEL_PENDING                | CANCELLED
    C1 key A           -> no: key_must_not_be_reused          | CANCELLED
    """,
    "a stop order enters when it fires, and is protected like any other": """
    place 100 @ 13.5 on 13.4 stop 12 -> E1 buy 100 on 13.4 @ 13.5, ok | ENTRY_SENT
    E1 acked           -> nothing                             | ENTRY_OPEN
    E1 triggered       -> nothing                             | ENTRY_OPEN
    E1 traded 100      -> S1 sell 100 on 12                   | COVERING
    """,
    "a stop order without a limit is sent with one": """
    place 100 on 13.4 stop 12 -> E1 buy 100 on 13.4 @ limit, ok | ENTRY_SENT
    E1 acked           -> nothing                             | ENTRY_OPEN
    """,
    "a market order is sent with a limit and follows the market": """
    place 100 stop 12  -> E1 buy 100 @ market, ok             | ENTRY_SENT
    E1 acked           -> nothing                             | ENTRY_OPEN
    price 13.1         -> nothing                             | ENTRY_OPEN
    wait 500ms         -> E1 to 100 @ market                  | ENTRY_OPEN
    E1 amended         -> nothing                             | ENTRY_OPEN
    wait 500ms         -> nothing                             | ENTRY_OPEN
    """,
    "a trailing stop follows by steps and never goes back": """
    place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
    E1 acked           -> nothing                         | ENTRY_OPEN
    price 13.2         -> nothing                         | ENTRY_OPEN
    E1 traded 100      -> S1 sell 100 on 12               | COVERING
    S1 acked           -> nothing                         | COVERED
    price 13.04        -> nothing                         | COVERED
    price 13.05        -> S1 to 100 on 12.05              | COVERED
    price 13.2         -> nothing                         | COVERED
    price 13.1         -> nothing                         | COVERED
    S1 amended         -> S1 to 100 on 12.2               | COVERED
    S1 amended         -> nothing                         | COVERED
    price 12.5         -> nothing                         | COVERED
    price 13.24        -> nothing                         | COVERED
    price 13.25        -> S1 to 100 on 12.25              | COVERED
    S1 amend-refused   -> nothing                         | COVERED
    """,
}
SLICES: Final = {
    "both legs are cut where one order may not hold them": """
    place 150 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 60 @ 13, E3 buy 30 @ 13, ok | ENTRY_SENT
    E1 acked           -> nothing                         | ENTRY_OPEN
    E2 acked           -> nothing                         | ENTRY_OPEN
    E3 acked           -> nothing                         | ENTRY_OPEN
    E1 traded 60       -> S1 sell 60 on 12                | COVERING
    E2 traded 60       -> nothing                         | COVERING
    E3 traded 30       -> nothing                         | COVERING
    S1 acked           -> S2 sell 60 on 12, S3 sell 30 on 12 | COVERING
    S2 acked           -> nothing                         | COVERING
    S3 acked           -> nothing                         | COVERED
    C2                 -> out: user, S1 to 60 @ market, S2 to 60 @ market, S3 to 30 @ market, ok
    :                  | EXITING
    """,
    "a stop grows up to what one order may hold, then a second begins": """
    place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
    E1 acked           -> nothing                         | ENTRY_OPEN
    E2 acked           -> nothing                         | ENTRY_OPEN
    E1 traded 50       -> S1 sell 50 on 12                | COVERING
    S1 acked           -> nothing                         | COVERED_OPEN
    E2 traded 40       -> S1 to 60 on 12                  | COVERING
    S1 amended         -> S2 sell 30 on 12                | COVERING
    S2 acked           -> nothing                         | COVERED_OPEN
    """,
}


@pytest.mark.parametrize("story", RACES.values(), ids=RACES.keys())
def test_a_race(story: str) -> None:
    """However it goes, the order ends protected or flat, and never with two exits too many."""
    assert play(story)


@pytest.mark.parametrize("story", SLICES.values(), ids=SLICES.keys())
def test_slices(story: str) -> None:
    """Where one order may hold 60, both legs are cut."""
    assert play(story, stock(freeze=60))


def test_a_stop_has_a_limit_where_the_exchange_wants_one() -> None:
    """Where stops without a limit are not taken, the stop carries a protected one and moves it."""
    assert play(
        """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok                  | ENTRY_SENT
        E1 acked               -> nothing                              | ENTRY_OPEN
        E1 traded 100          -> S1 sell 100 on 12 @ limit            | COVERING
        S1 acked               -> nothing                              | COVERED
        C4 stop 12.5           -> S1 to 100 on 12.5 @ limit, ok        | COVERED
        """,
        stock(slm_allowed=False),
    )


def test_policies_are_settings() -> None:
    """The times of the ladder, of the chase and of the wait for a cancel are the operator's."""
    quick = Settings(t_chase_ns=10_000_000, t_cancel_ns=20_000_000)
    assert play(
        COVERED_OPEN
        + """
        C2                 -> out: user, cancel E1, ok        | EXITING
        wait 20ms          -> S1 to 40 @ market               | EXITING
        """,
        settings=quick,
    )
    assert play(
        COVERED
        + """
        S1 triggered       -> nothing                         | TRIGGERED
        wait 10ms          -> out: chase, S1 to 100 @ market  | EXITING
        """,
        settings=quick,
    )
