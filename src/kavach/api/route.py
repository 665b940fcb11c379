"""
What a route is: one method of one path, whose handler serves it, and what OpenAPI tells of it.

Source: wire 1.1.
"""

from dataclasses import dataclass
from typing import Any, Final

from kavach.api.edge import Handler

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
    """One method of one path."""

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answer: Any  # The message type of a success.
    request: type | None = None
    query: tuple[Query, ...] = ()

    @property
    def has_id(self) -> bool:
        """Whether the path holds an order id."""
        return "{" in self.path

    @property
    def repeatable(self) -> bool:
        """Whether ``Idempotency-Key`` means something here."""
        return self.request is not None


CLIENT: Final = Query(name="client_id", description="The account; must be the token's own.")
