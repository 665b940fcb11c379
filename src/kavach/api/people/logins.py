"""
Logging in, in two steps: the password, then the PIN or the TOTP.

Between the steps stands a token that only the first step gives. It is good for one login, for
five minutes, and for that client alone; it is kept in memory, so after a restart a login begins
anew. What a finished login leads to (a session, or a code for an app) is the caller's affair.

Whether a client exists is told by nothing: not by text, not by time, not by the limit on guesses,
not by who is refused when many log in (``checking``). All of it goes by real time, whatever the
twin's clock does: what guards against strangers must not run faster or stand still with that, and
TOTPs are what authenticators show.

Source: docs/wire/login.md, "The web login"; RFC 6238.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kavach.api.http.backend import Backend
from kavach.api.http.call import Refused
from kavach.api.people.checking import Checking
from kavach.api.people.guesses import STRANGERS_MAX, Guesses
from kavach.core.model.money.account import Client
from kavach.core.model.people.commands import IssueToken
from kavach.core.refusals import Refusal
from kavach.credentials import new_access_token, token_digest, totp_step
from kavach.units import NS_PER_SECOND
from kavach.wire.errors import BadField, ErrorCode
from kavach.wire.login import FactorWord

PENDING_NS: Final = 300 * NS_PER_SECOND
PENDING_PER_CLIENT_MAX: Final = 8
CLIENTS_MAX: Final = 1_000_000

WRONG_PASSWORD: Final = "Invalid login_id or password, please try again"
WRONG_FACTOR: Final = {
    FactorWord.PIN: "Invalid PIN, please try again",
    FactorWord.TOTP: "Invalid TOTP, please try again",
}
CROWDED: Final = "Too many logins at once: nothing was done, try again"
NO_FACTOR: Final = "Request forbidden: the account has neither a PIN nor a TOTP"


class TooManyGuesses(Exception):
    """Nobody may guess at this name for so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong attempts, try again in {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Pending:
    """A login of which the first step is done."""

    token: str
    client_id: str
    factor: FactorWord
    expires_at_ns: int  # Real time.


@dataclass(frozen=True, slots=True)
class Shown:
    """Who has shown who it is, and the TOTP it did so with (its step; 0: a PIN)."""

    client_id: str
    totp_step: int


class Logins:
    """Everybody who is logging in."""

    def __init__(self, backend: Backend, wall_s: Callable[[], float] = time.time) -> None:
        self._backend = backend
        self._wall_s = wall_s
        self._pending: dict[str, Pending] = {}  # By the token's digest, oldest first.
        self._clients = Guesses(CLIENTS_MAX)
        self._strangers = Guesses(STRANGERS_MAX)
        self._checking = Checking()

    # --- The steps ----------------------------------------------------------------------------

    async def first(self, login_id: str, password: str) -> Pending:
        """Return the login begun with this password; raises ``Refused`` and the like."""
        self._checking.check_room()
        client = self._guess(login_id)
        if client is None:
            await self._checking.be_as_slow(password)
            right = False
        else:
            digest = client.password_digest
            right = await self._checking.is_secret(password, digest)
            client = self._backend.state.clients.get(login_id)
        if not right or client is None or client.password_digest != digest:
            raise Refused(401, ErrorCode.UNAUTHORISED, WRONG_PASSWORD, "WRONG_PASSWORD")
        self._clients.give_back(login_id)
        if not (client.totp_secret or client.pin_digest):
            raise Refused(403, ErrorCode.UNAUTHORISED, NO_FACTOR, "NO_SECOND_FACTOR")
        return self._begin(login_id, FactorWord.TOTP if client.totp_secret else FactorWord.PIN)

    async def second(
        self, login_id: str, token: str, answer: str, asked: FactorWord = FactorWord.PIN
    ) -> Shown:
        """Return who this is; raises ``Refused`` and the like.

        The token stays good until ``done``, so that who mistypes need not begin anew.
        """
        self._checking.check_room()
        digest = token_digest(token)
        pending = self._living(digest)
        client = self._backend.state.clients.get(login_id)
        if pending is None or pending.client_id != login_id or client is None:
            raise BadField("twofa_token")
        self._guess(login_id)
        step = 0
        if pending.factor is FactorWord.TOTP:
            found = totp_step(client.totp_secret, answer, int(self._wall_s()))
            right = found is not None
            step = found or 0
        else:
            pin_digest = client.pin_digest
            right = await self._checking.is_secret(answer, pin_digest) and asked is FactorWord.PIN
            client = self._backend.state.clients.get(login_id)
            right = right and client is not None and client.pin_digest == pin_digest
        if not right:
            raise self.wrong_factor(pending.factor)
        if self._living(digest) is None:
            raise BadField("twofa_token")  # Somebody was quicker.
        return Shown(login_id, step)

    def wrong_factor(self, factor: FactorWord) -> Refused:
        """Return what is said of a wrong PIN or TOTP, or one that was used before."""
        code = ErrorCode.SECOND_FACTOR_INVALID
        return Refused(401, code, WRONG_FACTOR[factor], f"WRONG_{factor.value}")

    def issue(self, shown: Shown, access_token: str) -> Refusal | None:
        """Give a client an access token; return why not, if it is refused."""
        outcome = self._backend.execute(
            IssueToken(
                client_id=shown.client_id,
                token_digest=token_digest(access_token),
                totp_step=shown.totp_step,
            )
        )
        return outcome if isinstance(outcome, Refusal) else None

    def done(self, shown: Shown, token: str) -> None:
        """Forget a login that has led to what it was for."""
        self._pending.pop(token_digest(token), None)
        self._clients.forget(shown.client_id)

    # --- What it needs ------------------------------------------------------------------------

    def _guess(self, login_id: str) -> Client | None:
        """Count a guess at a name; return the client of that name."""
        client = self._backend.state.clients.get(login_id)
        guesses = self._strangers if client is None else self._clients
        seconds = guesses.take(login_id, self._backend.real_ns())
        if seconds:
            raise TooManyGuesses(seconds)
        return client

    def _begin(self, client_id: str, factor: FactorWord) -> Pending:
        now_ns = self._backend.real_ns()
        while self._pending and next(iter(self._pending.values())).expires_at_ns <= now_ns:
            del self._pending[next(iter(self._pending))]
        mine = [key for key, one in self._pending.items() if one.client_id == client_id]
        if len(mine) >= PENDING_PER_CLIENT_MAX:
            del self._pending[mine[0]]
        pending = Pending(new_access_token(), client_id, factor, now_ns + PENDING_NS)
        self._pending[token_digest(pending.token)] = pending
        return pending

    def _living(self, digest: str) -> Pending | None:
        pending = self._pending.get(digest)
        if pending is None or pending.expires_at_ns <= self._backend.real_ns():
            return None
        return pending

    def factor_of(self, token: str) -> FactorWord:
        """Return what the second step of a login asks for; PIN if there is no such login."""
        pending = self._living(token_digest(token))
        return FactorWord.PIN if pending is None else pending.factor
