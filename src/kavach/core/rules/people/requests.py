"""
Decide on logins and logouts, apps and their codes.

Source: docs/wire/login.md, "OAuth2"; docs/wire/README.md, "Who is asking"; docs/wire/README.md,
"Decisions"; RFC 6749, section 4.1.2 (a code is good once); RFC 6238, section 5.2 (a TOTP is good
once).
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.model.people import commands as c
from kavach.core.model.people import events as e
from kavach.core.model.people.book import expires_at_ns
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.pending import PendingRequest


def set_credentials(context: StepContext, command: c.SetCredentials) -> PendingRequest | Refusal:
    """Replace what a client shows to come in."""
    if command.client_id not in context.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    context.emit(
        e.CredentialsSet(
            command.client_id, command.password_digest, command.pin_digest, command.totp_secret
        )
    )
    return PendingRequest()


def issue_token(context: StepContext, command: c.IssueToken) -> PendingRequest | Refusal:
    """Begin a session."""
    refusal = _stranger(context, command)
    if refusal is not None:
        return refusal
    assert command.token_digest not in context.state.people.tokens, "a token is made by chance"
    expires = expires_at_ns(context.now_ns)
    context.emit(e.TokenIssued(command.token_digest, command.client_id, expires, command.totp_step))
    return PendingRequest()


def revoke_token(context: StepContext, command: c.RevokeToken) -> PendingRequest | Refusal:
    """End a session, unless it is one that the operator gave."""
    session = context.state.people.tokens.get(command.token_digest)
    if session is None or session.expires_at_ns <= context.now_ns:
        return Refusal(Reason.TOKEN_MUST_BE_LIVE)
    if session.stands:
        return Refusal(Reason.TOKEN_MUST_NOT_STAND)
    context.emit(e.TokenRevoked(command.token_digest))
    return PendingRequest()


def register_app(context: StepContext, command: c.RegisterApp) -> PendingRequest | Refusal:
    """Make an app known."""
    if command.owner and command.owner not in context.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.owner)
    if command.app_id in context.state.people.apps and not command.replace:
        return Refusal(Reason.APP_MUST_BE_NEW, command.app_id)
    context.emit(
        e.AppRegistered(
            command.app_id,
            command.name,
            command.secret_digest,
            command.redirect_uris,
            command.owner,
        )
    )
    return PendingRequest()


def grant_code(context: StepContext, command: c.GrantCode) -> PendingRequest | Refusal:
    """Give a code to an app that is known."""
    refusal = _stranger(context, command)
    if refusal is not None:
        return refusal
    if command.app_id not in context.state.people.apps:
        return Refusal(Reason.APP_MUST_EXIST, command.app_id)
    assert command.code_digest not in context.state.people.codes, "a code is made by chance"
    context.emit(
        e.CodeGranted(
            command.code_digest,
            command.client_id,
            command.app_id,
            command.redirect_uri,
            command.scope,
            command.challenge,
            command.challenge_method,
            context.now_ns + command.lives_ns,
            command.totp_step,
        )
    )
    return PendingRequest()


def redeem_code(context: StepContext, command: c.RedeemCode) -> PendingRequest | Refusal:
    """Begin the session that a code stands for, once, for the app that it was given to."""
    people = context.state.people
    code = people.codes.get(command.code_digest)
    if code is None or code.app_id != command.app_id or code.expires_at_ns <= context.now_ns:
        return Refusal(Reason.CODE_MUST_BE_LIVE)
    assert command.token_digest not in people.tokens, "a token is made by chance"
    expires = expires_at_ns(context.now_ns)
    context.emit(e.CodeRedeemed(command.code_digest, command.token_digest, expires))
    return PendingRequest()


def revoke_grant(context: StepContext, command: c.RevokeGrant) -> PendingRequest | Refusal:
    """End the session that a code has given, if the app that asks is the one that has it."""
    session = context.state.people.given_for(command.code_digest)
    if session is None or session.app_id != command.app_id:
        return Refusal(Reason.CODE_MUST_BE_LIVE)
    context.emit(e.TokenRevoked(session.token_digest))
    return PendingRequest()


def _stranger(context: StepContext, command: c.IssueToken | c.GrantCode) -> Refusal | None:
    """Return why this client gets nothing: it is unknown, or its TOTP has been used."""
    if command.client_id not in context.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    if command.totp_step and command.totp_step <= context.state.people.totp_steps.get(
        command.client_id, 0
    ):
        return Refusal(Reason.TOTP_MUST_BE_NEW)
    return None


PEOPLE_HANDLE: Final[dict[type, Callable[[Any, Any], PendingRequest | Refusal]]] = {
    c.SetCredentials: set_credentials,
    c.IssueToken: issue_token,
    c.RevokeToken: revoke_token,
    c.RegisterApp: register_app,
    c.GrantCode: grant_code,
    c.RedeemCode: redeem_code,
    c.RevokeGrant: revoke_grant,
}
