"""kavach (armour): an order management system whose cover orders are never naked."""

if not __debug__:  # Assertions are part of the program, not of the tests.
    raise SystemExit("kavach does not run under python -O: its invariants would be off")

__version__ = "0.1.0"
