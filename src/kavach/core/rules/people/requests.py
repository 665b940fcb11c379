"""
What follows when somebody has shown who it is, or no longer wants to be known.

Source: wire 5.1 to 5.3, Decision 17; RFC 6749, section 4.1.2 (a code is good once); RFC 6238,
section 5.2 (a TOTP is good once).
"""

from collections.abc import Callable
from typing import Any, Final

from kavach.core.model.people import commands as c
from kavach.core.model.people import events as e
from kavach.core.model.people.book import expires_at_ns
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import Desk
from kavach.core.rules.pending import Ticket


def set_credentials(desk: Desk, command: c.SetCredentials) -> Ticket | Refusal:
    """Replace what a client shows to come in."""
    if command.client_id not in desk.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    desk.emit(
        e.CredentialsSet(
            command.client_id, command.password_digest, command.pin_digest, command.totp_secret
        )
    )
    return Ticket()


def issue_token(desk: Desk, command: c.IssueToken) -> Ticket | Refusal:
    """Begin a session."""
    refusal = _stranger(desk, command)
    if refusal is not None:
        return refusal
    assert command.token_digest not in desk.state.people.tokens, "a token is made by chance"
    expires = expires_at_ns(desk.now_ns)
    desk.emit(e.TokenIssued(command.token_digest, command.client_id, expires, command.totp_step))
    return Ticket()


def revoke_token(desk: Desk, command: c.RevokeToken) -> Ticket | Refusal:
    """End a session, unless it is one that the operator gave."""
    session = desk.state.people.tokens.get(command.token_digest)
    if session is None or session.expires_at_ns <= desk.now_ns:
        return Refusal(Reason.TOKEN_MUST_BE_LIVE)
    if session.stands:
        return Refusal(Reason.TOKEN_MUST_NOT_STAND)
    desk.emit(e.TokenRevoked(command.token_digest))
    return Ticket()


def register_app(desk: Desk, command: c.RegisterApp) -> Ticket | Refusal:
    """Make an app known."""
    if command.owner and command.owner not in desk.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.owner)
    if command.app_id in desk.state.people.apps and not command.replace:
        return Refusal(Reason.APP_MUST_BE_NEW, command.app_id)
    desk.emit(
        e.AppRegistered(
            command.app_id,
            command.name,
            command.secret_digest,
            command.redirect_uris,
            command.owner,
        )
    )
    return Ticket()


def grant_code(desk: Desk, command: c.GrantCode) -> Ticket | Refusal:
    """Give a code to an app that is known."""
    refusal = _stranger(desk, command)
    if refusal is not None:
        return refusal
    if command.app_id not in desk.state.people.apps:
        return Refusal(Reason.APP_MUST_EXIST, command.app_id)
    assert command.code_digest not in desk.state.people.codes, "a code is made by chance"
    desk.emit(
        e.CodeGranted(
            command.code_digest,
            command.client_id,
            command.app_id,
            command.redirect_uri,
            command.scope,
            command.challenge,
            command.challenge_method,
            desk.now_ns + command.lives_ns,
            command.totp_step,
        )
    )
    return Ticket()


def redeem_code(desk: Desk, command: c.RedeemCode) -> Ticket | Refusal:
    """Begin the session that a code stands for, once, for the app that it was given to."""
    people = desk.state.people
    code = people.codes.get(command.code_digest)
    if code is None or code.app_id != command.app_id or code.expires_at_ns <= desk.now_ns:
        return Refusal(Reason.CODE_MUST_BE_LIVE)
    assert command.token_digest not in people.tokens, "a token is made by chance"
    expires = expires_at_ns(desk.now_ns)
    desk.emit(e.CodeRedeemed(command.code_digest, command.token_digest, expires))
    return Ticket()


def revoke_grant(desk: Desk, command: c.RevokeGrant) -> Ticket | Refusal:
    """End the session that a code has given, if the app that asks is the one that has it."""
    session = desk.state.people.given_for(command.code_digest)
    if session is None or session.app_id != command.app_id:
        return Refusal(Reason.CODE_MUST_BE_LIVE)
    desk.emit(e.TokenRevoked(session.token_digest))
    return Ticket()


def _stranger(desk: Desk, command: c.IssueToken | c.GrantCode) -> Refusal | None:
    """Return why this client gets nothing: it is unknown, or its TOTP has been used."""
    if command.client_id not in desk.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    if command.totp_step and command.totp_step <= desk.state.people.totp_steps.get(
        command.client_id, 0
    ):
        return Refusal(Reason.TOTP_MUST_BE_NEW)
    return None


PEOPLE_HANDLE: Final[dict[type, Callable[[Any, Any], Ticket | Refusal]]] = {
    c.SetCredentials: set_credentials,
    c.IssueToken: issue_token,
    c.RevokeToken: revoke_token,
    c.RegisterApp: register_app,
    c.GrantCode: grant_code,
    c.RedeemCode: redeem_code,
    c.RevokeGrant: revoke_grant,
}
