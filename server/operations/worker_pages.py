"""What a worker answers over HTTP, on a port inside the network of the containers: ``/readyz`` and ``/metrics``.

``python -m server worker`` serves it if ``DOJO_WORKER_PORT`` names a port. A container engine asks whether the worker
grades, and Prometheus reads what it counts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from grader.supervision import SupervisedThread, ThreadStatus
from server.operations import health
from server.operations.schemas import HealthBody

REQUEST_SECONDS_MAX: Final = 10.0  # a connection that says nothing for this long is closed
POLL_SECONDS: Final = 0.2  # between two looks at whether to stop


class WorkerPages:
    """Listens from the beginning; answers once started.

    :param readiness: called for each ``/readyz``, on a thread of its own
    :raises OSError: the address cannot be listened on
    """

    def __init__(
        self, address: tuple[str, int], readiness: Callable[[], HealthBody], registry: CollectorRegistry
    ) -> None:
        self._server = _PagesServer(address, _Handler)
        self._server.readiness = readiness
        self._server.registry = registry
        self._stopping = threading.Event()
        self._thread = SupervisedThread("pages", self._serve, self._stopping)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def thread(self) -> ThreadStatus:
        """How the thread goes that takes connections."""
        return self._thread.status

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing more."""
        self._stopping.set()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._server.handle_request()


class _PagesServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    timeout = POLL_SECONDS
    readiness: Callable[[], HealthBody]
    registry: CollectorRegistry

    def handle_error(self, request: object, client_address: object) -> None:
        """Write the traceback of a mistake of ours. A container engine that asks no longer is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed names what a socket may be


class _Handler(BaseHTTPRequestHandler):
    server: _PagesServer
    timeout = REQUEST_SECONDS_MAX

    def do_GET(self) -> None:
        """Answer one of the two pages."""
        if self.path == "/readyz":
            body = self.server.readiness()
            status = HTTPStatus.OK if body.status == health.OK else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, "application/json", body.model_dump_json().encode())
        elif self.path == "/metrics":
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.server.registry))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"Ask for /readyz or /metrics.\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log has no line for each look at a worker's health."""

    def _answer(self, status: HTTPStatus, media_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
