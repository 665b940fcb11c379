"""
What may have happened to people's credentials, tokens, apps and codes.

No event says that something expired: when it does is part of it, and time passes by itself.

Source: docs/wire/login.md, "OAuth2"; docs/wire/README.md, "Who is asking"; docs/wire/README.md,
"Decisions"; RFC 6749, section 4.1.
"""

from kavach.core.events import Event


class CredentialsSet(Event, frozen=True):
    """A client has another password, PIN and TOTP secret; what the old ones gave is over."""

    client_id: str
    password_digest: str
    pin_digest: str
    totp_secret: str


class TokenIssued(Event, frozen=True):
    """An access token opens a client's account until then."""

    token_digest: str
    client_id: str
    expires_at_ns: int
    totp_step: int = 0


class TokenRevoked(Event, frozen=True):
    """An access token is worth nothing any more."""

    token_digest: str


class AppRegistered(Event, frozen=True):
    """An app is known, or known differently."""

    app_id: str
    name: str
    secret_digest: str
    redirect_uris: tuple[str, ...]
    owner: str


class CodeGranted(Event, frozen=True):
    """A client lets an app have a token; the code for it is good once, until then."""

    code_digest: str
    client_id: str
    app_id: str
    redirect_uri: str
    scope: str
    challenge: str
    challenge_method: str
    expires_at_ns: int
    totp_step: int = 0


class CodeRedeemed(Event, frozen=True):
    """A code was changed into an access token, which is good until then."""

    code_digest: str
    token_digest: str
    expires_at_ns: int


PeopleEvent = (
    CredentialsSet | TokenIssued | TokenRevoked | AppRegistered | CodeGranted | CodeRedeemed
)
