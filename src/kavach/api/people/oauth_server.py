"""
The OAuth2 authorization code flow: what authlib decides, over what the core remembers.

authlib knows the rules of RFC 6749 and RFC 7636; here it meets our apps and codes. It asks in
one go, without waiting in between, so nothing can come between what it reads and what it makes
happen. A code that is shown a second time ends what it gave the first time.

Source: docs/wire/login.md, "OAuth2"; RFC 6749, section 4.1; RFC 7636 (PKCE).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    AuthorizationServer,
    ClientMixin,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from kavach.api.http.backend import Backend
from kavach.api.people.logins import Shown
from kavach.api.people.oauth_errors import description_of
from kavach.core.model.people.book import CODE_LIFETIME_NS, App, Code
from kavach.core.model.people.commands import GrantCode, RedeemCode, RevokeGrant
from kavach.core.refusals import Reason, Refusal
from kavach.credentials import is_token, new_access_token, token_digest
from kavach.units import NS_PER_SECOND

SCOPES: Final = ("orders", "holdings")
SCOPE: Final = " ".join(SCOPES)  # What an app gets that does not say.
STATE_LENGTH_MIN: Final = 8

_ADDRESS: Final = "https://kavach.invalid/oauth2"  # Whether TLS ends before us is not its affair.
_PARAMETERS: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "code",
    "code_verifier",
)


class TotpUsed(Exception):
    """The TOTP that was shown had been used before."""


class AppClient(ClientMixin):  # type: ignore[misc]  # authlib has no types.
    """One of our apps, as authlib asks about it."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_id(self) -> str:
        """Return the app's id."""
        return self.app.app_id

    def get_default_redirect_uri(self) -> str | None:
        """Return where to send people back when the app does not say, if there is one place."""
        uris = self.app.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return what the app gets of what it wants; what does not exist was refused before."""
        wanted = (scope or SCOPE).split()
        return " ".join(one for one in SCOPES if one in wanted)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Return whether this address is registered, to the letter."""
        return redirect_uri in self.app.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Return whether this is the app's secret."""
        return is_token(client_secret, self.app.secret_digest)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Return whether the app may show its secret so."""
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """Return whether the app may have what it wants: a code, and nothing else."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the app may give this for a token: a code, and nothing else."""
        return grant_type == "authorization_code"


@dataclass(frozen=True, slots=True)
class Held:
    """One of our codes, as authlib asks about it."""

    code: Code

    def get_redirect_uri(self) -> str:
        """Return what the app gave as its address when it asked for the code."""
        return self.code.redirect_uri

    def get_scope(self) -> str:
        """Return what was granted."""
        return self.code.scope

    @property
    def code_challenge(self) -> str:
        """The challenge, if the app gave one."""
        return self.code.challenge

    @property
    def code_challenge_method(self) -> str | None:
        """How the challenge was made, if the app said."""
        return self.code.challenge_method or None


class Asked(OAuth2Request):  # type: ignore[misc]  # authlib has no types.
    """A request with these parameters."""

    def __init__(self, method: str, given: Mapping[str, str], headers: Mapping[str, str]) -> None:
        super().__init__(method, _ADDRESS, headers=dict(headers))
        self._given = dict(given)
        self.payload = BasicOAuth2Payload(self._given)

    @property
    def form(self) -> dict[str, str]:
        """The fields of the body."""
        return self._given


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # authlib has no types.
    """A code for a login, and a token for a code."""

    server: "OAuthServer"

    def validate_authorization_request(self) -> str:
        """Return where to send people back; raises ``OAuth2Error``."""
        redirect_uri: str = super().validate_authorization_request()
        state = self.request.payload.state or ""
        if len(state) < STATE_LENGTH_MIN:
            text = f"The state must have at least {STATE_LENGTH_MIN} characters."
            # The word is the vendor's family's, not the standard's.
            raise InvalidRequestError(text, redirect_uri=redirect_uri, error="invalid_state")
        return redirect_uri

    def generate_authorization_code(self) -> str:
        """Return a code that nobody can guess."""
        return new_access_token()

    def create_authorization_response(
        self, redirect_uri: str, grant_user: Shown | None
    ) -> tuple[int, str, list[tuple[str, str]]]:
        """Send people back with a code, the scope and the state."""
        if grant_user is None:
            raise AccessDeniedError(redirect_uri=redirect_uri)
        self.request.user = grant_user
        code = self.generate_authorization_code()
        self.save_authorization_code(code, self.request)
        told = [
            ("code", code),
            ("scope", self.request.scope),
            ("state", self.request.payload.state),
        ]
        return 302, "", [("Location", add_params_to_uri(redirect_uri, told))]

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Let the core remember the code."""
        shown: Shown = request.user
        data: Mapping[str, str] = request.payload.data
        outcome = self.server.backend.execute(
            GrantCode(
                client_id=shown.client_id,
                app_id=request.client.app.app_id,
                code_digest=token_digest(code),
                redirect_uri=request.payload.redirect_uri or "",
                scope=request.scope,
                challenge=data.get("code_challenge") or "",
                challenge_method=data.get("code_challenge_method") or "",
                totp_step=shown.totp_step,
                lives_ns=self.server.code_lifetime_ns(),
            )
        )
        if isinstance(outcome, Refusal):
            if outcome.reason is Reason.TOTP_MUST_BE_NEW:
                raise TotpUsed
            raise AccessDeniedError(
                redirect_uri=self.redirect_uri
            )  # The client or the app has gone meanwhile.
        self.server.granted_now(token_digest(code))

    def query_authorization_code(self, code: str, client: AppClient) -> Held | None:
        """Return the code if it is this app's and good; one that was used ends what it gave."""
        backend = self.server.backend
        digest = token_digest(code)
        found = backend.state.people.codes.get(digest)
        if found is None:
            if backend.state.people.given_for(digest) is not None:
                backend.execute(RevokeGrant(code_digest=digest, app_id=client.app.app_id))
            return None
        mine = found.app_id == client.app.app_id and backend.now_ns() < found.expires_at_ns
        return Held(found) if mine and self.server.is_young(digest) else None

    def authenticate_user(self, authorization_code: Held) -> str:
        """Return whose account the code opens."""
        return authorization_code.code.client_id

    def delete_authorization_code(self, authorization_code: Held) -> None:
        """Do nothing: it went when the token was saved, in the same record."""


