"""Errors: all of them problems, none of them telling of the inside."""

from __future__ import annotations

import logging
import re

import pytest
from fastapi import FastAPI

from tests.support.servers import EXERCISES, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/docs", 404),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/join", 405),
        ("GET", "/api/v1/join", 405),
        ("POST", "/api/v1/join", 422),
        ("GET", f"{EXERCISES}/a/b", 401),
        ("GET", "/api/v1/submissions/x", 401),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    server: RunningServer, method: str, path: str, status: int
) -> None:
    answer = server.client.request(method, path)
    assert is_problem(answer, status)
    assert answer.headers["Dojo-API"] == "1"


@pytest.mark.parametrize("id", ["x", "0", "-1", "1.5", "99999999999999999999999"])
def test_an_id_that_is_none_is_refused(student: Student, id: str) -> None:
    assert is_problem(student.get(f"/api/v1/submissions/{id}"), 422)


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "x"])
def test_nobody_waits_for_ever(student: Student, wait: str) -> None:
    address = f"{EXERCISES}/makemore/full-backward/submissions?wait={wait}"
    headers = {"Authorization": f"Bearer {student.token}"}
    assert is_problem(student.client.post(address, json={"source": ""}, headers=headers), 422)


def test_a_refused_body_is_not_repeated(server: RunningServer) -> None:
    answer = server.client.post("/api/v1/join", json={"code": ["my secret"], "name": "Ada"})
    assert is_problem(answer, 422)
    assert "my secret" not in answer.text


def test_a_mistake_of_ours_tells_nothing_and_is_logged(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("postgresql://dojo:password@db")

    monkeypatch.setattr(type(server.services.instances), "get", broken)
    with caplog.at_level(logging.ERROR):
        answer = student.get(f"{EXERCISES}/makemore/full-backward/instance")
    assert is_problem(answer, 500)
    assert answer.headers["Dojo-API"] == "1"
    assert "password" not in answer.text
    assert "RuntimeError" in caplog.text


def test_a_token_and_an_answer_never_reach_the_log_of_a_database_error(
    server: RunningServer, student: Student, caplog: pytest.LogCaptureFixture
) -> None:
    with server.services.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE comparison")
        connection.exec_driver_sql("DROP TABLE progress")
    answer = student.submit_bytes(b"\x02\0\0\0\0\0\0\0{}")
    assert is_problem(answer, 500)
    assert "no such table" in caplog.text
    assert student.token not in caplog.text
    assert "x'02" not in caplog.text
    assert "parameters: (" not in caplog.text


def test_openapi_describes_every_route_and_its_problems(server: RunningServer) -> None:
    told = server.client.get("/openapi.json").json()
    assert "HTTPValidationError" not in told["components"]["schemas"]
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), (method, path)
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")) and path.startswith("/api"):
                    assert list(response["content"]) == ["application/problem+json"], (method, path, status)
    submit = told["paths"]["/api/v1/courses/{course}/exercises/{pack}/{name}/submissions"]["post"]
    assert set(submit["requestBody"]["content"]) == {"application/vnd.safetensors", "application/json"}
    assert {"201", "202", "401", "404", "413", "415", "422", "503"} <= set(submit["responses"])
    assert submit["security"]


def test_a_refused_method_describes_no_api(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastAPI, "openapi", lambda _: pytest.fail("the description takes 11 MiB"))

    allowed = [
        server.client.request(method, path).headers["Allow"]
        for method, path in (("PATCH", EXERCISES), ("PUT", "/api/v1/join"), ("PUT", "/sign-in"))
    ]

    assert allowed == ["GET", "POST", "GET, POST"]


def test_every_address_allows_what_is_documented(server: RunningServer) -> None:
    told = server.client.get("/openapi.json").json()
    for path, operations in told["paths"].items():
        answer = server.client.request("TRACE", re.sub(r"\{.*?\}", "1", path))
        assert set(answer.headers["Allow"].split(", ")) >= set(map(str.upper, operations)), path


def test_a_message_leaves_out_what_to_do_by_the_api(student: Student) -> None:
    unknown = student.get("/api/v1/submissions/7").json()
    refused = student.client.get("/api/v1/nothing").json()
    forbidden = student.get("/api/v1/courses/backprop/queue").json()

    assert unknown["message"] == "You have no submission 7."
    assert unknown["detail"] == f"{unknown['message']} GET /api/v1/courses/{{course}}/submissions lists yours."
    assert refused["message"] == "There is nothing at this address."
    assert "message" not in forbidden


def test_an_unknown_exercise_is_answered_with_where_those_of_the_course_are(student: Student) -> None:
    body = student.get(f"{EXERCISES}/makemore/full-backwrad").json()

    assert body["message"] == "There is no exercise 'makemore/full-backwrad'."  # the client knows which are like it
    assert body["detail"] == f"{body['message']} GET /api/v1/courses/{{course}}/exercises lists those of a course."


def test_what_a_refusal_has_to_say_in_headers_is_said(server: RunningServer, student: Student) -> None:
    refused = server.client.put("/api/v1/join")
    closed = server.client.get("/api/v1/me")

    assert refused.headers["Allow"] == "POST"
    assert closed.headers["WWW-Authenticate"] == "Bearer"


def test_every_missing_field_is_told(server: RunningServer) -> None:
    answer = server.instructor.post("/api/v1/courses/backprop/extensions", json={"person": 1})

    assert is_problem(answer, 422)
    missing = "; ".join(f"body.{name}: Field required" for name in ("exercise", "due_at", "reason"))
    assert answer.json()["detail"].startswith(f"{missing}. ")


@pytest.mark.parametrize(
    ("path", "title", "kind"),
    [
        ("/api/v1/submissions/1", "No such submission", "unknown-submission"),
        ("/api/v1/courses/other/exercises", "No such course", "unknown-course"),
        (f"{EXERCISES}/a/b", "No such exercise", "unknown-exercise"),
        ("/api/v1/courses/backprop/queue", "Not allowed for your role", "forbidden"),
        ("/api/v1/submissions/x", "Invalid request", "unprocessable"),
        ("/api/v1/nothing", "Request refused", "http-404"),
    ],
)
def test_a_problem_has_the_name_of_its_kind(student: Student, path: str, title: str, kind: str) -> None:
    body = student.get(path).json()

    assert (body["title"], body["type"]) == (title, f"urn:dojo:problem:{kind}")
