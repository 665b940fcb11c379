"""
The ASGI application: which handler gets a request, and what strangers are told.

Orders on ``/orders/kart`` are looked up in one dictionary and meet no middleware. Everything
else goes through Starlette's router, the control room included; there the same routes
stand, so that a wrong method is known as one.

Source: docs/wire/README.md, "Routes"; ARCHITECTURE.md.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as PathRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from kavach.api.cors import CrossOrigin
from kavach.api.docs.openapi import openapi_json
from kavach.api.docs.page import static_pages
from kavach.api.feed.door import READERS_MAX, FeedDoor
from kavach.api.feed.hub import Hub
from kavach.api.gateway.gateway import Gateway
from kavach.api.gateway.route import ORDER_ID, Route
from kavach.api.http.backend import Backend
from kavach.api.http.call import Reply, send_reply
from kavach.api.http.options import ApiOptions
from kavach.api.routes.every_route import ROUTES
from kavach.api.routes.kart import KART
from kavach.api.routes.oauth import oauth_routes
from kavach.contracts.catalogue import Catalogue
from kavach.wire import headers

_KART_SLASH: Final = f"{KART}/"


def create_app(
    backend: Backend,
    options: ApiOptions,
    *,
    extra_routes: Sequence[BaseRoute] = (),
    catalogue: Callable[[], Catalogue] | None = None,
    hub: Hub | None = None,
    readers_max: int = READERS_MAX,
) -> ASGIApp:
    """Return the application; ``extra_routes`` are served beside the trading API.

    It shows the contracts of the catalogue that is returned, or of the engine without one. ``hub``
    feeds those who come for the feed, so many at a time; without one there is no feed.
    """
    gateway = Gateway(backend, options, catalogue)
    door = None if hub is None else FeedDoor(gateway, hub, readers_max)
    api = Api(gateway, extra_routes, door)
    return CrossOrigin(api, options.cors) if options.cors else api


class Api:
    """The trading API over one engine."""

    def __init__(
        self, gateway: Gateway, extra_routes: Sequence[BaseRoute], door: FeedDoor | None
    ) -> None:
        self._gateway = gateway
        self._door = door
        self._hot = {(route.method, route.path): route for route in ROUTES if route.path == KART}
        self._cancel = next(
            route
            for route in ROUTES
            if route.method == "DELETE" and route.path.startswith(_KART_SLASH)
        )
        self._rest = Starlette(
            routes=[
                *_paths(gateway, ROUTES),
                *_pages(gateway, options=gateway.options),
                *_paths(gateway, oauth_routes(gateway.backend, gateway.logins)),
                *extra_routes,
            ],
            exception_handlers={HTTPException: _stranger(gateway), Exception: _broken(gateway)},
        )
        self._rest.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            method, path = scope["method"], scope["path"]
            if method == "DELETE" and path.startswith(_KART_SLASH):
                path_id = path[len(_KART_SLASH) :]
                await self._gateway.serve(self._cancel, path_id, scope, receive, send)
                return
            route = self._hot.get((method, path))
            if route is not None:
                await self._gateway.serve(route, "", scope, receive, send)
                return
        elif scope["type"] == "websocket" and self._door is not None:
            await self._door(scope, receive, send)
            return
        await self._rest(scope, receive, send)


class Methods:
    """One path as an ASGI endpoint: its routes by method."""

    def __init__(self, gateway: Gateway, routes: Sequence[Route]) -> None:
        self._gateway = gateway
        self._routes = {route.method: route for route in routes}
        if "GET" in self._routes:
            self._routes["HEAD"] = self._routes["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request to this path."""
        route = self._routes[scope["method"]]
        path_id = next(iter(scope["path_params"].values()), "")
        await self._gateway.serve(route, path_id, scope, receive, send)


class Page:
    """A page that is always the same."""

    def __init__(self, gateway: Gateway, reply: Reply) -> None:
        self._gateway = gateway
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        await send_reply(send, self._reply, self._gateway.request_id())


def _paths(gateway: Gateway, routes: Sequence[Route]) -> list[PathRoute]:
    by_path: dict[str, list[Route]] = {}
    for route in routes:
        path = f"{KART}/{{{ORDER_ID}:path}}" if route.path.startswith(_KART_SLASH) else route.path
        by_path.setdefault(path, []).append(route)
    return [
        PathRoute(path, Methods(gateway, same), methods=[route.method for route in same])
        for path, same in by_path.items()
    ]


def _pages(gateway: Gateway, options: ApiOptions) -> list[PathRoute]:
    document = Reply(200, openapi_json(options))
    files = [
        PathRoute(path, Page(gateway, page), methods=["GET"])
        for path, page in static_pages().items()
    ]
    return [PathRoute("/openapi.json", Page(gateway, document), methods=["GET"]), *files]


class Said(Response):
    """A ``Reply`` where Starlette wants a ``Response``."""

    def __init__(self, gateway: Gateway, reply: Reply) -> None:
        super().__init__()
        self._gateway = gateway
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send_reply(send, self._reply, self._gateway.request_id())


def _stranger(gateway: Gateway) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            if request.method == "OPTIONS":
                said = {"allow": allowed, headers.REQUEST_ID: gateway.request_id().decode()}
                return Response(status_code=204, headers=said)
            return Said(gateway, gateway.wrong_method(allowed))
        return Said(gateway, gateway.not_found())

    return answer


def _broken(gateway: Gateway) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return Said(gateway, gateway.broken())

    return answer
