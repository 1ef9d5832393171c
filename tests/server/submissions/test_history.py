"""The attempts of a student in an exercise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.courses.access import Membership
from server.database.table import now
from server.submissions.access import UnknownSubmission
from server.submissions.history import Attempt, Work, get_attempt, list_attempts
from server.tables import AssignmentRow, CourseRow, Feedback, Role
from tests.support.servers import FULL, RunningServer, Student, gradients

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def attempts(server: RunningServer, student: Student, role: Role = Role.STUDENT, limit: int = 9) -> list[Attempt]:
    services = server.services
    with services.database.reading() as session:
        reader = Membership(session.get_one(CourseRow, 1), frozenset({role}))
        return list_attempts(session, reader, services.dispatcher, Work(student.id, FULL), limit)


def test_each_attempt_has_its_verdicts_the_newest_first(server: RunningServer, student: Student) -> None:
    right = gradients(student.state())
    student.submit_tensors({"dlogprobs": right["dlogprobs"] * 2})
    student.submit_tensors({"dlogprobs": right["dlogprobs"]})
    server.join("Ben").submit_tensors({})

    newest, first = attempts(server, student)

    assert (newest.summary.attempt, first.summary.attempt) == (2, 1)
    assert [each.steps[0].verdict for each in (newest, first)] == ["exact", "wrong"]
    assert (first.steps[0].origin, first.steps[1].verdict) == ("own", "missing")
    assert [each.summary.attempt for each in attempts(server, student, limit=1)] == [2]


def test_withheld_results_have_no_verdicts(server: RunningServer, student: Student) -> None:
    student.submit_tensors({"dlogprobs": gradients(student.state())["dlogprobs"]})
    with server.services.database.writing() as session:
        due_at = now() + timedelta(days=1)
        session.add(AssignmentRow(course_id=1, exercise=FULL, position=1, due_at=due_at, feedback=Feedback.AFTER_DUE))

    assert [each.steps for each in attempts(server, student)] == [()]
    assert len(attempts(server, student, Role.INSTRUCTOR)[0].steps) == 26


def test_an_attempt_of_other_work_is_none(server: RunningServer, student: Student) -> None:
    id = server.join("Ben").submit_tensors({}).json()["id"]

    with server.services.database.reading() as session:
        reader = Membership(session.get_one(CourseRow, 1), frozenset({Role.INSTRUCTOR}))
        with pytest.raises(UnknownSubmission):
            get_attempt(session, reader, Work(student.id, FULL), id)
