"""
Tokens, passwords and pins: made here, kept only as digests.

A token is 192 bits of chance, so its plain SHA-256 tells nothing of it. A password is chosen by
a person, so it is digested by scrypt, salted with the account's id: slow to guess, and the same
in every fresh world.

Source: RFC 7914 (scrypt).
"""

import secrets
from hashlib import scrypt, sha256
from typing import Final

TOKEN_BYTES: Final = 24
SCRYPT_COST: Final = 2**12  # About 10 ms and 4 MB a digest.


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> str:
    """Return what is kept of a token: its SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


def secret_digest(secret: str, client_id: str) -> str:
    """Return what is kept of a client's password or pin, in hex."""
    return scrypt(secret.encode(), salt=client_id.encode(), n=SCRYPT_COST, r=8, p=1, dklen=32).hex()
