"""Extensions on a page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.assignments import extensions
from server.assignments.assignment import list_extensions
from server.tables import LatePolicy, Role
from tests.pages.staff_desk import Desk, Office, said
from tests.support.servers import FULL

DUE = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)


@pytest.fixture
def late_student(office: Office) -> Desk:
    """A student who passed a step two days late, by rules that take 10 % a day."""
    student = office.seat("Ada Lovelace", section="A")
    office.assign(due_at=DUE, late_policy=LatePolicy.DAILY, late_per_day=0.1)
    office.let_pass(student.account, datetime(2026, 12, 3, 10, 0, tzinfo=UTC))
    return student


def in_force(office: Office) -> list[str]:
    """Whom the extensions in force are for, and until when."""
    with office.services.database.reading() as session:
        found = list_extensions(session, office.row(session))
    return [f"{each.account_id or each.section} {each.due_at:%d %H:%M}" for each in found]


def fields(who: str, **more: str) -> dict[str, str]:
    """The form for an extension until 5 December in Berlin."""
    return {"exercise": FULL, "who": who, "due_at": "2026-12-05T23:59", "reason": "was ill", **more}


def test_an_extension_is_looked_at_and_granted(office: Office, late_student: Desk) -> None:
    wanted = fields(f"person:{late_student.account}")

    looked = office.instructor.post("extensions", {**wanted, "act": "look"})
    before = in_force(office)
    granted = office.instructor.post("extensions", wanted)

    assert "The points of 1 student change: 1 gain 0.2 in all. Nothing is granted yet." in said(looked)
    assert before == []
    assert granted.headers["location"].endswith("/extensions?done=granted")
    assert in_force(office) == [f"{late_student.account} 05 22:59"]
    assert "was ill" in office.instructor.get("extensions").text


def test_a_section_gets_one(office: Office, late_student: Desk) -> None:
    office.instructor.post("extensions", fields("section:A"))

    assert in_force(office) == ["A 05 22:59"]


def test_what_is_missing_is_named_and_the_rest_stays(office: Office, late_student: Desk) -> None:
    answer = office.instructor.post("extensions", fields("", reason=""))
    too_early = office.instructor.post("extensions", fields("section:A", due_at="2026-11-05T23:59"))

    assert answer.status_code == 422
    assert 'id="e-who"' in answer.text and 'id="e-reason"' in answer.text
    assert 'value="2026-12-05T23:59"' in answer.text
    assert 'id="e-due_at"' in too_early.text and "must end after the due time" in said(too_early)


def test_revoking_says_what_it_does(office: Office, late_student: Desk) -> None:
    office.instructor.post("extensions", fields(f"person:{late_student.account}"))
    with office.services.database.reading() as session:
        (found,) = extensions.read_list(session, office.row(session), office.actor)

    asked = office.instructor.get(f"extensions/{found.row.id}/revoke")
    still = in_force(office)
    revoked = office.instructor.post(f"extensions/{found.row.id}/revoke", {"reason": "by mistake"})

    assert "1 lose 0.2 in all" in said(asked) and still
    assert revoked.headers["location"].endswith("?done=revoked") and in_force(office) == []


def test_an_assistant_extends_in_their_section_alone(office: Office, late_student: Desk) -> None:
    other = office.seat("Ben", section="B")
    assistant = office.seat("Tom", Role.ASSISTANT, section="B")

    page = assistant.get("extensions")
    refused = assistant.post("extensions", fields("section:A"))
    granted = assistant.post("extensions", fields(f"person:{other.account}"))

    assert "Ben" in page.text and "Ada Lovelace" not in page.text
    assert refused.status_code == 403 and granted.status_code == 303
    assert late_student.get("extensions").status_code == 403
