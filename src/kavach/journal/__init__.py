"""
Where records are kept: in memory, or in SQLite. Neither knows what a record means.

``memory.MemoryJournal`` keeps nothing; ``sqlite.SqliteJournal`` is the durable default. Both
pass one contract test.

Source: docs/spec/journal.md.
"""
