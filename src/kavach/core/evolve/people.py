"""
What each event about people changes.

Source: docs/wire/login.md, "OAuth2"; docs/wire/README.md, "Who is asking"; docs/wire/README.md,
"Decisions".
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.events import ClientKilled, ClientOpened, TokenRenewed
from kavach.core.model.money.account import Client
from kavach.core.model.people import events as e
from kavach.core.model.people.book import App, Code, Session
from kavach.core.model.state import OmsState


def _credentials_set(state: OmsState, event: e.CredentialsSet, at_ns: int) -> None:
    client = state.clients[event.client_id]
    client.password_digest = event.password_digest
    client.pin_digest = event.pin_digest
    client.totp_secret = event.totp_secret
    state.people.totp_steps.pop(event.client_id, None)  # Of another secret.
    state.people.end_all(event.client_id)


def _token_issued(state: OmsState, event: e.TokenIssued, at_ns: int) -> None:
    client_id = state.clients[event.client_id].client_id
    state.people.begin(Session(event.token_digest, client_id, event.expires_at_ns), at_ns)
    _totp_used(state, client_id, event.totp_step)


def _token_revoked(state: OmsState, event: e.TokenRevoked, at_ns: int) -> None:
    state.people.end(state.people.tokens[event.token_digest])


def _app_registered(state: OmsState, event: e.AppRegistered, at_ns: int) -> None:
    state.people.apps[event.app_id] = App(
        event.app_id, event.name, event.secret_digest, event.redirect_uris, event.owner
    )


def _code_granted(state: OmsState, event: e.CodeGranted, at_ns: int) -> None:
    code = Code(
        event.code_digest,
        event.client_id,
        event.app_id,
        event.redirect_uri,
        event.scope,
        event.challenge,
        event.challenge_method,
        event.expires_at_ns,
    )
    state.people.add_code(code, at_ns)
    _totp_used(state, event.client_id, event.totp_step)


def _code_redeemed(state: OmsState, event: e.CodeRedeemed, at_ns: int) -> None:
    code = state.people.codes.pop(event.code_digest)
    session = Session(
        event.token_digest,
        state.clients[code.client_id].client_id,
        event.expires_at_ns,
        code.app_id,
        code.scope,
        event.code_digest,
    )
    state.people.begin(session, at_ns)


def _totp_used(state: OmsState, client_id: str, step: int) -> None:
    if step:
        state.people.totp_steps[client_id] = step


def _client_opened(state: OmsState, event: ClientOpened, at_ns: int) -> None:
    state.add_client(
        Client(
            event.client_id,
            event.cash_paise,
            event.token_digest,
            event.password_digest,
            event.pin_digest,
            totp_secret=event.totp_secret,
        )
    )


def _client_killed(state: OmsState, event: ClientKilled, at_ns: int) -> None:
    state.clients[event.client_id].killed = True


def _token_renewed(state: OmsState, event: TokenRenewed, at_ns: int) -> None:
    client = state.clients[event.client_id]
    state.people.stand(event.token_digest, client.client_id, instead_of=client.token_digest)
    client.token_digest = event.token_digest


APPLY: Final[dict[type, Callable[[OmsState, Any, int], None]]] = {
    e.CredentialsSet: _credentials_set,
    e.TokenIssued: _token_issued,
    e.TokenRevoked: _token_revoked,
    e.AppRegistered: _app_registered,
    e.CodeGranted: _code_granted,
    e.CodeRedeemed: _code_redeemed,
    ClientOpened: _client_opened,
    ClientKilled: _client_killed,
    TokenRenewed: _token_renewed,
}
