"""
What a route is: one method of one path, whose handler serves it, and what OpenAPI tells of it.

Source: docs/wire/README.md, "Routes".
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from kavach.api.gateway.gateway import Handler, OpenHandler
from kavach.core.model.limits.profiles import LimitClass

PREFIX: Final = "/api/v1"
ORDER_ID: Final = "oms_order_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter."""

    name: str
    description: str
    words: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path; without a token it is served by ``open_handler``, else by the other.

    ``request`` is the type of its body, if it has one.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler | None = None
    open_handler: OpenHandler | None = None
    answer: Any  # The message type of a success.
    request: type | None = None
    limit: LimitClass = LimitClass.OTHER  # ORDERS: the core counts it, and the edge does not.
    query: tuple[Query, ...] = ()
    error: type | None = None  # What 400 and 404 look like here besides envelope A.
    other_requests: tuple[type, ...] = ()  # Messages of other kinds that the route takes, too.
    headers: tuple[str, ...] = ()  # What only this route's answers carry.

    def __post_init__(self) -> None:
        assert (self.handler is None) is not (self.open_handler is None), "one way in"

    @property
    def is_open(self) -> bool:
        """Whether it needs no token."""
        return self.open_handler is not None

    @property
    def has_id(self) -> bool:
        """Whether the path holds a value."""
        return "{" in self.path

    @property
    def messages(self) -> list[type]:
        """Every message that the route takes, and the messages within them."""
        found = [] if self.request is None else [self.request, *self.other_requests]
        return found + [part for kind in found for part in getattr(kind, "parts", ())]

    @property
    def path_names(self) -> list[str]:
        """The names of the values in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def repeatable(self) -> bool:
        """Whether ``Idempotency-Key`` means something here."""
        return self.request is not None and not self.is_open


CLIENT: Final = Query(name="client_id", description="The account; must be the token's own.")
