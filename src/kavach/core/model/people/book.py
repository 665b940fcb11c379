"""
Who may come in by what: sessions, the apps that clients log in to, and their codes.

A session is what an access token opens. It ends at midnight in India, or 86 399 s after it
began if that is earlier (the second after midnight only), or when it is revoked. The one token
that the command line or the control room gives a client is a session too; it stands until it
is given anew. Of a token, a code and an app's secret nothing is kept but the digest.

Nothing here grows for ever. What has expired is forgotten when the next of its kind comes; since
all sessions end at the same midnights, and all codes live equally long, the oldest expire first.
A client has at most ``SESSIONS_MAX`` sessions and ``CODES_MAX`` codes: one more ends the oldest.

Times are nanoseconds of the Unix epoch.

Source: docs/wire/login.md, "OAuth2"; docs/wire/README.md, "Who is asking"; docs/wire/README.md,
"Decisions".
"""

from typing import Final

import msgspec

from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND

LIFETIME_NS: Final = 86_399 * NS_PER_SECOND
CODE_LIFETIME_NS: Final = 300 * NS_PER_SECOND  # Some people copy it out of the address bar by hand.
NEVER_NS: Final = 2**63 - 1
SESSIONS_MAX: Final = 64
CODES_MAX: Final = 16

_DAY_NS: Final = 86_400 * NS_PER_SECOND
_IST_NS: Final = IST_OFFSET_SECONDS * NS_PER_SECOND


def expires_at_ns(now_ns: int) -> int:
    """Return when a token issued now is worth nothing any more (Decision 17)."""
    midnight_ns = ((now_ns + _IST_NS) // _DAY_NS + 1) * _DAY_NS - _IST_NS
    return min(now_ns + LIFETIME_NS, midnight_ns)


class Session(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an access token opens, and until when."""

    token_digest: str
    client_id: str
    expires_at_ns: int
    app_id: str = ""  # The app that it was given to; empty after a login here.
    scope: str = ""
    code_digest: str = ""  # Of the code that it was given for.

    @property
    def stands(self) -> bool:
        """Whether it was given by the operator, who alone can end it."""
        return self.expires_at_ns == NEVER_NS


class App(msgspec.Struct, frozen=True, array_like=True):
    """A program that clients may log in to."""

    app_id: str
    name: str
    secret_digest: str
    redirect_uris: tuple[str, ...]
    owner: str


class Code(msgspec.Struct, frozen=True, array_like=True):
    """What an app can change into a token, once."""

    code_digest: str
    client_id: str
    app_id: str
    redirect_uri: str
    scope: str
    challenge: str
    challenge_method: str
    expires_at_ns: int


class PeopleSnapshot(msgspec.Struct, array_like=True):
    """Everything here that a snapshot holds."""

    sessions: list[Session] = msgspec.field(default_factory=list)
    codes: list[Code] = msgspec.field(default_factory=list)
    apps: list[App] = msgspec.field(default_factory=list)
    totp_steps: dict[str, int] = msgspec.field(default_factory=dict)


class People:
    """Sessions, codes and apps, and how to find them."""

    def __init__(self) -> None:
        self.tokens: dict[str, Session] = {}  # Every session by its token's digest.
        self.apps: dict[str, App] = {}
        self.codes: dict[str, Code] = {}  # By digest, oldest first.
        self.totp_steps: dict[str, int] = {}  # The last that was used, by client.
        self._begun: dict[str, Session] = {}  # Sessions that end by themselves, oldest first.
        self._of_client: dict[str, dict[str, Session]] = {}
        self._given_for: dict[str, str] = {}  # By a code's digest, the token's.

    def client_of(self, digest: str, now_ns: int) -> str | None:
        """Return whose access token has this SHA-256 digest, if it is worth anything now."""
        session = self.tokens.get(digest)
        if session is None or now_ns >= session.expires_at_ns:
            return None
        return session.client_id

    def given_for(self, code_digest: str) -> Session | None:
        """Return the session that a code was changed into, while that is remembered."""
        return self.tokens.get(self._given_for.get(code_digest, ""))

    def sessions_of(self, client_id: str) -> list[Session]:
        """Return a client's sessions that end by themselves, oldest first."""
        return list(self._of_client.get(client_id, {}).values())

    # --- What evolve changes ------------------------------------------------------------------

    def stand(self, token_digest: str, client_id: str, *, instead_of: str = "") -> None:
        """Make a token the client's standing token, instead of the one before."""
        self.tokens.pop(instead_of, None)
        if token_digest:
            self.tokens[token_digest] = Session(token_digest, client_id, NEVER_NS)

    def begin(self, session: Session, at_ns: int) -> None:
        """Begin a session, and forget those that are over or too many."""
        while self._begun and (oldest := next(iter(self._begun.values()))).expires_at_ns <= at_ns:
            self.end(oldest)
        of_client = self._of_client.setdefault(session.client_id, {})
        if len(of_client) >= SESSIONS_MAX:
            self.end(next(iter(of_client.values())))
        self._keep(session)

    def _keep(self, session: Session) -> None:
        digest = session.token_digest
        self.tokens[digest] = self._begun[digest] = session
        self._of_client.setdefault(session.client_id, {})[digest] = session
        if session.code_digest:
            self._given_for[session.code_digest] = digest

    def end(self, session: Session) -> None:
        """Forget a session."""
        digest = session.token_digest
        del self.tokens[digest], self._begun[digest]
        del self._of_client[session.client_id][digest]
        self._given_for.pop(session.code_digest, None)

    def add_code(self, code: Code, at_ns: int) -> None:
        """Remember a code, and forget those that are over or too many."""
        while self.codes and (oldest := next(iter(self.codes.values()))).expires_at_ns <= at_ns:
            del self.codes[oldest.code_digest]
        of_client = [one for one in self.codes.values() if one.client_id == code.client_id]
        if len(of_client) >= CODES_MAX:
            del self.codes[of_client[0].code_digest]
        self.codes[code.code_digest] = code

    def end_all(self, client_id: str) -> None:
        """Forget every session and code of a client but the standing token."""
        for session in self.sessions_of(client_id):
            self.end(session)
        for code in [one for one in self.codes.values() if one.client_id == client_id]:
            del self.codes[code.code_digest]

    # --- Snapshots ----------------------------------------------------------------------------

    def snapshot(self) -> PeopleSnapshot:
        """Return all of it; standing tokens are part of their clients."""
        return PeopleSnapshot(
            list(self._begun.values()),
            list(self.codes.values()),
            list(self.apps.values()),
            dict(self.totp_steps),
        )

    def restore(self, snapshot: PeopleSnapshot) -> None:
        """Become what a snapshot holds."""
        for session in snapshot.sessions:
            self._keep(session)
        self.codes = {code.code_digest: code for code in snapshot.codes}
        self.apps = {app.app_id: app for app in snapshot.apps}
        self.totp_steps = dict(snapshot.totp_steps)
