"""
Operations without I/O: a plan says what to ask and how long to wait, a driver does it.

Each operation of the client is a *plan*: a generator that yields steps and is resumed with what
came of them. It never touches a socket or a clock, so one plan serves the blocking and the
asynchronous client alike, and all that differs between the two is a driver of a few lines.

    step       answered by
    Request    a Response, or a TransportError thrown in
    Pause      whether there is time left for another look
    Watch      nothing: from here on a change is accepted, and there is this long to see it

A failure on the way is raised inside the plan at the ``yield`` that asked, sorted by what it means:
nothing was sent (``NotSent``), a read got no answer (``TransportError``), a change got no answer
(``OutcomeUnknown``). Time belongs to the driver: one deadline over everything that a call does.
"""

import decimal
from collections.abc import Generator, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from kavach.sdk.errors import Attempt, NotSent, OutcomeUnknown, TransportError

T = TypeVar("T")

RETRY_SECONDS: Final = (0.05, 0.2)
# The caller's own context may round to three digits, or raise at a float.
EXACT: Final = decimal.Context(
    prec=60,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request; ``attempt`` is what it tries to change, ``None`` for a read."""

    method: str
    path: str  # Already escaped, begins with a slash.
    query: dict[str, str] = {}
    body: msgspec.Struct | dict[str, Any] | None = None
    attempt: Attempt | None = None
    is_open: bool = False  # Asked without a token: a login, a download.
    is_secret: bool = False  # Its answer can hold a token: no error quotes it.
    form: dict[str, str] | None = None  # A body in the manner of HTML forms.
    basic: tuple[str, str] | None = None  # Name and secret of an app.

    def __repr__(self) -> str:
        """Return method and path: tools that show the variables of a traceback show this."""
        return f"Request({self.method} {self.path})"


class Pause(msgspec.Struct, frozen=True):
    """Let this much time pass; a pause that ``must`` be whole is not cut short by the deadline."""

    seconds: float
    must: bool = False


class Watch(msgspec.Struct, frozen=True):
    """
    Look for the effect of a change for so long.

    With an attempt, that was accepted: whatever goes wrong from here on leaves its outcome unknown.
    Without one something is looked for that was asked earlier, which may take the call's own time.
    """

    seconds: float
    attempt: Attempt | None = None


class Response(msgspec.Struct, frozen=True):
    """What came back, undecoded; header names are lower-case."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty if it was not sent."""
        return self.headers.get(name.lower(), "")


class Done(msgspec.Struct, Generic[T], frozen=True):
    """A plan has ended, with this result."""

    result: T


Step = Request | Pause | Watch
Reply = Response | TransportError | bool | None
Plan = Generator[Step, Response | bool | None, T]


def advance(plan: Plan[T], reply: Reply = None) -> Step | Done[T]:
    """Return the plan's next step, given what came of the last one; its arithmetic is exact."""
    with decimal.localcontext(EXACT):
        try:
            if isinstance(reply, TransportError):
                return plan.throw(reply)
            return plan.send(reply)
        except StopIteration as end:
            return Done(end.value)


def lost(request: Request, why: str) -> TransportError:
    """Return the error for a request that was sent, perhaps in part, and got no answer."""
    if request.attempt is None:
        return TransportError(f"{request.method} {request.path}: {why}")
    return OutcomeUnknown(why, request.attempt)


def ask(request: Request) -> Plan[Response]:
    """
    Return the server's response.

    Whatever never left this machine is tried again a little later, a change as well: that
    cannot do anything twice. What may have been sent is never sent again.
    """
    for seconds in RETRY_SECONDS:
        try:
            response = yield request
        except NotSent:
            if not (yield Pause(seconds)):
                raise
        else:
            assert isinstance(response, Response), "a request is answered by a response or an error"
            return response
    response = yield request
    assert isinstance(response, Response)
    return response
