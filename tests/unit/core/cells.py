"""
One line for every cell of the tables that a talking venue can reach.

A line begins with the setup it starts from, and ``then`` goes on with the one above. What stands
right of ``->`` is everything that the event causes; see ``scenario`` for the words. Setups whose
name begins with SLICED, and those with two stops, trade a share whose freeze quantity is 60.
"""

from typing import Final

SETUPS: Final = {
    "ENTRY_SENT": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
    """,
    "ENTRY_OPEN": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                          -> nothing             | ENTRY_OPEN
    """,
    "COVERING": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                          -> nothing             | ENTRY_OPEN
        E1 traded 40                      -> S1 sell 40 on 12    | COVERING
    """,
    "COVERED_OPEN": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                          -> nothing             | ENTRY_OPEN
        E1 traded 40                      -> S1 sell 40 on 12    | COVERING
        S1 acked                          -> nothing             | COVERED_OPEN
    """,
    "COVERED": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                          -> nothing             | ENTRY_OPEN
        E1 traded 100                     -> S1 sell 100 on 12   | COVERING
        S1 acked                          -> nothing             | COVERED
    """,
    "DELIVERY_SENT": """
        place 100 @ 13 nrml stop 12 -> E1 buy 100 @ 13, ok | ENTRY_SENT
    """,
    "DELIVERY_OPEN": """
        place 100 @ 13 nrml stop 12 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                   -> nothing             | ENTRY_OPEN
        E1 traded 40               -> S1 sell 40 on 12    | COVERING
        S1 acked                   -> nothing             | COVERED_OPEN
    """,
    "DELIVERY_FIRED": """
        place 100 @ 13 nrml stop 12 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                   -> nothing             | ENTRY_OPEN
        E1 traded 40               -> S1 sell 40 on 12    | COVERING
        S1 acked                   -> nothing             | COVERED_OPEN
        S1 triggered               -> cancel E1           | TRIGGERED
    """,
    "DELIVERY": """
        place 100 @ 13 nrml stop 12 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                   -> nothing             | ENTRY_OPEN
        E1 traded 100              -> S1 sell 100 on 12   | COVERING
        S1 acked                   -> nothing             | COVERED
    """,
    "TRIGGERED": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked                          -> nothing             | ENTRY_OPEN
        E1 traded 40                      -> S1 sell 40 on 12    | COVERING
        S1 acked                          -> nothing             | COVERED_OPEN
        S1 triggered                      -> cancel E1           | TRIGGERED
    """,
    "EXITING": """
        place 100 @ 13 stop 12 trail 0.05 -> E1 buy 100 @ 13, ok        | ENTRY_SENT
        E1 acked                          -> nothing                    | ENTRY_OPEN
        E1 traded 40                      -> S1 sell 40 on 12           | COVERING
        S1 acked                          -> nothing                    | COVERED_OPEN
        squareoff                         -> out: square_off, cancel E1 | EXITING
    """,
    "UNPROTECTED": """
        place 100 @ 13 stop 12  -> E1 buy 100 @ 13, ok                          | ENTRY_SENT
        E1 acked                -> nothing                                      | ENTRY_OPEN
        E1 traded 40            -> S1 sell 40 on 12                             | COVERING
        S1 rejected             -> alarm stop_refused, S2 sell 40 on 12 @ limit | UNPROTECTED
    """,
    "REJECTED": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok          | ENTRY_SENT
        E1 acked               -> nothing                      | ENTRY_OPEN
        C1                     -> cancel E1, ok CANCEL_PENDING | ENTRY_OPEN
        E1 rejected            -> nothing                      | REJECTED
    """,
    "CANCELLED": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok          | ENTRY_SENT
        E1 acked               -> nothing                      | ENTRY_OPEN
        C1                     -> cancel E1, ok CANCEL_PENDING | ENTRY_OPEN
        E1 removed             -> nothing                      | CANCELLED
    """,
    "EXPIRED": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok          | ENTRY_SENT
        E1 acked               -> nothing                      | ENTRY_OPEN
        C1                     -> cancel E1, ok CANCEL_PENDING | ENTRY_OPEN
        end                    -> nothing                      | ENTRY_OPEN
        E1 expired             -> nothing                      | EXPIRED
    """,
    "EXITED": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok        | ENTRY_SENT
        E1 acked               -> nothing                    | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12           | COVERING
        S1 acked               -> nothing                    | COVERED_OPEN
        squareoff              -> out: square_off, cancel E1 | EXITING
        E1 removed             -> S1 to 40 @ market          | EXITING
        S1 traded 40           -> nothing                    | EXITED
    """,
    "CARRIED": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok        | ENTRY_SENT
        E1 acked               -> nothing                    | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12           | COVERING
        S1 acked               -> nothing                    | COVERED_OPEN
        squareoff              -> out: square_off, cancel E1 | EXITING
        E1 removed             -> S1 to 40 @ market          | EXITING
        end                    -> nothing                    | EXITING
        S1 expired             -> alarm carried              | CARRIED
    """,
    "SLICED_COVERING": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
        E1 acked               -> nothing                            | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12                   | COVERING
    """,
    "SLICED_OPEN": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
        E1 acked               -> nothing                            | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12                   | COVERING
        S1 acked               -> nothing                            | COVERED_OPEN
    """,
    "SLICED_TRIGGERED": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
        E1 acked               -> nothing                            | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12                   | COVERING
        S1 acked               -> nothing                            | COVERED_OPEN
        S1 triggered           -> cancel E1                          | TRIGGERED
    """,
    "SLICED_EXITING": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
        E1 acked               -> nothing                            | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12                   | COVERING
        S1 acked               -> nothing                            | COVERED_OPEN
        C2                     -> out: user, cancel E1, ok           | EXITING
    """,
    "SLICED_UNPROTECTED": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok           | ENTRY_SENT
        E1 acked               -> nothing                                      | ENTRY_OPEN
        E1 traded 40           -> S1 sell 40 on 12                             | COVERING
        S1 rejected            -> alarm stop_refused, S2 sell 40 on 12 @ limit | UNPROTECTED
    """,
    "TWO_STOPS": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok | ENTRY_SENT
        E1 acked               -> nothing                            | ENTRY_OPEN
        E2 acked               -> nothing                            | ENTRY_OPEN
        E1 traded 60           -> S1 sell 60 on 12                   | COVERING
        S1 acked               -> nothing                            | COVERED_OPEN
        E2 traded 40           -> S2 sell 40 on 12                   | COVERING
        S2 acked               -> nothing                            | COVERED
    """,
    "ONE_STOP_LOST": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok     | ENTRY_SENT
        E1 acked               -> nothing                                | ENTRY_OPEN
        E2 acked               -> nothing                                | ENTRY_OPEN
        E1 traded 60           -> S1 sell 60 on 12                       | COVERING
        S1 acked               -> nothing                                | COVERED_OPEN
        E2 traded 40           -> S2 sell 40 on 12                       | COVERING
        S2 acked               -> nothing                                | COVERED
        C4 stop 12.5           -> S1 to 60 on 12.5, S2 to 40 on 12.5, ok | COVERED
        S2 removed             -> alarm stop_removed                     | UNPROTECTED
    """,
    "EXITED_BY_CLIENT": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok               | ENTRY_SENT
        E1 acked               -> nothing                           | ENTRY_OPEN
        E1 traded 100          -> S1 sell 100 on 12                 | COVERING
        S1 acked               -> nothing                           | COVERED
        C2                     -> out: user, S1 to 100 @ market, ok | EXITING
        S1 amended             -> nothing                           | EXITING
        S1 traded 100          -> nothing                           | EXITED
    """,
    "DENIED_SLICE": """
        place 100 @ 13 stop 12 -> E1 buy 60 @ 13, E2 buy 40 @ 13, ok   | ENTRY_SENT
        wait 1000ms            -> alarm unknown, ask E1, ask E2        | ENTRY_SENT
        E2 lost                -> nothing                              | ENTRY_SENT
        E2 asked               -> nothing                              | ENTRY_OPEN
    """,
    "DROPPED": """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok | ENTRY_SENT
        E1 acked               -> nothing             | ENTRY_OPEN
        E1 removed             -> nothing             | CANCELLED
    """,
}

# What a client asks: C1 cancels the entry, C2 exits, C3 and C4 modify.
USER: Final = """
ENTRY_SENT         C1               -> ok CANCEL_PENDING                            | ENTRY_SENT
  then             E1 acked         -> cancel E1                                    | ENTRY_OPEN
  then             E1 cancelled     -> nothing                                      | CANCELLED
ENTRY_SENT         C2               -> out: user, ok CANCEL_PENDING                 | ENTRY_SENT
  then             E1 acked         -> cancel E1                                    | ENTRY_OPEN
  then             E1 cancelled     -> nothing                                      | CANCELLED
ENTRY_SENT         C3 quantity 60   -> no: entry_in_flight                          | ENTRY_SENT
ENTRY_SENT         C4 stop 12.5     -> ok                                           | ENTRY_SENT
ENTRY_OPEN         C1               -> cancel E1, ok CANCEL_PENDING                 | ENTRY_OPEN
ENTRY_OPEN         C2               -> out: user, cancel E1, ok CANCEL_PENDING      | ENTRY_OPEN
ENTRY_OPEN         C3 quantity 60   -> E1 to 60 @ 13, ok                            | ENTRY_OPEN
ENTRY_OPEN         C4 stop 12.5     -> ok                                           | ENTRY_OPEN
COVERING           C1               -> cancel E1, ok CANCEL_PENDING                 | COVERING
COVERING           C2               -> out: user, cancel E1, ok                     | EXITING
COVERING           C3 quantity 60   -> E1 to 60 @ 13, ok                            | COVERING
COVERING           C4 stop 12.5     -> ok                                           | COVERING
  then             S1 acked         -> S1 to 40 on 12.5                             | COVERED_OPEN
COVERED_OPEN       C1               -> cancel E1, ok CANCEL_PENDING                 | COVERED_OPEN
COVERED_OPEN       C2               -> out: user, cancel E1, ok                     | EXITING
COVERED_OPEN       C3 quantity 60   -> E1 to 60 @ 13, ok                            | COVERED_OPEN
COVERED_OPEN       C4 stop 12.5     -> S1 to 40 on 12.5, ok                         | COVERED_OPEN
COVERED            C1               -> no: entry_already_executed                   | COVERED
COVERED            C2               -> out: user, S1 to 100 @ market, ok            | EXITING
COVERED            C3 quantity 60   -> no: entry_already_executed                   | COVERED
COVERED            C4 stop 12.5     -> S1 to 100 on 12.5, ok                        | COVERED
TRIGGERED          C1               -> again CANCEL_PENDING                         | TRIGGERED
TRIGGERED          C2               -> out: user, S1 to 40 @ market, ok             | EXITING
TRIGGERED          C3 quantity 60   -> no: stop_already_triggered                   | TRIGGERED
TRIGGERED          C4 stop 12.5     -> no: stop_already_triggered                   | TRIGGERED
EXITING            C1               -> again                                        | EXITING
EXITING            C2               -> out: user, ok                                | EXITING
EXITING            C3 quantity 60   -> no: exit_in_progress                         | EXITING
EXITING            C4 stop 12.5     -> no: exit_in_progress                         | EXITING
UNPROTECTED        C1               -> cancel E1, ok CANCEL_PENDING                 | UNPROTECTED
UNPROTECTED        C2               -> out: user, cancel E1, ok                     | EXITING
UNPROTECTED        C3 quantity 60   -> E1 to 60 @ 13, ok                            | UNPROTECTED
UNPROTECTED        C3 quantity 160  -> no: quantity_must_not_grow                   | UNPROTECTED
UNPROTECTED        C4 stop 12.5     -> ok                                           | UNPROTECTED
  then             S2 acked         -> S2 to 40 on 12.5 @ limit                     | COVERED_OPEN
REJECTED           C1               -> again                                        | REJECTED
REJECTED           C2               -> no: already_rejected                         | REJECTED
REJECTED           C3 quantity 60   -> no: already_rejected                         | REJECTED
REJECTED           C4 stop 12.5     -> no: already_rejected                         | REJECTED
DROPPED            C1               -> no: already_closed                           | CANCELLED
DROPPED            C2               -> no: already_closed                           | CANCELLED
DROPPED            C3 quantity 60   -> no: already_closed                           | CANCELLED
DROPPED            C4 stop 12.5     -> no: already_closed                           | CANCELLED
CANCELLED          C1               -> again                                        | CANCELLED
CANCELLED          C2               -> again                                        | CANCELLED
EXPIRED            C1               -> again                                        | EXPIRED
EXPIRED            C2               -> again                                        | EXPIRED
EXPIRED            C3 quantity 60   -> no: already_closed                           | EXPIRED
EXPIRED            C4 stop 12.5     -> no: already_closed                           | EXPIRED
EXITED             C1               -> no: entry_already_executed                   | EXITED
EXITED             C2               -> no: already_exited                           | EXITED
EXITED             C3 quantity 60   -> no: already_exited                           | EXITED
EXITED             C4 stop 12.5     -> no: already_exited                           | EXITED
EXITED_BY_CLIENT   C1               -> no: entry_already_executed                   | EXITED
EXITED_BY_CLIENT   C2               -> again                                        | EXITED
CARRIED            C1               -> no: carried_over                             | CARRIED
CARRIED            C2               -> no: carried_over                             | CARRIED
CARRIED            C3 quantity 60   -> no: carried_over                             | CARRIED
CARRIED            C4 stop 12.5     -> no: carried_over                             | CARRIED
"""

# What the venue says of an entry.
ENTRY_REPORT: Final = """
ENTRY_SENT         E1 acked         -> nothing                                      | ENTRY_OPEN
ENTRY_SENT         E1 rejected      -> nothing                                      | REJECTED
ENTRY_SENT         E1 traded 40     -> S1 sell 40 on 12                             | COVERING
  then             E1 acked         -> nothing                                      | COVERING
ENTRY_SENT         E1 removed       -> nothing                                      | CANCELLED
ENTRY_OPEN         E1 rejected      -> nothing                                      | REJECTED
ENTRY_OPEN         E1 traded 40     -> S1 sell 40 on 12                             | COVERING
ENTRY_OPEN         E1 removed       -> nothing                                      | CANCELLED
ENTRY_OPEN         E1 expired       -> nothing                                      | EXPIRED
ENTRY_OPEN         C1               -> cancel E1, ok CANCEL_PENDING                 | ENTRY_OPEN
  then             E1 cancel-refused -> nothing                                      | ENTRY_OPEN
SLICED_COVERING    E2 acked         -> nothing                                      | COVERING
SLICED_COVERING    E1 rejected      -> nothing                                      | COVERING
SLICED_COVERING    E1 traded 20     -> nothing                                      | COVERING
SLICED_COVERING    E1 removed       -> nothing                                      | COVERING
SLICED_COVERING    C1               -> cancel E1, ok CANCEL_PENDING                 | COVERING
  then             E1 cancel-refused -> nothing                                      | COVERING
COVERING           E1 traded 60     -> nothing                                      | COVERING
COVERING           C1               -> cancel E1, ok CANCEL_PENDING                 | COVERING
  then             E1 cancelled     -> nothing                                      | COVERING
SLICED_OPEN        E2 acked         -> nothing                                      | COVERED_OPEN
SLICED_OPEN        E2 rejected      -> nothing                                      | COVERED_OPEN
SLICED_OPEN        E1 rejected      -> nothing                                      | COVERED_OPEN
SLICED_OPEN        E1 traded 20     -> S1 to 60 on 12                               | COVERING
SLICED_OPEN        E1 removed       -> nothing                                      | COVERED_OPEN
SLICED_OPEN        C1               -> cancel E1, ok CANCEL_PENDING                 | COVERED_OPEN
  then             E1 cancel-refused -> nothing                                      | COVERED_OPEN
COVERED_OPEN       E1 traded 60     -> S1 to 100 on 12                              | COVERING
COVERED_OPEN       E1 removed       -> nothing                                      | COVERED
COVERED_OPEN       C1               -> cancel E1, ok CANCEL_PENDING                 | COVERED_OPEN
  then             E1 cancelled     -> nothing                                      | COVERED
COVERED_OPEN       C1               -> cancel E1, ok CANCEL_PENDING                 | COVERED_OPEN
  then             E1 traded 60     -> S1 to 100 on 12                              | COVERING
  then             S1 amended       -> nothing                                      | COVERED
  then             E1 cancel-refused -> nothing                                     | COVERED
COVERED_OPEN       E1 removed       -> nothing                                      | COVERED
  then             E1 traded-late 10 -> alarm late_fill, S1 to 50 on 12             | COVERING
  then             S1 amended       -> nothing                                      | COVERED
  then             S1 triggered     -> nothing                                      | TRIGGERED
  then             S1 traded 50     -> nothing                                      | EXITED
SLICED_TRIGGERED   E2 acked         -> cancel E2                                    | TRIGGERED
SLICED_TRIGGERED   E2 rejected      -> nothing                                      | TRIGGERED
SLICED_TRIGGERED   E1 traded 20     -> X2 sell 20 @ market                          | TRIGGERED
SLICED_TRIGGERED   E1 cancelled     -> nothing                                      | TRIGGERED
SLICED_TRIGGERED   E1 cancel-refused -> nothing                                      | TRIGGERED
  then             wait 500ms       -> cancel E1                                    | TRIGGERED
SLICED_EXITING     E2 acked         -> cancel E2                                    | EXITING
SLICED_EXITING     E2 rejected      -> nothing                                      | EXITING
SLICED_EXITING     E1 traded 20     -> X2 sell 20 @ market                          | EXITING
SLICED_EXITING     E1 cancelled     -> nothing                                      | EXITING
SLICED_EXITING     E1 cancel-refused -> nothing                                      | EXITING
  then             wait 500ms       -> S1 to 40 @ market, cancel E1                 | EXITING
SLICED_UNPROTECTED E2 acked         -> nothing                                      | UNPROTECTED
SLICED_UNPROTECTED E2 rejected      -> nothing                                      | UNPROTECTED
SLICED_UNPROTECTED E1 traded 20     -> nothing                                      | UNPROTECTED
SLICED_UNPROTECTED E1 removed       -> nothing                                      | UNPROTECTED
SLICED_UNPROTECTED C1               -> cancel E1, ok CANCEL_PENDING                 | UNPROTECTED
  then             E1 cancel-refused -> nothing                                      | UNPROTECTED
REJECTED           E1 cancel-refused -> nothing                                      | REJECTED
REJECTED           E1 traded-late 10 -> alarm resurrected, S1 sell 10 on 12          | COVERING
CANCELLED          E1 cancel-refused -> nothing                                      | CANCELLED
CANCELLED          E1 traded-late 10 -> alarm resurrected, S1 sell 10 on 12          | COVERING
EXPIRED            E1 cancel-refused -> nothing                                      | EXPIRED
EXPIRED            E1 traded-late 10 -> alarm resurrected, alarm carried             | CARRIED
EXITED             E1 cancel-refused -> nothing                                      | EXITED
EXITED             E1 traded-late 10 -> alarm resurrected, X2 sell 10 @ market       | EXITING
CARRIED            E1 cancel-refused -> nothing                                      | CARRIED
CARRIED            E1 traded-late 10 -> alarm resurrected                            | CARRIED
"""

# What the venue says of a stop or an exit.
EXIT_REPORT: Final = """
COVERING           S1 acked         -> nothing                                      | COVERED_OPEN
COVERING           S1 rejected      -> alarm stop_refused, S2 sell 40 on 12 @ limit | UNPROTECTED
COVERING           S1 acked         -> nothing                                      | COVERED_OPEN
  then             E1 traded 10     -> S1 to 50 on 12                               | COVERING
  then             S1 triggered     -> cancel E1                                    | TRIGGERED
COVERING           S1 acked         -> nothing                                      | COVERED_OPEN
  then             E1 traded 10     -> S1 to 50 on 12                               | COVERING
  then             S1 traded 40     -> cancel E1                                    | TRIGGERED
  then             S1 amend-refused -> X2 sell 10 @ market                          | TRIGGERED
COVERING           S1 acked         -> nothing                                      | COVERED_OPEN
  then             E1 traded 10     -> S1 to 50 on 12                               | COVERING
  then             S1 removed       -> alarm stop_removed, S2 sell 50 on 12         | UNPROTECTED
COVERING           S1 acked         -> nothing                                      | COVERED_OPEN
  then             E1 traded 10     -> S1 to 50 on 12                               | COVERING
  then             S1 amended       -> nothing                                      | COVERED_OPEN
COVERING           S1 acked         -> nothing                                      | COVERED_OPEN
  then             E1 traded 10     -> S1 to 50 on 12                               | COVERING
  then             S1 amend-refused -> S2 sell 10 on 12                             | COVERING
COVERED_OPEN       S1 triggered     -> cancel E1                                    | TRIGGERED
COVERED_OPEN       S1 traded 10     -> cancel E1                                    | TRIGGERED
COVERED_OPEN       S1 removed       -> alarm stop_removed, S2 sell 40 on 12         | UNPROTECTED
COVERED_OPEN       C4 stop 12.5     -> S1 to 40 on 12.5, ok                         | COVERED_OPEN
  then             S1 amended       -> nothing                                      | COVERED_OPEN
COVERED_OPEN       C4 stop 12.5     -> S1 to 40 on 12.5, ok                         | COVERED_OPEN
  then             S1 amend-refused -> nothing                                      | COVERED_OPEN
COVERED            S1 triggered     -> nothing                                      | TRIGGERED
COVERED            S1 traded 10     -> nothing                                      | TRIGGERED
COVERED            S1 traded 100    -> nothing                                      | EXITED
COVERED            S1 removed       -> alarm stop_removed, S2 sell 100 on 12        | UNPROTECTED
COVERED            C4 stop 12.5     -> S1 to 100 on 12.5, ok                        | COVERED
  then             S1 amended       -> nothing                                      | COVERED
COVERED            C4 stop 12.5     -> S1 to 100 on 12.5, ok                        | COVERED
  then             S1 amend-refused -> nothing                                      | COVERED
TRIGGERED          E1 traded 10     -> X2 sell 10 @ market                          | TRIGGERED
  then             X2 acked         -> nothing                                      | TRIGGERED
TRIGGERED          E1 traded 10     -> X2 sell 10 @ market                          | TRIGGERED
  then             X2 rejected  -> alarm stop_refused, out: triggered, S1 to 40 @ market | EXITING
TRIGGERED          S1 traded 40     -> nothing                                      | TRIGGERED
TRIGGERED          S1 removed   -> alarm stop_removed, out: triggered, X2 sell 40 @ market | EXITING
TWO_STOPS          S1 triggered     -> nothing                                      | TRIGGERED
  then             S2 triggered     -> nothing                                      | TRIGGERED
TWO_STOPS          C4 stop 12.5     -> S1 to 60 on 12.5, S2 to 40 on 12.5, ok       | COVERED
  then             S1 triggered     -> nothing                                      | TRIGGERED
  then             S2 amended       -> nothing                                      | TRIGGERED
TWO_STOPS          C4 stop 12.5     -> S1 to 60 on 12.5, S2 to 40 on 12.5, ok       | COVERED
  then             S1 triggered     -> nothing                                      | TRIGGERED
  then             S2 amend-refused -> nothing                                      | TRIGGERED
EXITING            E1 traded 10     -> X2 sell 10 @ market                          | EXITING
  then             X2 acked         -> nothing                                      | EXITING
EXITING            E1 traded 10     -> X2 sell 10 @ market                          | EXITING
  then             X2 rejected      -> nothing                                      | EXITING
  then             wait 500ms       -> S1 to 40 @ market, X3 sell 10 @ market       | EXITING
EXITING            S1 triggered     -> S1 to 40 @ market                            | EXITING
EXITING            S1 traded 10     -> S1 to 40 @ market                            | EXITING
EXITING            S1 removed       -> X2 sell 40 @ market                          | EXITING
EXITING            E1 removed       -> S1 to 40 @ market                            | EXITING
  then             S1 amended       -> nothing                                      | EXITING
EXITING            E1 removed       -> S1 to 40 @ market                            | EXITING
  then             S1 amend-refused -> cancel S1                                    | EXITING
  then             S1 cancelled     -> X2 sell 40 @ market                          | EXITING
UNPROTECTED        S2 acked         -> nothing                                      | COVERED_OPEN
UNPROTECTED        S2 rejected      -> S3 sell 40 on 12 @ limit                     | UNPROTECTED
ONE_STOP_LOST      S1 triggered     -> X3 sell 40 @ market                          | TRIGGERED
ONE_STOP_LOST      S1 traded 10     -> X3 sell 40 @ market                          | TRIGGERED
ONE_STOP_LOST      S1 removed       -> S3 sell 60 on 12.5, S4 sell 40 on 12.5       | UNPROTECTED
ONE_STOP_LOST      S1 amended       -> S3 sell 40 on 12.5                           | UNPROTECTED
ONE_STOP_LOST      S1 amend-refused -> S3 sell 40 on 12                             | UNPROTECTED
EXITED             S1 amend-refused -> nothing                                      | EXITED
CARRIED            S1 amend-refused -> nothing                                      | CARRIED
"""

# Square-off, the end of the session, a price, the kill switch.
CLOCK: Final = """
ENTRY_SENT         squareoff        -> out: square_off                              | ENTRY_SENT
  then             E1 acked         -> cancel E1                                    | ENTRY_OPEN
ENTRY_SENT         end              -> nothing                                      | ENTRY_SENT
ENTRY_SENT         price 13.2       -> nothing                                      | ENTRY_SENT
ENTRY_SENT         kill             -> out: kill                                    | ENTRY_SENT
  then             E1 acked         -> cancel E1                                    | ENTRY_OPEN
ENTRY_OPEN         squareoff        -> out: square_off, cancel E1                   | ENTRY_OPEN
ENTRY_OPEN         end              -> nothing                                      | ENTRY_OPEN
  then             E1 expired       -> nothing                                      | EXPIRED
ENTRY_OPEN         price 13.2       -> nothing                                      | ENTRY_OPEN
ENTRY_OPEN         kill             -> out: kill, cancel E1                         | ENTRY_OPEN
COVERING           squareoff        -> out: square_off, cancel E1                   | EXITING
COVERING           end              -> nothing                                      | COVERING
  then             S1 expired       -> nothing                                      | COVERING
  then             E1 expired       -> alarm carried                                | CARRIED
COVERING           price 13.2       -> nothing                                      | COVERING
  then             S1 acked         -> S1 to 40 on 12.2                             | COVERED_OPEN
COVERING           price 11.9       -> out: breached_on_arrival, cancel E1          | EXITING
COVERING           kill             -> cancel E1                                    | COVERING
COVERED_OPEN       squareoff        -> out: square_off, cancel E1                   | EXITING
COVERED_OPEN       end              -> nothing                                      | COVERED_OPEN
  then             E1 expired       -> nothing                                      | COVERED
  then             S1 expired       -> alarm carried                                | CARRIED
COVERED_OPEN       price 13.2       -> S1 to 40 on 12.2                             | COVERED_OPEN
COVERED_OPEN       kill             -> cancel E1                                    | COVERED_OPEN
  then             E1 cancelled     -> nothing                                      | COVERED
COVERED            squareoff        -> out: square_off, S1 to 100 @ market          | EXITING
COVERED            end              -> nothing                                      | COVERED
  then             S1 expired       -> alarm carried                                | CARRIED
COVERED            price 13.2       -> S1 to 100 on 12.2                            | COVERED
COVERED            kill             -> nothing                                      | COVERED
TRIGGERED          squareoff        -> out: square_off, S1 to 40 @ market           | EXITING
TRIGGERED          end              -> nothing                                      | TRIGGERED
  then             E1 cancelled     -> nothing                                      | TRIGGERED
  then             S1 expired       -> alarm carried                                | CARRIED
TRIGGERED          price 11.9       -> nothing                                      | TRIGGERED
TRIGGERED          kill             -> nothing                                      | TRIGGERED
EXITING            squareoff        -> nothing                                      | EXITING
  then             E1 removed       -> S1 to 40 @ market+1                          | EXITING
EXITING            end              -> nothing                                      | EXITING
  then             E1 expired       -> nothing                                      | EXITING
  then             S1 expired       -> alarm carried                                | CARRIED
EXITING            price 13.2       -> nothing                                      | EXITING
EXITING            kill             -> nothing                                      | EXITING
UNPROTECTED        squareoff        -> out: square_off, cancel E1                   | EXITING
UNPROTECTED        end              -> nothing                                      | UNPROTECTED
  then             E1 expired       -> nothing                                      | UNPROTECTED
  then             S2 expired       -> alarm carried                                | CARRIED
UNPROTECTED        price 13.2       -> nothing                                      | UNPROTECTED
UNPROTECTED        price 11.9       -> out: breached_on_arrival, cancel E1          | EXITING
UNPROTECTED        kill             -> out: kill, cancel E1                         | EXITING
REJECTED           squareoff        -> nothing                                      | REJECTED
REJECTED           end              -> nothing                                      | REJECTED
REJECTED           price 13.2       -> nothing                                      | REJECTED
REJECTED           kill             -> nothing                                      | REJECTED
CANCELLED          squareoff        -> nothing                                      | CANCELLED
CANCELLED          end              -> nothing                                      | CANCELLED
CANCELLED          price 13.2       -> nothing                                      | CANCELLED
CANCELLED          kill             -> nothing                                      | CANCELLED
EXPIRED            squareoff        -> nothing                                      | EXPIRED
EXPIRED            end              -> nothing                                      | EXPIRED
EXPIRED            price 13.2       -> nothing                                      | EXPIRED
EXPIRED            kill             -> nothing                                      | EXPIRED
EXITED             squareoff        -> nothing                                      | EXITED
EXITED             end              -> nothing                                      | EXITED
EXITED             price 13.2       -> nothing                                      | EXITED
EXITED             kill             -> nothing                                      | EXITED
CARRIED            squareoff        -> nothing                                      | CARRIED
CARRIED            end              -> nothing                                      | CARRIED
CARRIED            price 13.2       -> nothing                                      | CARRIED
CARRIED            kill             -> nothing                                      | CARRIED
ENTRY_SENT         auction reference -> out: square_off                             | ENTRY_SENT
ENTRY_OPEN         auction reference -> out: square_off, cancel E1                  | ENTRY_OPEN
COVERING           auction reference -> out: square_off, cancel E1, alarm naked     | EXITING
COVERED_OPEN       auction reference -> out: square_off, cancel E1                  | EXITING
  then             S1 expired       -> alarm naked                                  | EXITING
  then             E1 expired       -> nothing                                      | EXITING
  then             auction auction  -> X2 sell 40 at market                         | EXITING
  then             X2 acked         -> nothing                                      | EXITING
  then             auction auction_limit -> nothing                                 | EXITING
  then             auction match    -> nothing                                      | EXITING
  then             X2 traded 40     -> nothing                                      | EXITED
COVERED            auction reference -> out: square_off                             | EXITING
  then             S1 expired       -> alarm naked                                  | EXITING
  then             auction auction  -> X2 sell 100 at market                        | EXITING
  then             X2 rejected      -> nothing                                      | EXITING
  then             wait 500ms       -> X3 sell 100 at market                        | EXITING
  then             X3 acked         -> nothing                                      | EXITING
  then             auction match    -> nothing                                      | EXITING
  then             X3 traded 60     -> nothing                                      | EXITING
  then             X3 expired       -> nothing                                      | EXITING
  then             end              -> alarm carried                                | CARRIED
COVERED            auction reference -> out: square_off                             | EXITING
  then             S1 expired       -> alarm naked                                  | EXITING
  then             auction auction_limit -> X2 sell 100 @ 12.74                     | EXITING
  then             X2 rejected 16284 -> nothing                                     | EXITING
  then             wait 500ms       -> X3 sell 100 @ 13                             | EXITING
  then             X3 rejected 16284 -> nothing                                     | EXITING
  then             wait 1000ms      -> X4 sell 100 @ 13.26                          | EXITING
  then             X4 acked         -> nothing                                      | EXITING
TRIGGERED          auction reference -> out: square_off                             | EXITING
  then             E1 removed       -> nothing                                      | EXITING
  then             auction auction  -> S1 to 40 at market                           | EXITING
  then             S1 amended       -> nothing                                      | EXITING
  then             auction auction_limit -> nothing                                 | EXITING
  then             auction match    -> nothing                                      | EXITING
  then             S1 traded 40     -> nothing                                      | EXITED
EXITING            auction reference -> nothing                                     | EXITING
UNPROTECTED        auction reference -> out: square_off, cancel E1, alarm naked     | EXITING
REJECTED           auction reference -> nothing                                     | REJECTED
CANCELLED          auction reference -> nothing                                     | CANCELLED
EXPIRED            auction reference -> nothing                                     | EXPIRED
EXITED             auction reference -> nothing                                     | EXITED
CARRIED            auction reference -> nothing                                     | CARRIED
DELIVERY           squareoff        -> nothing                                      | COVERED
  then             auction reference -> nothing                                     | COVERED
  then             S1 expired       -> alarm carried                                | CARRIED
  then             auction auction  -> nothing                                      | CARRIED
  then             end              -> nothing                                      | CARRIED
  then             open             -> alarm resumed, S2 sell 100 on 12             | COVERING
DELIVERY_SENT      squareoff        -> nothing                                      | ENTRY_SENT
  then             E1 acked         -> cancel E1                                    | ENTRY_OPEN
DELIVERY_SENT      auction reference -> nothing                                     | ENTRY_SENT
  then             E1 acked         -> cancel E1                                    | ENTRY_OPEN
DELIVERY_OPEN      squareoff        -> cancel E1                                    | COVERED_OPEN
  then             E1 removed       -> nothing                                      | COVERED
DELIVERY_OPEN      auction reference -> cancel E1                                   | COVERED_OPEN
  then             S1 expired       -> alarm naked                                  | COVERING
  then             E1 removed       -> alarm carried                                | CARRIED
DELIVERY_FIRED     squareoff        -> out: square_off, S1 to 40 @ market           | EXITING
DELIVERY_FIRED     auction reference -> out: square_off                             | EXITING
ENTRY_SENT         open             -> nothing                                      | ENTRY_SENT
ENTRY_OPEN         open             -> nothing                                      | ENTRY_OPEN
COVERING           open             -> nothing                                      | COVERING
COVERED_OPEN       open             -> nothing                                      | COVERED_OPEN
COVERED            open             -> nothing                                      | COVERED
TRIGGERED          open             -> nothing                                      | TRIGGERED
EXITING            open             -> nothing                                      | EXITING
UNPROTECTED        open             -> nothing                                      | UNPROTECTED
REJECTED           open             -> nothing                                      | REJECTED
CANCELLED          open             -> nothing                                      | CANCELLED
EXPIRED            open             -> nothing                                      | EXPIRED
EXITED             open             -> nothing                                      | EXITED
CARRIED            open             -> alarm resumed, out: square_off, X2 sell 40 @ market | EXITING
"""

# A venue that says nothing, or the wrong thing (A6, A7, B8), and a lost link (D, S).
SILENCE: Final = """
ENTRY_SENT   wait 1000ms            -> alarm unknown, ask E1                        | ENTRY_SENT
  then       wait 200ms             -> ask E1                                       | ENTRY_SENT
  then       E1 lost                -> nothing                                      | ENTRY_SENT
  then       E1 asked               -> nothing                                      | REJECTED
  then       E1 acked               -> alarm contradiction, cancel E1               | ENTRY_OPEN
  then       E1 cancelled           -> nothing                                      | CANCELLED
ENTRY_SENT   wait 1000ms            -> alarm unknown, ask E1                        | ENTRY_SENT
  then       E1 silently acked      -> nothing                                      | ENTRY_SENT
  then       E1 asked               -> nothing                                      | ENTRY_OPEN
ENTRY_OPEN   C1                     -> cancel E1, ok CANCEL_PENDING                 | ENTRY_OPEN
  then       wait 1000ms            -> alarm unknown, ask E1                        | ENTRY_OPEN
  then       E1 silently cancelled  -> nothing                                      | ENTRY_OPEN
  then       E1 asked               -> nothing                                      | CANCELLED
COVERING     S1 silently acked      -> nothing                                      | COVERING
  then       C3 quantity 60         -> E1 to 60 @ 13, ok                            | COVERING
  then       wait 1000ms            -> alarm unknown, ask S1, alarm naked, ask E1   | COVERING
  then       S1 asked               -> nothing                                      | COVERED_OPEN
  then       E1 silently amended    -> nothing                                      | COVERED_OPEN
  then       E1 asked               -> nothing                                      | COVERED_OPEN
COVERED_OPEN C1                     -> cancel E1, ok CANCEL_PENDING                 | COVERED_OPEN
  then       wait 1000ms            -> alarm unknown, ask E1                        | COVERED_OPEN
  then       E1 silently traded 20  -> nothing                                      | COVERED_OPEN
  then       E1 silently cancelled  -> nothing                                      | COVERED_OPEN
  then       E1 asked               -> S1 to 60 on 12                               | COVERING
TRIGGERED    wait 1000ms -> alarm unknown, ask E1, out: chase, S1 to 40 @ market | EXITING
  then       E1 silently cancelled  -> nothing                                      | EXITING
  then       E1 asked               -> nothing                                      | EXITING
EXITING      wait 300ms             -> S1 to 40 @ market                            | EXITING
  then       wait 700ms             -> alarm unknown, ask E1                        | EXITING
  then       E1 silently cancelled  -> nothing                                      | EXITING
  then       E1 asked               -> nothing                                      | EXITING
  then       S1 silently amended    -> nothing                                      | EXITING
  then       S1 asked               -> nothing                                      | EXITING
EXITING      E1 removed             -> S1 to 40 @ market                            | EXITING
  then       wait 1000ms            -> alarm unknown, ask S1                        | EXITING
  then       S1 silently amended    -> nothing                                      | EXITING
  then       S1 asked               -> nothing                                      | EXITING
UNPROTECTED  C1                     -> cancel E1, ok CANCEL_PENDING                 | UNPROTECTED
  then       wait 1000ms            -> alarm naked, alarm unknown, ask S2, ask E1   | UNPROTECTED
  then       E1 silently cancelled  -> nothing                                      | UNPROTECTED
  then       E1 asked               -> nothing                                      | UNPROTECTED
  then       S2 silently acked      -> nothing                                      | UNPROTECTED
  then       S2 asked               -> nothing                                      | COVERED
DENIED_SLICE E2 acked               -> alarm contradiction, cancel E2               | ENTRY_OPEN
  then       E2 cancelled           -> nothing                                      | ENTRY_OPEN
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E2 acked               -> alarm contradiction, cancel E1, cancel E2    | ENTRY_OPEN
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 40           -> S1 sell 40 on 12                             | COVERING
  then       E2 acked               -> alarm contradiction, cancel E1, cancel E2    | COVERING
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 40           -> S1 sell 40 on 12                             | COVERING
  then       S1 acked               -> nothing                                      | COVERED_OPEN
  then       E2 acked               -> alarm contradiction, cancel E1, cancel E2    | COVERED_OPEN
  then       E2 traded 10           -> S1 to 50 on 12                               | COVERING
  then       S1 amended             -> nothing                                      | COVERED_OPEN
  then       E1 cancelled           -> nothing                                      | COVERED_OPEN
  then       E2 cancelled           -> nothing                                      | COVERED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 60           -> S1 sell 60 on 12                             | COVERING
  then       S1 acked               -> nothing                                      | COVERED
  then       E2 acked               -> alarm contradiction, cancel E2               | COVERED_OPEN
  then       E2 cancelled           -> nothing                                      | COVERED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 40           -> S1 sell 40 on 12                             | COVERING
  then       S1 acked               -> nothing                                      | COVERED_OPEN
  then       S1 triggered           -> cancel E1                                    | TRIGGERED
  then       E2 acked               -> alarm contradiction, cancel E2               | TRIGGERED
  then       E2 traded 10           -> X2 sell 10 @ market                          | TRIGGERED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 40           -> S1 sell 40 on 12                             | COVERING
  then       S1 acked               -> nothing                                      | COVERED_OPEN
  then       C2                     -> out: user, cancel E1, ok                     | EXITING
  then       E2 acked               -> alarm contradiction, cancel E2               | EXITING
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 40           -> S1 sell 40 on 12                             | COVERING
  then       S1 rejected            -> alarm stop_refused, S2 sell 40 on 12 @ limit | UNPROTECTED
  then       E2 acked               -> alarm contradiction, cancel E1, cancel E2    | UNPROTECTED
DENIED_SLICE E1 rejected            -> nothing                                      | REJECTED
  then       E2 acked               -> alarm contradiction, cancel E2               | ENTRY_OPEN
  then       E2 cancelled           -> nothing                                      | CANCELLED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 removed             -> nothing                                      | CANCELLED
  then       E2 acked               -> alarm contradiction, cancel E2               | ENTRY_OPEN
  then       E2 cancelled           -> nothing                                      | CANCELLED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       end                    -> nothing                                      | ENTRY_OPEN
  then       E1 expired             -> nothing                                      | EXPIRED
  then       E2 acked               -> alarm contradiction                          | ENTRY_OPEN
  then       E2 expired             -> nothing                                      | EXPIRED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 60           -> S1 sell 60 on 12                             | COVERING
  then       S1 acked               -> nothing                                      | COVERED
  then       S1 traded 60           -> nothing                                      | EXITED
  then       E2 acked               -> alarm contradiction, cancel E2               | TRIGGERED
  then       E2 cancelled           -> nothing                                      | EXITED
DENIED_SLICE E1 acked               -> nothing                                      | ENTRY_OPEN
  then       E1 traded 60           -> S1 sell 60 on 12                             | COVERING
  then       S1 acked               -> nothing                                      | COVERED
  then       end                    -> nothing                                      | COVERED
  then       S1 expired             -> alarm carried                                | CARRIED
  then       E2 acked               -> alarm contradiction                          | COVERING
  then       E2 expired             -> nothing                                      | CARRIED
COVERING     wait 1000ms            -> alarm unknown, ask S1, alarm naked           | COVERING
  then       S1 silently acked      -> nothing                                      | COVERING
  then       S1 asked               -> nothing                                      | COVERED_OPEN
COVERED_OPEN C4 stop 12.5           -> S1 to 40 on 12.5, ok                         | COVERED_OPEN
  then       wait 1000ms            -> alarm unknown, ask S1                        | COVERED_OPEN
  then       S1 silently amended    -> nothing                                      | COVERED_OPEN
  then       S1 asked               -> nothing                                      | COVERED_OPEN
COVERED      C4 stop 12.5           -> S1 to 100 on 12.5, ok                        | COVERED
  then       wait 1000ms            -> alarm unknown, ask S1                        | COVERED
  then       S1 silently amended    -> nothing                                      | COVERED
  then       S1 asked               -> nothing                                      | COVERED
ENTRY_SENT   link lost              -> nothing                                      | ENTRY_SENT
  then       link back              -> nothing                                      | ENTRY_SENT
ENTRY_OPEN   link lost              -> nothing                                      | ENTRY_OPEN
  then       link back              -> nothing                                      | ENTRY_OPEN
COVERING     link lost              -> nothing                                      | COVERING
  then       link back              -> nothing                                      | COVERING
COVERED_OPEN link lost              -> nothing                                      | COVERED_OPEN
  then       link back              -> nothing                                      | COVERED_OPEN
COVERED      link lost              -> nothing                                      | COVERED
  then       link back              -> nothing                                      | COVERED
TRIGGERED    link lost              -> nothing                                      | TRIGGERED
  then       link back              -> nothing                                      | TRIGGERED
EXITING      link lost              -> nothing                                      | EXITING
  then       link back              -> nothing                                      | EXITING
UNPROTECTED  link lost              -> nothing                                      | UNPROTECTED
  then       link back              -> nothing                                      | UNPROTECTED
REJECTED     link lost              -> nothing                                      | REJECTED
  then       link back              -> nothing                                      | REJECTED
CANCELLED    link lost              -> nothing                                      | CANCELLED
  then       link back              -> nothing                                      | CANCELLED
EXPIRED      link lost              -> nothing                                      | EXPIRED
  then       link back              -> nothing                                      | EXPIRED
EXITED       link lost              -> nothing                                      | EXITED
  then       link back              -> nothing                                      | EXITED
CARRIED      link lost              -> nothing                                      | CARRIED
  then       link back              -> nothing                                      | CARRIED
TWO_STOPS    C4 stop 12.5           -> S1 to 60 on 12.5, S2 to 40 on 12.5, ok       | COVERED
  then       S1 triggered           -> nothing                                      | TRIGGERED
  then       wait 1000ms            -> alarm unknown, ask S1, ask S2, out: chase    | EXITING
  then       S2 silently amend-refused -> nothing                                      | EXITING
  then       S2 asked               -> S2 to 40 @ market+1                          | EXITING
"""
