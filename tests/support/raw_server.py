"""A real server on a free port of this process, whose limits a test chooses, and raw connections to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from server.http.connection import ConnectionLimits, Connections
from tests.support.servers import eventually


@dataclass(frozen=True)
class RawServer:
    """A server that can be reached at a port."""

    port: int
    connections: Connections

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def ask(self, request: bytes) -> bytes:
        """Everything that is answered to these bytes, until the server closes or the request has its answer."""
        with self.connect() as connection:
            return converse(connection, request)


def converse(connection: socket.socket, request: bytes) -> bytes:
    """Send bytes as far as they are taken; return what is answered until the connection closes."""
    answer = b""
    with suppress(ConnectionError):
        connection.sendall(request)
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            answer += part
    return answer


@contextmanager
def raw_server(app: ASGIApp, limits: ConnectionLimits) -> Iterator[RawServer]:
    """Run an application in a thread of this process."""
    connections = Connections(limits)
    config = uvicorn.Config(
        app,
        port=0,
        http=connections.protocol,  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert eventually(lambda: server.started)
        yield RawServer(server.servers[0].sockets[0].getsockname()[1], connections)
    finally:
        server.should_exit = True
        thread.join()
