"""The log names who, what and how long, and never holds a token, source or tensor."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from server import logs
from tests.support.servers import SOLUTION, RunningServer, Student, gradients

ONLY_SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def written(root: logging.Logger) -> Iterator[io.StringIO]:
    """What is logged as JSON."""
    stream = io.StringIO()
    logs.configure("json", stream)
    logging.getLogger("httpx2").disabled = True  # the test's own client, which logs addresses
    yield stream
    logging.getLogger("httpx2").disabled = False


def events(written: io.StringIO) -> list[dict[str, Any]]:
    """The events of a log."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


@ONLY_SQLITE
def test_a_request_is_one_line_with_who_what_and_how_long(
    written: io.StringIO, server: RunningServer, student: Student
) -> None:
    answer = student.get("/api/v1/me")
    student.get("/api/v1/courses/unknown/progress")
    server.client.get("/healthz")

    requests = [event for event in events(written) if event["event"] == "request"]
    me = [event for event in requests if event["route"] == "me"]
    assert len(me) == 1
    assert me[0]["status"] == 200 and me[0]["account_id"] == student.id and me[0]["ms"] >= 0
    assert me[0]["request"] == answer.headers["dojo-request"]
    assert requests[-1]["status"] == 404
    assert {"timestamp", "level", "method"} <= set(requests[-1])


@ONLY_SQLITE
def test_what_a_request_causes_carries_its_id(
    written: io.StringIO, server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(server.services.intake), "compare_tensors", lambda *_: 1 / 0)

    answer = student.submit_tensors({})

    assert answer.status_code == 500
    failed = [event for event in events(written) if event["level"] == "error"]
    assert len(failed) == 1
    assert failed[0]["request"] == answer.headers["dojo-request"]
    assert "ZeroDivisionError" in failed[0]["exception"]


@ONLY_SQLITE
def test_no_token_source_or_tensor_is_logged(written: io.StringIO, server: RunningServer, student: Student) -> None:
    marked = f"{SOLUTION}\nprint('a line that only this student wrote')"
    student.submit_code(marked)
    student.submit_tensors(gradients(student.state()))
    server.client.get("/api/v1/me", headers={"Authorization": "Bearer dojo_wrong"})
    server.client.get(f"/api/v1/courses/{student.token}/exercises", headers={"Authorization": "Bearer x"})
    server.client.post("/api/v1/join", json={"code": server.join_code, "name": "A Name Of A Person"})

    text = written.getvalue()
    assert '"route": "submit"' in text and '"route": "join"' in text
    for secret in (student.token, "dojo_wrong", "only this student", "A Name Of A Person", server.join_code):
        assert secret not in text


def test_people_read_lines_without_colours_or_local_variables(root: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure("console", stream)

    try:
        work = "".join(["priv", "ate"])
        raise ValueError(len(work))
    except ValueError:
        logging.getLogger("server.somewhere").exception("It failed", extra={"color_message": "\x1b[1mIt failed"})
    logging.getLogger("alembic.runtime").info("a schema")
    logging.getLogger("flit_core.wheel").info("Built wheel")

    text = stream.getvalue()
    assert "It failed" in text and "ValueError: 7" in text
    assert "private" not in text
    assert "\x1b" not in text and "a schema" not in text
    assert "Built wheel" not in text
