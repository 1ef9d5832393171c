"""One line of the log for each request: which, by whom, what became of it, and how long it took."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any, Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics

REQUEST_ID_HEADER: Final = "Dojo-Request"
ACCOUNT: Final = "account_id"  # in the request's state, once its token was recognised
UNLOGGED: Final = ("/healthz", "/readyz", "/metrics")  # asked every few seconds, by machines

log = logging.getLogger(__name__)


class AccessLog:
    """Names each request, in its answer and in everything that is logged meanwhile, and logs and measures it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = secrets.token_hex(8)
        state: dict[str, Any] = scope.setdefault("state", {})
        status = 499  # the connection was closed before there was an answer

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started
                route = _route(scope)
                self._metrics.requests.labels(route, status).observe(seconds)
                if scope["path"] not in UNLOGGED:
                    what = {"method": scope["method"], "route": route, "status": status}
                    log.info("request", extra={**what, "ms": round(1000 * seconds, 1), ACCOUNT: state.get(ACCOUNT)})


def _route(scope: Scope) -> str:
    """Return the route's name, not the address: it is one of a few, and holds nothing of the sender's."""
    return getattr(scope.get("route"), "name", "none")
