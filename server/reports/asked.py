"""What a request asks of a report: about which exercises, of whose work, and which rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Query
from sqlmodel import Session, col, func, select

from exercises.exercise import Exercise
from server.assignments.assignment import Assignment, extensions_of, list_assignments
from server.courses.access import CourseSession
from server.courses.roles import Permission
from server.database.table import now
from server.reports.students import Filter, Order, Scope, State
from server.tables import CourseRow, Feedback, SubmissionRow

LIMIT_MAX: Final = 10_000
SEARCH_LENGTH_MAX: Final = 100
SECTION_LENGTH_MAX: Final = 64
STUCK_AFTER_MAX: Final = 1_000

AskedSection = Annotated[
    str | None, Query(max_length=SECTION_LENGTH_MAX, description="The students of this section alone.")
]
StuckAfter = Annotated[
    int, Query(ge=1, le=STUCK_AFTER_MAX, description="How many attempts at a step, none passed, count as stuck.")
]


async def asked_rows(
    state: State | None = None,
    search: Annotated[
        str | None, Query(max_length=SEARCH_LENGTH_MAX, description="A part of the name or the university id.")
    ] = None,
    sort: Order = Order.NAME,
    limit: Annotated[int | None, Query(ge=1, le=LIMIT_MAX)] = None,
    after: Annotated[int | None, Query(ge=1, lt=2**31, description="The ``next_after`` of the page before.")] = None,
) -> Filter:
    """Return which rows of a table a request asks for."""
    return Filter(state, search, sort, limit, after)


AskedRows = Annotated[Filter, Depends(asked_rows)]


def class_scope(member: CourseSession, section: str | None) -> Scope:
    """Return the students that a member of the staff asks about: of this section, or all whom they look after.

    :raises Forbidden: they look after another section
    """
    if section is not None:
        member.membership.require_section(section)
    return Scope(section=section or member.membership.section)


def progress_scope(member: CourseSession, section: str | None, exercises: Sequence[Exercise]) -> Scope:
    """Return whose progress a member may see: the class for staff, one's own for a student.

    :raises Forbidden: they look after another section
    """
    if member.membership.may(Permission.READ_CLASS):
        return class_scope(member, section)
    return Scope(account_id=member.account_id, withheld=_withheld(member, exercises))


def assigned(session: Session, course: CourseRow, exercises: Sequence[Exercise]) -> list[Exercise]:
    """Return those of these exercises that a course asks for, in its order.

    A single one that it no longer asks for is reported all the same.
    """
    by_slug = {each.slug: each for each in exercises}
    found = [by_slug[each.exercise] for each in list_assignments(session, course, by_slug)]
    return found or list(exercises)


def _withheld(member: CourseSession, exercises: Sequence[Exercise]) -> frozenset[str]:
    """Return the exercises whose outcome a student does not see yet."""
    found = list_assignments(member.session, member.course, [each.slug for each in exercises])
    return frozenset(each.exercise for each in found if _is_withheld(member, each))


def _is_withheld(member: CourseSession, assignment: Assignment) -> bool:
    if assignment.feedback is Feedback.AFTER_DUE:
        due_at = assignment.due_for(
            extensions_of(member.session, member.course, assignment.exercise, member.account_id)
        )
        return due_at is None or now() <= due_at + timedelta(minutes=assignment.grace_minutes)
    if assignment.feedback is Feedback.AFTER_ATTEMPTS:
        attempts = select(func.count()).where(
            col(SubmissionRow.course_id) == member.course.id,
            col(SubmissionRow.account_id) == member.account_id,
            col(SubmissionRow.exercise) == assignment.exercise,
        )
        return member.session.exec(attempts).one() < assignment.feedback_after
    return False
