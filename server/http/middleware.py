"""Around every request: the limit of its body, the version of the API, and a problem for every error."""

from __future__ import annotations

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.database.outage import DatabaseUnavailable
from server.http.problems import DatabaseDown, TooLarge, internal_error, response

API_VERSION = "1"
SAFETENSORS, CSV, MULTIPART = "application/vnd.safetensors", "text/csv", "multipart/form-data"
TENSORS_BYTES_MAX = 8 * 1024 * 1024
MULTIPART_BYTES_MAX = TENSORS_BYTES_MAX + 64 * 1024  # a file that somebody chose on a page, and the form around it
CSV_BYTES_MAX = 4 * 1024 * 1024  # a gradebook of 10,000 students with 40 columns
SOURCE_BYTES_MAX = 64 * 1024
JSON_BYTES_MAX = 4 * SOURCE_BYTES_MAX  # JSON escapes make a text longer: the two bytes of "é" may be sent as six
FORM = "application/x-www-form-urlencoded"  # of a page; it may hold a roster that was read before
LIMITS = {SAFETENSORS: TENSORS_BYTES_MAX, CSV: CSV_BYTES_MAX, MULTIPART: MULTIPART_BYTES_MAX, FORM: CSV_BYTES_MAX}

log = logging.getLogger(__name__)


class Envelope:
    """Adds ``Dojo-API`` to every response, and turns an unhandled exception into a 500 problem without details."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_version(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["Dojo-API"] = API_VERSION
            await send(message)

        try:
            await self.app(scope, receive, send_with_version)
        except DatabaseUnavailable:  # it is in the log already
            if not started:
                await response(DatabaseDown())(scope, receive, send_with_version)
        except Exception:
            if started:
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            await internal_error()(scope, receive, send_with_version)


class BodyLimit:
    """Refuses a body that is too large: by its Content-Length before it is read, else as soon as more has arrived."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = LIMITS.get(media_type(headers), JSON_BYTES_MAX)
        content_length = headers.get("content-length", "0")
        if not content_length.isdecimal() or int(content_length) > limit:
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
    """Return the Content-Type without its parameters, in lower case; empty if there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {limit // 1024} KiB, the limit for this content type. "
        "Send only what is asked for, or less at once."
    )
