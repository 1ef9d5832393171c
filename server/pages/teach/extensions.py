"""Extensions: granted to a person or a section, and revoked, with what that does to points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query, Response

from exercises import registry
from server.assignments import changes, extensions
from server.assignments.extensions import Grant, Recipient
from server.assignments.impact import Impact
from server.courses.access import CourseAccess, CourseSession
from server.courses.local_time import zone_of
from server.courses.roles import Permission
from server.courses.seats import list_sections
from server.http.problems import Problem
from server.http.row_id import RowId
from server.pages import confirmation
from server.pages.confirmation import Question
from server.pages.fields import FormState, Reader
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import FRAGMENT_HEADER, page_router
from server.pages.session import Visiting
from server.people import people
from server.people.people import Person, Search
from server.tables import AssignmentRow, Role

router = page_router()
EXTENSIONS: Final = "/courses/{course}/extensions"
LABELS: Final = {"exercise": "Assignment", "who": "Who", "due_at": "New due time", "reason": "Reason"}
DONE: Final = {"granted": "The extension is granted.", "revoked": "The extension is revoked. It stays in the list."}
FIELD_OF: Final = {"bad-time": "due_at", "bad-text": "reason", "unknown-assignment": "exercise"}
PERSON, SECTION = "person:", "section:"

Extending = Annotated[CourseAccess, Depends(Visiting(Permission.EXTEND))]


@dataclass(frozen=True)
class ExtensionsPage:
    """What the page of extensions shows: those granted, the newest first, and what a new one can be for."""

    extensions: Sequence[Recipient]
    titles: dict[str, str]
    dated: Sequence[AssignmentRow]
    students: Sequence[Person]
    sections: Sequence[str]


def read_page(member: CourseSession) -> ExtensionsPage:
    """Return what the page shows to a member: who looks after a section sees that section."""
    section = member.membership.section
    found = extensions.read_list(member.session, member.course, member.actor)
    in_force_first = sorted(found, key=lambda each: (each.row.revoked_at is not None, -each.row.id))
    return ExtensionsPage(
        in_force_first,
        {slug: exercise.title for slug, exercise in registry.exercises().items()},
        [row for row in changes.read(member.session, member.course) if row.due_at is not None],
        people.list_people(member.session, member.course, Search(section=section, role=Role.STUDENT)),
        list_sections(member.session, member.course) if section is None else [section],
    )


@router.get(EXTENSIONS)
def show_extensions(
    page: ThePage,
    access: Extending,
    exercise: Annotated[str, Query(max_length=64)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the extensions of a course, and the form for another one."""
    state = FormState({"exercise": exercise}, labels=LABELS)
    with access.reading() as member:
        return _render(page, member, state, notice=DONE.get(done, ""))


@router.post(EXTENSIONS)
def grant_extension(page: ThePage, access: Extending, form: TheForm) -> Response:
    """Grant an extension; ``act=look`` only shows what it does to points."""
    state = FormState.of(form, LABELS)
    reader = Reader(form, state)
    is_fragment = FRAGMENT_HEADER in page.request.headers
    try:
        with access.writing() as member:
            wanted = _grant(reader, member)
            if wanted is not None:
                grant, impact = extensions.plan_grant(member.session, member.course, wanted, member.actor)
                if is_fragment or text(form, "act") == "look":
                    return _render(page, member, state, impact)
                extensions.write_grant(member.session, member.course, grant, member.actor)
        if wanted is not None:
            return page.go(f"/courses/{access.slug}/extensions?done=granted")
    except Problem as problem:
        state.blame(problem, FIELD_OF.get(problem.slug, "" if "Name one" in problem.detail else "due_at"))
    with access.reading() as member:
        return _render(page, member, state)


@router.get(f"{EXTENSIONS}/{{id}}/revoke")
def ask_revocation(page: ThePage, access: Extending, id: RowId) -> Response:
    """Ask whether an extension is to be revoked, with what that does to points."""
    with access.writing() as member:  # a plan locks the course
        found, impact = extensions.plan_revocation(member.session, member.course, id, member.actor)
        here = f"/courses/{access.slug}/extensions"
        who = found.name or f"section {found.section}"
        question = Question(
            f"Revoke the extension of {who}?",
            (f"Their due time is that of the assignment again. {impact.sentence}",),
            "Revoke it",
            f"{here}/{id}/revoke",
            here,
            asks_reason=True,
        )
        return confirmation.ask(page, question, member.membership)


@router.post(f"{EXTENSIONS}/{{id}}/revoke")
def revoke_extension(page: ThePage, access: Extending, form: TheForm, id: RowId) -> Response:
    """Take an extension back."""
    with access.writing() as member:
        found, _ = extensions.plan_revocation(member.session, member.course, id, member.actor)
        extensions.write_revocation(member.session, found.row, member.actor, text(form, "reason") or None)
    return page.go(f"/courses/{access.slug}/extensions?done=revoked")


def _grant(reader: Reader, member: CourseSession) -> Grant | None:
    """Return the extension in a form; None, with a fault, if it is not whole."""
    who = text(reader.form, "who")
    account, section = who.removeprefix(PERSON), who.removeprefix(SECTION)
    exercise = reader.words("exercise")
    due_at = reader.moment("due_at", zone_of(member.course))
    reason = reader.words("reason")
    for name, value, asked in (
        ("exercise", exercise, "Choose an assignment."),
        ("who", who, "Choose a person or a section."),
        ("due_at", due_at, "Type the new due time."),
        ("reason", reason, "Write why: it stands in the list and in the audit log."),
    ):
        if not value:
            reader.state.faults.setdefault(name, asked)
    if reader.state.is_wrong or due_at is None or exercise is None:
        return None
    account_id = int(account) if who.startswith(PERSON) and account.isdecimal() and len(account) <= 9 else None
    return Grant(exercise, due_at, reason or "", account_id, section if who.startswith(SECTION) else None)


def _render(
    page: Page, member: CourseSession, state: FormState, impact: Impact | None = None, notice: str = ""
) -> Response:
    if FRAGMENT_HEADER in page.request.headers:
        return page.render("teach/extension_preview.html", membership=member.membership, state=state, impact=impact)
    return page.render(
        "teach/extensions.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        shown=read_page(member),
        state=state,
        impact=impact,
        notice=notice,
    )
