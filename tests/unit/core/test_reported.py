"""What once went wrong, kept so that it never does again: one scenario an accident."""

from tests.unit.core.scenario import play
from tests.unit.core.stocks import stock

OPEN = """
    place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok     | ENTRY_SENT
    E1 acked               -> nothing                 | ENTRY_OPEN
"""
COVERED_OPEN = (
    OPEN
    + """
    E1 traded 40           -> S1 sell 40 on 12        | COVERING
    S1 acked               -> nothing                 | COVERED_OPEN
"""
)
COVERED = (
    OPEN
    + """
    E1 traded 100          -> S1 sell 100 on 12       | COVERING
    S1 acked               -> nothing                 | COVERED
"""
)
SLICED = """
    place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
    E1 acked               -> nothing                 | ENTRY_OPEN
    E2 acked               -> nothing                 | ENTRY_OPEN
"""


def test_a_late_fill_is_covered_and_ends() -> None:
    """A fill beyond what the closing report named is covered, and the order still ends."""
    assert play(
        COVERED_OPEN
        + """
        C1                 -> cancel E1, ok CANCEL_PENDING    | COVERED_OPEN
        E1 cancelled       -> nothing                         | COVERED
        E1 traded-late 10  -> alarm late_fill, S1 to 50 on 12 | COVERING
        S1 amended         -> nothing                         | COVERED
        S1 triggered       -> nothing                         | TRIGGERED
        S1 traded 50       -> nothing                         | EXITED
        """
    )


def test_a_fill_after_a_fired_stop_is_flattened() -> None:
    """A late fill finds no stop, for it has fired: it is flattened at once."""
    assert play(
        COVERED_OPEN
        + """
        S1 triggered       -> cancel E1                                               | TRIGGERED
        E1 cancelled       -> nothing                                                 | TRIGGERED
        S1 traded 40       -> nothing                                                 | EXITED
        E1 traded-late 10  -> alarm resurrected, out: triggered, X2 sell 10 @ market  | EXITING
        X2 acked           -> nothing                                                 | EXITING
        X2 traded 10       -> nothing                                                 | EXITED
        """
    )


def test_a_fill_after_the_session_is_carried() -> None:
    """A fill told after the end of the session cannot be covered, so it is carried and told."""
    assert play(
        OPEN
        + """
        end                -> nothing                           | ENTRY_OPEN
        E1 expired         -> nothing                           | EXPIRED
        E1 traded-late 10  -> alarm resurrected, alarm carried  | CARRIED
        E1 traded-late 5   -> nothing                           | CARRIED
        open               -> alarm resumed, out: square_off, X1 sell 15 @ market | EXITING
        """
    )


def test_a_fill_told_after_the_session_is_carried() -> None:
    """An entry that filled before the end, and is told of after it, is carried."""
    assert play(
        OPEN
        + """
        end                -> nothing                           | ENTRY_OPEN
        E1 traded 100      -> alarm carried                     | CARRIED
        """
    )


def test_the_next_session_wakes_what_is_left() -> None:
    """What the last session left unprotected is covered when the next one begins."""
    assert play(
        COVERED
        + """
        S1 removed         -> alarm stop_removed, S2 sell 100 on 12 | UNPROTECTED
        end                -> nothing                               | UNPROTECTED
        S2 rejected        -> alarm carried                         | CARRIED
        """
    )
    assert play(
        OPEN
        + """
        end                -> nothing                               | ENTRY_OPEN
        E1 traded 40       -> nothing                               | COVERING
        open               -> S1 sell 40 on 12                      | COVERING
        """
    )


def test_a_reopened_order_starts_its_ladder_anew() -> None:
    """An order that ended without a stop is covered anew when its next session opens."""
    assert play(
        """
        place 100 @ 13 stop 12 nrml -> E1 buy 100 @ 13, ok           | ENTRY_SENT
        E1 acked           -> nothing                               | ENTRY_OPEN
        E1 traded 40       -> S1 sell 40 on 12                      | COVERING
        S1 acked           -> nothing                               | COVERED_OPEN
        S1 removed         -> alarm stop_removed, S2 sell 40 on 12  | UNPROTECTED
        end                -> nothing                               | UNPROTECTED
        S2 rejected        -> nothing                               | UNPROTECTED
        E1 expired         -> alarm carried                         | CARRIED
        open               -> alarm resumed, S3 sell 40 on 12 @ limit | COVERING
        """
    )


def test_a_refused_cancel_of_a_slice_ends_the_modify() -> None:
    """A slice that will not go does not block every later change."""
    assert play(
        SLICED
        + """
        C3 quantity 60     -> cancel E2, ok                | ENTRY_OPEN
        E2 cancel-refused  -> nothing                      | ENTRY_OPEN
        C3 quantity 90     -> E2 to 30 @ 13, ok            | ENTRY_OPEN
        """,
        stock(freeze=60),
    )


def test_a_rejected_extra_slice_ends_the_modify() -> None:
    """A slice that a change added and the venue refused does not block every later change."""
    assert play(
        """
        place 60 @ 13 stop 12 -> E1 buy 60 @ 13, ok     | ENTRY_SENT
        E1 acked              -> nothing                | ENTRY_OPEN
        C3 quantity 100       -> E2 buy 40 @ 13, ok     | ENTRY_OPEN
        E2 rejected           -> nothing                | ENTRY_OPEN
        C3 quantity 50        -> E1 to 50 @ 13, ok      | ENTRY_OPEN
        """,
        stock(freeze=60),
    )


