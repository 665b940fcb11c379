"""
The two drivers of a plan: the only code that exists once for each kind of client.

A driver does what a plan's steps say, over httpx2, within the time of one ``Call``. Connections are
kept and used again; they are given up a little before the five seconds after which servers commonly
hang up, so that a change is not sent into a connection that is just being closed. They belong to
one process and one event loop: a forked child, or another loop, makes its own.

Source: httpx2's documented ``trace`` extension (when the first byte is sent), its exceptions.
"""

import asyncio
import os
import ssl
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final

import httpx2
import msgspec

from kavach.sdk.errors import BadArgument, NotSent, TransportError
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.plan import (
    Done,
    Pause,
    Plan,
    Reply,
    Request,
    Response,
    Step,
    T,
    Watch,
    advance,
    lost,
)
from kavach.sdk.transport import streams, telling
from kavach.sdk.transport.call import Call
from kavach.sdk.transport.pool import Pool
from kavach.wire.headers import IDEMPOTENCY_KEY, REQUEST_ID

NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)
LIMITS: Final = httpx2.Limits(
    max_connections=100, max_keepalive_connections=100, keepalive_expiry=4.0
)
ANSWERS_REMEMBERED: Final = 256
ANSWER_BYTES_MAX: Final = 256 * 1024 * 1024  # Unpacked. A day's book of 120 000 orders has less.
CLOSED: Final = "the client is closed"
FIRST_BYTE: Final = "send_request_headers.started"

_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def certificates(transport: object) -> ssl.SSLContext | bool:
    """Return whom connections trust, read once: it is nearly all that making a pool costs."""
    return httpx2.create_ssl_context() if transport is None else True


def settings(base_url: str, tls: ssl.SSLContext | bool) -> dict[str, Any]:
    """Return what both kinds of httpx2 client are constructed with."""
    return {
        "verify": tls,
        "base_url": base_url,
        "limits": LIMITS,
        "headers": {"Accept": "application/json"},
    }


def arguments(request: Request, access_token: str) -> dict[str, Any]:
    """Return what httpx2 is told for ``request``; raises ``BadArgument`` if it lacks a token."""
    told: dict[str, Any] = {"method": request.method, "url": request.path, "headers": {}}
    if not request.is_open:
        if not access_token:
            raise BadArgument("access_token: must be given, here or as KAVACH_TOKEN, or log in")
        told["headers"]["Authorization"] = f"Bearer {access_token}"
    if request.query:
        told["params"] = request.query
    if request.form is not None:
        told["data"] = request.form
    if request.body is not None:
        told["content"] = _JSON.encode(request.body)
        told["headers"]["Content-Type"] = "application/json"
    if request.attempt is not None:
        told["headers"][IDEMPOTENCY_KEY] = request.attempt.idempotency_key
    return told


def built(
    client: httpx2.Client | httpx2.AsyncClient, request: Request, access_token: str
) -> httpx2.Request:
    """Return the request that httpx2 sends; raises ``BadArgument`` for what cannot be sent."""
    try:
        return client.build_request(**arguments(request, access_token))
    except BadArgument:
        raise
    except Exception as error:  # Whatever it is, it is about values, and nothing was sent.
        why = "" if request.is_secret else f": {error}"
        kind = type(error).__name__
    raise BadArgument(f"{request.method} {request.path}: a value cannot be sent ({kind}{why})")


