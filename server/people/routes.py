"""The people of a course and its join codes, for staff."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from server.courses import join_codes as codes
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.courses.schemas import CourseBody
from server.http.attachment import attachment
from server.http.middleware import CSV, media_type
from server.http.problems import UnsupportedMedia, documented
from server.http.row_id import RowId
from server.people import invitations, join_codes, keys, merge, people, roster_import
from server.people.people import Search
from server.people.roster import read_roster
from server.people.schemas import (
    AddedPersonBody,
    ChangedCodeBody,
    ChangedPersonBody,
    CodeTermsBody,
    GivenCodeBody,
    GivenTokenBody,
    ImportBody,
    JoinCodeBody,
    JoinCodesBody,
    KeyBody,
    MergeBody,
    NewPersonBody,
    PeopleBody,
    PersonAndNotesBody,
    RosterPersonBody,
    SeatRole,
)
from server.tables import CourseRow, Role

PAGE_MAX = 500
PEOPLE = "/courses/{course}/people"
PERSON = f"{PEOPLE}/{{account}}"
CODES = "/courses/{course}/join-codes"

router = APIRouter(tags=["people"], responses=documented(401, 403, 404, 422))

Reading = Annotated[CourseAccess, Depends(Allowed(Permission.READ_ROSTER))]
Managing = Annotated[CourseAccess, Depends(Allowed(Permission.MANAGE_PEOPLE))]


async def address(request: Request) -> str:
    """Return the address of this server, as the sender of a request reaches it."""
    return str(request.base_url)


async def roster_file(request: Request) -> bytes:
    """Return the CSV in a request's body.

    :raises UnsupportedMedia: it is called something else
    """
    content = await request.body()  # first: of a stranger no body is read, and that is said
    if media_type(request.headers) != CSV:
        raise UnsupportedMedia(f"Send the roster as {CSV}, with that Content-Type.")
    return content


TheAddress = Annotated[str, Depends(address)]


@router.get(PEOPLE)
def list_people(
    access: Reading,
    search: Annotated[str, Query(max_length=200)] = "",
    section: Annotated[str | None, Query(max_length=64)] = None,
    role: SeatRole | None = None,
    removed: bool = False,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> PeopleBody:
    """People of the course by name: those whose name, e-mail or university id holds ``search``. For staff.

    An assistant with a section gets that section alone. ``removed`` asks for those who were removed instead.
    """
    with access.reading() as member:
        listed = member.membership.listed_section(section)
        asked = Search(search, listed, Role(role) if role else None, removed)
        found = people.list_people(member.session, member.course, asked)
    page = [RosterPersonBody.of(person) for person in found[offset : offset + limit]]
    return PeopleBody(people=page, total=len(found))


@router.post(PEOPLE, status_code=201, responses=documented(409))
def add_person(access: Managing, body: NewPersonBody, address: TheAddress) -> AddedPersonBody:
    """Add somebody. The link in the answer opens their account once, or gives the seat to one that they have."""
    with access.writing() as member:
        actor = member.actor
        person, notes = people.add(member.session, member.course, actor, body.details())
        code = invitations.invite(member.session, member.course, actor, person)
        return AddedPersonBody(person=RosterPersonBody.of(person), notes=notes, link=invitations.link(address, code))


@router.patch(PERSON, responses=documented(409))
def change_person(access: Managing, account: RowId, body: ChangedPersonBody) -> PersonAndNotesBody:
    """Change somebody's name, role, section, e-mail or university id, or put back who was removed."""
    with access.writing() as member:
        actor = member.actor
        if "removed" in body.model_fields_set:
            people.put_back(member.session, member.course, actor, account)
        person, notes = people.change(member.session, member.course, actor, account, body.changes())
        return PersonAndNotesBody(person=RosterPersonBody.of(person), notes=notes)


@router.delete(PERSON, responses=documented(409))
def remove_person(
    access: Managing, account: RowId, reason: Annotated[str | None, Query(max_length=1000)] = None
) -> RosterPersonBody:
    """Remove somebody from the course. Their work stays; ``PATCH`` with ``removed: false`` puts them back."""
    with access.writing() as member:
        person = people.remove(member.session, member.course, member.actor, account, reason)
        return RosterPersonBody.of(person)


