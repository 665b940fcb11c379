"""
Tokens, passwords, pins and one-time passwords: made here, checked here, kept as digests.

A token, a code and an app's secret are 256 bits of chance, so their plain SHA-256 tells nothing
of them. A password or a pin is chosen by a person, so it is digested by argon2id with a salt of
its own: slow to guess (some 20 ms and 19 MB each), which is why nobody does it on the event loop.
A TOTP secret is kept as it is: what is derived from it can't be checked otherwise.

Source: RFC 9106 (argon2), OWASP Password Storage Cheat Sheet (its parameters), RFC 6238 (TOTP),
RFC 6750 (bearer tokens).
"""

import base64
import binascii
import secrets
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import argon2
import pyotp

TOKEN_BYTES: Final = 24
PART_BYTES: Final = 32  # 43 characters of base64.
TOTP_SECONDS: Final = 30
TOTP_SECRET_BYTES_MIN: Final = 10  # What authenticators have been made with for long: 80 bits.
TOTP_SECRET_LENGTH_MAX: Final = 128

_BEARER: Final = b"bearer "  # In any case: RFC 9110, section 11.1.
_HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# The digest of a password that nobody knows, against which strangers are checked: whether a
# client exists must not be told by how long the answer takes. It is of the same cost.
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0ISE$c3RyYW5nZXJzIGFyZSBjaGVja2VkIGFnYWluc3QgbWU"
)


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_access_token() -> str:
    """Return a token as a login gives it: two parts of 43 characters, joined by a dot."""
    return f"{secrets.token_urlsafe(PART_BYTES)}.{secrets.token_urlsafe(PART_BYTES)}"


def bearer_token(header: bytes) -> bytes | None:
    """Return the token of an ``Authorization: Bearer`` header's value; None if it has no such."""
    if not header.lower().startswith(_BEARER):
        return None
    return header[len(_BEARER) :].strip()


def token_digest(token: str) -> str:
    """Return what is kept of a token: its SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


def is_token(token: str, digest: str) -> bool:
    """Return whether a token is the one of this digest, in constant time."""
    return compare_digest(token_digest(token), digest)


def secret_digest(secret: str) -> str:
    """Return what is kept of a client's password or pin; slow, and new each time."""
    return _HASHER.hash(secret)


def is_secret(secret: str, digest: str) -> bool:
    """Return whether this is the password or pin of the digest; as slow where there is none."""
    try:
        return _HASHER.verify(digest if _is_ours(digest) else _NOBODYS, secret)
    except argon2.exceptions.VerifyMismatchError:
        return False


def _is_ours(digest: str) -> bool:
    """Whether a digest was made here; earlier versions kept others, which open nothing."""
    return digest.startswith("$argon2id$")


class Totp(pyotp.TOTP):
    """A TOTP whose secret may be as short as authenticators have made them for long."""

    min_secret_length_bits = 8 * TOTP_SECRET_BYTES_MIN


def is_totp_secret(secret: str) -> bool:
    """Return whether this can be a TOTP secret: enough bytes in base 32."""
    if not 0 < len(secret) <= TOTP_SECRET_LENGTH_MAX or not secret.isascii():
        return False
    try:
        kept = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    except binascii.Error:
        return False
    return len(kept) >= TOTP_SECRET_BYTES_MIN


def totp_step(secret: str, answer: str, now_s: int) -> int | None:
    """Return to which step of 30 s a TOTP belongs: this one, or one beside it; None if none."""
    totp = Totp(secret)
    step = now_s // TOTP_SECONDS
    found = None
    for beside in (step - 1, step, step + 1):  # All three are looked at, whatever is found.
        expected = totp.at(beside * TOTP_SECONDS)
        if compare_digest(expected.encode(), answer.encode()):
            found = beside
    return found
