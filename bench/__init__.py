"""
How fast and how big: programs that measure, run by ``make bench``.

What they found: docs/benchmarks.md.
"""
