"""The hand-off between the thread that appends and the one that writes."""

from pathlib import Path

from kavach.journal.chain import GENESIS
from kavach.journal.database import FILE_NAME, create_database, open_for_writing
from kavach.journal.group_commit import GroupCommit
from kavach.journal.progress import Progress
from kavach.journal.sqlite_commit import SqliteTarget
from tests.unit.journal.contract import PATIENCE_SECONDS


class LateQueue(list[int | bytes]):
    """A queue into which a record comes just after somebody saw that it was empty."""

    def __init__(self, late: tuple[int, bytes, bytes]) -> None:
        super().__init__()
        self.late: tuple[int | bytes, ...] = late

    def __len__(self) -> int:
        """Return the length; the late record comes when this was 0 for the first time."""
        length = super().__len__()
        if length == 0:
            self.extend(self.late)
            self.late = ()
        return length


def test_a_record_that_meets_the_writer_falling_asleep_is_written(tmp_path: Path) -> None:
    """A record that came after the last look and before the sleep, without a bell, isn't left."""
    path = tmp_path / FILE_NAME
    create_database(path, vfs=None)
    progress = Progress(0)
    writer = GroupCommit(SqliteTarget(open_for_writing(path, vfs=None), path), progress)
    writer._queue = LateQueue((2, b"late", GENESIS))
    writer.add(1, b"early", GENESIS)
    try:
        progress.wait(2, PATIENCE_SECONDS)
        assert progress.durable_sequence == 2
    finally:
        writer.close()
