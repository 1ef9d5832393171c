"""Join codes, and the page with one for the wall."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Response

from server.courses import join_codes as codes
from server.courses.access import CourseAccess, CourseSession
from server.courses.join_codes import CodeState, CodeTerms
from server.courses.local_time import zone_of
from server.courses.roles import Permission
from server.courses.seats import list_sections
from server.http.problems import Problem
from server.http.row_id import RowId
from server.pages import confirmation
from server.pages.confirmation import Question
from server.pages.fields import FormState, Reader, typed_moment, typed_number
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.qr import qr_code
from server.pages.route import page_router
from server.pages.session import Visiting
from server.people import join_codes
from server.people.routes import TheAddress
from server.people.schemas import USES_MAX
from server.tables import JoinCodeRow

router = page_router()
CODES: Final = "/courses/{course}/join-codes"
CODE: Final = f"{CODES}/{{code}}"
LABELS: Final = {"section": "Section", "uses_max": "Uses", "expires_at": "Until"}
FIELD_OF: Final = {"bad-end": "expires_at", "bad-time": "expires_at", "bad-detail": "section"}
DONE: Final = {
    "made": "The code is made. Show it to the class.",
    "changed": "The code has its new terms.",
    "closed": "The code is closed. It takes nobody in until it is opened again.",
    "opened": "The code is open, without an end.",
    "revoked": "The code is revoked for ever. Nobody lost a seat.",
}

Managing = Annotated[CourseAccess, Depends(Visiting(Permission.MANAGE_PEOPLE))]


@router.get(CODES)
def show_codes(page: ThePage, access: Managing, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Show the join codes of a course, and the form for a further one."""
    with access.reading() as member:
        return _codes(page, member, FormState(labels=LABELS), DONE.get(done, ""))


@router.post(CODES)
def make_code(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Make a further join code."""
    state = FormState.of(form, LABELS)
    try:
        with access.writing() as member:
            terms = _terms(Reader(form, state), member)
            if not state.is_wrong:
                join_codes.make(member.session, member.course, member.actor, CodeTerms(**terms))
    except Problem as problem:
        state.blame(problem, FIELD_OF.get(problem.slug, ""))
    if not state.is_wrong:
        return page.go(f"/courses/{access.slug}/join-codes?done=made")
    with access.reading() as member:
        return _codes(page, member, state)


@router.get(CODE)
def show_code(page: ThePage, access: Managing, code: RowId) -> Response:
    """Show the terms of a join code."""
    with access.reading() as member:
        row = join_codes.find(member.session, member.course, code)
        zone = zone_of(member.course)
        values = {
            "section": row.section or "",
            "uses_max": typed_number(row.uses_max),
            "expires_at": typed_moment(row.expires_at, zone),
        }
        return _code(page, member, row, FormState(values, labels=LABELS))


@router.post(CODE)
def change_code(page: ThePage, access: Managing, form: TheForm, code: RowId) -> Response:
    """Change the terms of a join code."""
    state = FormState.of(form, LABELS)
    try:
        with access.writing() as member:
            row = join_codes.find(member.session, member.course, code)
            terms = _terms(Reader(form, state), member, row)
            changes = {name: value for name, value in terms.items() if value != getattr(row, name)}
            if changes and not state.is_wrong:
                join_codes.change(member.session, member.course, member.actor, code, changes)
    except Problem as problem:
        state.blame(problem, FIELD_OF.get(problem.slug, ""))
    if not state.is_wrong:
        return page.go(f"/courses/{access.slug}/join-codes?done=changed")
    with access.reading() as member:
        return _code(page, member, join_codes.find(member.session, member.course, code), state)


@router.post(f"{CODE}/close")
def close_code(page: ThePage, access: Managing, form: TheForm, code: RowId) -> Response:
    """Close a join code, or open it again."""
    is_closed = text(form, "closed") != "no"
    with access.writing() as member:
        join_codes.change(member.session, member.course, member.actor, code, {}, is_closed)
    return page.go(f"/courses/{access.slug}/join-codes?done={'closed' if is_closed else 'opened'}")


@router.get(f"{CODE}/revoke")
def ask_revocation(page: ThePage, access: Managing, code: RowId) -> Response:
    """Ask whether a join code is to be revoked."""
    with access.reading() as member:
        row = join_codes.find(member.session, member.course, code)
        here = f"/courses/{access.slug}/join-codes"
        question = Question(
            f"Revoke the code {row.code}?",
            ("It never takes anybody in again. Nobody loses a seat.", "To stop it for a while, close it instead."),
            "Revoke it",
            f"{here}/{code}/revoke",
            here,
            is_grave=True,
        )
        return confirmation.ask(page, question, member.membership)


@router.post(f"{CODE}/revoke")
def revoke_code(page: ThePage, access: Managing, form: TheForm, code: RowId) -> Response:
    """Revoke a join code for ever."""
    with access.writing() as member:
        join_codes.revoke(member.session, member.course, member.actor, code)
    return page.go(f"/courses/{access.slug}/join-codes?done=revoked")


@router.get(f"{CODE}/wall")
def show_wall(page: ThePage, access: Managing, code: RowId, address: TheAddress) -> Response:
    """Show a join code for the wall: large, with a QR code to the page for joining."""
    with access.reading() as member:
        row = join_codes.find(member.session, member.course, code)
        return page.render(
            "teach/wall_code.html",
            membership=member.membership,
            code=row,
            address=address.rstrip("/"),
            qr=qr_code(join_address(address, row.code)),
            is_open=codes.state_of(row) is CodeState.OPEN,
        )


def join_address(address: str, code: str) -> str:
    """Return the address of the page for joining, with a code in it."""
    return f"{address.rstrip('/')}/join?code={code}"


def _terms(reader: Reader, member: CourseSession, row: JoinCodeRow | None = None) -> dict[str, Any]:
    uses_max = reader.number("uses_max")
    if uses_max is not None and not 1 <= uses_max <= USES_MAX:
        reader.state.faults["uses_max"] = f"A code has 1 to {USES_MAX:,} uses, or any number. Type one, or none."
    kept = row.expires_at if row else None
    end = reader.moment("expires_at", zone_of(member.course), kept)
    return {"section": reader.words("section"), "uses_max": uses_max, "expires_at": end}


def _codes(page: Page, member: CourseSession, state: FormState, notice: str = "") -> Response:
    rows = [(row, codes.state_of(row)) for row in codes.list_codes(member.session, member.course)]
    return page.render(
        "teach/join_codes.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        codes=[each for each in rows if each[1] is not CodeState.REVOKED],
        revoked=sum(state is CodeState.REVOKED for _, state in rows),
        sections=list_sections(member.session, member.course),
        state=state,
        notice=notice,
    )


def _code(page: Page, member: CourseSession, row: JoinCodeRow, state: FormState) -> Response:
    return page.render(
        "teach/join_code.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        code=row,
        sections=list_sections(member.session, member.course),
        state=state,
    )
