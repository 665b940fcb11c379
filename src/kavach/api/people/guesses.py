"""
How often somebody may guess at a password, a PIN or a TOTP.

Theory. Per name, not per address: what is guarded is an account, and an attacker has addresses
enough. A guess is counted before it is looked at, so that a hundred sent at once are a hundred.
Only a whole login forgets what was counted: whoever has the password can't try all PINs. Names
that are nobody's are counted in the same way, so that the limit doesn't tell which is which,
but apart, so that inventing names makes nobody forget the guesses at a real one.

Kept in memory: a restart forgives, and nobody but the operator restarts.

Times are nanoseconds of the engine's clock.

Source: docs/wire/login.md.
"""

from typing import Final

from kavach.units import NS_PER_SECOND

GUESSES_MAX: Final = 5
WINDOW_NS: Final = 900 * NS_PER_SECOND
STRANGERS_MAX: Final = 4096  # Of names that are nobody's; the oldest is forgotten for a newer one.


class Guesses:
    """The guesses at many names."""

    def __init__(self, names_max: int) -> None:
        self._names_max = names_max
        self._counted: dict[str, tuple[int, int]] = {}  # Since when, and how many; oldest first.

    def take(self, name: str, now_ns: int) -> int:
        """Count a guess and return 0, or return after how many seconds there may be another."""
        since_ns, taken = self._counted.get(name, (now_ns, 0))
        if now_ns - since_ns >= WINDOW_NS:
            since_ns, taken = now_ns, 0
            self._counted.pop(name, None)  # To the end: it is the newest again.
        if taken >= GUESSES_MAX:
            return -(-(since_ns + WINDOW_NS - now_ns) // NS_PER_SECOND)
        if name not in self._counted and len(self._counted) >= self._names_max:
            del self._counted[next(iter(self._counted))]
        self._counted[name] = (since_ns, taken + 1)
        return 0

    def give_back(self, name: str) -> None:
        """Take one guess for none: it was right."""
        since_ns, taken = self._counted.get(name, (0, 0))
        if taken > 1:
            self._counted[name] = (since_ns, taken - 1)
        else:
            self._counted.pop(name, None)

    def forget(self, name: str) -> None:
        """Forget all guesses at a name: it was logged in to."""
        self._counted.pop(name, None)
