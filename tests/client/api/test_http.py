"""Server-Sent Events as the standard has them (HTML, section 9.2)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import replace

import httpx2 as httpx
import pytest

from dojo import errors
from dojo.api.http import HttpClient
from tests.client.fake import ADDRESS, TOKEN, FakeDojo


def events(fake: FakeDojo, stream: bytes | Iterable[bytes], media_type: str = "text/event-stream") -> list[object]:
    """Return the events of a stream, read by a clock that goes on by a second at each look."""
    fake.before = lambda _: httpx.Response(200, headers={"Content-Type": media_type}, content=stream)
    clock = itertools.count()
    network = replace(fake.network, now=lambda: float(next(clock)))
    return list(HttpClient(ADDRESS, TOKEN, network).events("submissions/1/events", seconds=5))


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b'data: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a":\ndata:  1}\n\n', [{"a": 1}]),
        (b'data:{"a": 1}\n\ndata:{"a": 2}\n\n', [{"a": 1}, {"a": 2}]),
        (b'event: submission\nid: 3\nretry: 10\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b': ping\n\n: ping\n\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\r\n\r\ndata: {"a": 2}\r\r', [{"a": 1}, {"a": 2}]),
        (b'event: ping\n\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\n\ndata: {"a": 2}\n', [{"a": 1}]),
        (b"", []),
    ],
)
def test_events_are_read_as_the_standard_has_them(fake: FakeDojo, stream: bytes, expected: list[object]) -> None:
    assert events(fake, stream) == expected


def test_an_event_may_come_in_pieces(fake: FakeDojo) -> None:
    assert events(fake, [b'data: {"a"', b": 1}", b"\n", b"\n"]) == [{"a": 1}]


def test_an_endless_stream_is_left_at_the_deadline(fake: FakeDojo) -> None:
    assert events(fake, itertools.repeat(b": ping\n\n")) == []
    assert 1 <= len(events(fake, itertools.repeat(b'data: {"a": 1}\n\n'))) <= 5


@pytest.mark.parametrize("media_type", ["text/html", "text/event-streams", ""])
def test_another_kind_of_answer_is_no_stream(fake: FakeDojo, media_type: str) -> None:
    with pytest.raises(errors.NotADojo, match="sends no events"):
        events(fake, b'data: {"a": 1}\n\n', media_type)


@pytest.mark.parametrize("media_type", ["text/event-stream; charset=utf-8", "Text/Event-Stream"])
def test_the_media_type_may_have_parameters(fake: FakeDojo, media_type: str) -> None:
    assert events(fake, b'data: {"a": 1}\n\n', media_type) == [{"a": 1}]


def test_an_event_must_be_a_json_object(fake: FakeDojo) -> None:
    with pytest.raises(errors.NotADojo):
        events(fake, json.dumps([1]).join(["data: ", "\n\n"]).encode())
