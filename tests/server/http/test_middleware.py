"""Around every request: the limit of a body to the byte, and no answer that was begun twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.middleware import (
    CSV_BYTES_MAX,
    JSON_BYTES_MAX,
    MULTIPART_BYTES_MAX,
    SAFETENSORS,
    TENSORS_BYTES_MAX,
    BodyLimit,
    Envelope,
)
from server.http.problems import TooLarge

KIB = 1024


def ask(app: ASGIApp, headers: dict[str, str], chunks: Sequence[bytes] = (), kind: str = "http") -> list[Message]:
    """What an application sends in answer to a request."""
    sent: list[Message] = []
    left = list(chunks)

    async def receive() -> Message:
        body = left.pop(0) if left else b""
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": "POST", "path": "/", "query_string": b"", "headers": pairs}

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    return sent


async def count_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads a body and answers with its length."""
    size = 0
    while (message := await receive())["more_body"]:
        size += len(message["body"])
    size += len(message["body"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


LIMITS = [
    (SAFETENSORS, TENSORS_BYTES_MAX),
    ("Application/Vnd.Safetensors; charset=x", TENSORS_BYTES_MAX),
    ("text/csv; charset=utf-8", CSV_BYTES_MAX),
    ("multipart/form-data; boundary=x", MULTIPART_BYTES_MAX),
    ("application/json", JSON_BYTES_MAX),
    ("", JSON_BYTES_MAX),
]


def test_the_limits_are_those_that_are_documented() -> None:
    assert (TENSORS_BYTES_MAX, JSON_BYTES_MAX) == (8 * KIB * KIB, 256 * KIB)


@pytest.mark.parametrize(("media_type", "limit"), LIMITS)
def test_a_body_of_exactly_the_limit_is_taken(media_type: str, limit: int) -> None:
    for headers in ({}, {"Content-Length": str(limit)}):
        sent = ask(BodyLimit(count_bytes), {"Content-Type": media_type} | headers, [b"x" * (limit - 1), b"x"])

        assert [message.get("body") for message in sent] == [None, str(limit).encode()]


@pytest.mark.parametrize(("media_type", "limit"), LIMITS)
def test_a_body_of_one_byte_more_is_refused(media_type: str, limit: int) -> None:
    with pytest.raises(TooLarge) as grown:
        ask(BodyLimit(count_bytes), {"Content-Type": media_type}, [b"x" * limit, b"x"])
    announced = ask(BodyLimit(count_bytes), {"Content-Type": media_type, "Content-Length": str(limit + 1)})

    assert announced[0]["status"] == 413
    assert f"{limit // KIB} KiB" in grown.value.detail


@pytest.mark.parametrize("length", ["-1", "1.5", "x", "", "1e3"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert ask(BodyLimit(count_bytes), {"Content-Length": length})[0]["status"] == 413


def test_a_failure_before_the_answer_is_a_problem() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret")

    sent = ask(Envelope(fail), {})

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], dict(sent[0]["headers"])[b"dojo-api"]) == (500, b"1")
    assert b"secret" not in sent[1]["body"]


def test_a_failure_within_an_answer_begins_no_second_one() -> None:
    async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("secret")

    with pytest.raises(RuntimeError):
        ask(Envelope(fail_late), {})


@pytest.mark.parametrize("middleware", [BodyLimit, Envelope])
def test_what_is_not_http_passes_untouched(middleware: type[BodyLimit] | type[Envelope]) -> None:
    seen: list[tuple[str, Message]] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["type"], await receive()))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    sent = ask(middleware(note), {"Content-Length": "x"}, [b"x" * (JSON_BYTES_MAX + 1)], kind="lifespan")

    assert seen[0][0] == "lifespan"
    assert sent == [{"type": "http.response.start", "status": 200, "headers": []}]
