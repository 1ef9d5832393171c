"""Showing submissions: with their newest grade, or with their place in the queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from server.courses.access import Membership
from server.queue.dispatcher import Dispatcher
from server.queue.tickets import Standing
from server.submissions import hints
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
    session: Session, submission: SubmissionRow, reader: Membership, grade: GradeRow, rows: Iterable[Mapping[str, Any]]
) -> SubmissionBody:
    """Return a submission with this grade and these rows, as far as the reader may see them."""
    owner = hints.Owner(submission.account_id, submission.exercise)
    visible = hints.visible_rows(session, reader, owner, rows)
    body = GradeBody(**_grade(grade, reader.course), checkpoints=visible)
    return SubmissionBody(**_head(submission, reader.course), grade=body)


def summaries(
    session: Session, course: CourseRow, submissions: Sequence[SubmissionRow], dispatcher: Dispatcher
) -> list[SubmissionSummaryBody]:
    """Return submissions without rows and bodies; two queries, however many there are."""
    ids = [each.id for each in submissions]
    in_order = select(GradeRow).where(col(GradeRow.submission_id).in_(ids), col(GradeRow.counts))
    newest_grades = {grade.submission_id: grade for grade in session.exec(in_order.order_by(col(GradeRow.id)))}
    standings = dispatcher.standing(session, [id for id in ids if id not in newest_grades])
    return [
        _summary(each, course, newest_grades.get(each.id), standings.get(each.id, BETWEEN_QUERIES))
        for each in submissions
    ]


def _summary(
    submission: SubmissionRow, course: CourseRow, grade: GradeRow | None, standing: Standing
) -> SubmissionSummaryBody:
    if grade is None:
        return SubmissionSummaryBody(**_head(submission, course, standing), grade=None)
    return SubmissionSummaryBody(**_head(submission, course), grade=GradeSummaryBody(**_grade(grade, course)))


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


def _grade(grade: GradeRow, course: CourseRow) -> dict[str, Any]:
    run = None
    if grade.run_status is not None:
        run = RunBody(status=grade.run_status, message=grade.run_message or "", stdout=grade.run_stdout or "")
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
