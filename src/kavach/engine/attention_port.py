"""
Where somebody looks: a market of a hundred thousand contracts is made only in those.

Whoever shows prices, subscribes a client to them, or takes an order says so first. It may be said
as often as one likes; what is said again is kept longer. Nothing of it is state: after a restart a
market is made in what has traded or has an open order, and in what is looked at again.

Source: docs/wire/contracts.md, "The market".
"""

from typing import Protocol

from kavach.units import InstrumentKey


class Attention(Protocol):
    """Somebody who makes a market where it is looked at."""

    def attend(self, key: InstrumentKey) -> bool:
        """Return whether this instrument was not looked at before; it is due at once then."""
