"""
The socket, and uvicorn behind it.

Source: docs/twin.md, "The command line"; SECURITY.md.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from kavach.api.feed.socket import FeedSocket
from kavach.api.http.connection import Connection
from kavach.program.options import ServeOptions, StartError
from kavach.twin.door import Reach

STOP_SECONDS_MAX: Final = 10  # How long requests that were begun may take to end.
# On Windows SO_REUSEADDR would let another process take the port.
_PORT_IS_OURS: Final[int] = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
KEEP_ALIVE_SECONDS: Final = 75  # Longer than clients keep idle connections, so that they close.


class Server(uvicorn.Server):
    """uvicorn, told when to stop by whoever runs it, and telling when it answers."""

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        farewell: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._farewell = farewell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to those who stay for as long as they are let, then wait for the rest."""
        self._farewell()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: the loop has them, and a stop asked for is no failure."""
        yield

    def stop(self) -> None:
        """Finish what was accepted, refuse the rest, and return."""
        self.should_exit = True

    def interrupt(self) -> None:
        """Stop; at the second time without waiting for clients that are slow to ask or to read."""
        self.force_exit = self.should_exit
        self.stop()


def http_config(app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn is run: quick, quiet, with limits on what a connection may cost."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws=FeedSocket,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Give a bound socket, so that an occupied port is known before anything else is touched."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"The host {host} can't be used: {error.strerror}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, _PORT_IS_OURS, 1)
        try:
            listener.bind(address)
            listener.listen()  # Only now is it certain that nobody else has the port.
        except OSError as error:
            raise StartError(f"Port {port} of {host} can't be used: {error.strerror}.") from error
        yield listener


def url_of(listener: socket.socket) -> str:
    """Return the address under which a socket answers on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reach_of(listener: socket.socket, options: ServeOptions) -> Reach:
    """Return from where the control room may be asked."""
    address = ip_address(str(listener.getsockname()[0]).partition("%")[0])
    return Reach(
        beyond=not address.is_loopback,
        insecure=options.insecure,
        proxy_header=options.proxy_header,
    )
