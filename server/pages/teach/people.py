"""The people of a course: the list, and adding, changing, removing and merging them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Response

from server.courses.access import CourseAccess, CourseSession
from server.courses.roles import Permission
from server.courses.seats import list_sections
from server.http.problems import Problem, Unprocessable
from server.http.row_id import RowId
from server.pages import confirmation
from server.pages.confirmation import Question
from server.pages.fields import FormState, Reader
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.people import invitations, keys, merge, people
from server.people.people import Details, Person, Search
from server.people.routes import TheAddress
from server.people.schemas import SeatRole
from server.tables import Role

PAGE_SIZE: Final = 100
LABELS: Final = {
    "name": "Name",
    "role": "Role",
    "section": "Section",
    "email": "E-mail",
    "university_id": "University id",
    "into": "The account that stays",
}
FIELD_OF_WORD: Final = {"name": "name", "e-mail": "email", "university id": "university_id", "section": "section"}
DONE: Final = {
    "changed": "The change is saved.",
    "same": "Nothing was changed: the fields were as before.",
    "removed": "This person is removed. Their work stays, and you can put them back.",
    "put-back": "This person is back, with everything that they had.",
    "merged": "The two accounts are one now. It has the work of both.",
}

router = page_router()
PEOPLE: Final = "/courses/{course}/people"
PERSON: Final = f"{PEOPLE}/{{account}}"

Reading = Annotated[CourseAccess, Depends(Visiting(Permission.READ_ROSTER))]
Managing = Annotated[CourseAccess, Depends(Visiting(Permission.MANAGE_PEOPLE))]
Done = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True)
class PeopleList:
    """A part of the people who were asked for; ``total`` counts all of them, ``following`` is the next part's."""

    people: Sequence[Person]
    total: int
    sections: Sequence[str]
    search: Search
    following: int | None
    never_signed_in: int

    @property
    def is_staff_alone(self) -> bool:
        """Whether everybody whom the visitor looks after is shown, and no student is among them."""
        is_everybody = self.search == Search(section=self.search.section) and len(self.people) == self.total > 0
        return is_everybody and all(person.seat.role is not Role.STUDENT for person in self.people)


@dataclass(frozen=True)
class GivenKey:
    """A key that is shown once: a link, a code or a token; how many older ones it replaced, and what to look at."""

    kind: str
    text: str
    revoked: int = 0
    expires_at: datetime | None = None
    notes: Sequence[str] = ()
    is_new: bool = False


def read_list(member: CourseSession, asked: Search, offset: int) -> PeopleList:
    """Return what the list shows."""
    found = people.list_people(member.session, member.course, asked)
    end = offset + PAGE_SIZE
    sections = list_sections(member.session, member.course) if member.membership.section is None else []
    never = sum(not person.has_signed_in for person in found)
    return PeopleList(found[offset:end], len(found), sections, asked, end if end < len(found) else None, never)


