"""Importing a roster: a file is read, what it would do is shown, and then it is done.

Nothing is kept between the two pages: the file goes along in the second form, packed. If the course changed meanwhile,
the same file would do something else; then that is shown first.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Response

from server.courses.access import CourseAccess, CourseSession
from server.courses.roles import Permission
from server.http.middleware import CSV_BYTES_MAX
from server.http.problems import Unprocessable
from server.pages.fields import FormState, Reader
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.people import roster_import
from server.people.roster import BadRoster, Mistake, known_headings, read_roster
from server.people.roster_import import Imported, ImportPlan
from server.people.routes import TheAddress

router = page_router()
IMPORT: Final = "/courses/{course}/people/import"
LISTED_MAX: Final = 500
SPOILT: Final = "The file did not come back whole. Choose it again."

Managing = Annotated[CourseAccess, Depends(Visiting(Permission.MANAGE_PEOPLE))]


@router.get(IMPORT)
def show_import(page: ThePage, access: Managing) -> Response:
    """Show where a roster is chosen, and what it may hold."""
    with access.reading() as member:
        return _choose(page, member, FormState())


@router.post(IMPORT)
def preview_import(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Show what a roster would do, line by line; nothing is written."""
    state = FormState(labels={"roster": "Roster"})
    content = Reader(form, state).file("roster")
    with access.reading() as member:
        if content is None:
            state.faults["roster"] = "No file was chosen. Choose one of your spreadsheet, saved as CSV."
            return _choose(page, member, state)
        if len(content) > CSV_BYTES_MAX:
            state.faults["roster"] = "The file is larger than 4 MB. Import it in parts."
            return _choose(page, member, state)
        return _preview(page, member, content, is_changed=False)


@router.post(f"{IMPORT}/confirm")
def import_people(page: ThePage, access: Managing, form: TheForm, address: TheAddress) -> Response:
    """Do what was shown, and show the links of those who were added, once."""
    with access.reading():
        pass  # a file is unpacked only for those who may import
    content = unpacked(text(form, "packed"))
    try:
        roster = read_roster(content)
        with access.writing() as member:
            plan = roster_import.plan_import(member.session, member.course, member.actor, roster)
            if digest(plan) != text(form, "seen"):
                return _preview(page, member, content, is_changed=True)
            imported = roster_import.import_roster(
                member.session, member.course, member.actor, roster, address, renew=text(form, "renew") != ""
            )
            return page.render(
                "teach/import_done.html",
                membership=member.membership,
                imported=imported,
                file=links_address(imported),
                shown=imported.links[:LISTED_MAX],
            )
    except BadRoster as bad:
        with access.reading() as member:
            return _mistaken(page, member, bad.mistakes)


def packed(content: bytes) -> str:
    """Return a file as a field of a form holds it."""
    return base64.urlsafe_b64encode(zlib.compress(content, 6)).decode()


def unpacked(field: str) -> bytes:
    """Return the file in a field.

    :raises Unprocessable: the field was spoilt, or unpacks to more than a roster may have
    """
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.urlsafe_b64decode(field.encode()), CSV_BYTES_MAX)
    except (ValueError, zlib.error):
        raise Unprocessable(SPOILT) from None
    if not unpacker.eof:
        raise Unprocessable(SPOILT)
    return content


def digest(plan: ImportPlan) -> str:
    """Return what two plans have in common if they do the same."""
    added = [(line.number, vars(line.details)) for line in plan.additions]
    changed = [(change.line.number, change.person.account.id, change.fields) for change in plan.changes]
    return hashlib.sha256(repr((added, changed)).encode()).hexdigest()


def links_address(imported: Imported) -> str:
    """Return an address that holds the file of links itself: no server keeps it."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(imported.links_csv().encode()).decode()}"


def _choose(page: Page, member: CourseSession, state: FormState) -> Response:
    status = 422 if state.is_wrong else 200
    return page.render("teach/import.html", status, membership=member.membership, state=state, mistakes=())


def _mistaken(page: Page, member: CourseSession, mistakes: Sequence[Mistake]) -> Response:
    return page.render(
        "teach/import.html", 422, membership=member.membership, state=FormState(), mistakes=mistakes[:LISTED_MAX]
    )


def _preview(page: Page, member: CourseSession, content: bytes, *, is_changed: bool) -> Response:
    try:
        plan = roster_import.plan_import(member.session, member.course, member.actor, read_roster(content))
    except BadRoster as bad:
        return _mistaken(page, member, bad.mistakes)
    return page.render(
        "teach/import_preview.html",
        409 if is_changed else 200,
        membership=member.membership,
        plan=plan,
        packed=packed(content),
        seen=digest(plan),
        is_changed=is_changed,
        listed_max=LISTED_MAX,
        never_signed_in=sum(not person.has_signed_in for person in plan.people),
        known_headings=known_headings(),
    )
