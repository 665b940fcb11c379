"""The journal in memory keeps the contract."""

import pytest

from kavach.engine.journal_port import Journal
from kavach.journal.memory import MemoryJournal
from tests.unit.journal.contract import JournalContract


class TestMemoryJournal(JournalContract):
    """The contract, and what only memory can promise."""

    @pytest.fixture
    def journal(self) -> Journal:
        """An empty journal."""
        return MemoryJournal()

    def test_a_record_is_durable_at_once(self, journal: Journal) -> None:
        """No thread and no disk stand between appending and being told."""
        heard: list[int] = []
        journal.subscribe(heard.append)
        assert [journal.append(b"a"), journal.append(b"b")] == heard == [1, 2]
        assert journal.durable_sequence == 2
