"""
A journal written anew elsewhere, record by record, with the links that it had.

Source: docs/spec/journal.md, "Backups".
"""

from collections.abc import Callable
from typing import Final

from kavach.engine.journal_port import JournalCorrupt, JournalUnwritable
from kavach.journal.place import Stored

BEHIND_MAX: Final = 20_000  # Records that were read and wait to be durable.


def copy_records(
    source: Stored, target: Stored, tell: Callable[[int], None] = lambda done: None
) -> None:
    """Return when all records are durable in ``target``, which is empty, with the same links.

    ``tell`` hears now and then how many there are. Raises ``JournalError``: damage in the source,
    a target that holds something or can't be written.
    """
    if target.durable_sequence:
        raise JournalUnwritable("The target of a copy must be empty, and it holds records.")
    sequence, chain = 0, b""
    for number, body, its_link in source.linked():
        sequence, chain = number, its_link
        target.append(body)
        if sequence % BEHIND_MAX == 0:
            target.wait_durable(sequence - BEHIND_MAX // 2)
            tell(sequence)
    target.wait_durable(sequence)
    tell(sequence)
    if sequence and target.link_of(sequence) != chain:
        raise JournalCorrupt(sequence, "the copy has another link than what was copied")
