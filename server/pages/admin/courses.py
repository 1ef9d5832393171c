"""The courses of a server, and opening one."""

from __future__ import annotations

from typing import Final

from fastapi import Response

from server.accounts.signin import SignedInSession
from server.courses import courses
from server.http.problems import Problem
from server.lifecycle import opening
from server.pages.admin.access import TheAdmin
from server.pages.fields import FormState
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.teach.course_settings import zones

router = page_router()
LABELS: Final = {"slug": "Address", "title": "Title", "time_zone": "Time zone"}
FIELD_OF: Final = {
    "bad-slug": "slug",
    "slug-taken": "slug",
    "bad-title": "title",
    "unknown-time-zone": "time_zone",
}


@router.get("/admin")
def show_courses(page: ThePage, admin: TheAdmin) -> Response:
    """Show the courses of the server."""
    with admin.reading() as signed_in:
        return _render(page, signed_in, FormState({"time_zone": "UTC"}, labels=LABELS))


@router.post("/admin/courses")
def open_course(page: ThePage, admin: TheAdmin, form: TheForm) -> Response:
    """Open a course, of which the admin becomes the instructor."""
    state = FormState.of(form, LABELS)
    try:
        with admin.writing() as signed_in:
            course = opening.open_course(signed_in, text(form, "slug"), text(form, "title"), text(form, "time_zone"))
        return page.go(f"/courses/{course.slug}/people")
    except Problem as problem:
        state.blame(problem, FIELD_OF.get(problem.slug, ""))
    with admin.reading() as signed_in:
        return _render(page, signed_in, state)


def _render(page: Page, signed_in: SignedInSession, state: FormState) -> Response:
    status = 422 if state.is_wrong else 200
    listed = courses.list_courses(signed_in.session)
    return page.render("admin/courses.html", status, courses=listed, state=state, zones=zones())
