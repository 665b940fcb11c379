"""
Every contract that a server knows: the bundled ones, and those that were imported.

Source: docs/decisions/0012-terms-of-imported-contracts.md.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from kavach.contracts.catalogue import Catalogue
from kavach.contracts.importing import read_contracts
from kavach.contracts.store import Stored, load
from kavach.data import load_instruments
from kavach.instruments import Instrument, Listing
from kavach.units import InstrumentKey


class Contracts:
    """What a server starts with; the same for every world that it makes."""

    def __init__(self, bundled: Sequence[Instrument], stored: Stored) -> None:
        own = {one.key for one in bundled}
        # A release may have bundled since what was imported before.
        self._former = [one for one in stored.former if one.key not in own]
        self.bundled = list(bundled)
        self._current = [*bundled, *(one for one in stored.current if one.key not in own)]

    @cached_property
    def catalogue(self) -> Catalogue:
        """What is listed now, by its newest terms."""
        return Catalogue(self._current)

    def catalogue_of(self, recorded: Mapping[InstrumentKey, Instrument]) -> Catalogue:
        """Return what is listed now, by the terms on record where there are any.

        Orders go by those, so whoever finds a contract must be told of no others (INV-25).
        """
        current = [recorded.get(one.key, one) for one in self._current]
        return self.catalogue if current == self._current else Catalogue(current)

    def listing(self) -> Listing:
        """Return a listing of one's own of everything, former contracts included."""
        return {instrument.key: instrument for instrument in (*self._current, *self._former)}


def known_contracts(directory: Path | None, file: Path | None = None) -> Contracts:
    """Return the bundled contracts, and those of a data directory or of a published file."""
    bundled = load_instruments()
    if file is not None:
        return Contracts(bundled, Stored(file.name, read_contracts(file, bundled).current))
    return Contracts(bundled, Stored("", []) if directory is None else load(directory))
