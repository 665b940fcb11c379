"""
The control room of the simulated broker: market, faults, clock, sessions, clients, audit.

A call is a function from the room and the request's fields to the answer. What it changes it
changes in one go on the event loop, as the engine does, and its answer is sent only when all that
it changed is durable. The operator's token opens the room and nothing else does.

Source: docs/twin.md.
"""

import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kavach.engine.journal_port import JournalError, JournalPaused
from kavach.twin import calls, share_calls
from kavach.twin.door import (
    CLOSED,
    Disconnected,
    Reach,
    Refused,
    Told,
    is_operator,
    read_body,
    send_json,
)
from kavach.twin.fields import Fields, read_fields
from kavach.twin.world_port import World

PREFIX: Final = "/twin/v1"

_LOG: Final = logging.getLogger(__name__)

Call = Callable[[World, Fields], Awaitable[dict[str, Any]]]

# By path and method; what a path adds to the fields stands in braces.
CALLS: Final[dict[str, dict[str, Call]]] = {
    "market/quote": {"POST": calls.quote},
    "market/order": {"POST": calls.order},
    "market/trade": {"POST": calls.trade},
    "market/{exchange}/{instrument_token}": {"GET": calls.look},
    "faults": {"POST": calls.add_fault, "DELETE": calls.clear_faults},
    "venue/link": {"POST": calls.set_link},
    "clock": {"GET": calls.clock, "POST": calls.set_clock},
    "session": {"POST": calls.session},
    "clients": {"POST": calls.open_client},
    "credentials": {"POST": calls.set_credentials},
    "apps": {"POST": calls.register_app},
    "holdings": {"POST": share_calls.give_holdings},
    "audit": {"GET": calls.audited},
    "reset": {"POST": calls.reset},
}


class ControlRoom:
    """One world and the token that opens its control room."""

    def __init__(self, world: World, operator_token: str, reach: Reach = Reach()) -> None:  # noqa: B008  # Frozen.
        assert operator_token, "a room without a lock is no control room"
        self._world = world
        self._reach = reach
        self._token_digest = sha256(operator_token.encode()).digest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            told = await self._serve(scope, receive)
        except Disconnected:
            return
        except Refused as refused:
            told = Told(refused.status, {"error": str(refused)})
        except JournalPaused:
            text = "journal: the disk takes nothing just now; nothing was done, try again"
            told = Told(503, {"error": text})
        except JournalError as error:
            _LOG.error("not durable: %s", error)
            text = "journal: not durable, the outcome is unknown; look before you ask again"
            told = Told(503, {"error": text})
        await send_json(send, told)

    async def _serve(self, scope: Scope, receive: Receive) -> Told:
        try:
            body = await read_body(receive)
        finally:
            if self._reach.refuses(scope):
                raise Refused("control room", CLOSED, 403)
            if not is_operator(scope, self._token_digest):
                raise Refused("Authorization", "must be Bearer and the operator token", 401)
        found = _find(scope["path_params"]["call"])
        if found is None:
            raise Refused("path", "there is no such call", 404)
        if not self._world.service.may_answer():
            raise JournalPaused("The journal was not heard of for too long.")
        methods, from_path = found
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        call = methods.get(method)
        if call is None:
            allowed = ", ".join(methods)
            return Told(405, {"error": f"method: must be {allowed}"}, allowed)
        fields = read_fields(body) if method == "POST" and body.strip() else Fields({})
        answer = await call(self._world, Fields(from_path) if from_path else fields)
        await self._world.service.until_durable()
        return Told(200, answer)


def _find(path: str) -> tuple[dict[str, Call], dict[str, str]] | None:
    """Return the methods of a path, and the fields that it carries."""
    parts = path.split("/")
    for pattern, methods in CALLS.items():
        names = pattern.split("/")
        if len(names) == len(parts):
            pairs = list(zip(names, parts, strict=True))
            if all(name == part or name.startswith("{") for name, part in pairs):
                return methods, {name[1:-1]: part for name, part in pairs if name[0] == "{"}
    return None


def control_room_routes(room: ControlRoom) -> list[Route]:
    """Return the routes of the room, to be served beside the trading API."""
    return [Route(f"{PREFIX}/{{call:path}}", room)]
