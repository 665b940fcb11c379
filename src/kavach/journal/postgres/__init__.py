"""
The journal in PostgreSQL: one owner writes, others follow, and one of them takes over.

    tables      what is in the database, and how it is made
    connecting  addresses, connections, and what PostgreSQL's errors mean
    tenure      who owns the journal: the lock, the epoch, the lease
    commit      one statement a batch, which proves the ownership and writes the records
    reading     records and snapshots, verified as they are read
    journal     all of that behind the engine's port

Needs psycopg, which comes with the extra ``postgres``.

Source: docs/spec/journal.md, "In PostgreSQL".
"""
