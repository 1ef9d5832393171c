"""Answers without end, compressed answers, and numbers that no JSON holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import httpx2 as httpx
import pytest

from dojo import errors
from dojo.api.http import READ_BYTES, HttpClient
from dojo.api.server import Server
from tests.client.fake import ADDRESS, SLUG, TOKEN, FakeDojo

PIECE = b" " * READ_BYTES


class Endless:
    """Spaces without end, and how many pieces of them were taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.taken += 1
            yield PIECE


def server(fake: FakeDojo, **limits: int) -> Server:
    return Server(ADDRESS, TOKEN, replace(fake.network, **limits))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [200, 201, 404, 422, 500])
def test_an_endless_answer_is_left_at_the_limit(fake: FakeDojo, status: int) -> None:
    pieces = Endless()
    headers = {"Content-Type": "application/json"}
    fake.before = lambda _: httpx.Response(status, headers=headers, content=iter(pieces))

    with pytest.raises(errors.NotADojo, match="more than any answer"):
        server(fake, json_bytes_max=10 * READ_BYTES).me()

    assert pieces.taken == 11


def test_a_long_answer_is_refused_by_its_length(fake: FakeDojo) -> None:
    pieces = Endless()
    headers = {"Content-Length": str(2**40)}
    fake.before = lambda _: httpx.Response(200, headers=headers, content=iter(pieces))

    with pytest.raises(errors.NotADojo, match="more than any answer"):
        server(fake, json_bytes_max=10 * READ_BYTES).me()

    assert pieces.taken <= 11


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "x-unknown"])
def test_nothing_compressed_is_read(fake: FakeDojo, encoding: str) -> None:
    taken = []

    def bomb() -> Iterator[bytes]:
        taken.append(1)
        yield gzip.compress(PIECE * 1000)

    fake.before = lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, content=bomb())

    for ask in (server(fake).me, lambda: server(fake).state("autumn", SLUG), lambda: server(fake).source(1)):
        with pytest.raises(errors.NotADojo, match="compressed"):
            ask()
    with pytest.raises(errors.NotADojo, match=r"compressed|no events"):
        list(HttpClient(ADDRESS, TOKEN, fake.network).events("submissions/1/events", seconds=5))
    assert taken == []
    assert {request.headers["Accept-Encoding"] for request in fake.requests} == {"identity"}


def test_events_without_end_are_left_at_the_limit(fake: FakeDojo) -> None:
    pieces = Endless()
    headers = {"Content-Type": "text/event-stream"}
    fake.before = lambda _: httpx.Response(200, headers=headers, content=iter(pieces))
    network = replace(fake.network, json_bytes_max=10 * READ_BYTES, now=lambda: 0.0)

    assert list(HttpClient(ADDRESS, TOKEN, network).events("submissions/1/events", seconds=5)) == []

    assert pieces.taken == 11


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "9" * 5000,
        str(2**53 + 1),
        str(-(2**53) - 1),
        "9" * 400 + ".0",
    ],
    ids=lambda number: f"{number[:4]}-{len(number)}",
)
def test_a_number_that_json_does_not_hold_is_no_dojo(fake: FakeDojo, number: str) -> None:
    fake.before = lambda _: httpx.Response(200, content=f'{{"id": {number}, "name": "Ada", "courses": []}}'.encode())
    with pytest.raises(errors.NotADojo, match="no Backprop Dojo server"):
        server(fake).me()


@pytest.mark.parametrize("content", [b'{"a":' * 100_000, b"[" * 900 + b"]" * 900, b"\xff\xfe", b'{"a": "\xff"}'])
def test_what_is_no_json_object_is_no_dojo(fake: FakeDojo, content: bytes) -> None:
    fake.before = lambda _: httpx.Response(200, content=content)
    with pytest.raises(errors.NotADojo, match="no Backprop Dojo server"):
        server(fake).me()


@pytest.mark.parametrize("name", ["Content-Length", "Retry-After", "Dojo-API"])
@pytest.mark.parametrize("value", ["9" * 5000, "-1", "1e9", "\u0663", "x"])
def test_a_header_that_is_no_number_is_no_crash(fake: FakeDojo, name: str, value: str) -> None:
    body = json.dumps({"id": 7, "name": "Ada", "courses": []}).encode()
    fake.headers = {}
    headers = [(name.encode(), value.encode())]
    status = 429 if name == "Retry-After" else 200
    fake.before = lambda _: httpx.Response(status, headers=headers, content=iter([body]))
    with suppress(errors.ServerError):
        assert server(fake).me()["id"] == 7


@pytest.mark.parametrize(
    "answer",
    [
        {"token": "a\nb"},
        {"token": "Zoë"},
        {"token": ""},
        {"token": "x" * 1001},
        {"token": 3},
        {"student": {"id": {}, "name": "Ada"}},
        {"student": {"id": 1, "name": 3}},
        {"student": 1},
        {"course": {"slug": "../x"}},
        {"course": {"slug": "autumn", "title": 3}},
        {"course": []},
    ],
    ids=str,
)
def test_a_welcome_of_another_form_is_no_dojo(fake: FakeDojo, answer: dict[str, object]) -> None:
    sound = {"token": TOKEN, "student": {"id": 7, "name": "Ada"}, "course": {"slug": "autumn", "title": "Autumn"}}
    fake.before = lambda _: httpx.Response(201, json=sound | answer)
    with pytest.raises(errors.NotADojo):
        Server(ADDRESS, None, fake.network).join("CODE", "Ada")


def test_a_token_with_other_letters_is_not_sent(fake: FakeDojo) -> None:
    with pytest.raises(errors.NotJoined, match="dojo login"):
        Server(ADDRESS, "Zoë", fake.network)