@router.get(PEOPLE)
def show_people(
    page: ThePage,
    access: Reading,
    search: Annotated[str, Query(max_length=200)] = "",
    section: Annotated[str, Query(max_length=64)] = "",
    role: Literal["", "student", "assistant", "instructor"] = "",
    removed: bool = False,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Show the people of a course by name."""
    with access.reading() as member:
        listed = member.membership.listed_section(section or None)
        asked = Search(search, listed, Role(role) if role else None, removed)
        shown = read_list(member, asked, offset)
        return page.render("teach/people.html", membership=member.membership, list=shown, section=section)


@router.get(f"{PEOPLE}/add")
def show_new_person(page: ThePage, access: Managing) -> Response:
    """Show the form for somebody new."""
    state = FormState({"role": Role.STUDENT.value}, labels=LABELS)
    with access.reading() as member:
        return _new_person(page, member, state)


@router.post(f"{PEOPLE}/add")
def add_person(page: ThePage, access: Managing, form: TheForm, address: TheAddress) -> Response:
    """Add somebody, and show the link that opens their account, once."""
    state = FormState.of(form, LABELS)
    details = _details(Reader(form, state))
    if not state.is_wrong:
        try:
            with access.writing() as member:
                person, notes = people.add(member.session, member.course, member.actor, Details(**details))
                code = invitations.invite(member.session, member.course, member.actor, person)
                key = GivenKey("link", invitations.link(address, code), notes=notes, is_new=True)
                return page.render("teach/key_given.html", membership=member.membership, person=person, key=key)
        except Problem as problem:
            state.blame(problem, _field_of(problem))
    with access.reading() as member:
        return _new_person(page, member, state)


@router.get(PERSON)
def show_person(page: ThePage, access: Managing, account: RowId, done: Done = "") -> Response:
    """Show somebody, with the form for what the roster says of them."""
    with access.reading() as member:
        person = people.get_person(member.session, member.course, account, removed=True)
        return _person(page, member, person, FormState(_values(person), labels=LABELS), DONE.get(done, ""))


@router.post(PERSON)
def change_person(page: ThePage, access: Managing, form: TheForm, account: RowId) -> Response:
    """Change what the roster says of somebody."""
    state = FormState.of(form, LABELS)
    changes = _details(Reader(form, state))
    if not state.is_wrong:
        try:
            with access.writing() as member:
                before = people.get_person(member.session, member.course, account)
                kept = _values(before)
                person, notes = people.change(member.session, member.course, member.actor, account, changes)
                if notes:
                    return _person(
                        page, member, person, FormState(_values(person), labels=LABELS), DONE["changed"], notes
                    )
                done = "same" if _values(person) == kept else "changed"
            return page.go(f"/courses/{access.slug}/people/{account}?done={done}")
        except Problem as problem:
            state.blame(problem, _field_of(problem))
    with access.reading() as member:
        person = people.get_person(member.session, member.course, account, removed=True)
        return _person(page, member, person, state)


@router.get(f"{PERSON}/remove")
def ask_removal(page: ThePage, access: Managing, account: RowId) -> Response:
    """Ask whether somebody is to be removed."""
    with access.reading() as member:
        person = people.get_person(member.session, member.course, account)
        return confirmation.ask(page, _removal(access, person), member.membership)


@router.post(f"{PERSON}/remove")
def remove_person(page: ThePage, access: Managing, form: TheForm, account: RowId) -> Response:
    """Take somebody's seat. Their work stays."""
    try:
        with access.writing() as member:
            people.remove(member.session, member.course, member.actor, account, text(form, "reason")[:500] or None)
    except Problem as problem:
        state = FormState.of(form).blame(problem)
        with access.reading() as member:
            person = people.get_person(member.session, member.course, account)
            return confirmation.ask(page, _removal(access, person), member.membership, state)
    return page.go(f"/courses/{access.slug}/people/{account}?done=removed")


@router.post(f"{PERSON}/put-back")
def put_back_person(page: ThePage, access: Managing, form: TheForm, account: RowId) -> Response:
    """Give somebody their seat back."""
    with access.writing() as member:
        people.put_back(member.session, member.course, member.actor, account)
    return page.go(f"/courses/{access.slug}/people/{account}?done=put-back")


@router.get(f"{PERSON}/merge")
def show_merge(page: ThePage, access: Managing, account: RowId) -> Response:
    """Show into whom an account can be merged: who is read alike comes first."""
    with access.reading() as member:
        return _merge(page, member, account, FormState(labels=LABELS))


@router.post(f"{PERSON}/merge")
def merge_person(page: ThePage, access: Managing, form: TheForm, account: RowId) -> Response:
    """Merge an account into another one, once that was confirmed."""
    state = FormState.of(form, LABELS)
    into = Reader(form, state).number("into")
    try:
        if into is None:
            raise Unprocessable("Choose the account that stays.")
        if not text(form, "is_confirmed"):
            with access.reading() as member:
                return confirmation.ask(page, _merge_question(access, member, account, into), member.membership)
        with access.writing() as member:
            reason = text(form, "reason")[:500] or None
            person = merge.merge_people(member.session, member.course, member.actor, account, into, reason)
        return page.go(f"/courses/{access.slug}/people/{person.account.id}?done=merged")
    except Problem as problem:
        state.blame(problem, "into")
    with access.reading() as member:
        return _merge(page, member, account, state)


@router.get(f"{PERSON}/key")
def ask_key(page: ThePage, access: Managing, account: RowId) -> Response:
    """Show the keys that somebody who cannot sign in may be given."""
    with access.reading() as member:
        person = people.get_person(member.session, member.course, account)
        return _key_form(page, member, person, FormState({"kind": "code" if person.has_signed_in else "link"}))


@router.post(f"{PERSON}/key")
def give_key(page: ThePage, access: Managing, form: TheForm, account: RowId, address: TheAddress) -> Response:
    """Make a key for somebody, and show it, once."""
    state = FormState.of(form, {"kind": "Which key"})
    reader = Reader(form, state)
    kind = reader.choice("kind", ("link", "code", "token"), "link")
    is_revoking = reader.is_on("revoke_old")
    try:
        with access.writing() as member:
            person, key = _make_key(member, account, kind, address, revoke_old=is_revoking)
            return page.render("teach/key_given.html", membership=member.membership, person=person, key=key)
    except Problem as problem:
        if problem.status == 403:  # the rule has its sentence, and the form stays where it is
            state.faults[""] = problem.for_page
        else:
            state.blame(problem)
    with access.reading() as member:
        person = people.get_person(member.session, member.course, account)
        return _key_form(page, member, person, state)


def _details(reader: Reader) -> dict[str, Any]:
    """Return the details of somebody as they were typed."""
    role = reader.choice("role", tuple(SeatRole), Role.STUDENT.value)
    words = {name: reader.words(name) for name in ("email", "university_id", "section")}
    return {"name": reader.words("name") or "", "role": Role(role), **words}


def _values(person: Person) -> dict[str, str]:
    seat = person.seat
    return {
        "name": person.account.name,
        "role": seat.role.value,
        "section": seat.section or "",
        "email": seat.email or "",
        "university_id": seat.university_id or "",
    }


def _field_of(problem: Problem) -> str:
    """Return the field that a problem is about, by its kind and its words."""
    if problem.slug == "bad-name":
        return "name"
    if problem.slug == "taken-id":
        return "university_id"
    if problem.slug == "last-instructor":
        return "role"
    return next((field for word, field in FIELD_OF_WORD.items() if word in problem.detail.split(".")[0]), "")


def _make_key(
    member: CourseSession, account: int, kind: str, address: str, *, revoke_old: bool
) -> tuple[Person, GivenKey]:
    """Make a key of a kind for somebody."""
    session, course, actor = member.session, member.course, member.actor
    if kind == "link":
        person, code = invitations.invite_again(session, course, actor, account)
        return person, GivenKey(kind, invitations.link(address, code))
    if kind == "code":
        made = keys.give_pairing_code(session, course, actor, account, revoke_old=revoke_old)
        return made.person, GivenKey(kind, made.code, made.revoked, made.expires_at)
    given = keys.give_token(session, course, actor, account, revoke_old=revoke_old)
    return given.person, GivenKey(kind, given.token, given.revoked)


def _new_person(page: Page, member: CourseSession, state: FormState) -> Response:
    sections = list_sections(member.session, member.course)
    status = 422 if state.is_wrong else 200
    return page.render("teach/person_new.html", status, membership=member.membership, state=state, sections=sections)


def _person(
    page: Page,
    member: CourseSession,
    person: Person,
    state: FormState,
    notice: str = "",
    notes: Sequence[str] = (),
) -> Response:
    sections = list_sections(member.session, member.course)
    return page.render(
        "teach/person.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        person=person,
        state=state,
        notice=notice,
        notes=notes,
        sections=sections,
    )


def _key_form(page: Page, member: CourseSession, person: Person, state: FormState) -> Response:
    status = 422 if state.is_wrong else 200
    return page.render("teach/key.html", status, membership=member.membership, person=person, state=state)


def _merge(page: Page, member: CourseSession, account: int, state: FormState) -> Response:
    person = people.get_person(member.session, member.course, account, removed=True)
    others = [
        each for each in people.list_people(member.session, member.course, Search()) if each.account.id != account
    ]
    status = 422 if state.is_wrong else 200
    return page.render(
        "teach/merge.html", status, membership=member.membership, person=person, others=others, state=state
    )


def _removal(access: CourseAccess, person: Person) -> Question:
    here = f"/courses/{access.slug}/people/{person.account.id}"
    return Question(
        f"Remove {person.account.name} from the course?",
        (
            "They are in no list any more, and cannot hand in. Their work and their grades stay.",
            "You can put them back at any time.",
        ),
        "Remove them",
        f"{here}/remove",
        here,
        asks_reason=True,
    )


def _merge_question(access: CourseAccess, member: CourseSession, account: int, into: int) -> Question:
    merged = people.get_person(member.session, member.course, account, removed=True)
    kept = people.get_person(member.session, member.course, into)
    here = f"/courses/{access.slug}/people/{account}"
    return Question(
        f"Merge {merged.account.name} into {kept.account.name}?",
        (
            f"{kept.label} gets everything of {merged.label}: submissions, points, comments and extensions.",
            "Of each step, the better result counts. The merged account is signed out everywhere.",
            "This cannot be undone.",
        ),
        "Merge the two",
        f"{here}/merge",
        f"{here}/merge",
        asks_reason=True,
        hidden={"into": str(into), "is_confirmed": "yes"},
        is_grave=True,
    )
