"""Every route that an assignment rules, as every role, under every rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from operator import methodcaller
from typing import Any

import pytest
import safetensors.torch
import torch
from sqlmodel import select

from server.courses import courses
from server.database.table import now
from server.tables import Accepts, CourseRow, Feedback, LatePolicy, Role
from tests.support.assigned import archive, assign
from tests.support.servers import COURSE, EXERCISES, FULL, SAFETENSORS, RunningServer, Student

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

HOUR = timedelta(hours=1)
HERE = f"{EXERCISES}/{FULL}"
TENSORS = {"content": safetensors.torch.save({"dlogits": torch.ones(32, 27)}), "headers": {"Content-Type": SAFETENSORS}}
SHOWN = {
    "exercise": HERE,
    "instance": f"{HERE}/instance",
    "state": f"{HERE}/instance/state",
    "explanation": f"{HERE}/checkpoints/logits/explanation",
}
ROUTES: dict[str, Callable[[Student], Any]] = {
    **{name: methodcaller("get", path) for name, path in SHOWN.items()},
    "submit": lambda caller: caller.post(f"{HERE}/submissions", **_copy(TENSORS)),
    "check": lambda caller: caller.post(f"{HERE}/check", **_copy(TENSORS)),
}
# What a student is answered by each route, where it is not what an open exercise answers.
REFUSED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "open": ({}, {}),
    "not assigned": ({"exercise": "makemore/cross-entropy"}, dict.fromkeys(ROUTES, "not-assigned")),
    "opens later": ({"opens_at": now() + HOUR}, dict.fromkeys(ROUTES, "not-open-yet")),
    "due and closed": (
        {"due_at": now() - HOUR, "late_policy": LatePolicy.CLOSED},
        {"submit": "closed", "check": "closed"},
    ),
    "due and late": ({"due_at": now() - HOUR, "late_policy": LatePolicy.DAILY}, {}),
    "code alone": ({"accepts": Accepts.CODE}, {"submit": "kind-not-accepted"}),
    "no checks": ({"checks_open": False}, {"check": "checks-closed"}),
    "no attempts": ({"attempts_max": 0}, {"submit": "no-attempts-left"}),
    "feedback after due": (
        {"feedback": Feedback.AFTER_DUE, "due_at": now() + HOUR},
        {"explanation": "feedback-withheld", "check": "feedback-withheld"},
    ),
    "archived": ({}, {"submit": "archived", "check": "archived"}),
}


@pytest.fixture
def callers(server: RunningServer, student: Student) -> dict[str, Student]:
    """One of each role. The admin has a student's seat, because a submission belongs to a seat."""
    with server.services.database.writing() as session:
        course = session.exec(select(CourseRow).where(CourseRow.slug == COURSE)).one()
        assistant = courses.enrol(session, course, "Assistant", Role.ASSISTANT)
        admin = courses.enrol(session, course, "Admin", Role.STUDENT)
        session.merge(admin.account).is_admin = True
    tokens = {"assistant": assistant.token, "instructor": server.instructor_token, "admin": admin.token}
    return {"student": student} | {role: Student(server.client, token) for role, token in tokens.items()}


@pytest.mark.parametrize("rule", REFUSED)
def test_students_are_refused_by_the_rules_and_staff_by_the_archive_alone(
    server: RunningServer, callers: dict[str, Student], rule: str
) -> None:
    fields, refused = REFUSED[rule]
    if rule != "open":
        assign(server, **fields)
    if rule == "archived":
        archive(server)

    told = {role: {name: _slug(call(caller)) for name, call in ROUTES.items()} for role, caller in callers.items()}

    # A step that was not passed is not explained to a student; nothing here passes it.
    assert told.pop("student") == dict.fromkeys(ROUTES, "") | {"explanation": "not-passed-yet"} | refused
    for slugs in told.values():
        assert slugs == dict.fromkeys(ROUTES, "") | (refused if rule == "archived" else {})


def _copy(request: dict[str, Any]) -> dict[str, Any]:
    return {"content": request["content"], "headers": dict(request["headers"])}


def _slug(answer: Any) -> str:
    """The kind of problem that an answer is; empty if it is none."""
    if answer.status_code < 300:
        return ""
    return str(answer.json()["type"]).removeprefix("urn:dojo:problem:")
