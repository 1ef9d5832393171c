"""Opening, changing, copying, archiving and removing courses, and reading their audit logs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from server.accounts.signin import TheCredentials
from server.assignments.impact import Impact
from server.assignments.schemas import ImpactBody, Preview
from server.audit import reading
from server.audit.reading import PAGE_MAX, NamedEntry, Question
from server.courses import changing
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.courses.schemas import PersonBody
from server.http.problems import documented
from server.http.row_id import RowId
from server.lifecycle import copying, opening, planning, removal
from server.lifecycle.copying import CopyOrder
from server.lifecycle.schemas import (
    AuditBody,
    AuditEntryBody,
    CopiedBody,
    CopyBody,
    CourseChangeBody,
    CourseChangedBody,
    CourseSettingsBody,
    NewCourseBody,
)
from server.tables import CourseRow, Role

router = APIRouter(prefix="/courses", tags=["courses"], responses=documented(401, 403, 422))

Reading = Annotated[CourseAccess, Depends(Allowed(Permission.READ_EXERCISES))]
Managing = Annotated[CourseAccess, Depends(Allowed(Permission.MANAGE_COURSE))]
Auditing = Annotated[CourseAccess, Depends(Allowed(Permission.READ_AUDIT))]


@router.post("", status_code=201, responses=documented(409))
def open_course(credentials: TheCredentials, body: NewCourseBody) -> CourseSettingsBody:
    """Open a course, of which the caller becomes the instructor. For admins."""
    with credentials.writing() as account:
        course = opening.open_course(account, body.slug, body.title, body.time_zone)
    return _settings(course)


@router.get("/{course}", responses=documented(404))
def show_course(access: Reading) -> CourseSettingsBody:
    """A course, its time zone and its rules."""
    with access.reading() as member:
        return _settings(member.course)


@router.patch("/{course}", responses=documented(404))
def change_course(access: Managing, body: CourseChangeBody, preview: Preview = False) -> CourseChangedBody:
    """Change what the body names: title, time zone, rules. ``is_archived`` archives a course, or reopens it.

    A new time zone changes no moment; the same ones are shown in it.
    """
    fields = body.model_dump(exclude_unset=True)
    with access.writing() as member:
        impact = planning.foresee(member.session, member.course, fields)
        if not preview:
            changing.change(member.session, member.course, fields, member.actor)
    return CourseChangedBody(is_preview=preview, impact=_impact(impact), course=_settings(member.course))


@router.post("/{course}/copy", status_code=201, responses=documented(404, 409))
def copy_course(access: Managing, body: CopyBody) -> CopiedBody:
    """Copy a course for the next term: rules and assignments with their dates moved, no people and no work.

    An instructor who copies a course is the instructor of the copy.
    """
    order = CopyOrder(body.slug, body.title, body.shift_days)
    with access.writing() as member:
        instructor_id = member.account_id if Role.INSTRUCTOR in member.membership.roles else None
        made = copying.copy(member.session, member.course, order, member.actor, instructor_id)
    return CopiedBody(course=_settings(made.course), assignments=len(made.assignments), remarks=made.remarks)


@router.delete("/{course}", status_code=204, responses=documented(404, 409))
def remove_course(
    access: Managing, confirm: Annotated[str | None, Query(max_length=64)] = None, with_work: bool = False
) -> None:
    """Remove a course with all that belongs to it. ``confirm`` is its slug; ``with_work`` removes submissions too."""
    with access.writing() as member:
        removal.remove(member.session, member.course, confirm, member.actor, with_work=with_work)


@router.get("/{course}/audit", responses=documented(404))
def read_audit(
    access: Auditing,
    act: Annotated[str | None, Query(max_length=64)] = None,
    person: RowId | None = None,
    exercise: Annotated[str | None, Query(max_length=64)] = None,
    before: RowId | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
) -> AuditBody:
    """Who changed what, the newest first. For instructors.

    ``act`` is an act such as ``assignment.change``, or the word before its dot. ``person`` did it, or it is about them.
    """
    question = Question(act, person, exercise, before, limit)
    with access.reading() as member:
        entries = reading.read(member.session, member.course.id, question)
    following = entries[-1].row.id if len(entries) == limit else None
    return AuditBody(course=access.slug, entries=[_entry(each) for each in entries], next=following)


def _settings(course: CourseRow) -> CourseSettingsBody:
    return CourseSettingsBody.model_validate(course.model_dump())


def _impact(impact: Impact) -> ImpactBody:
    return ImpactBody(**vars(impact), students=impact.students, sentence=impact.sentence)


def _entry(entry: NamedEntry) -> AuditEntryBody:
    row = entry.row
    return AuditEntryBody(
        id=row.id,
        at=row.created_at,
        act=row.act,
        actor=_person(row.actor_id, entry.actor),
        subject=_person(row.subject_id, entry.subject),
        exercise=row.exercise,
        submission=row.submission_id,
        before=row.before,
        after=row.after,
        reason=row.reason,
    )


def _person(id: int | None, name: str | None) -> PersonBody | None:
    return None if id is None else PersonBody(id=id, name=name or "")
