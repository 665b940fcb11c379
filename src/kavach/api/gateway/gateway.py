"""
Between ASGI and the handlers: who asks, is it durable, and how is a refusal said.

A handler is a plain function from a ``Call`` to a ``Reply``; it runs in one go on the event
loop, so nothing can come between what it reads and what it executes. Whatever it found out is
sent only when everything executed so far is on disk: nobody sees what a crash could undo.
When too many wait for the disk, the next ones are refused before anything is done, cancels last.

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
from itertools import count
from typing import Final

from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from kavach.api.gateway.refusals import told
from kavach.api.http.backend import Backend
from kavach.api.http.call import (
    NO_PATH,
    Call,
    Disconnected,
    Knock,
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
from kavach.core.commands import KeyedCommand
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.refusals import Refusal
from kavach.core.rules.figures import with_figures
from kavach.engine.journal_port import JournalError, JournalPaused
from kavach.units import NS_PER_SECOND
from kavach.wire.errors import (
    FORBIDDEN,
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

_LOG: Final = logging.getLogger(__name__)

Handler = Callable[["Edge", Call], Reply]
OpenHandler = Callable[["Edge", Knock], Awaitable[Reply]]  # For those who have no token yet.


class Edge:
    """What all routes share: the engine, what is listed, the switches, the numbers of answers."""

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
            self._catalogue: Callable[[], Catalogue] = lambda: known
        else:
            self._catalogue = catalogue
        self.options = options
        self.logins = Logins(backend)
        self._numbers = count(1)
        self._waiting = 0
        self._long: Counter[str] = Counter()  # Long answers that were not fetched yet, by client.
        self._pacing = Pacing()
        self._run = secrets.token_hex(4)  # Tells the answers of one run from those of another.

    @property
    def catalogue(self) -> Catalogue:
        """What is listed, in the world that is served at the moment."""
        return self._catalogue()

    def request_id(self) -> bytes:
        """Return the id of the next answer."""
        return f"{self._run}-{next(self._numbers)}".encode()

    async def serve(
        self,
        handler: Handler,
        path_id: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        limit: LimitClass = LimitClass.ORDERS,
    ) -> None:
        """Answer one request by this handler; ``limit`` says what it counts as."""
        await self._answer(self._reply(handler, path_id, scope, receive, limit), send)

    async def serve_open(
        self, handler: OpenHandler, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one request by this handler, whoever asks."""
        await self._answer(self._open_reply(handler, scope, receive), send)

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

    async def _reply(
        self, handler: Handler, path_id: str, scope: Scope, receive: Receive, limit: LimitClass
    ) -> Reply:
        try:
            body = await read_body(receive)
            given = joined_headers(scope)
            digest = token_digest(given)
            client_id = self._client_of(digest) if digest else None
            if client_id is None:
                return self.unauthorised()
            assert digest is not None, "nobody has no token"
            key = idempotency_key(given)
            call = Call(
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
            if limit is not LimitClass.ORDERS and self.backend.state.limited:
                state, now_ns = self.backend.state, self.backend.now_ns()
                too_soon = self._pacing.refuses(state, client_id, limit, now_ns)
                if too_soon is not None:
                    return self.refusal(too_soon)
            return await self._outcome(handler, call)
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

    async def _open_reply(self, handler: OpenHandler, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await read_body(receive)
            if self._waiting >= WAITING_MAX:
                return self.busy()
            given = joined_headers(scope)
            reply = await handler(self, Knock(scope["method"], given, body, scope["query_string"]))
            self._waiting += 1
            try:
                await self.backend.settled()
            finally:
                self._waiting -= 1
            return reply
        except (BadField, BadBody, Refused) as error:
            return self._no(error)
        except TooManyGuesses as many:
            return self.too_many_guesses(many)
        except TooManyLogins:
            return self.crowded()

    async def _outcome(self, handler: Handler, call: Call) -> Reply:
        """Return what the handler says, once all that it may have seen is on disk."""
        reply = handler(self, call)
        if reply.listing is not None:
            return await self._listed(handler, call, reply)
        self._waiting += 1
        try:
            if reply.reword is not None:
                ticket = self.backend.pending()
                if ticket is not None:
                    outcome = await self.backend.decided(ticket, self.options.wait_seconds)
                    reply = reply.reword(outcome)
            await self.backend.settled()
        finally:
            self._waiting -= 1
        return reply

    async def _listed(self, handler: Handler, call: Call, reply: Reply) -> Reply:
        """Return a list, worded a little at a time, once all that it shows is on disk."""
        while reply.listing is not None:
            state = self.backend.state
            rows = await self._worded(reply.listing)
            if self.backend.state is state:
                reply.pieces, reply.listing = Pieces(reply.listing, rows), None
            else:
                reply = handler(self, call)  # Another engine has taken this one's place.
        if reply.pieces is not None and len(reply.pieces) <= ROWS_PER_PIECE:
            reply.body, reply.pieces = b"".join(reply.pieces), None
        elif reply.pieces is not None:
            if self._long[call.client_id] >= LONG_MAX:
                return self.busy()
            self._long[call.client_id] += 1
            reply.on_sent = partial(self._forget_long, call.client_id)
        self._waiting += 1
        try:
            await self.backend.settled()
        except BaseException:
            if reply.on_sent is not None:
                reply.on_sent()
            raise
        finally:
            self._waiting -= 1
        return reply

    def _forget_long(self, client_id: str) -> None:
        """Count a long answer as fetched, or as given up."""
        self._long[client_id] -= 1
        if not self._long[client_id]:
            del self._long[client_id]

    async def _worded(self, listing: Listing) -> list[bytes]:
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

    def refusal(
        self, refusal: Refusal, within: str = "", command: KeyedCommand | None = None
    ) -> Reply:
        """Return what a client is told of a refusal of the core; see ``told``.

        With the command that was refused, the right value is told, too.
        """
        if command is not None:
            backend = self.backend
            figures = with_figures(backend.state, backend.last_price_pips, command, refusal)
            refusal = replace(refusal, detail=figures)
        entry, text = told(refusal, within)
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


def check_owner(call: Call, named: str | None) -> None:
    """Raise ``Refused`` (403) if the request names another account than the token's."""
    if named is not None and named != call.client_id:
        raise Refused(403, ErrorCode.UNAUTHORISED, FORBIDDEN, "FORBIDDEN")
