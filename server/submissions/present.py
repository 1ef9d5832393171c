"""Showing submissions: with their newest grade, or with their place in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.courses.access import CourseSession, Membership
from server.queue.dispatcher import Dispatcher
from server.queue.tickets import Standing
from server.submissions import hints
from server.submissions.points import StudentAssignments, rows_of_grades
from server.submissions.queries import NEWEST_GRADE, ROWS_OF_GRADE
from server.submissions.schemas import (
    GradeBody,
    GradeSummaryBody,
    RunBody,
    SubmissionBody,
    SubmissionSummaryBody,
)
from server.tables import CourseRow, GradeRow, SubmissionRow, TicketState

GRADED = "graded"
# Graded between two queries, so that neither found a trace. It is reported as running; the next read shows the grade.
BETWEEN_QUERIES = Standing(TicketState.RUNNING, None, None)


def show(session: Session, submission: SubmissionRow, reader: Membership, dispatcher: Dispatcher) -> SubmissionBody:
    """Return a submission with its newest grade and all rows, or with its place in the queue."""
    grade = session.exec(NEWEST_GRADE, params={"submission_id": submission.id}).first()
    if grade is None:
        standing = dispatcher.standing(session, [submission.id]).get(submission.id, BETWEEN_QUERIES)
        return SubmissionBody(**_head(submission, reader.course, standing), grade=None)
    rows = session.connection().execute(ROWS_OF_GRADE, {"grade_id": grade.id}).mappings().all()
    return show_graded(session, submission, reader, grade, [dict(row) for row in rows])


def show_graded(
    session: Session, submission: SubmissionRow, reader: Membership, grade: GradeRow, rows: Sequence[Mapping[str, Any]]
) -> SubmissionBody:
    """Return a submission with this grade and these rows, as far as the reader may see them."""
    owner = hints.Owner(submission.account_id, submission.exercise)
    visible = hints.visible_rows(session, reader, owner, rows)
    assignments = StudentAssignments.read(session, reader.course, submission.account_id, [submission.exercise])
    body = GradeBody(**_grade(grade), **assignments.fields(submission, grade, rows), checkpoints=visible)
    return SubmissionBody(**_head(submission, reader.course), grade=body)


def history(
    member: CourseSession, exercise: str | None, limit: int, dispatcher: Dispatcher
) -> list[SubmissionSummaryBody]:
    """Return an account's newest submissions, without rows and bodies.

    The number of queries does not depend on the limit.
    """
    session, course = member.session, member.course
    wanted = select(SubmissionRow).where(
        SubmissionRow.course_id == course.id, SubmissionRow.account_id == member.account_id
    )
    if exercise is not None:
        wanted = wanted.where(SubmissionRow.exercise == exercise)
    wanted = wanted.order_by(col(SubmissionRow.id).desc()).limit(limit)
    submissions = session.exec(wanted.options(defer(SubmissionRow.body))).all()  # type: ignore[arg-type]
    ids = [each.id for each in submissions]
    in_order = select(GradeRow).where(col(GradeRow.submission_id).in_(ids)).order_by(col(GradeRow.id))
    newest_grades = {grade.submission_id: grade for grade in session.exec(in_order)}
    standings = dispatcher.standing(session, [id for id in ids if id not in newest_grades])
    exercises = [each.exercise for each in submissions]
    assignments = StudentAssignments.read(session, course, member.account_id, exercises)
    weighted = {each.id for each in submissions if assignments.of(each.exercise).checkpoint_points}
    rows = rows_of_grades(session, [each for each in newest_grades.values() if each.submission_id in weighted])
    bodies = []
    for each in submissions:
        grade = newest_grades.get(each.id)
        if grade is None:
            head, body = _head(each, course, standings.get(each.id, BETWEEN_QUERIES)), None
        else:
            head = _head(each, course)
            body = GradeSummaryBody(**_grade(grade), **assignments.fields(each, grade, rows.get(grade.id, ())))
        bodies.append(SubmissionSummaryBody(**head, grade=body))
    return bodies


def _head(submission: SubmissionRow, course: CourseRow, standing: Standing | None = None) -> dict[str, Any]:
    """Return what a body says of a submission itself. Without a standing it is graded."""
    return {
        "id": submission.id,
        "course": course.slug,
        "exercise": submission.exercise,
        "revision": submission.revision,
        "attempt": submission.attempt,
        "kind": submission.kind,
        "filename": submission.filename,
        "status": standing.state if standing else GRADED,
        "place": standing and standing.place,
        "estimate": standing and standing.estimate,
        "created_at": submission.created_at,
    }


def _grade(grade: GradeRow) -> dict[str, Any]:
    run = None
    if grade.run_status is not None:
        run = RunBody(status=grade.run_status, message=grade.run_message or "", stdout=grade.run_stdout or "")
    return {
        "run": run,
        "flags": grade.flags,
        "passed": grade.passed,
        "exact": grade.exact,
        "total": grade.total,
        "environment": grade.environment,
        "graded_at": grade.graded_at,
    }
