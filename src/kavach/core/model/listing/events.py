"""
What is remembered of an imported contract: its terms, from the moment they matter.

Source: docs/decisions/0012-terms-of-imported-contracts.md.
"""

from kavach.core.events import Event
from kavach.instruments import Instrument


class InstrumentListed(Event, frozen=True):
    """An imported contract is used for the first time; these terms hold from now on."""

    terms: Instrument
