"""
One line for every cell of a target's reports that a talking venue can reach, and clients' requests.

A line begins with the setup it starts from, and ``then`` goes on with the one above, as in
``tests.unit.core.cells``.
"""

from typing import Final

SETUPS: Final = {
    "B_SENT": """
        place 100 @ 13 stopoff 1 targetoff 1  -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                              -> nothing             | ENTRY_OPEN
        E1 traded 40                          -> S1 sell 40 on 12    | COVERING
        S1 acked                              -> T2 sell 40 @ 14     | COVERED_OPEN
    """,
    "B_OPEN": """
        place 100 @ 13 stopoff 1 targetoff 1  -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                              -> nothing             | ENTRY_OPEN
        E1 traded 40                          -> S1 sell 40 on 12    | COVERING
        S1 acked                              -> T2 sell 40 @ 14     | COVERED_OPEN
        T2 acked                              -> nothing             | COVERED_OPEN
    """,
    "B_GROWING": """
        place 100 @ 13 stopoff 1 targetoff 1  -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                              -> nothing             | ENTRY_OPEN
        E1 traded 40                          -> S1 sell 40 on 12    | COVERING
        S1 acked                              -> T2 sell 40 @ 14     | COVERED_OPEN
        T2 acked                              -> nothing             | COVERED_OPEN
        E1 traded 20                          -> S1 to 60 on 12      | COVERING
        S1 amended                            -> T2 to 60 @ 14       | COVERED_OPEN
    """,
    "B_COVERED_SENT": """
        place 100 @ 13 stopoff 1 targetoff 1  -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                              -> nothing             | ENTRY_OPEN
        E1 traded 100                         -> S1 sell 100 on 12   | COVERING
        S1 acked                              -> T2 sell 100 @ 14    | COVERED
    """,
    "B_COVERED": """
        place 100 @ 13 stopoff 1 targetoff 1  -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                              -> nothing             | ENTRY_OPEN
        E1 traded 100                         -> S1 sell 100 on 12   | COVERING
        S1 acked                              -> T2 sell 100 @ 14    | COVERED
        T2 acked                              -> nothing             | COVERED
    """,
}