class OAuthServer(AuthorizationServer):  # type: ignore[misc]  # authlib has no types.
    """authlib's server over one engine."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.backend = backend
        self._began_ns = backend.real_ns()
        self._ends_ns: dict[str, int] = {}  # When codes of this run end in real time; by digest.
        self.register_grant(CodeGrant, [CodeChallenge(required=True)])
        self.register_token_generator("default", _token)

    # --- The lives of codes -------------------------------------------------------------------

    def code_lifetime_ns(self) -> int:
        """Return how long a code granted now lives by the engine's clock: five real minutes.

        No less than five of the engine's own, whose clock may stand still.
        """
        backend = self.backend
        now_ns = backend.now_ns()
        seconds = backend.seconds_until(now_ns + CODE_LIFETIME_NS)
        if seconds is None or seconds <= 0:
            return CODE_LIFETIME_NS
        by_pace_ns = int(CODE_LIFETIME_NS * (CODE_LIFETIME_NS / NS_PER_SECOND) / seconds)
        return max(CODE_LIFETIME_NS, by_pace_ns)

    def granted_now(self, digest: str) -> None:
        """Let a code end in five real minutes, whatever becomes of the engine's clock."""
        now_ns = self.backend.real_ns()
        while self._ends_ns and next(iter(self._ends_ns.values())) <= now_ns:
            del self._ends_ns[next(iter(self._ends_ns))]
        self._ends_ns[digest] = now_ns + CODE_LIFETIME_NS

    def is_young(self, digest: str) -> bool:
        """Return whether a code was granted within five real minutes, or before this run began."""
        ends_ns = self._ends_ns.get(digest, self._began_ns + CODE_LIFETIME_NS)
        return self.backend.real_ns() < ends_ns

    def query_client(self, client_id: str) -> AppClient | None:
        """Return the app of this id."""
        app = self.backend.state.people.apps.get(client_id)
        return None if app is None else AppClient(app)

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Change the code into this token, and say how long it is good."""
        held: Held = request.authorization_code
        digest = token_digest(token["access_token"])
        outcome = self.backend.execute(
            RedeemCode(
                code_digest=held.code.code_digest,
                app_id=request.client.app.app_id,
                token_digest=digest,
            )
        )
        if isinstance(outcome, Refusal):  # It has expired this moment.
            raise InvalidGrantError("Invalid 'code' in request.")
        ends_ns = self.backend.state.people.tokens[digest].expires_at_ns
        token["expires_in"] = (ends_ns - self.backend.now_ns()) // NS_PER_SECOND

    def send_signal(self, name: str, *args: object, **named: object) -> None:
        """Do nothing: nobody listens."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        """Return the request, which is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        """Return what is to be said; how, is the caller's affair."""
        return status, body, headers

    # --- What the routes ask ------------------------------------------------------------------

    def consent(self, asked: Asked) -> CodeGrant:
        """Return the grant that a login is to lead to; raises ``OAuth2Error``."""
        check_parameters(asked.form)
        try:
            grant: CodeGrant = self.get_consent_grant(asked)
        except InvalidScopeError as error:
            unknown = [one for one in (asked.payload.scope or "").split() if one not in SCOPES]
            error.description = (
                f"The parameter scope may hold {' and '.join(SCOPES)}, not {', '.join(unknown)}."
            )
            raise
        return grant

    def granted(self, asked: Asked, grant: CodeGrant, shown: Shown | None) -> str:
        """Return where a login leads people, or where one leads that they broke off (None)."""
        _, _, headers = self.create_authorization_response(asked, shown, grant)
        return str(dict(headers)["Location"])

    def exchange(self, asked: Asked) -> dict[str, Any]:
        """Return the token for a code; raises ``OAuth2Error``."""
        check_parameters(asked.form)
        grant = self.get_token_grant(asked)
        grant.validate_token_request()
        _, token, _ = grant.create_token_response()
        return dict(token)


def _token(scope: str, **others: object) -> dict[str, Any]:
    return {"access_token": new_access_token(), "scope": scope, "token_type": "bearer"}


def check_parameters(given: Mapping[str, str]) -> None:
    """Raise ``OAuth2Error`` for a parameter that could be no value of any of ours."""
    for name in _PARAMETERS:
        value = given.get(name, "")
        if not (value.isascii() and value.isprintable()) or '"' in value or "\\" in value:
            raise InvalidRequestError(f"The parameter '{name}' has forbidden characters.")


def error_of(error: OAuth2Error) -> tuple[int, str, str]:
    """Return status, word and text of an error."""
    return int(error.status_code or 400), str(error.error), description_of(error)


def error_address(error: OAuth2Error) -> str:
    """Return where an error sends people back to: the app's address, with word, text and state."""
    told = [("error", error.error), ("error_description", description_of(error))]
    if error.state:
        told.append(("state", error.state))
    return str(add_params_to_uri(error.redirect_uri, told))
