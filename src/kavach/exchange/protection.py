"""
Rules that keep a stop's limit near its trigger, and its trades near what was paid before.

A new stop with a limit further from its trigger than its class may have is refused (16448). A stop
that fires and would trade, with a limit further from the average price of the last half minute than
its class may have, is removed instead (limit price protection, 17070): the stop is gone though it
had fired. The average is that of the trades in the last half minute of the clock that is over and
had one; of a contract that has not traded the last price.

Prices are pips, times nanoseconds.

Source: docs/spec/exchange.md, "Protection" (the tables, with their sources).
"""

from typing import Final

from kavach.exchange.book import PERCENT, Book
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Exchange

DERIVATIVES: Final = frozenset({Exchange.NFO, Exchange.BFO})
CHEAP_PIPS: Final = 50 * PIPS_PER_RUPEE  # Options below this have a range in rupees.
CHEAP_RANGE_PIPS: Final = 20 * PIPS_PER_RUPEE
DEAR_RANGE: Final = 40  # Percent.


def too_far_from_trigger(instrument: Instrument, price: int, trigger: int) -> bool:
    """Return whether a stop's limit is further from its trigger than the rule allows."""
    percent = instrument.stop_limit_percent
    if percent is None or instrument.exchange not in DERIVATIVES:
        return False
    if instrument.is_option and trigger < CHEAP_PIPS:
        return False  # A rule of its own, which is not published.
    return abs(price - trigger) * PERCENT > trigger * percent


def is_protected_against(book: Book, price: int, at_ns: int) -> bool:
    """Return whether a fired stop with this limit may not trade: it is out of the range."""
    if not book.instrument.is_option or book.instrument.exchange not in DERIVATIVES:
        return False
    reference = book.recent.before(at_ns) or book.last_price
    span = CHEAP_RANGE_PIPS if reference < CHEAP_PIPS else reference * DEAR_RANGE // PERCENT
    return abs(price - reference) > span
