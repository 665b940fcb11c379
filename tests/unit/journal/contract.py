"""What every journal must do, whatever it is made of: inherit and give the fixture ``journal``."""

import threading

import pytest

from kavach.engine.journal_port import Journal, JournalUnavailable

PATIENCE_SECONDS = 20.0


def filled(journal: Journal, bodies: list[bytes]) -> int:
    """Append all and wait for the disk; return the last sequence."""
    for body in bodies:
        journal.append(body)
    last = journal.durable_sequence if not bodies else len(bodies)
    journal.wait_durable(last, PATIENCE_SECONDS)
    return last


class JournalContract:
    """The tests; a journal that passes may stand behind the engine."""

    def test_a_new_journal_is_empty(self, journal: Journal) -> None:
        """There is no record, no snapshot and no failure before the first append."""
        assert journal.durable_sequence == 0
        assert list(journal.records()) == []
        assert journal.latest_snapshot() is None
        assert journal.failure is None
        assert journal.format_version >= 1

    def test_sequences_count_from_one_without_a_gap(self, journal: Journal) -> None:
        """The first record is 1, and each next one is one more."""
        assert [journal.append(b"x") for _ in range(600)] == list(range(1, 601))

    def test_what_is_read_is_what_was_appended(self, journal: Journal) -> None:
        """Records come back in order, byte by byte, the empty and the large one included."""
        bodies = [b"", b"\x00", bytes(range(256)), b"r" * 1_000_000, b"last"]
        filled(journal, bodies)
        assert list(journal.records()) == list(enumerate(bodies, 1))

    def test_reading_starts_behind_the_given_sequence(self, journal: Journal) -> None:
        """``after`` leaves out that many records; behind the end there is nothing."""
        last = filled(journal, [b"a", b"b", b"c"])
        assert list(journal.records(after=1)) == [(2, b"b"), (3, b"c")]
        assert list(journal.records(after=last)) == []
        assert list(journal.records(after=last + 7)) == []

    def test_waiting_ends_when_the_record_is_durable(self, journal: Journal) -> None:
        """After ``wait_durable`` the durable sequence has reached what was waited for."""
        sequence = [journal.append(b"x") for _ in range(300)][-1]
        journal.wait_durable(sequence, PATIENCE_SECONDS)
        assert journal.durable_sequence == sequence

    def test_waiting_for_what_never_comes_times_out(self, journal: Journal) -> None:
        """A sequence that nobody appended isn't durable, however long one waits."""
        with pytest.raises(TimeoutError, match="Record 1 "):
            journal.wait_durable(1, 0.01)
        assert journal.durable_sequence == 0

    def test_subscribers_hear_of_every_durable_record(self, journal: Journal) -> None:
        """The sequences told only grow, never run ahead of the disk, and end with the last."""
        heard: list[int] = []
        ahead: list[int] = []
        done = threading.Event()

        def listen(sequence: int) -> None:
            heard.append(sequence)
            if sequence > journal.durable_sequence:
                ahead.append(sequence)
            if sequence == 500:
                done.set()

        journal.subscribe(listen)
        for _ in range(500):
            journal.append(b"x")
        assert done.wait(PATIENCE_SECONDS)
        assert heard == sorted(set(heard))
        assert ahead == []

    def test_an_ended_subscription_is_silent(self, journal: Journal) -> None:
        """After unsubscribing nothing is heard, while others still hear; twice is no error."""
        ended: list[int] = []
        lasting: list[int] = []
        journal.subscribe(lasting.append)
        unsubscribe = journal.subscribe(ended.append)
        unsubscribe()
        unsubscribe()
        journal.append(b"x")
        journal.close()
        assert ended == []
        assert lasting == [1]

    def test_no_turn_is_needed_when_all_is_durable(self, journal: Journal) -> None:
        """Giving turns ends: it says so when no record waits for the disk."""
        assert not journal.give_turn()
        last = [journal.append(b"x") for _ in range(10)][-1]
        turns = 0
        while journal.give_turn():
            turns += 1
            assert turns < 100_000, "the records never became durable"
        assert journal.durable_sequence == last

    def test_the_snapshot_of_the_highest_sequence_counts(self, journal: Journal) -> None:
        """A later snapshot replaces an earlier one, and a late-coming earlier one doesn't."""
        filled(journal, [b"a", b"b", b"c"])
        journal.save_snapshot(0, b"")
        assert journal.latest_snapshot() == (0, b"")
        journal.save_snapshot(3, b"three")
        journal.save_snapshot(2, b"two")
        assert journal.latest_snapshot() == (3, b"three")

    def test_a_snapshot_waits_for_its_records(self, journal: Journal) -> None:
        """When a snapshot is on disk, so are the records that it stands for."""
        last = [journal.append(b"x") for _ in range(700)][-1]
        journal.save_snapshot(last, b"state")
        assert journal.durable_sequence == last

    def test_closing_makes_everything_durable(self, journal: Journal) -> None:
        """Nothing that was appended is left behind, and closing twice is no error."""
        last = [journal.append(b"x") for _ in range(1_000)][-1]
        journal.close()
        journal.close()
        assert journal.durable_sequence == last
        assert journal.failure is None

    def test_a_closed_journal_takes_no_records(self, journal: Journal) -> None:
        """Appending after the close is refused, and waiting for a record ends at once."""
        journal.close()
        with pytest.raises(JournalUnavailable, match="closed"):
            journal.append(b"x")
        with pytest.raises(JournalUnavailable, match="closed"):
            journal.wait_durable(1, PATIENCE_SECONDS)
        assert journal.durable_sequence == 0
