"""Submissions: taken in once, kept as they came, and shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import bindparam
from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from exercises.exercise import Exercise
from server import hints, pace, schemas
from server.courses import lock_student
from server.db import Database
from server.dispatch import Dispatcher
from server.dispatch.tickets import Standing
from server.models import AnswerKind, ComparisonRow, Course, Grade, Role, Submission, TicketState
from server.problems import Unprocessable

GRADED = "graded"
# Neither grade nor ticket: it was graded between two looks, and the next look will see it.
BETWEEN = Standing(TicketState.RUNNING, None, None)


# The statements that every submission needs, put together once: that takes longer than to run them.
_WITH_KEY: Final = select(Submission.id).where(
    Submission.student_id == bindparam("student_id"), Submission.idempotency_key == bindparam("key")
)
_LAST_ATTEMPT: Final = select(func.max(Submission.attempt)).where(
    Submission.course_id == bindparam("course_id"),
    Submission.student_id == bindparam("student_id"),
    Submission.exercise == bindparam("exercise"),
)
_NEWEST_GRADE: Final = (
    select(Grade).where(Grade.submission_id == bindparam("submission_id")).order_by(col(Grade.id).desc()).limit(1)
)
_HAS_GRADE: Final = select(Grade.id).where(Grade.submission_id == bindparam("submission_id")).limit(1)
_ROWS: Final = (
    select(ComparisonRow).where(ComparisonRow.grade_id == bindparam("grade_id")).order_by(col(ComparisonRow.position))
)


class KeyReused(Unprocessable):
    title, slug = "Idempotency key used twice", "idempotency-key-reused"


@dataclass(frozen=True)
class Answer:
    """What was handed in: a safetensors file, or source in UTF-8."""

    kind: AnswerKind
    body: bytes
    filename: str | None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


def find_earlier(
    session: Session, student_id: int, key: str | None, course: Course, exercise: Exercise, answer: Answer
) -> Submission | None:
    """The submission that was already made with an idempotency key.

    :raises KeyReused: with that key, something else was handed in
    """
    if key is None:
        return None
    found = session.connection().execute(_WITH_KEY, {"student_id": student_id, "key": key}).scalar()
    if found is None:
        return None
    earlier = session.get_one(Submission, found)
    was = (earlier.course_id, earlier.exercise, earlier.kind, earlier.filename, earlier.digest)
    if was != (course.id, exercise.slug, answer.kind, answer.filename, answer.digest):
        raise KeyReused(
            f"Submission {earlier.id} came with the same Idempotency-Key and another content. "
            "Use a fresh key for each answer."
        )
    return earlier


def keep(
    session: Session,
    student_id: int,
    key: str | None,
    course: Course,
    exercise: Exercise,
    answer: Answer,
    most_per_minute: int,
) -> tuple[Submission, bool]:
    """Write down an answer; whether it is new, or the same request made again.

    :raises KeyReused: with that key, something else was handed in
    :raises TooFast: the student has handed in too often
    """
    lock_student(session, student_id)
    earlier = find_earlier(session, student_id, key, course, exercise, answer)
    if earlier is not None:
        return earlier, False
    pace.require(session, student_id, most_per_minute)
    where: dict[str, Any] = {"course_id": course.id, "student_id": student_id, "exercise": exercise.slug}
    submission = Submission(
        **where,
        revision=exercise.revision,
        attempt=(session.connection().execute(_LAST_ATTEMPT, where).scalar_one() or 0) + 1,
        kind=answer.kind,
        filename=answer.filename,
        body=answer.body,
        digest=answer.digest,
        idempotency_key=key,
    )
    submission.insert(session)
    return submission, True


def show(
    session: Session, submission: Submission, course: Course, role: Role, dispatcher: Dispatcher
) -> schemas.Submission:
    """A submission with its newest grade and all rows, or where it stands in the queue; ``role`` is the reader's."""
    grade = session.exec(_NEWEST_GRADE, params={"submission_id": submission.id}).first()
    if grade is None:
        standing = dispatcher.standing(session, [submission.id]).get(submission.id, BETWEEN)
        return schemas.Submission(**_head(submission, course.slug, standing.state, standing), grade=None)
    rows = session.connection().execute(_ROWS, {"grade_id": grade.id}).mappings().all()
    return present(session, submission, course, role, grade, [dict(row) for row in rows])


def is_graded(database: Database, submission_id: int) -> bool:
    """Whether a submission has a grade: the quick look of those who wait for one."""
    with database.reading() as session:
        return session.connection().execute(_HAS_GRADE, {"submission_id": submission_id}).first() is not None


def present(
    session: Session,
    submission: Submission,
    course: Course,
    role: Role,
    grade: Grade,
    rows: Iterable[Mapping[str, Any]],
) -> schemas.Submission:
    """A graded submission, as it is told to a reader of this role."""
    told = schemas.Grade(**_grade(grade, course), checkpoints=hints.told_rows(session, course, role, submission, rows))
    return schemas.Submission(**_head(submission, course.slug, GRADED), grade=told)


def history(
    session: Session,
    course: Course,
    student_id: int,
    exercise: str | None,
    limit: int,
    dispatcher: Dispatcher,
) -> list[schemas.SubmissionSummary]:
    """A student's submissions, newest first, without rows and bodies. Three queries, whatever the limit."""
    wanted = select(Submission).where(Submission.course_id == course.id, Submission.student_id == student_id)
    if exercise is not None:
        wanted = wanted.where(Submission.exercise == exercise)
    wanted = wanted.order_by(col(Submission.id).desc()).limit(limit).options(defer(Submission.body))  # type: ignore[arg-type]
    found = session.exec(wanted).all()
    ids = [each.id for each in found]
    grades = {
        each.submission_id: each
        for each in session.exec(select(Grade).where(col(Grade.submission_id).in_(ids)).order_by(col(Grade.id)))
    }
    standings = dispatcher.standing(session, [id for id in ids if id not in grades])
    return [_summary(each, course, grades.get(each.id), standings.get(each.id, BETWEEN)) for each in found]


def _summary(
    submission: Submission, course: Course, grade: Grade | None, standing: Standing
) -> schemas.SubmissionSummary:
    if grade is None:
        head = _head(submission, course.slug, standing.state, standing)
        return schemas.SubmissionSummary(**head, grade=None)
    told = schemas.GradeSummary(**_grade(grade, course))
    return schemas.SubmissionSummary(**_head(submission, course.slug, GRADED), grade=told)


def _head(submission: Submission, course: str, status: str, standing: Standing | None = None) -> dict[str, Any]:
    return {
        "id": submission.id,
        "course": course,
        "exercise": submission.exercise,
        "revision": submission.revision,
        "attempt": submission.attempt,
        "kind": submission.kind,
        "filename": submission.filename,
        "status": status,
        "place": standing and standing.place,
        "estimate": standing and standing.estimate,
        "created_at": submission.created_at,
    }


def _grade(grade: Grade, course: Course) -> dict[str, Any]:
    run = None
    if grade.run_status is not None:
        run = schemas.Run(status=grade.run_status, message=grade.run_message or "", stdout=grade.run_stdout or "")
    return {
        "run": run,
        "flags": grade.flags,
        "passed": grade.passed,
        "exact": grade.exact,
        "total": grade.total,
        "points": grade.passed + course.inherited_share * grade.inherited,
        "environment": grade.environment,
        "graded_at": grade.graded_at,
    }
