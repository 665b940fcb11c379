"""
A token bucket: so much at once, so much a second in the long run.

Times are seconds of the event loop's clock, which is real time: a twin whose own time runs fast
or stands still gives nobody more or less.
"""


class TokenBucket:
    """What one client may still spend."""

    __slots__ = ("_at", "_burst", "_per_second", "left")

    def __init__(self, burst: float, per_second: float, now: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._at = now
        self.left = burst

    def take(self, amount: float, now: float) -> bool:
        """Spend this much; return whether it was there."""
        filled = self.left + (now - self._at) * self._per_second
        self.left = min(self._burst, filled) - amount
        self._at = now
        return self.left >= 0
