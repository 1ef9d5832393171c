"""The submissions of students with the grade that counts. Which one that is, the reports know here alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import CTE, ColumnElement, Subquery, and_, func, select
from sqlmodel import col

from exercises.exercise import Exercise
from server.courses.seats import in_section
from server.reports.students import Scope, of_these
from server.tables import CourseRow, GradeRow, Role, SeatRow, SubmissionRow


def counted_seat(course: CourseRow, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a seat counts in a course's statistics.

    Who was removed does not count. Who was erased does: no statistic names them.
    """
    return and_(
        col(SeatRow.course_id) == course.id,
        col(SeatRow.role) == Role.STUDENT,
        col(SeatRow.removed_at).is_(None),
        *in_section(scope.section),
        *of_these(col(SeatRow.account_id), scope),
    )


def newest_grades(course: CourseRow, exercises: Sequence[str]) -> Subquery:
    """Select submission_id and grade_id of graded submissions: of the grades that count, the newest."""
    return (
        select(col(GradeRow.submission_id), func.max(GradeRow.id).label("grade_id"))
        .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        .where(
            col(SubmissionRow.course_id) == course.id,
            col(SubmissionRow.exercise).in_(exercises),
            col(GradeRow.counts),
        )
        .group_by(col(GradeRow.submission_id))
        .subquery()
    )


def graded(course: CourseRow, exercises: Iterable[Exercise], scope: Scope) -> CTE:
    """Select submission_id, account_id, exercise, attempt and grade_id of the graded submissions of students."""
    newest = newest_grades(course, [each.slug for each in exercises])
    whose = (col(SubmissionRow.account_id), col(SubmissionRow.exercise), col(SubmissionRow.attempt))
    seat = and_(col(SeatRow.course_id) == SubmissionRow.course_id, col(SeatRow.account_id) == SubmissionRow.account_id)
    return (
        select(col(SubmissionRow.id).label("submission_id"), *whose, newest.c.grade_id)
        .join(SeatRow, and_(seat, counted_seat(course, scope)))
        .join(newest, newest.c.submission_id == SubmissionRow.id)
        .cte("graded")
    )
