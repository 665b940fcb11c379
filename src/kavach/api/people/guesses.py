"""
How often somebody may guess at a password, a PIN or a TOTP.

Theory. Per name, not per address: what is guarded is an account, and an attacker has addresses
enough. A guess is counted before it is looked at, so that a hundred sent at once are a hundred.
Only a whole login forgets what was counted: whoever has the password can't try all PINs. Names
that are nobody's are counted in the same way, so that the limit doesn't tell which is which,
but apart, so that inventing names makes nobody forget the guesses at a real one. A keyed hash
stands for a name, so that a long one costs no more than a short one: some 200 bytes each.

Kept in memory: a restart forgives, and nobody but the operator restarts.

Times are real nanoseconds: an operator's clock that runs ahead forgives nothing.

Source: docs/wire/login.md, "How often one may guess"; docs/decisions/0027.
"""

from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from kavach.units import NS_PER_SECOND

GUESSES_MAX: Final = 5
WINDOW_NS: Final = 900 * NS_PER_SECOND
# Of names that are nobody's; the oldest is forgotten for a newer one. To have one forgotten within
# its quarter of an hour takes 145 invented names a second.
STRANGERS_MAX: Final = 131_072
KEY_BYTES: Final = 32
HASH_BYTES: Final = 8


class Guesses:
    """The guesses at many names."""

    def __init__(self, names_max: int) -> None:
        self._names_max = names_max
        self._key = token_bytes(KEY_BYTES)
        # Since when, and how many, by the hash of a name; oldest first.
        self._counted: dict[int, tuple[int, int]] = {}

    def take(self, name: str, now_ns: int) -> int:
        """Count a guess and return 0, or return after how many seconds there may be another."""
        key = self._hashed(name)
        since_ns, taken = self._counted.get(key, (now_ns, 0))
        if now_ns - since_ns >= WINDOW_NS:
            since_ns, taken = now_ns, 0
            self._counted.pop(key, None)  # To the end: it is the newest again.
        if taken >= GUESSES_MAX:
            return -(-(since_ns + WINDOW_NS - now_ns) // NS_PER_SECOND)
        if key not in self._counted and len(self._counted) >= self._names_max:
            del self._counted[next(iter(self._counted))]
        self._counted[key] = (since_ns, taken + 1)
        return 0

    def give_back(self, name: str) -> None:
        """Take one guess for none: it was right."""
        key = self._hashed(name)
        since_ns, taken = self._counted.get(key, (0, 0))
        if taken > 1:
            self._counted[key] = (since_ns, taken - 1)
        else:
            self._counted.pop(key, None)

    def forget(self, name: str) -> None:
        """Forget all guesses at a name: it was logged in to."""
        self._counted.pop(self._hashed(name), None)

    def _hashed(self, name: str) -> int:
        content = name.encode("utf-8", "surrogatepass")
        digest = blake2b(content, digest_size=HASH_BYTES, key=self._key).digest()
        return int.from_bytes(digest, "big")
