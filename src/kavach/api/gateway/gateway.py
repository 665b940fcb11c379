"""
Between ASGI and the routes: authenticate, limit, execute, wait, and word every refusal.

A route only reads and words (``kavach.api.gateway.route``). What it reads is executed in the same
turn of the event loop, so nothing can come between the two. An answer is sent only when everything
executed so far is on disk: no client sees what a crash could undo. When too many requests wait for
the disk, the next ones are refused before anything is done, cancels last.

Source: docs/wire/README.md, "Who is asking"; docs/wire/README.md, "Decisions"; docs/wire/README.md,
"Cancelling and getting out".
"""

import asyncio
import logging
import math
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import blake2b
from itertools import count
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from kavach.api.gateway.refusals import told
from kavach.api.gateway.route import Route
from kavach.api.gateway.view import View
from kavach.api.http.backend import Backend
from kavach.api.http.call import (
    NO_PATH,
    AnonymousRequest,
    AuthenticatedRequest,
    Disconnected,
    Refused,
    Reply,
    encode,
    idempotency_key,
    joined_headers,
    read_body,
    send_reply,
    token_digest,
)
from kavach.api.http.listing import ROWS_PER_PIECE, Listing, Pieces
from kavach.api.http.options import ApiOptions
from kavach.api.http.pacing import Pacing
from kavach.api.http.turns import turns_of
from kavach.api.people.checking import TooManyLogins
from kavach.api.people.logins import CROWDED, Logins, TooManyGuesses
from kavach.contracts.catalogue import Catalogue
from kavach.core.commands import Command, KeyedCommand
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.refusals import Answer, Outcome, Refusal
from kavach.core.rules.figures import with_figures
from kavach.engine.journal_port import JournalError, JournalPaused
from kavach.units import NS_PER_SECOND
from kavach.wire.errors import (
    UNAUTHORISED,
    BadField,
    ErrorCode,
    error_body,
    error_type_of,
)
from kavach.wire.orders.requests import BadBody

WAITING_MAX: Final = 512  # Requests whose outcome is not yet on disk; cancels may be twice as many.
LONG_MAX: Final = 16  # Long answers of one client that wait for the disk or to be fetched.
RETRY_AFTER: Final = (b"retry-after", b"1")

K = TypeVar("K", bound=KeyedCommand)

_LOG: Final = logging.getLogger(__name__)


