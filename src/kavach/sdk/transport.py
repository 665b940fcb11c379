"""
The two drivers of a plan: the only code that exists once for each kind of client.

A driver does what a plan's steps say, over httpx. Connections are kept and used again; they
are given up a little before the five seconds after which servers commonly hang up, so that a
change is not sent into a connection that is just being closed.

Source: the httpx exception tree (``httpx._exceptions``): connection and pool failures happen
before the first byte is sent, everything else may have been seen by the server.
"""

import asyncio
import time
from typing import Any, Final

import httpx
import msgspec

from kavach.sdk.account import Account
from kavach.sdk.errors import BadArgument, NotSent, TransportError
from kavach.sdk.plan import Done, Pause, Plan, Reply, Request, Response, Step, T, advance, lost
from kavach.wire.headers import IDEMPOTENCY_KEY

NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
LIMITS: Final = httpx.Limits(
    max_connections=100, max_keepalive_connections=100, keepalive_expiry=4.0
)

_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def settings(base_url: str, timeout_seconds: float) -> dict[str, Any]:
    """Return what both kinds of httpx client are constructed with."""
    return {
        "base_url": base_url,
        "timeout": timeout_seconds,
        "limits": LIMITS,
        "headers": {"Accept": "application/json"},
    }


def arguments(request: Request, access_token: str) -> dict[str, Any]:
    """Return what httpx is told for ``request``; raises ``BadArgument`` if it lacks a token."""
    told: dict[str, Any] = {"method": request.method, "url": request.path, "headers": {}}
    if not request.is_open:
        if not access_token:
            raise BadArgument("access_token: must be given, here or as KAVACH_TOKEN, or log in")
        told["headers"]["Authorization"] = f"Bearer {access_token}"
    if request.basic is not None:
        told["auth"] = request.basic
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


def response_of(answer: httpx.Response) -> Response:
    """Return the plan's view of an httpx response."""
    return Response(answer.status_code, dict(answer.headers), answer.content)


def failure(request: Request, error: Exception) -> TransportError:
    """Return what an httpx failure means for ``request``."""
    why = str(error) or type(error).__name__
    if isinstance(error, NEVER_SENT):
        return NotSent(f"{request.method} {request.path}: nothing was sent: {why}")
    if isinstance(error, httpx.TimeoutException):
        why = f"no answer within the time allowed ({type(error).__name__})"
    return lost(request, why)


class BlockingDriver:
    """Runs plans on the calling thread."""

    def __init__(self, client: httpx.Client, account: Account) -> None:
        self.client = client
        self.account = account

    def run(self, plan: Plan[T]) -> T:
        """Return the plan's result."""
        step = advance(plan)
        while not isinstance(step, Done):
            step = advance(plan, self._do(step))
        return step.result

    def _do(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        told = arguments(step, self.account.access_token)
        try:
            return response_of(self.client.request(**told))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return failure(step, error)


class AwaitingDriver:
    """Runs plans on the asyncio loop."""

    def __init__(self, client: httpx.AsyncClient, account: Account) -> None:
        self.client = client
        self.account = account

    async def run(self, plan: Plan[T]) -> T:
        """Return the plan's result."""
        step = advance(plan)
        while not isinstance(step, Done):
            step = advance(plan, await self._do(step))
        return step.result

    async def _do(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        told = arguments(step, self.account.access_token)
        try:
            return response_of(await self.client.request(**told))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return failure(step, error)
