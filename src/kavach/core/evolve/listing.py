"""
What the listing of a contract changes: the terms by which everything reads it.

Source: docs/decisions/0012-terms-of-imported-contracts.md.
"""

from kavach.core.model.listing.events import InstrumentListed
from kavach.core.model.state import OmsState


def instrument_listed(state: OmsState, event: InstrumentListed, at_ns: int) -> None:
    """Let these terms hold, whatever has been imported since."""
    state.list_terms(event.terms)
