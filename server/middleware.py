"""Around every request: how large it may be, the version of the API, and no error that is not a problem."""

from __future__ import annotations

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problems import TooLarge, internal_error, response

API_VERSION = "1"
SAFETENSORS = "application/vnd.safetensors"
TENSOR_BYTES = 8 * 1024 * 1024
SOURCE_BYTES = 64 * 1024
JSON_BYTES = 4 * SOURCE_BYTES  # escapes make a text longer: an "é" of two bytes may come as six

log = logging.getLogger(__name__)


class Envelope:
    """Puts ``Dojo-API`` on every answer, and answers a mistake of ours with a problem that tells nothing of
    it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_marked(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message)["Dojo-API"] = API_VERSION
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception:
            if begun:
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            await internal_error()(scope, receive, send_marked)


class BodyLimit:
    """Refuses a body that is too large: by its announced length before anything of it is read, else as soon
    as more has come."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = TENSOR_BYTES if media_type(headers) == SAFETENSORS else JSON_BYTES
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > limit:
            await response(_too_large(limit))(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self.app(scope, receive_limited, send)


def media_type(headers: Headers) -> str:
    """The Content-Type without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {limit // 1024} KiB, the most that is taken of this kind. "
        "Send less: only the gradients that the exercise asks for."
    )