class Answers:
    """The last answers, by the ids that a server gives them: each answers one request."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=ANSWERS_REMEMBERED)

    def response_of(self, answer: httpx2.Response, body: "Body") -> Response:
        """
        Return the plan's view of an httpx2 response.

        Raises ``OSError`` for the answer to an earlier request, which a broken proxy sent twice;
        its connection is used no more.
        """
        number = answer.headers.get(REQUEST_ID, "")
        if number and number in self._seen:
            streams.give_up(answer)
            raise OSError("the answer to an earlier request came again")
        self._seen.append(number)
        return Response(answer.status_code, dict(answer.headers), body.whole())


class Body:
    """What has arrived of an answer's body; one that never ends is given up at a size."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._bytes = 0

    def take(self, piece: bytes) -> None:
        """Add what arrived; raises ``OSError`` when it is more than any answer of this API."""
        self._bytes += len(piece)
        if self._bytes > ANSWER_BYTES_MAX:
            raise OSError(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Return all of it."""
        return b"".join(self._pieces)


def failure(request: Request, error: Exception, *, has_left: bool) -> TransportError:
    """Return what an exception of the transport means for ``request``."""
    why = str(error) or type(error).__name__
    if not has_left or isinstance(error, NEVER_SENT):
        return NotSent(f"{request.method} {request.path}: nothing was sent: {why}")
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        why = f"no answer within the time allowed ({type(error).__name__})"
    return lost(request, why)


class Sending:
    """One request on its way: notices the first byte of it."""

    __slots__ = ("begun", "call", "has_left", "request")

    def __init__(self, call: Call, request: Request, *, is_traced: bool) -> None:
        self.begun = time.monotonic()
        self.call = call
        self.request = request
        self.has_left = False
        call.is_secret = call.is_secret or request.is_secret
        if not is_traced:  # A transport of the caller's own: as far as we know, at once.
            self.leaves()

    def leaves(self) -> None:
        """Note that a byte of the request may leave from now on."""
        self.has_left = True
        self.call.leaves(self.request)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Hear what the connection pool does."""
        if event.endswith(FIRST_BYTE):
            self.leaves()

    async def trace_async(self, event: str, info: dict[str, Any]) -> None:
        """Hear what the connection pool does."""
        self.trace(event, info)

    def answered(self, response: Response) -> Response:
        """Return the answer, once it was told of."""
        telling.answered(self.request, response, self.begun)
        return response

    def failed(self, error: Exception) -> TransportError:
        """Return what a failure means; a change that never left is not on the call's mind."""
        told = failure(self.request, error, has_left=self.has_left)
        telling.failed(self.request, told, self.begun)
        if isinstance(told, NotSent) and not self.call.accepted and self.request.attempt:
            self.call.attempt = None
        return told

    def in_time(self) -> float:
        """Return how long the request may take; raises ``TimeoutError`` when that is over."""
        left = self.call.seconds_left()
        if left <= 0:
            raise TimeoutError("the time of the call is over")
        return left


class BlockingDriver:
    """Runs plans on the calling thread."""

    def __init__(
        self,
        account: Account,
        base_url: str,
        timeout_seconds: float,
        transport: httpx2.BaseTransport | None,
    ) -> None:
        self.account = account
        self.is_closed = False
        self._seconds = timeout_seconds
        self._base_url = base_url
        self._transport = transport
        self._answers = Answers()
        self._tls = certificates(transport)
        self._new_pools()
        _BLOCKING.add(self)

    def _new_pools(self) -> None:
        self._pools: list[Pool[httpx2.Client]] = []  # The last one takes calls.
        # A driver that is forgotten without a close leaves no socket behind.
        self._last_rites = weakref.finalize(self, _close_all, self._pools)
        self._pool()

    def _pool(self) -> Pool[httpx2.Client]:
        """Return the connections for another call."""
        if not self._pools or self._pools[-1].is_retired:
            client = httpx2.Client(transport=self._transport, **settings(self._base_url, self._tls))
            streams.install(client)
            self._pools.append(Pool(client))
        return self._pools[-1]

    def _end(self, pool: Pool[httpx2.Client]) -> None:
        """Note the end of a call."""
        if pool.end():
            pool.client.close()
            with suppress(ValueError):  # Closed by another thread meanwhile.
                self._pools.remove(pool)

    def renew(self) -> None:
        """Use connections of this process from now on; the parent's are left alone."""
        self._last_rites.detach()
        _INHERITED.append(self._pools)
        if not self.is_closed:
            self._new_pools()

    def close(self) -> None:
        """Let go of all connections."""
        self.is_closed = True
        self._last_rites()

    def run(self, plan: Plan[T]) -> T:
        """Return the plan's result."""
        call = Call(self._seconds)
        try:
            step = advance(plan)
            while not isinstance(step, Done):
                step = advance(plan, self._do(call, step))
            return step.result
        except BaseException as error:
            told = call.meaning(error)
            if told is error:
                raise
        finally:
            plan.close()
        raise told

    def _do(self, call: Call, step: Step) -> Reply:
        if isinstance(step, Watch):
            call.watch(step)
            return None
        if isinstance(step, Pause):
            seconds = call.seconds_of(step)
            if seconds is not None:
                time.sleep(seconds)
            return seconds is not None
        if self.is_closed:
            return NotSent(f"{step.method} {step.path}: nothing was sent: {CLOSED}")
        pool = self._pool()
        message = built(pool.client, step, self.account.access_token)
        sending = Sending(call, step, is_traced=self._transport is None)
        pool.begin()
        interrupted = streams.UNTIL.at  # A signal handler may call in the middle of a call.
        streams.UNTIL.at = call.until
        try:
            message.extensions["trace"] = sending.trace
            message.extensions["timeout"] = httpx2.Timeout(sending.in_time()).as_dict()
            answer, body = pool.client.send(message, auth=step.basic, stream=True), Body()
            try:
                for piece in answer.iter_bytes():
                    body.take(piece)
            finally:
                answer.close()
            return sending.answered(self._answers.response_of(answer, body))
        except Exception as error:  # Whatever it is: what it means depends on what has left.
            return sending.failed(error)
        except BaseException:
            if self._transport is None:
                pool.retire()
            raise
        finally:
            streams.UNTIL.at = interrupted
            self._end(pool)


class AwaitingDriver:
    """Runs plans on the asyncio loop."""

    def __init__(
        self,
        account: Account,
        base_url: str,
        timeout_seconds: float,
        transport: httpx2.AsyncBaseTransport | None,
    ) -> None:
        self.account = account
        self.is_closed = False
        self._seconds = timeout_seconds
        self._transport = transport
        self._answers = Answers()
        self._base_url = base_url
        self._tls = certificates(transport)
        self._pools = _of_loops()

    async def _pool(self) -> Pool[httpx2.AsyncClient]:
        """Return the connections of the running loop for another call."""
        known = self._pools.setdefault(asyncio.get_running_loop(), {})
        pool = next((one for one in known if not one.is_retired), None)
        if pool is None:
            client = httpx2.AsyncClient(
                transport=self._transport, **settings(self._base_url, self._tls)
            )
            streams.install(client)
            pool = Pool(client)
            known[pool] = _until_the_loop_ends(client)
            await anext(known[pool])
        return pool

    async def _end(self, pool: Pool[httpx2.AsyncClient]) -> None:
        """Note the end of a call."""
        if pool.end():
            keeper = self._pools.get(asyncio.get_running_loop(), {}).pop(pool, None)
            if keeper is not None:
                await keeper.aclose()

    async def close(self) -> None:
        """Let go of the connections of the running loop; no loop can use the client any more."""
        self.is_closed = True
        for keeper in self._pools.pop(asyncio.get_running_loop(), {}).values():
            await keeper.aclose()

    async def run(self, plan: Plan[T]) -> T:
        """Return the plan's result."""
        call = Call(self._seconds)
        try:
            step = advance(plan)
            while not isinstance(step, Done):
                step = advance(plan, await self._do(call, step))
            return step.result
        except BaseException as error:
            told = call.meaning(error)
            if told is error:
                raise
        finally:
            plan.close()
        raise told

    async def _do(self, call: Call, step: Step) -> Reply:
        if isinstance(step, Watch):
            call.watch(step)
            return None
        if isinstance(step, Pause):
            seconds = call.seconds_of(step)
            if seconds is not None:
                await asyncio.sleep(seconds)
            return seconds is not None
        if self.is_closed:
            return NotSent(f"{step.method} {step.path}: nothing was sent: {CLOSED}")
        pool = await self._pool()
        message = built(pool.client, step, self.account.access_token)
        sending = Sending(call, step, is_traced=self._transport is None)
        pool.begin()
        alarm = None
        try:
            left = sending.in_time()
            message.extensions["trace"] = sending.trace_async
            message.extensions["timeout"] = httpx2.Timeout(left).as_dict()
            async with asyncio.timeout(left) as alarm:
                answer, body = await pool.client.send(message, auth=step.basic, stream=True), Body()
                try:
                    async for piece in answer.aiter_bytes():
                        body.take(piece)
                finally:
                    await answer.aclose()
                return sending.answered(self._answers.response_of(answer, body))
        except Exception as error:  # Whatever it is: what it means depends on what has left.
            if alarm is not None and alarm.expired() and self._transport is None:
                pool.retire()
            return sending.failed(error)
        except BaseException:
            if self._transport is None:
                pool.retire()
            raise
        finally:
            await self._end(pool)


async def _until_the_loop_ends(client: httpx2.AsyncClient) -> AsyncGenerator[None, None]:
    """
    Close a client's connections when this generator is closed.

    An event loop closes its generators when it ends (``asyncio.run`` sees to that), and one that is
    forgotten as soon as it is collected: so connections do not outlive their loop or their driver.
    """
    try:
        yield
    finally:
        await client.aclose()


Kept = dict[Pool[httpx2.AsyncClient], AsyncGenerator[None, None]]


def _of_loops() -> "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Kept]":
    return weakref.WeakKeyDictionary()


def _close_all(pools: list[Pool[httpx2.Client]]) -> None:
    for pool in pools:
        pool.client.close()


_BLOCKING: "weakref.WeakSet[BlockingDriver]" = weakref.WeakSet()
_INHERITED: list[list[Pool[httpx2.Client]]] = []  # A parent's: kept, so that nothing closes them.


def _in_a_child() -> None:
    for driver in list(_BLOCKING):
        driver.renew()


if hasattr(os, "register_at_fork"):  # Not on Windows, where nothing forks.
    os.register_at_fork(after_in_child=_in_a_child)
