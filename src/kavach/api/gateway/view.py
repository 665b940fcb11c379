"""
What a route may see: it reads the engine, and has no way to change it or to wait for it.

Source: docs/decisions/0035-routes-are-two-pure-functions.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kavach.api.http.backend import EngineView
from kavach.api.http.call import AuthenticatedRequest, Refused
from kavach.api.http.options import ApiOptions
from kavach.contracts.catalogue import Catalogue
from kavach.wire.errors import FORBIDDEN, ErrorCode


@dataclass(frozen=True, slots=True)
class View:
    """The engine for reading, the contracts that are listed, and the switches."""

    engine: EngineView
    options: ApiOptions
    listed: Callable[[], Catalogue]

    @property
    def catalogue(self) -> Catalogue:
        """What is listed, in the world that is served at the moment."""
        return self.listed()


def check_owner(request: AuthenticatedRequest, named: str | None) -> None:
    """Raise ``Refused`` (403) if the request names another account than the token's."""
    if named is not None and named != request.client_id:
        raise Refused(403, ErrorCode.UNAUTHORISED, FORBIDDEN, "FORBIDDEN")