class Gateway:
    """What all routes share: one place that executes commands and waits for their outcome."""

    def __init__(
        self,
        backend: Backend,
        options: ApiOptions,
        catalogue: Callable[[], Catalogue] | None = None,
    ) -> None:
        """Begin with the contracts of a catalogue, or those that the engine knows."""
        self.backend = backend
        if catalogue is None:
            known = Catalogue(list(backend.instruments.values()))
            catalogue = lambda: known  # noqa: E731  # One line, as the parameter is.
        self.view = View(backend, options, catalogue)
        self.options = options
        self.logins = Logins(backend)
        self._numbers = count(1)
        self._waiting = 0
        self._long: Counter[str] = Counter()  # Long answers that were not fetched yet, by client.
        self._pacing = Pacing()
        self._run = secrets.token_hex(4)  # Tells the answers of one run from those of another.

    def request_id(self) -> bytes:
        """Return the id of the next answer."""
        return f"{self._run}-{next(self._numbers)}".encode()

    async def serve(
        self, route: Route, path_id: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one request to a route."""
        if route.is_open:
            reply = self._reply_to_anyone(route, scope, receive)
        else:
            reply = self._reply(route, path_id, scope, receive)
        await self._answer(reply, send)

    async def _answer(self, answer: Awaitable[Reply], send: Send) -> None:
        try:
            reply = await answer
        except Disconnected:
            return
        except JournalPaused:
            reply = self.paused()
        except JournalError as error:
            _LOG.error("not durable: %s", error)
            reply = self.unavailable()
        except asyncio.CancelledError:  # The server stops and can't wait for the disk any longer.
            await send_reply(send, self.unavailable(), self.request_id())
            raise
        except Exception:  # The program is wrong: say so in the one error shape, then be loud.
            await send_reply(send, self.broken(), self.request_id())
            raise
        try:
            await send_reply(send, reply, self.request_id())
        finally:
            if reply.on_sent is not None:
                reply.on_sent()

    async def _reply(self, route: Route, path_id: str, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await read_body(receive)
            if not self.backend.may_answer():
                return self.paused()
            given = joined_headers(scope)
            digest = token_digest(given)
            client_id = self._client_of(digest) if digest else None
            if client_id is None:
                return self.unauthorised()
            assert digest is not None, "nobody has no token"
            key = idempotency_key(given)
            request = AuthenticatedRequest(
                client_id,
                body,
                scope["query_string"],
                path_id,
                key,
                digest,
                scope.get("path_params", NO_PATH),
            )
            waiting_max = WAITING_MAX * 2 if scope["method"] == "DELETE" else WAITING_MAX
            if self._waiting >= waiting_max:
                return self.busy()
            if route.limit is not LimitClass.ORDERS and self.backend.state.limited:
                state, now_ns = self.backend.state, self.backend.now_ns()
                too_soon = self._pacing.refuses(state, client_id, route.limit, now_ns)
                if too_soon is not None:
                    return self.refusal(too_soon)
            if route.show is not None:
                return await self._shown(route, request)
            return await self._done(route, request)
        except (BadField, BadBody, Refused) as error:
            return self._no(error)

    def _client_of(self, digest: str) -> str | None:
        backend = self.backend
        return backend.state.client_of_token(digest, backend.now_ns())

    def _no(self, error: BadField | BadBody | Refused) -> Reply:
        """Return what is told of a request that can't be what it is."""
        if isinstance(error, Refused):
            return self.error(error.status, error.code, error.message, error.word)
        blank = isinstance(error, BadField) and error.blank
        return self.error(400, error.code, error.message, "BLANK" if blank else "INVALID")

    async def _reply_to_anyone(self, route: Route, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await read_body(receive)
            if not self.backend.may_answer():
                return self.paused()
            if self._waiting >= WAITING_MAX:
                return self.busy()
            given = joined_headers(scope)
            request = AnonymousRequest(scope["method"], given, body, scope["query_string"])
            if route.admit is not None:
                found = await route.admit(self.logins, request)
            else:
                assert route.show is not None, "a route without a token admits or shows"
                found = route.show(self.view, request)
            return await self._durable(self._worded(found))
        except (BadField, BadBody, Refused) as error:
            return self._no(error)
        except TooManyGuesses as many:
            return self.too_many_guesses(many)
        except TooManyLogins:
            return self.crowded()

    def execute(
        self, route: Route, request: AuthenticatedRequest
    ) -> tuple[Command | None, Outcome]:
        """Return the command that a request amounts to, with its outcome; None if there is none."""
        assert route.read is not None, "this route changes nothing"
        command = route.read(self.view, request)
        if isinstance(command, Refusal):
            return None, command
        if request.idempotency_key and isinstance(command, KeyedCommand):
            command = _keyed(command, request.idempotency_key)
        return command, self.backend.execute(command)

    def word(self, route: Route, command: Command | None, outcome: Outcome) -> Reply:
        """Return the reply to an outcome."""
        if isinstance(outcome, Answer):
            assert route.write is not None, "what is executed is answered"
            found = route.write(self.view, command, outcome)
            return found if isinstance(found, Reply) else self.refusal(found, command)
        return self.refusal(outcome, command)

    def _worded(self, found: Reply | Refusal) -> Reply:
        return found if isinstance(found, Reply) else self.refusal(found)

    async def _done(self, route: Route, request: AuthenticatedRequest) -> Reply:
        """Execute a request; return its outcome when the venue and the disk have confirmed it.

        The only wait for the venue. Who must cancel or exit learns what became of it, if the venue
        says so in time; other outcomes are final as soon as they are executed.
        """
        command, outcome = self.execute(route, request)
        pending = self.backend.pending() if route.waits and command is not None else None
        self._waiting += 1
        try:
            if pending is not None:
                outcome = await self.backend.decided(pending, self.options.wait_seconds)
            reply = self.word(route, command, outcome)
            await self.backend.until_durable()
        finally:
            self._waiting -= 1
        return reply

    async def _durable(self, reply: Reply) -> Reply:
        """Return the reply when everything executed so far is on disk."""
        self._waiting += 1
        try:
            await self.backend.until_durable()
        finally:
            self._waiting -= 1
        return reply

    async def _shown(self, route: Route, request: AuthenticatedRequest) -> Reply:
        """Return what a route shows, its list worded a little at a time, once it is on disk."""
        assert route.show is not None, "this route is for reading"
        if route.attends is not None:
            key = route.attends(self.view, request)
            if key is not None:
                self.backend.attend(key)
        reply = self._worded(route.show(self.view, request))
        while reply.listing is not None:
            state = self.backend.state
            rows = await self._rows(reply.listing)
            if self.backend.state is state:
                reply.pieces, reply.listing = Pieces(reply.listing, rows), None
            else:  # Another engine has taken this one's place.
                reply = self._worded(route.show(self.view, request))
        if reply.pieces is not None and len(reply.pieces) <= ROWS_PER_PIECE:
            reply.body, reply.pieces = b"".join(reply.pieces), None
        elif reply.pieces is not None:
            if self._long[request.client_id] >= LONG_MAX:
                return self.busy()
            self._long[request.client_id] += 1
            reply.on_sent = partial(self._forget_long, request.client_id)
        try:
            return await self._durable(reply)
        except BaseException:
            if reply.on_sent is not None:
                reply.on_sent()
            raise

    def _forget_long(self, client_id: str) -> None:
        """Count a long answer as fetched, or as given up."""
        self._long[client_id] -= 1
        if not self._long[client_id]:
            del self._long[client_id]

    async def _rows(self, listing: Listing) -> list[bytes]:
        """Return the rows of a list; others have their turn between its steps."""
        turns = turns_of(asyncio.get_running_loop())
        while True:
            try:
                weight = next(listing.plan)
            except StopIteration as end:
                rows: list[bytes] = end.value
                return rows
            await turns.turn(weight)

    def error(self, status: int, code: ErrorCode, message: str, word: str) -> Reply:
        """Return envelope A, as the switches want it."""
        if self.options.errors_as_200 and status < 500:
            status = 200
        error_type = error_type_of(code) if self.options.error_type else None
        return Reply(status, encode(error_body(code, message, error_type)), error_reason=word)

    def refusal(self, refusal: Refusal, command: Command | None = None) -> Reply:
        """Return what a client is told of a refusal of the core; see ``told``.

        With the command that was refused, the right value is told, too.
        """
        if command is not None:
            engine = self.backend
            figures = with_figures(engine.state, engine.last_price_pips, command, refusal)
            refusal = replace(refusal, detail=figures)
        entry, text = told(refusal, command)
        reply = self.error(entry.status, entry.code, text, entry.word)
        if refusal.retry_at_ns:
            reply.more = ((b"retry-after", b"%d" % self._whole_seconds(refusal.retry_at_ns)),)
        return reply

    def _whole_seconds(self, until_ns: int) -> int:
        """Return after how many real seconds, rounded up, it is this late for the engine.

        While its time stands still, nobody can know; then it is told as if it ran.
        """
        seconds = self.backend.seconds_until(until_ns)
        if seconds is None:
            seconds = (until_ns - self.backend.now_ns()) / NS_PER_SECOND
        return max(1, math.ceil(seconds))

    def too_many_guesses(self, many: TooManyGuesses) -> Reply:
        """Return the answer to one guess too many, with when the next may be."""
        reply = self.error(429, ErrorCode.TOO_MANY_REQUESTS, str(many), "TOO_MANY_GUESSES")
        reply.more = ((b"retry-after", b"%d" % many.seconds),)
        return reply

    def crowded(self) -> Reply:
        """Return the answer when too many log in at once: nothing was done."""
        reply = self.error(503, ErrorCode.UNAVAILABLE, CROWDED, "BUSY")
        reply.more = (RETRY_AFTER,)
        return reply

    def unauthorised(self) -> Reply:
        """Return the answer to a missing, unknown, expired or doubtful token."""
        return self.error(401, ErrorCode.UNAUTHORISED, UNAUTHORISED, "UNAUTHORISED")

    def not_found(self) -> Reply:
        """Return the answer to a path that is no route."""
        return self.error(404, ErrorCode.NOT_FOUND, "Resource Not Found", "NO_SUCH_ROUTE")

    def wrong_method(self, allowed: str) -> Reply:
        """Return the answer to a route asked in a way it does not know."""
        reply = self.error(
            405, ErrorCode.METHOD_NOT_ALLOWED, "Method Not Allowed", "METHOD_NOT_ALLOWED"
        )
        methods = ", ".join(sorted(allowed.split(", ")))
        reply.more = ((b"allow", methods.encode()),)
        return reply

    def unavailable(self) -> Reply:
        """Return the answer when the journal fails: what was asked may or may not be kept."""
        text = "Not durable: the outcome is unknown, look before you send it again"
        reply = self.error(503, ErrorCode.UNAVAILABLE, text, "UNKNOWN")
        reply.more = (RETRY_AFTER,)
        return reply

    def paused(self) -> Reply:
        """Return the answer while the disk takes nothing: what was asked was not done."""
        text = "The disk takes nothing just now: nothing was done, try again"
        reply = self.error(503, ErrorCode.UNAVAILABLE, text, "PAUSED")
        reply.more = (RETRY_AFTER,)
        return reply

    def busy(self) -> Reply:
        """Return the answer when too many wait for the disk: what was asked was not done."""
        text = "Too many requests wait for the disk: nothing was done, try again"
        reply = self.error(503, ErrorCode.UNAVAILABLE, text, "BUSY")
        reply.more = (RETRY_AFTER,)
        return reply

    def broken(self) -> Reply:
        """Return the answer when the program itself is wrong."""
        return self.error(500, ErrorCode.INTERNAL, "Internal error", "INTERNAL")


def _keyed(command: K, key: str) -> K:
    """Return the command with the client's key, and a fingerprint of what it asks."""
    fingerprint = blake2b(msgspec.msgpack.encode(command), digest_size=16).hexdigest()
    return replace(command, idempotency_key=key, fingerprint=fingerprint)
