"""What a request asks of a report: about which exercises, of whose work, and which rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Query
from sqlmodel import Session

from exercises.exercise import Exercise
from server.assignments.assignment import list_assignments
from server.courses.access import CourseSession
from server.courses.roles import Permission
from server.http.row_id import RowId
from server.reports.students import Order, RowFilter, Scope, State
from server.rules.rules import find_all_rules
from server.tables import CourseRow

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
    after: Annotated[RowId | None, Query(description="The ``next_after`` of the page before.")] = None,
) -> RowFilter:
    """Return which rows of a table a request asks for."""
    return RowFilter(state, search, sort, limit, after)


AskedRows = Annotated[RowFilter, Depends(asked_rows)]


def class_scope(member: CourseSession, section: str | None) -> Scope:
    """Return the students that a member of the staff asks about: of this section, or all whom they look after.

    :raises Forbidden: they look after another section
    """
    return Scope(section=member.membership.listed_section(section))


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
    slugs = [each.slug for each in exercises]
    rules = find_all_rules(member.session, member.membership, member.account_id, slugs)
    return frozenset(slug for slug, each in rules.items() if each.withheld is not None)
