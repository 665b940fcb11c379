"""
The limits and policies of the core, with the defaults of the specification.

Times are nanoseconds, shares of a whole are permille.

Source: docs/spec/cover_order.md, "What the system owes"; docs/spec/cover_order.md, "Quantities".
"""

from typing import Final

import msgspec

from kavach.units import NS_PER_MS, Product

PERMILLE: Final = 1000


MARGIN: Final = {Product.CNC: 1000, Product.MIS: 200, Product.NRML: 200, Product.MTF: 250}
# How far through the last price a protected market order may reach, by instrument name.
PROTECTION: Final = {
    "EQ": 30,
    "FUTIDX": 20,
    "FUTSTK": 20,
    "OPTIDX": 200,
    "OPTSTK": 200,
    "FUTCOM": 20,
    "FUTCUR": 5,
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The limits and policies of one engine.

    Replay applies two of them, the margin fractions and T_naked: a journal must be read with the
    values it was written with. They are constants of the program as long as no way to choose
    them keeps the choice in the journal.
    """

    t_ack_ns: int = 1000 * NS_PER_MS  # T_ack: a request unanswered for so long is in doubt.
    # How often the venue is asked then; the last one repeats.
    query_backoff_ns: tuple[int, ...] = (
        200 * NS_PER_MS,
        500 * NS_PER_MS,
        1000 * NS_PER_MS,
        2000 * NS_PER_MS,
    )
    t_absent_ns: int = 2000 * NS_PER_MS  # No request can be on its way for longer than this.
    t_reconcile_ns: int = 0  # How often live orders are compared unasked; 0: never.
    t_cancel_ns: int = 300 * NS_PER_MS  # T_cx: how long an exit waits for the remainder's cancel.
    t_naked_ns: int = 3000 * NS_PER_MS  # T_naked: after this long without a stop, flatten.
    t_naked_alarm_ns: int = 1000 * NS_PER_MS  # After this long without a stop, raise an alarm.
    t_reprice_ns: int = 500 * NS_PER_MS  # T_rp: how often a working exit is re-priced.
    t_turn_ns: int = 30_000 * NS_PER_MS  # How long one side of a client's exits works alone.
    t_chase_ns: int = 1000 * NS_PER_MS  # How long a fired stop may work before it is chased.
    exit_in_auction: bool = True  # What is intraday at the closing auction leaves in it.
    stop_tries_max: int = 2  # Corrected re-placements before waiting for T_naked.
    quantity_max: int = 1_000_000  # The largest quantity of one cover order.
    slices_max: int = 20  # The most venue orders one leg is cut into.
    margin_permille: dict[Product, int] = msgspec.field(default_factory=lambda: dict(MARGIN))
    protection_permille: dict[str, int] = msgspec.field(default_factory=lambda: dict(PROTECTION))
    protection_default_permille: int = 30
