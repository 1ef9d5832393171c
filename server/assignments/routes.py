"""The assignments of a course, and extensions of their due times."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from server.assignments import changes, extensions, packs
from server.assignments.assignment import Assignment
from server.assignments.changes import Change, Plan
from server.assignments.extensions import Grant, Recipient
from server.assignments.impact import Impact
from server.assignments.lateness import late_sentence
from server.assignments.schemas import (
    AssignmentBody,
    AssignmentChangeBody,
    AssignmentListBody,
    AssignmentRulesBody,
    ExtensionBody,
    ExtensionChangeBody,
    ExtensionListBody,
    GrantBody,
    ImpactBody,
    OrderBody,
    PackBody,
    PackListBody,
    Preview,
)
from server.courses.access import Allowed, CourseAccess, CourseSession
from server.courses.roles import Permission
from server.courses.schemas import PersonBody
from server.http.problems import Unprocessable, documented
from server.http.row_id import RowId
from server.tables import AssignmentRow, CourseRow

router = APIRouter(prefix="/courses/{course}", responses=documented(401, 403, 404, 422))

Reading = Annotated[CourseAccess, Depends(Allowed(Permission.READ_CLASS))]
Setting = Annotated[CourseAccess, Depends(Allowed(Permission.MANAGE_ASSIGNMENTS))]
Extending = Annotated[CourseAccess, Depends(Allowed(Permission.EXTEND))]
IfMatch = Annotated[str | None, Header(description="The version that the change was made on, as its ETag.")]
ASSIGNMENTS, ASSIGNMENT, EXTENSIONS = "/assignments", "/assignments/{pack}/{name}", "/extensions"
PACKS, PACK = "/packs", "/packs/{pack}"


class BadIfMatch(Unprocessable):
    """The header names no version."""

    title, slug = "Not a version", "bad-if-match"


async def named_slug(pack: Annotated[str, Path(max_length=64)], name: Annotated[str, Path(max_length=64)]) -> str:
    """Return the slug that an address names. The exercise may be gone; its assignment can still be removed."""
    return f"{pack}/{name}"


async def seen_version(if_match: IfMatch = None) -> int | None:
    """Return the version of the header ``If-Match``, or None for any.

    :raises BadIfMatch: it names no version
    """
    if if_match is None or if_match == "*":
        return None
    found = re.fullmatch(r'"?(\d{1,9})"?', if_match.strip())
    if found is None:
        raise BadIfMatch('If-Match holds a version such as "3". Send the ETag of the assignment, as you read it.')
    return int(found[1])


Slug = Annotated[str, Depends(named_slug)]
PackName = Annotated[str, Path(max_length=64)]
SeenVersion = Annotated[int | None, Depends(seen_version)]


@router.get(PACKS, tags=["packs"])
def list_packs(access: Reading) -> PackListBody:
    """The packs of exercises of a course, each with the version that the course pinned. For staff."""
    with access.reading() as member:
        return _packs(member.course)


@router.put(PACK, tags=["packs"])
def pin_pack(access: Setting, pack: PackName) -> PackListBody:
    """Add a pack to a course, or pin the version of one that is installed now."""
    with access.writing() as member:
        packs.pin(member.session, member.course, pack, member.actor)
        return _packs(member.course)


@router.delete(PACK, tags=["packs"], responses=documented(409))
def remove_pack(access: Setting, pack: PackName) -> PackListBody:
    """Take a pack out of a course. It stays if the course has assignments of it, or no other pack."""
    with access.writing() as member:
        packs.remove(member.session, member.course, pack, member.actor)
        return _packs(member.course)


@router.get(ASSIGNMENTS, tags=["assignments"])
def list_assignments(access: Reading) -> AssignmentListBody:
    """The assignments of a course with their rules, in its order. For staff."""
    with access.reading() as member:
        rows = changes.read(member.session, member.course)
    bodies = [_assignment(row, member.course) for row in rows]
    return AssignmentListBody(course=access.slug, time_zone=member.course.time_zone, assignments=bodies)


@router.put(ASSIGNMENTS, tags=["assignments"])
def order_assignments(access: Setting, body: OrderBody) -> AssignmentListBody:
    """Put the assignments of a course in a new order; the body names each of them once."""
    with access.writing() as member:
        plan = changes.plan_order(member.session, member.course, body.exercises)
        changes.write(member.session, member.course, plan, member.actor)
    bodies = [_assignment(row, member.course) for row in plan.after]
    return AssignmentListBody(course=access.slug, time_zone=member.course.time_zone, assignments=bodies)


@router.get(ASSIGNMENT, tags=["assignments"])
def show_assignment(access: Reading, slug: Slug, response: Response) -> AssignmentBody:
    """One assignment with its rules. Its ETag is the version, for ``If-Match``. For staff."""
    with access.reading() as member:
        row = changes.find(member.session, member.course, slug)
    response.headers["ETag"] = f'"{row.version}"'
    return _assignment(row, member.course)


@router.put(
    ASSIGNMENT,
    tags=["assignments"],
    responses={201: {"model": AssignmentChangeBody, "description": "It is a new one."}, **documented(412)},
)
def set_assignment(
    access: Setting,
    slug: Slug,
    body: AssignmentRulesBody,
    response: Response,
    version: SeenVersion,
    preview: Preview = False,
) -> AssignmentChangeBody:
    """Make an assignment, or replace all its rules. What the body does not name gets its default.

    The first one makes the course ask for this exercise alone.
    """
    change = Change(slug, body.fields(is_whole=True), body.position, _either(version, body.version), is_whole=True)
    return _change(access, change, response, preview)


@router.patch(ASSIGNMENT, tags=["assignments"], responses=documented(412))
def change_assignment(
    access: Setting,
    slug: Slug,
    body: AssignmentRulesBody,
    response: Response,
    version: SeenVersion,
    preview: Preview = False,
) -> AssignmentChangeBody:
    """Change the rules that the body names, or the place. An assignment that is not there is made."""
    change = Change(slug, body.fields(is_whole=False), body.position, _either(version, body.version))
    return _change(access, change, response, preview)


@router.delete(ASSIGNMENT, tags=["assignments"], responses=documented(409, 412))
def remove_assignment(
    access: Setting, slug: Slug, version: SeenVersion, preview: Preview = False, confirm: bool = False
) -> AssignmentChangeBody:
    """Ask for an exercise no longer. What was handed in stays; if there is any, it has to be confirmed."""
    with access.writing() as member:
        plan = changes.plan_removal(member.session, member.course, slug, version)
        if not preview:
            if not confirm:
                changes.require_no_work(member.session, member.course, slug)
            changes.write(member.session, member.course, plan, member.actor)
    return _changed(plan, member, preview)


@router.get(EXTENSIONS, tags=["extensions"])
def list_extensions(
    access: Extending, exercise: Annotated[str | None, Query(max_length=64)] = None
) -> ExtensionListBody:
    """The extensions of a course, the revoked ones too. For staff; an assistant with a section sees theirs."""
    with access.reading() as member:
        found = extensions.read_list(member.session, member.course, member.actor, exercise)
    bodies = [_extension(each) for each in found]
    return ExtensionListBody(course=access.slug, time_zone=member.course.time_zone, extensions=bodies)


@router.post(
    EXTENSIONS,
    tags=["extensions"],
    status_code=201,
    responses={200: {"model": ExtensionChangeBody, "description": "A preview: nothing was written."}},
)
def grant_extension(
    access: Extending, body: GrantBody, response: Response, preview: Preview = False
) -> ExtensionChangeBody:
    """Give a person or a section a later due time, before it or after it."""
    wanted = Grant(body.exercise, body.due_at, body.reason, body.person, body.section)
    with access.writing() as member:
        grant, impact = extensions.plan_grant(member.session, member.course, wanted, member.actor)
        if preview:
            response.status_code = 200
            return ExtensionChangeBody(is_preview=True, impact=_impact(impact), extension=None)
        id = extensions.write_grant(member.session, member.course, grant, member.actor).id
        granted = extensions.find(member.session, member.course, id, member.actor)
    return ExtensionChangeBody(is_preview=False, impact=_impact(impact), extension=_extension(granted))


@router.delete("/extensions/{id}", tags=["extensions"], responses=documented(409))
def revoke_extension(
    access: Extending,
    id: RowId,
    preview: Preview = False,
    reason: Annotated[str | None, Query(max_length=1000)] = None,
) -> ExtensionChangeBody:
    """Take an extension back. It stays in the list."""
    with access.writing() as member:
        found, impact = extensions.plan_revocation(member.session, member.course, id, member.actor)
        if not preview:
            extensions.write_revocation(member.session, found.row, member.actor, reason)
    return ExtensionChangeBody(is_preview=preview, impact=_impact(impact), extension=_extension(found))


def _either(of_header: int | None, of_body: int | None) -> int | None:
    return of_body if of_header is None else of_header


def _change(access: CourseAccess, change: Change, response: Response, is_preview: bool) -> AssignmentChangeBody:
    with access.writing() as member:
        plan = changes.plan_change(member.session, member.course, change)
        if not is_preview:
            changes.write(member.session, member.course, plan, member.actor)
    response.headers["ETag"] = f'"{plan.row.version}"'
    response.status_code = 201 if plan.is_new and not is_preview else 200
    return _changed(plan, member, is_preview)


def _changed(plan: Plan, member: CourseSession, is_preview: bool) -> AssignmentChangeBody:
    assignment = _assignment(plan.row, member.course)
    return AssignmentChangeBody(is_preview=is_preview, impact=_impact(plan.impact), assignment=assignment)


def _assignment(row: AssignmentRow, course: CourseRow) -> AssignmentBody:
    values = row.model_dump(exclude={"course_id", "position"})
    return AssignmentBody(**values, position=row.position + 1, late=late_sentence(Assignment.of(row, course)))


def _impact(impact: Impact) -> ImpactBody:
    return ImpactBody(**vars(impact), students=impact.students, sentence=impact.sentence)


def _extension(found: Recipient) -> ExtensionBody:
    row = found.row
    person = PersonBody(id=row.account_id, name=found.name or "") if row.account_id is not None else None
    values = row.model_dump(include={"id", "exercise", "due_at", "reason", "created_at", "revoked_at"})
    return ExtensionBody(**values, person=person, section=found.section, granted_by=row.granted_by_id)


def _packs(course: CourseRow) -> PackListBody:
    bodies = []
    for each in packs.read(course):
        held = each.installed
        bodies.append(
            PackBody(
                name=each.name,
                title=held.title if held else each.name,
                licence=held.licence if held else "",
                exercises=[exercise.slug for exercise in held.exercises] if held else [],
                pinned=each.pinned,
                installed=held.digest if held else None,
                note=each.note,
            )
        )
    return PackListBody(packs=bodies, others=[each.name for each in packs.others(course)])
