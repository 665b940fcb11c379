"""
Where records are kept: in memory, in SQLite, or in PostgreSQL. None knows what a record means.

``memory.MemoryJournal`` keeps nothing; ``sqlite.SqliteJournal`` is the durable default;
``postgres`` lets a second machine take over. All pass one contract test.

Source: docs/spec/journal.md.
"""
