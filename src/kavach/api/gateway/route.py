"""
What a route is: pure functions for one method of one path, and what OpenAPI says of it.

``read`` makes a command of a request, ``write`` makes the answer of its outcome; a route that only
reads has ``show``. None of them executes or waits: the gateway does, in one place.

Source: docs/wire/README.md, "Routes".
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from kavach.api.gateway.view import View
from kavach.api.http.call import AnonymousRequest, AuthenticatedRequest, Reply
from kavach.api.people.logins import Logins
from kavach.core.commands import Command
from kavach.core.model.limits.profiles import LimitClass
from kavach.core.refusals import Answer, Refusal
from kavach.units import InstrumentKey
from kavach.wire.exact import Request, messages_in

PREFIX: Final = "/api/v1"
ORDER_ID: Final = "oms_order_id"

Read = Callable[[View, AuthenticatedRequest], Command | Refusal]
Write = Callable[[View, Any, Answer], Reply | Refusal]  # Any: the command that ``read`` made.
Show = Callable[[View, Any], Reply | Refusal]  # Any: a request with a token, or without.
Attends = Callable[[View, AuthenticatedRequest], InstrumentKey | None]
Admit = Callable[[Logins, AnonymousRequest], Awaitable[Reply | Refusal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter."""

    name: str
    description: str
    words: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    One method of one path: ``read`` and ``write``, or ``show``, or for a login ``admit``.

    ``request`` is the type of its body, if it has one.
    """

    method: str
    path: str
    name: str
    summary: str
    read: Read | None = None
    write: Write | None = None
    show: Show | None = None
    admit: Admit | None = None
    attends: Attends | None = None  # What a request looks at: a market is made in it.
    waits: bool = False  # The answer is what the venue says of it, if it does in time.
    public: bool = False  # What it shows needs no token.
    answer: Any  # The message type of a success.
    request: type[Request] | None = None
    limit: LimitClass = LimitClass.OTHER  # ORDERS: the core counts it, and the gateway does not.
    query: tuple[Query, ...] = ()
    error: type | None = None  # What 400 and 404 look like here besides envelope A.
    other_requests: tuple[type[Request], ...] = ()  # It takes these messages, too.
    headers: tuple[str, ...] = ()  # What only this route's answers carry.

    def __post_init__(self) -> None:
        ways = (self.read or self.write, self.show, self.admit)
        assert sum(way is not None for way in ways) == 1, "one way in"
        assert (self.read is None) is (self.write is None), "what is executed is answered"

    @property
    def is_open(self) -> bool:
        """Whether it needs no token."""
        return self.public or self.admit is not None

    @property
    def has_id(self) -> bool:
        """Whether the path holds a value."""
        return "{" in self.path

    @property
    def messages(self) -> list[type[Request]]:
        """Every message that the route takes, and the messages within them."""
        found = [] if self.request is None else [self.request, *self.other_requests]
        return found + [held for kind in found for held in messages_in(kind)]

    @property
    def path_names(self) -> list[str]:
        """The names of the values in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def repeatable(self) -> bool:
        """Whether ``Idempotency-Key`` means something here."""
        return self.request is not None and not self.is_open


CLIENT: Final = Query(name="client_id", description="The account; must be the token's own.")
