"""The gate of bodies: a request's body is read once its token was recognised, and not before.

A page's token is in a cookie. The API takes none from there, so that no page of another site can act by it.

A request without a valid token gets the answer that the route gives without a body, or 401 as soon as the route reads
one. What a stranger sends is thrown away as it arrives. Joining needs no token; its body is small.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.connection import RECOGNISED
from server.http.problems import NO_TOKEN, UNKNOWN_TOKEN, TooLarge, Unauthorised

STRANGERS_BODY_BYTES_MAX: Final = 4 * 1024  # a join code and a name
SESSION_COOKIE: Final = "dojo_session"
API_PREFIX: Final = "/api/"
_SCHEME: Final = "bearer "


class KnowsTokens(Protocol):
    """Tells whether a token opens an account."""

    def remembers(self, token: str) -> bool:
        """Return whether it did a moment ago. Returns at once."""

    def is_valid(self, token: str) -> bool:
        """Return whether it does. It may ask the database."""


class TokenGate:
    """Lets bodies through. ``open_paths`` are addresses that take a small body without a token."""

    def __init__(self, app: ASGIApp, tokens: KnowsTokens, open_paths: Collection[str]) -> None:
        self.app = app
        self._tokens = tokens
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = _token(headers) if scope["path"].startswith(API_PREFIX) else session_token(headers)
        if token is not None and (
            self._tokens.remembers(token) or await run_in_threadpool(self._tokens.is_valid, token)
        ):
            _note_recognised(scope)
        elif scope["path"] in self._open_paths:
            receive = _limited(receive, headers)
        elif _has_body(headers):
            receive = _closed(NO_TOKEN if token is None else UNKNOWN_TOKEN)
        await self.app(scope, receive, send)


def _token(headers: Headers) -> str | None:
    """Return the token of a request; None if it has none."""
    value = headers.get("authorization", "")
    return value[len(_SCHEME) :].strip() if value[: len(_SCHEME)].lower() == _SCHEME else None


def session_token(headers: Headers) -> str | None:
    """Return the token in the cookie of a request to a page; None if it has none."""
    return cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _note_recognised(scope: Scope) -> None:
    extension = scope.get("extensions", {}).get(RECOGNISED)
    if extension is not None:
        extension["note"]()


def _closed(detail: str) -> Receive:
    async def receive_nothing() -> Message:
        raise Unauthorised(detail)

    return receive_nothing


def _limited(receive: Receive, headers: Headers) -> Receive:
    received = 0

    async def receive_little() -> Message:
        nonlocal received
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > STRANGERS_BODY_BYTES_MAX:
            raise _too_large()
        message = await receive()
        received += len(message.get("body", b""))
        if received > STRANGERS_BODY_BYTES_MAX:
            raise _too_large()
        return message

    return receive_little


def _too_large() -> TooLarge:
    limit = STRANGERS_BODY_BYTES_MAX // 1024
    return TooLarge(f"The body is larger than {limit} KiB, the limit without a token. Send the code and a name alone.")
