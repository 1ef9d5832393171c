"""Points that staff give a student for an assignment instead of those worked out. No regrade touches them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from server.accounts.accounts import lock_account
from server.assignments.assignment import find_assignment
from server.assignments.exercises import find_exercise
from server.assignments.points import points_max
from server.audit.log import Entry, record
from server.courses.access import require_active
from server.courses.seats import in_section
from server.database.table import now
from server.http.problems import NotFound, Unprocessable
from server.http.text import clean_reason
from server.submissions.detail import override_body
from server.submissions.schemas import OverrideBody
from server.tables import AccountRow, CourseRow, OverrideRow, Role, SeatRow


class BadPoints(Unprocessable):
    """Points that the assignment does not give."""

    title, slug = "Not points", "bad-points"


class UnknownStudent(NotFound):
    """The course has no such student."""

    title, slug = "No such student", "unknown-student"


class UnknownOverride(NotFound):
    """The course has no such override."""

    title, slug = "No such override", "unknown-override"


@dataclass(frozen=True)
class Setting:
    """Points for a student in an assignment, and why."""

    account_id: int
    exercise: str
    points: float
    reason: str


def set_points(session: Session, course: CourseRow, setting: Setting, actor_id: int | None) -> OverrideRow:
    """Give a student points for an assignment. An earlier override of theirs is withdrawn.

    :raises Archived: the course is archived
    :raises UnknownExercise: there is no such exercise
    :raises NotAssigned: the course does not ask for it
    :raises UnknownStudent: the course has no such student
    :raises BadPoints: the points are below 0, or above the assignment's
    :raises BadText: the reason is empty, too long, or holds control characters
    """
    require_active(course)
    exercise = find_exercise(setting.exercise)
    assignment = find_assignment(session, course, exercise.slug)
    _require_student(session, course, setting.account_id)
    most = points_max(assignment, [each.name for each in exercise.checkpoints])
    if not (math.isfinite(setting.points) and 0 <= setting.points <= most):
        raise BadPoints(f"{exercise.slug} gives 0 to {most:g} points, not {setting.points:g}. Send another number.")
    lock_account(session, setting.account_id)
    earlier = _find_live(session, course, setting.account_id, exercise.slug)
    if earlier is not None:
        earlier.withdrawn_at = now()
        session.add(earlier)
    override = OverrideRow(
        course_id=course.id,
        account_id=setting.account_id,
        exercise=exercise.slug,
        points=setting.points,
        reason=clean_reason(setting.reason),
        author_id=actor_id,
    )
    override.insert(session)
    before = None if earlier is None else {"points": earlier.points}
    record(session, _entry(override, actor_id, "override.set", before=before, after=_points(override)))
    return override


def withdraw(session: Session, course: CourseRow, override_id: int, actor_id: int | None) -> OverrideRow:
    """Take an override back: the points worked out count again.

    :raises Archived: the course is archived
    :raises UnknownOverride: the course has none of this id, or it was withdrawn already
    """
    require_active(course)
    override = session.exec(
        select(OverrideRow)
        .where(
            OverrideRow.id == override_id,
            OverrideRow.course_id == course.id,
            col(OverrideRow.withdrawn_at).is_(None),
        )
        .with_for_update()
    ).first()
    if override is None:
        raise UnknownOverride(
            f"This course has no override {override_id}.",
            on_api=f"GET /api/v1/courses/{course.slug}/overrides lists them.",
        )
    override.withdrawn_at = now()
    session.add(override)
    record(session, _entry(override, actor_id, "override.withdraw", before=_points(override)))
    return override


def list_overrides(
    session: Session,
    course: CourseRow,
    *,
    account_id: int | None = None,
    exercise: str | None = None,
    section: str | None = None,
) -> list[OverrideBody]:
    """Return the overrides that count, by student; of those who are in the course."""
    student, author = aliased(AccountRow), aliased(AccountRow)
    found = (
        select(OverrideRow, student.name, author.name)
        .join(student, (col(student.id) == OverrideRow.account_id) & col(student.erased_at).is_(None))
        .outerjoin(author, col(author.id) == OverrideRow.author_id)
        .join(
            SeatRow,
            (col(SeatRow.course_id) == OverrideRow.course_id) & (col(SeatRow.account_id) == OverrideRow.account_id),
        )
        .where(
            OverrideRow.course_id == course.id,
            col(OverrideRow.withdrawn_at).is_(None),
            col(SeatRow.removed_at).is_(None),
            *in_section(section),
        )
    )
    if account_id is not None:
        found = found.where(OverrideRow.account_id == account_id)
    if exercise is not None:
        found = found.where(OverrideRow.exercise == exercise)
    return [override_body(*row) for row in session.exec(found.order_by(student.name, col(OverrideRow.id)))]


def body_of(session: Session, override: OverrideRow) -> OverrideBody:
    """Return what is sent of an override."""
    author = None if override.author_id is None else session.get_one(AccountRow, override.author_id).name
    return override_body(override, session.get_one(AccountRow, override.account_id).name, author)


def _require_student(session: Session, course: CourseRow, account_id: int) -> None:
    seat = session.get(SeatRow, (course.id, account_id))
    is_erased = seat is not None and session.get_one(AccountRow, account_id).erased_at is not None
    if seat is None or is_erased or seat.removed_at is not None or seat.role is not Role.STUDENT:
        raise UnknownStudent(f"This course has no student {account_id}. Look for the number in the list of people.")


def _find_live(session: Session, course: CourseRow, account_id: int, exercise: str) -> OverrideRow | None:
    return session.exec(
        select(OverrideRow).where(
            OverrideRow.course_id == course.id,
            OverrideRow.account_id == account_id,
            OverrideRow.exercise == exercise,
            col(OverrideRow.withdrawn_at).is_(None),
        )
    ).first()


def _entry(override: OverrideRow, actor_id: int | None, act: str, **more: Any) -> Entry:
    """Return an entry of the audit log about an override. The reason stays with the override: it may name somebody."""
    return Entry(override.course_id, actor_id, act, override.account_id, override.exercise, **more)


def _points(override: OverrideRow) -> dict[str, float]:
    return {"points": override.points, "override": override.id}
