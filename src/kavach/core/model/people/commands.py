"""
What may be asked about people and what speaks for them: credentials, tokens, apps and codes.

Everything secret arrives as a digest, but for a TOTP secret, which cannot be checked without
being known. Whether a password is right is found out before; here it is decided what follows.

Source: docs/wire/login.md, "OAuth2"; docs/wire/README.md, "Who is asking"; docs/wire/README.md,
"Decisions"; RFC 6749, section 4.1.
"""

from kavach.core.commands import Command
from kavach.core.model.people.book import CODE_LIFETIME_NS


class SetCredentials(Command, frozen=True, kw_only=True):
    """Give a client another password, PIN and TOTP secret, and end whatever the old ones gave."""

    client_id: str
    password_digest: str
    pin_digest: str
    totp_secret: str = ""


class IssueToken(Command, frozen=True, kw_only=True):
    """Issue an access token for the day to a client that has authenticated."""

    client_id: str
    token_digest: str
    totp_step: int = 0  # Of the TOTP that was shown, which is worth nothing afterwards; 0: none.


class RevokeToken(Command, frozen=True, kw_only=True):
    """End an access token now: its owner logs out."""

    token_digest: str


class RegisterApp(Command, frozen=True, kw_only=True):
    """Register an app, which sends its users here to log in and gets tokens for them."""

    app_id: str
    name: str
    secret_digest: str
    redirect_uris: tuple[str, ...]
    owner: str = ""  # The client that owns it, if any.
    replace: bool = False  # Of an app that is known, take this to be what is true now.


class GrantCode(Command, frozen=True, kw_only=True):
    """Grant an app a code, which it can exchange once for a token of this client."""

    client_id: str
    app_id: str
    code_digest: str
    redirect_uri: str  # As the app gave it; empty if it gave none.
    scope: str
    challenge: str = ""
    challenge_method: str = ""
    totp_step: int = 0
    lives_ns: int = CODE_LIFETIME_NS  # By the engine's clock.


class RedeemCode(Command, frozen=True, kw_only=True):
    """Change a code into an access token."""

    code_digest: str
    app_id: str
    token_digest: str


class RevokeGrant(Command, frozen=True, kw_only=True):
    """Revoke the token that a code gave: the code was presented a second time, so it was stolen."""

    code_digest: str
    app_id: str