@router.post(
    f"{PEOPLE}/import",
    response_class=Response,
    responses={200: {"model": ImportBody, "content": {CSV: {}}}, **documented(415)},
    openapi_extra={"requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}},
)
def import_people(
    access: Managing,
    content: Annotated[bytes, Depends(roster_file)],
    address: TheAddress,
    dry_run: bool = False,
    renew: bool = False,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """Import a roster. Nothing is written if a line is wrong, and a repeated import changes only what changed.

    ``dry_run`` says what would be done. ``format=csv`` answers with the links of those who were added, for a mail
    merge; with ``renew``, also with new links of those who never signed in.
    """
    roster = read_roster(content)
    if dry_run:
        with access.reading() as member:
            plan = roster_import.plan_import(member.session, member.course, member.actor, roster)
            imported = roster_import.Imported(plan)
    else:
        with access.writing() as member:
            imported = roster_import.import_roster(
                member.session, member.course, member.actor, roster, address, renew=renew
            )
    if format == "csv":
        return Response(imported.links_csv(), media_type=CSV, headers=attachment(f"{access.slug}-links.csv"))
    body = ImportBody.of(imported, dry_run=dry_run)
    return Response(body.model_dump_json(), media_type="application/json")


@router.post(f"{PERSON}/merge", responses=documented(409))
def merge_person(access: Managing, account: RowId, body: MergeBody) -> RosterPersonBody:
    """Merge an account into another one: everything of both is kept there. The merged one's tokens are revoked."""
    with access.writing() as member:
        person = merge.merge_people(member.session, member.course, member.actor, account, body.into, body.reason)
        return RosterPersonBody.of(person)


@router.post(f"{PERSON}/token", status_code=201)
def give_token(access: Managing, account: RowId, body: KeyBody) -> GivenTokenBody:
    """Make a token for somebody who lost theirs. It is shown this once."""
    with access.writing() as member:
        given = keys.give_token(member.session, member.course, member.actor, account, revoke_old=body.revoke_old)
        return GivenTokenBody(
            person=RosterPersonBody.of(given.person),
            course=_course(member.course),
            revoked=given.revoked,
            token=given.token,
        )


@router.post(f"{PERSON}/pairing-code", status_code=201)
def give_pairing_code(access: Managing, account: RowId, body: KeyBody) -> GivenCodeBody:
    """Make a pairing code for somebody who lost every token: it signs them in once, within ten minutes."""
    with access.writing() as member:
        given = keys.give_pairing_code(member.session, member.course, member.actor, account, revoke_old=body.revoke_old)
        return GivenCodeBody(
            person=RosterPersonBody.of(given.person),
            course=_course(member.course),
            revoked=given.revoked,
            code=given.code,
            expires_at=given.expires_at,
        )


@router.get(CODES)
def list_join_codes(access: Managing) -> JoinCodesBody:
    """The join codes of the course, the newest first; those that were revoked too."""
    with access.reading() as member:
        return JoinCodesBody(
            join_codes=[JoinCodeBody.of(code) for code in codes.list_codes(member.session, member.course)]
        )


@router.post(CODES, status_code=201)
def make_join_code(access: Managing, body: CodeTermsBody) -> JoinCodeBody:
    """Make a further join code."""
    with access.writing() as member:
        return JoinCodeBody.of(join_codes.make(member.session, member.course, member.actor, body.terms()))


@router.patch(f"{CODES}/{{code}}")
def change_join_code(access: Managing, code: RowId, body: ChangedCodeBody) -> JoinCodeBody:
    """Change a join code's end, number of uses or section; close it or open it again."""
    with access.writing() as member:
        changed = join_codes.change(member.session, member.course, member.actor, code, body.changes(), body.closed)
        return JoinCodeBody.of(changed)


@router.delete(f"{CODES}/{{code}}")
def revoke_join_code(access: Managing, code: RowId) -> JoinCodeBody:
    """Revoke a join code for ever. Nobody loses a seat."""
    with access.writing() as member:
        return JoinCodeBody.of(join_codes.revoke(member.session, member.course, member.actor, code))


def _course(course: CourseRow) -> CourseBody:
    return CourseBody(slug=course.slug, title=course.title)
