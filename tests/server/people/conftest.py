"""A course without a server, on each kind of database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from grader.compare import Verdict
from server.courses import courses
from server.courses.access import Actor
from server.database.engine import Database
from server.database.table import now
from server.tables import (
    AccountRow,
    AnswerKind,
    AuditRow,
    ComparisonRow,
    CourseRow,
    ExerciseRevisionRow,
    GradeRow,
    InstanceRow,
    Role,
    SubmissionRow,
)

EXERCISE = "a/b"


@dataclass
class Class:
    """A course with an instructor, in an open transaction."""

    session: Session
    course: CourseRow
    instructor: AccountRow

    @property
    def actor(self) -> Actor:
        """The instructor, who does something."""
        return Actor(self.instructor.id)

    def add(self, name: str, role: Role = Role.STUDENT, course: CourseRow | None = None) -> AccountRow:
        """A further account with a seat."""
        return courses.enrol(self.session, course or self.course, name, role).account

    def open_course(self, slug: str) -> CourseRow:
        """A further course without people."""
        return courses.open_course(self.session, slug, slug)

    def hand_in(self, account: AccountRow, minute: int, verdict: Verdict, **more: Any) -> SubmissionRow:
        """A graded submission of one checkpoint, made so many minutes after the first."""
        moment = now() - timedelta(days=1) + timedelta(minutes=minute)
        of_student = select(SubmissionRow.attempt).where(SubmissionRow.account_id == account.id)
        attempt = max(self.session.exec(of_student), default=0) + 1
        where: dict[str, Any] = {"exercise": EXERCISE, "revision": 1}
        instance = self.session.exec(select(InstanceRow).where(InstanceRow.account_id == account.id)).first()
        if instance is None:
            instance = InstanceRow(
                **where, account_id=account.id, kind="student", dataset="names", digest="x", state=b"x"
            )
            self.session.add(instance)
        values: dict[str, Any] = {"kind": AnswerKind.CODE, "body": b"", "digest": "x"} | more
        submission = SubmissionRow(
            **where, course_id=self.course.id, account_id=account.id, attempt=attempt, created_at=moment, **values
        )
        self.session.add(submission)
        self.session.flush()
        grade = GradeRow(
            submission_id=submission.id,
            instance_id=instance.id,
            revision=1,
            environment="x",
            passed=int(verdict.passed),
            exact=int(verdict is Verdict.EXACT),
            total=1,
            seconds=0.1,
        )
        self.session.add(grade)
        self.session.flush()
        flags: dict[str, Any] = {"exact": verdict is Verdict.EXACT, "approximate": verdict.passed}
        self.session.add(ComparisonRow(grade_id=grade.id, position=0, name="c", verdict=verdict.value, **flags))
        self.session.flush()
        return submission

    @property
    def log(self) -> list[tuple[str, int | None]]:
        """The acts in the audit log, with their subjects."""
        entries = self.session.exec(select(AuditRow).order_by(col(AuditRow.id)))
        return [(entry.act, entry.subject_id) for entry in entries]


def open_class(session: Session) -> Class:
    """A course with an instructor."""
    course = courses.open_course(session, "backprop", "Becoming a backprop ninja")
    session.add(ExerciseRevisionRow(slug=EXERCISE, revision=1))
    return Class(session, course, courses.enrol(session, course, "Grace Hopper", Role.INSTRUCTOR).account)


@pytest.fixture
def class_(database: Database) -> Any:
    """A course whose transaction is open during the test."""
    with database.writing() as session:
        yield open_class(session)
