"""
What is asked again, or after something else was asked: one line for each such cell.

Lines are written as in ``tests.unit.core.cells``, and begin with its setups.
"""

from typing import Final

REPEATS: Final = """
TRIGGERED          price 14           -> nothing                                    | TRIGGERED
EXITING            price 14           -> nothing                                    | EXITING
TRIGGERED          kill               -> nothing                                    | TRIGGERED
COVERED            kill               -> nothing                                    | COVERED
EXITING            kill               -> nothing                                    | EXITING
ONE_STOP_LOST      C1                 -> no: entry_already_executed                 | UNPROTECTED
B_COVERED_SENT     C2                 -> out: user, S1 to 100 @ market, ok          | EXITING
  then             C1                 -> no: entry_already_executed                 | EXITING
B_COVERED          C2                 -> out: user, cancel T2, S1 to 100 @ market, ok     | EXITING
  then             T2 cancel-refused  -> ask T2                                     | EXITING
B_COVERED          open               -> cancel T2                                  | COVERED
  then             T2 cancel-refused  -> ask T2                                     | COVERED
B_GROWING          C1                 -> cancel E1, ok CANCEL_PENDING               | COVERED_OPEN
  then             C1                 -> again CANCEL_PENDING                       | COVERED_OPEN
B_OPEN             open               -> cancel T2                                  | COVERED_OPEN
  then             T2 cancel-refused  -> ask T2                                     | COVERED_OPEN
COVERING           C1                 -> cancel E1, ok CANCEL_PENDING               | COVERING
  then             C1                 -> again CANCEL_PENDING                       | COVERING
COVERING           C1                 -> cancel E1, ok CANCEL_PENDING               | COVERING
  then             C2                 -> out: user, ok                              | EXITING
COVERING           E1 rejected        -> nothing                                    | COVERING
  then             C1                 -> no: entry_already_executed                 | COVERING
DENIED_SLICE       C1                 -> ok CANCEL_PENDING                          | ENTRY_OPEN
  then             C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_OPEN
DENIED_SLICE       C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_OPEN
  then             C1                 -> ok CANCEL_PENDING                          | ENTRY_OPEN
DENIED_SLICE       C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_OPEN
  then             C2                 -> again CANCEL_PENDING                       | ENTRY_OPEN
DENIED_SLICE       E1 rejected        -> nothing                                    | REJECTED
  then             C1                 -> no: already_rejected                       | REJECTED
DENIED_SLICE       E1 rejected        -> nothing                                    | REJECTED
  then             C2                 -> no: already_rejected                       | REJECTED
ENTRY_SENT         C1                 -> ok CANCEL_PENDING                          | ENTRY_SENT
  then             C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_SENT
ENTRY_SENT         C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_SENT
  then             C1                 -> ok CANCEL_PENDING                          | ENTRY_SENT
ENTRY_SENT         C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_SENT
  then             C2                 -> again CANCEL_PENDING                       | ENTRY_SENT
SLICED_UNPROTECTED C1                 -> cancel E1, ok CANCEL_PENDING               | UNPROTECTED
  then             C1                 -> again CANCEL_PENDING                       | UNPROTECTED
SLICED_UNPROTECTED C1                 -> cancel E1, ok CANCEL_PENDING               | UNPROTECTED
  then             C2                 -> out: user, ok                              | EXITING
B_GROWING          C1                 -> cancel E1, ok CANCEL_PENDING               | COVERED_OPEN
  then             C2                 -> out: user, ok                              | EXITING
  then             C1                 -> again                                      | EXITING
B_GROWING          C1                 -> cancel E1, ok CANCEL_PENDING               | COVERED_OPEN
  then             E1 cancelled       -> nothing                                    | COVERED
  then             C1                 -> again                                      | COVERED
B_GROWING          C1                 -> cancel E1, ok CANCEL_PENDING               | COVERED_OPEN
  then             E1 cancelled       -> nothing                                    | COVERED
  then             C2                 -> out: user, S1 to 60 @ market, ok           | EXITING
B_GROWING          C1                 -> cancel E1, ok CANCEL_PENDING               | COVERED_OPEN
  then             squareoff          -> out: square_off                            | EXITING
  then             C2                 -> out: user, ok                              | EXITING
DENIED_SLICE       C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_OPEN
  then             E1 rejected        -> nothing                                    | REJECTED
  then             C1                 -> no: already_rejected                       | REJECTED
DENIED_SLICE       C2                 -> out: user, ok CANCEL_PENDING               | ENTRY_OPEN
  then             E1 rejected        -> nothing                                    | REJECTED
  then             C2                 -> again                                      | REJECTED
ENTRY_OPEN         C2                 -> out: user, cancel E1, ok CANCEL_PENDING    | ENTRY_OPEN
  then             E1 cancelled       -> nothing                                    | CANCELLED
  then             C1                 -> again                                      | CANCELLED
ENTRY_OPEN         C2                 -> out: user, cancel E1, ok CANCEL_PENDING    | ENTRY_OPEN
  then             E1 cancelled       -> nothing                                    | CANCELLED
  then             C2                 -> again                                      | CANCELLED
"""