# What a target's reports cause in each state, silence included.
TARGET_REPORT: Final = """
B_SENT         E1 traded 20           -> S1 to 60 on 12                               | COVERING
  then         T2 acked               -> nothing                                      | COVERING
B_SENT         T2 acked               -> nothing                                      | COVERED_OPEN
B_COVERED_SENT T2 acked               -> nothing                                      | COVERED
B_COVERED_SENT T2 rejected            -> alarm target_refused                         | COVERED
B_COVERED      C3 targetoff 2         -> no: entry_already_executed                   | COVERED
B_COVERED      C4 target @ 11.9       -> no: target_must_be_on_winning_side           | COVERED
B_COVERED      C4 target @ 14         -> ok                                           | COVERED
B_COVERED      C1                     -> no: entry_already_executed                   | COVERED
B_OPEN         C1                     -> cancel E1, ok CANCEL_PENDING                 | COVERED_OPEN
  then         E1 cancelled           -> nothing                                      | COVERED
B_OPEN         C2 target              -> out: user, cancel E1, cancel T2, ok          | EXITING
B_OPEN         C2                     -> out: user, cancel E1, cancel T2, ok          | EXITING
  then         C2 target              -> again                                        | EXITING
  then         C2                     -> again                                        | EXITING
B_SENT         S1 triggered           -> cancel E1                                    | TRIGGERED
  then         T2 acked               -> cancel T2                                    | TRIGGERED
B_SENT         C2                     -> out: user, cancel E1, ok                     | EXITING
  then         T2 acked               -> cancel T2                                    | EXITING
B_SENT         S1 removed             -> alarm stop_removed, ask T2, S3 sell 40 on 12 | UNPROTECTED
  then         T2 acked               -> nothing                                      | UNPROTECTED
B_SENT         E1 traded 20           -> S1 to 60 on 12                               | COVERING
  then         T2 rejected            -> alarm target_refused                         | COVERING
  then         S1 amended             -> nothing                                      | COVERED_OPEN
B_SENT         T2 rejected            -> alarm target_refused                         | COVERED_OPEN
  then         C4 target targetoff 2  -> T3 sell 40 @ 15, ok                          | COVERED_OPEN
B_SENT         S1 triggered           -> cancel E1                                    | TRIGGERED
  then         T2 rejected            -> nothing                                      | TRIGGERED
B_SENT         C2                     -> out: user, cancel E1, ok                     | EXITING
  then         T2 rejected            -> nothing                                      | EXITING
B_SENT         S1 removed             -> alarm stop_removed, ask T2, S3 sell 40 on 12 | UNPROTECTED
  then         T2 rejected            -> alarm target_refused                         | UNPROTECTED
B_OPEN         E1 traded 20           -> S1 to 60 on 12                               | COVERING
  then         T2 traded 10           -> cancel E1                                    | COVERING
B_OPEN         T2 traded 10           -> cancel E1                                    | COVERED_OPEN
B_OPEN         T2 traded 40           -> cancel E1                                    | COVERED_OPEN
  then         S1 unlinked            -> nothing                                      | COVERED_OPEN
  then         E1 removed             -> nothing                                      | EXITED
B_OPEN         S1 triggered           -> cancel E1, cancel T2                         | TRIGGERED
  then         T2 traded 10           -> nothing                                      | TRIGGERED
B_OPEN         C2                     -> out: user, cancel E1, cancel T2, ok          | EXITING
  then         T2 traded 10           -> nothing                                      | EXITING
  then         E1 removed             -> S1 to 40 @ market                            | EXITING
B_OPEN         S1 removed             -> alarm stop_removed, ask T2, S3 sell 40 on 12 | UNPROTECTED
  then         T2 traded 10           -> cancel E1                                    | UNPROTECTED
  then         S3 acked               -> nothing                                      | COVERED_OPEN
B_OPEN         E1 traded 20           -> S1 to 60 on 12                               | COVERING
  then         T2 removed             -> alarm target_removed, ask S1                 | COVERING
B_OPEN         T2 removed             -> alarm target_removed, ask S1                 | COVERED_OPEN
B_OPEN         S1 triggered           -> cancel E1, cancel T2                         | TRIGGERED
  then         T2 cancelled           -> nothing                                      | TRIGGERED
B_OPEN         C2                     -> out: user, cancel E1, cancel T2, ok          | EXITING
  then         T2 cancelled           -> nothing                                      | EXITING
B_OPEN         C2                     -> out: user, cancel E1, cancel T2, ok          | EXITING
  then         T2 removed             -> ask S1                                       | EXITING
B_OPEN         S1 removed             -> alarm stop_removed, ask T2, S3 sell 40 on 12 | UNPROTECTED
  then         T2 removed             -> alarm target_removed, ask S3                 | UNPROTECTED
B_GROWING      T2 amended             -> nothing                                      | COVERED_OPEN
B_GROWING      E1 traded 10           -> S1 to 70 on 12                               | COVERING
  then         T2 amended             -> nothing                                      | COVERING
B_GROWING      S1 triggered           -> cancel E1                                    | TRIGGERED
  then         T2 amended             -> cancel T2                                    | TRIGGERED
B_GROWING      C2                     -> out: user, cancel E1, ok                     | EXITING
  then         T2 amended             -> cancel T2                                    | EXITING
B_GROWING      S1 removed             -> alarm stop_removed, ask T2, S3 sell 60 on 12 | UNPROTECTED
  then         T2 amended             -> nothing                                      | UNPROTECTED
B_GROWING      T2 amend-refused       -> nothing                                      | COVERED_OPEN
  then         E1 traded 10           -> S1 to 70 on 12                               | COVERING
B_GROWING      E1 traded 10           -> S1 to 70 on 12                               | COVERING
  then         T2 amend-refused       -> nothing                                      | COVERING
  then         S1 amended             -> nothing                                      | COVERED_OPEN
B_GROWING      S1 triggered           -> cancel E1                                    | TRIGGERED
  then         T2 amend-refused       -> cancel T2                                    | TRIGGERED
B_GROWING      C2                     -> out: user, cancel E1, ok                     | EXITING
  then         T2 amend-refused       -> cancel T2                                    | EXITING
B_GROWING      S1 removed             -> alarm stop_removed, ask T2, S3 sell 60 on 12 | UNPROTECTED
  then         T2 amend-refused       -> nothing                                      | UNPROTECTED
B_GROWING      wait 1000ms            -> alarm unknown, ask T2                        | COVERED_OPEN
  then         T2 asked               -> nothing                                      | COVERED_OPEN
B_GROWING      E1 traded 10           -> S1 to 70 on 12                               | COVERING
  then         wait 1000ms            -> alarm unknown, ask T2, ask S1, alarm naked   | COVERING
B_GROWING      S1 triggered           -> cancel E1                                    | TRIGGERED
  then         wait 1000ms -> alarm unknown, ask T2, ask E1, out: chase, S1 to 60 @ market | EXITING
B_GROWING      C2                     -> out: user, cancel E1, ok                     | EXITING
  then         E1 cancelled           -> S1 to 60 @ market                            | EXITING
  then         wait 1000ms            -> alarm unknown, ask T2, ask S1                | EXITING
B_GROWING      S1 removed             -> alarm stop_removed, ask T2, S3 sell 60 on 12 | UNPROTECTED
  then         S3 acked               -> nothing                                      | COVERED_OPEN
  then         wait 1000ms            -> alarm unknown, ask T2                        | COVERED_OPEN
B_GROWING      S1 removed             -> alarm stop_removed, ask T2, S3 sell 60 on 12 | UNPROTECTED
  then         S3 rejected            -> alarm stop_refused, S4 sell 60 on 12 @ limit | UNPROTECTED
  then         wait 1000ms            -> alarm unknown, ask T2, alarm naked, ask S4   | UNPROTECTED
B_COVERED      C4 target targetoff 1.5 -> T2 to 100 @ 14.5, ok                         | COVERED
  then         T2 amend-refused       -> nothing                                      | COVERED
  then         C4 target targetoff 1.5 -> T2 to 100 @ 14.5, ok                         | COVERED
  then         T2 amended             -> nothing                                      | COVERED
B_COVERED      T2 traded 100          -> nothing                                      | COVERED
  then         S1 unlinked            -> nothing                                      | EXITED
B_COVERED      T2 removed             -> alarm target_removed, ask S1                 | COVERED
  then         C4 target @ 13.5       -> T3 sell 100 @ 13.5, ok                       | COVERED
B_COVERED      C4 target targetoff 1.5 -> T2 to 100 @ 14.5, ok                         | COVERED
  then         wait 1000ms            -> alarm unknown, ask T2                        | COVERED
B_COVERED      C2                     -> out: user, cancel T2, S1 to 100 @ market, ok | EXITING
  then         S1 amended             -> nothing                                      | EXITING
  then         S1 traded 100          -> nothing                                      | EXITING
  then         T2 unlinked            -> nothing                                      | EXITED
  then         T2 cancel-refused      -> nothing                                      | EXITED
B_COVERED      C2                     -> out: user, cancel T2, S1 to 100 @ market, ok | EXITING
  then         S1 amended             -> nothing                                      | EXITING
  then         S1 removed             -> ask T2                                       | EXITING
  then         end                    -> nothing                                      | EXITING
  then         T2 expired             -> alarm carried                                | CARRIED
  then         T2 cancel-refused      -> nothing                                      | CARRIED
"""