def test_a_refused_modify_keeps_the_quantity() -> None:
    """A refused change leaves the total as it was, slices that have filled included."""
    assert play(
        SLICED
        + """
        E1 traded 60       -> S1 sell 60 on 12             | COVERING
        S1 acked           -> nothing                      | COVERED_OPEN
        C3 quantity 90     -> E2 to 30 @ 13, ok            | COVERED_OPEN
        E2 amend-refused   -> nothing                      | COVERED_OPEN
        C3 quantity 100    -> ok                           | COVERED_OPEN
        """,
        stock(freeze=60),
    )


def test_an_old_refusal_does_not_taint_a_new_modify() -> None:
    """A change succeeds by its own answers, whatever was refused before."""
    assert play(
        SLICED
        + """
        C3 quantity 100 @ 13.1 -> E1 to 60 @ 13.1, E2 to 40 @ 13.1, ok | ENTRY_OPEN
        E2 amended             -> nothing                              | ENTRY_OPEN
        E1 amend-refused       -> nothing                              | ENTRY_OPEN
        C3 quantity 90         -> E2 to 30 @ 13, ok                    | ENTRY_OPEN
        E2 amended             -> nothing                              | ENTRY_OPEN
        C3 quantity 90         -> ok                                   | ENTRY_OPEN
        """,
        stock(freeze=60),
    )


def test_a_refused_trail_does_not_forbid_conversion() -> None:
    """A stop that would not trail is still converted in place when the client wants out."""
    assert play(
        """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok              | ENTRY_SENT
        E1 acked                          -> nothing                          | ENTRY_OPEN
        E1 traded 100                     -> S1 sell 100 on 12                | COVERING
        S1 acked                          -> nothing                          | COVERED
        price 13.2                        -> S1 to 100 on 12.2                | COVERED
        S1 amend-refused                  -> nothing                          | COVERED
        C2                                -> out: user, S1 to 100 @ market, ok | EXITING
        """
    )


def test_a_refused_slice_does_not_loosen_the_others() -> None:
    """One slice of the stop that cannot follow does not take the others back."""
    assert play(
        SLICED
        + """
        E1 traded 60       -> S1 sell 60 on 12                        | COVERING
        S1 acked           -> nothing                                 | COVERED_OPEN
        E2 traded 40       -> S2 sell 40 on 12                        | COVERING
        S2 acked           -> nothing                                 | COVERED
        C4 stop 12.5       -> S1 to 60 on 12.5, S2 to 40 on 12.5, ok  | COVERED
        S1 amended         -> nothing                                 | COVERED
        S2 amend-refused   -> nothing                                 | COVERED
        C4 stop 12.6       -> S1 to 60 on 12.6, S2 to 40 on 12.6, ok  | COVERED
        """,
        stock(freeze=60),
    )


def test_a_stop_that_is_removed_again_and_again_is_given_up() -> None:
    """A venue that takes each stop and throws it out is not asked for ever: two tries, then out."""
    assert play(
        COVERED
        + """
        S1 removed         -> alarm stop_removed, S2 sell 100 on 12 | UNPROTECTED
        S2 acked           -> nothing                               | COVERED
        S2 removed         -> S3 sell 100 on 12                     | UNPROTECTED
        S3 acked           -> nothing                               | COVERED
        S3 removed         -> nothing                               | UNPROTECTED
        wait 3000ms        -> alarm naked, out: naked_too_long, X4 sell 100 @ market | EXITING
        """
    )


def test_the_end_of_the_day_is_no_accident() -> None:
    """A stop that expires at the end of the session is carried, not mourned."""
    assert play(
        COVERED
        + """
        end                -> nothing                          | COVERED
        S1 expired         -> alarm carried                    | CARRIED
        """
    )


def test_c1_after_an_ioc_is_told_that_it_is_executed() -> None:
    """Where no remainder was ever cancelled there is nothing to repeat."""
    assert play(
        """
        place 100 @ 13 stop 12 ioc -> E1 buy 100 @ 13 ioc, ok            | ENTRY_SENT
        E1 acked                   -> nothing                            | ENTRY_OPEN
        E1 traded 40               -> S1 sell 40 on 12                   | COVERING
        E1 expired                 -> nothing                            | COVERING
        S1 acked                   -> nothing                            | COVERED
        S1 triggered               -> nothing                            | TRIGGERED
        C1                         -> no: entry_already_executed         | TRIGGERED
        """
    )


def test_a_past_timer_does_not_hide_a_coming_one() -> None:
    """A refused cancel of the remainder is asked again when its own time comes."""
    assert play(
        COVERED_OPEN
        + """
        C2                 -> out: user, cancel E1, ok         | EXITING
        E1 cancel-refused  -> nothing                          | EXITING
        wait 300ms         -> S1 to 40 @ market                | EXITING
        wait 200ms         -> cancel E1                        | EXITING
        """
    )


def test_a_change_before_the_acceptance_buys_nothing_twice() -> None:
    """An entry that trades before its acceptance is told can't be changed yet, nor sent again."""
    assert play(
        """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok      | ENTRY_SENT
        E1 traded 40           -> S1 sell 40 on 12         | COVERING
        C3 quantity 80         -> no: entry_in_flight      | COVERING
        E1 acked               -> nothing                  | COVERING
        C3 quantity 80         -> E1 to 80 @ 13, ok        | COVERING
        """
    )
