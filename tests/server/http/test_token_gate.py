"""The gate of bodies: whose body is read, and how much of it."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.connection import RECOGNISED
from server.http.problems import TooLarge, Unauthorised
from server.http.token_gate import SESSION_COOKIE, STRANGERS_BODY_BYTES_MAX, TokenGate

OPEN, API, PAGE = "/join", "/api/v1/me", "/courses"
TOKEN = {"Authorization": "Bearer dojo_valid"}


class Tokens:
    """Knows one token, and counts how often it had to look it up."""

    def __init__(self, *, remembers: bool = False) -> None:
        self.lookups = 0
        self._remembers = remembers

    def remembers(self, token: str) -> bool:
        """As the test says."""
        return self._remembers and token == "dojo_valid"

    def is_valid(self, token: str) -> bool:
        """Only one is."""
        self.lookups += 1
        return token == "dojo_valid"


class Asked:
    """One request through the gate: what was read of its body, and whether its connection counts as known."""

    def __init__(
        self, headers: dict[str, str], body: bytes = b"x", *, path: str = API, tokens: Tokens | None = None
    ) -> None:
        self.read = b""
        self.messages_taken = 0
        self.is_recognised = False
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "path": path, "headers": pairs, "extensions": {RECOGNISED: {"note": self._note}}}
        gate = TokenGate(self._read_body, tokens or Tokens(), [OPEN])
        self._body = body
        asyncio.run(self._ask(gate, scope))

    async def _ask(self, gate: ASGIApp, scope: Scope) -> None:
        await gate(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        self.messages_taken += 1
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Message) -> None:
        raise AssertionError("the gate answers nothing by itself")

    async def _read_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.read = (await receive())["body"]

    def _note(self) -> None:
        self.is_recognised = True


def test_a_body_with_a_valid_token_is_read_and_its_connection_known() -> None:
    asked = Asked(TOKEN | {"Content-Length": "1"})

    assert (asked.read, asked.is_recognised) == (b"x", True)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Send your token"),
        ({"Authorization": "Basic eDp5"}, "Send your token"),
        (
            {"Authorization": "Bearer dojo_other"},
            "not valid here.* dojo login ADDRESS to use it",
        ),  # no full stop after an address
    ],
)
@pytest.mark.parametrize("length", [{"Content-Length": "1"}, {"Transfer-Encoding": "chunked"}])
def test_no_other_body_is_read(headers: dict[str, str], length: dict[str, str], detail: str) -> None:
    with pytest.raises(Unauthorised, match=detail):
        Asked(headers | length)


def test_a_page_takes_the_token_of_its_cookie_and_the_api_that_of_its_header() -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}=dojo_valid"}

    assert Asked(cookie, path=PAGE).is_recognised and Asked(TOKEN, path=API).is_recognised
    assert not Asked(cookie, path=API).is_recognised and not Asked(TOKEN, path=PAGE).is_recognised


def test_a_request_without_a_body_is_the_routes_affair() -> None:
    asked = Asked({"Authorization": "Bearer dojo_other"})

    assert asked.messages_taken == 1 and not asked.is_recognised


def test_joining_takes_a_small_body_without_a_token() -> None:
    assert Asked({"Content-Length": "1"}, path=OPEN).read == b"x"
    assert Asked({}, b"x" * STRANGERS_BODY_BYTES_MAX, path=OPEN).read
    with pytest.raises(TooLarge, match="4 KiB"):
        Asked({}, b"x" * (STRANGERS_BODY_BYTES_MAX + 1), path=OPEN)
    with pytest.raises(TooLarge, match="4 KiB"):
        Asked({"Content-Length": str(STRANGERS_BODY_BYTES_MAX + 1)}, path=OPEN)


def test_a_token_that_is_remembered_is_not_looked_up() -> None:
    tokens = Tokens(remembers=True)

    assert Asked(TOKEN, tokens=tokens).is_recognised
    assert tokens.lookups == 0
