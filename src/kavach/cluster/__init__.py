"""
A cluster on one machine, for development and tests: PostgreSQL, an owner and a standby.

Source: docs/spec/journal.md, "In PostgreSQL".
"""
