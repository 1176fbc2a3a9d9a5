"""The server: which address it listens at, and how it starts and ends."""

import ipaddress
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coequal.serve.protection import LOOPBACK_NAMES, TOKEN, Protection
from coequal.serve.site import Site

PORT = 8765
PORTS = 100  # that are tried from the first one on
GRACE_SECONDS = 1  # for answers under way when the server is to end
GZIP_LEVEL = 4


@dataclass(frozen=True)
class Listening:
    """An address at which the server listens.

    Attributes:
        socket: that listens.
        host: as it was asked for.
        loopback: whether only this machine can reach it.
    """

    socket: socket.socket
    host: str
    loopback: bool

    def __enter__(self) -> "Listening":
        """Inside, the port is taken."""
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def port(self) -> int:
        """The number of the port."""
        return int(self.socket.getsockname()[1])

    def url(self, token: str | None) -> str:
        """What to open in a browser.

        Args:
            token: that a first visit needs; None if it needs none.
        """
        address = self.socket.getsockname()[0]
        name = self.host
        if ipaddress.ip_address(address).is_unspecified:  # every address of the machine
            name = socket.gethostname()
        if ":" in name:
            name = f"[{name}]"
        query = f"?{urlencode({TOKEN: token})}" if token else ""
        return f"http://{name}:{self.port}/{query}"


def listen(host: str, port: int | None) -> Listening:
    """Take a port.

    Args:
        host: a name or an address of this machine.
        port: its number, 0 for any free one; None: `PORT` or the next free one.

    Raises:
        OSError: the host is none of this machine, or the port is in use.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OSError(
            f"--host {host} is not an address of this machine ({error.strerror})"
        ) from error
    loopback = ipaddress.ip_address(address[0]).is_loopback
    last: OSError | None = None
    for number in range(PORT, PORT + PORTS) if port is None else (port,):
        bound = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would share the port with whoever has it
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((address[0], number))
            bound.listen()
            return Listening(bound, host, loopback)
        except OSError as error:
            bound.close()
            last = error
    asked = f"port {port}" if port is not None else f"every port from {PORT} to {number}"
    reason = last.strerror if last else ""
    raise OSError(f"{asked} on {host} cannot be used ({reason}); name another with --port")


def new_token() -> str:
    """A token that nobody guesses: 128 random bits."""
    return secrets.token_urlsafe(16)


def application(site: Site, *, loopback: bool, token: str | None, port: int) -> Starlette:
    """The site as an ASGI application.

    Args:
        site: its content.
        loopback: whether only this machine reaches it: then it answers only to names of loopback.
        token: that visitors need; None if they need none.
        port: at which it listens; browsers don't tell the cookies of two ports apart.
    """

    def answer(request: Request) -> Response:  # not async: it runs in a thread
        return site.answer(request)

    hosts = LOOPBACK_NAMES if loopback else None
    return Starlette(
        routes=[Route("/{path:path}", answer, methods=["GET"])],
        middleware=[
            Middleware(Protection, hosts=hosts, token=token, cookie=f"coequal-{port}"),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=GZIP_LEVEL),
        ],
    )


def serve(app: Starlette, listening: Listening, started: Callable[[], None]) -> None:
    """Answer until a signal ends it.

    Args:
        app: what answers.
        listening: where.
        started: is called once the server answers.

    Raises:
        KeyboardInterrupt: by Ctrl-C, after the answers under way.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # it would show the token
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    started()  # the socket listens already: a browser that is too early waits
    uvicorn.Server(config).run(sockets=[listening.socket])
