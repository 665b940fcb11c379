"""
Tokens that nobody gave: made from a key of the data directory, so that a restart tells the same.

A token that was pasted into a notebook goes on working, and what a start prints works, too. No
token is on disk for that: the directory has a key, made when it is first needed and readable by its
owner only, and each token is a MAC of its name under it. A token that is given is kept nowhere but
as the digest of a client's in the journal.

Source: RFC 2104; docs/twin.md, "The command line"; SECURITY.md.
"""

import base64
import hmac
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

import msgspec

from kavach.private_files import replacing

FILE_NAME: Final = "tokens.key"
UNFINISHED: Final = "tokens.new-"
KEY_BYTES: Final = 32


class TokensError(Exception):
    """The key can't be read or written; the text is a sentence for a person."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the demo client, the control room and the demo app; empty: nobody gave it."""

    demo_token: str = ""
    operator_token: str = ""
    demo_app_secret: str = ""


class Cupboard(Protocol):
    """A journal that keeps small things beside its records."""

    def kept(self, name: str) -> bytes | None:
        """Return what is kept under a name, None if nothing is."""

    def keep(self, name: str, body: bytes) -> None:
        """Return when this is kept under a name."""


def load_key(home: Path | Cupboard | None) -> bytes:
    """Return the key of a directory or a cupboard, or a new one that is nowhere yet.

    Raises ``TokensError``, ``JournalError``.
    """
    if home is None:
        return secrets.token_bytes(KEY_BYTES)
    if not isinstance(home, Path):
        return home.kept(FILE_NAME) or secrets.token_bytes(KEY_BYTES)
    path = home / FILE_NAME
    try:
        key = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return secrets.token_bytes(KEY_BYTES)
    except OSError as error:
        raise TokensError(f"{path} can't be read: {error.strerror}.") from error
    if len(key) != KEY_BYTES:
        raise TokensError(f"{path} is damaged: remove it, and new tokens are made.")
    return key


def keep_key(home: Path | Cupboard, key: bytes) -> None:
    """Return when there is a key, this one if there was none.

    Raises ``TokensError``, ``JournalError``.
    """
    if not isinstance(home, Path):
        if home.kept(FILE_NAME) is None:
            home.keep(FILE_NAME, key)
        return
    path = home / FILE_NAME
    if path.exists():
        return
    try:
        for left in home.glob(f"{UNFINISHED}*"):
            left.unlink(missing_ok=True)  # By a start that was killed.
        with replacing(path, UNFINISHED) as file:
            file.write(key)
    except OSError as error:
        raise TokensError(f"{path} can't be written: {error.strerror}.") from error


def copy_key(directory: Path, target: Path) -> None:
    """Give another directory the key of this one, if it has any; ``TokensError``."""
    if (directory / FILE_NAME).exists():
        keep_key(target, load_key(directory))


def completed(given: Tokens, key: bytes) -> Tokens:
    """Return the tokens that were given, the others made from the key."""
    return Tokens(
        demo_token=given.demo_token or _made(key, "demo"),
        operator_token=given.operator_token or _made(key, "operator"),
        demo_app_secret=given.demo_app_secret or f"{_made(key, 'app')}.{_made(key, 'secret')}",
    )


def _made(key: bytes, name: str) -> str:
    """Return 43 characters that stand for this name under the key."""
    mac = hmac.new(key, b"kavach token " + name.encode(), sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
