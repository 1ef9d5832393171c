"""A course itself: its title, zone and rules; archiving, copying and removing it."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Response

from server.assignments.impact import Impact
from server.courses import changing
from server.courses.access import CourseAccess, CourseSession
from server.courses.roles import Permission
from server.http.problems import Problem
from server.lifecycle import copying, planning, removal
from server.lifecycle.copying import CopyOrder
from server.pages import confirmation
from server.pages.confirmation import Question
from server.pages.fields import FormState, Reader, typed_percent
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.tables import CourseRow, Role

router = page_router()
SETTINGS: Final = "/courses/{course}/settings"
LABELS: Final = {
    "title": "Title",
    "time_zone": "Time zone",
    "hint_levels": "Hints",
    "hints_after": "Hints after",
    "counterexamples": "Counterexample",
    "inherited_share": "An inherited step earns",
    "slug": "Address of the copy",
    "shift_days": "Days to move",
}
FIELD_OF: Final = {
    "bad-title": "title",
    "unknown-time-zone": "time_zone",
    "bad-slug": "slug",
    "slug-taken": "slug",
    "bad-time": "shift_days",
}
DONE: Final = {
    "saved": "The course is saved.",
    "archived": "The course is archived. It can be read, and takes nothing in.",
    "reopened": "The course takes answers, people and changes again.",
}

Managing = Annotated[CourseAccess, Depends(Visiting(Permission.MANAGE_COURSE))]


@router.get(SETTINGS)
def show_settings(page: ThePage, access: Managing, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Show the rules of a course."""
    with access.reading() as member:
        return _render(page, member, FormState(typed(member.course), labels=LABELS), DONE.get(done, ""))


@router.post(SETTINGS)
def change_settings(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Change a course; if that changes somebody's points, once it was seen and agreed to."""
    state = FormState.of(form, LABELS)
    try:
        with access.writing() as member:
            fields = _fields(Reader(form, state), member.course)
            if not state.is_wrong:
                impact = planning.foresee(member.session, member.course, fields)
                if impact.students and text(form, "agreed") != impact.sentence:
                    return _render(page, member, state, impact=impact)
                changing.change(member.session, member.course, fields, member.actor)
                return page.go(f"/courses/{access.slug}/settings?done=saved")
    except Problem as problem:
        state.blame(problem, FIELD_OF.get(problem.slug, ""))
    with access.reading() as member:
        return _render(page, member, state)


@router.get(f"{SETTINGS}/archive")
def ask_archiving(page: ThePage, access: Managing) -> Response:
    """Ask whether a course is to be archived."""
    with access.reading() as member:
        here = f"/courses/{access.slug}/settings"
        sentences = (
            "It can be read, and takes no answers, people or changes.",
            "You can reopen it at any time.",
        )
        question = Question(f"Archive {member.course.title}?", sentences, "Archive it", f"{here}/archive", here)
        return confirmation.ask(page, question, member.membership)


@router.post(f"{SETTINGS}/archive")
def archive_course(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Let a course be read only."""
    with access.writing() as member:
        changing.archive(member.session, member.course, member.actor)
    return page.go(f"/courses/{access.slug}/settings?done=archived")


@router.post(f"{SETTINGS}/reopen")
def reopen_course(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Let an archived course take answers again."""
    with access.writing() as member:
        changing.reopen(member.session, member.course, member.actor)
    return page.go(f"/courses/{access.slug}/settings?done=reopened")


@router.get(f"{SETTINGS}/copy")
def show_copy(page: ThePage, access: Managing) -> Response:
    """Show the form for a copy of a course."""
    with access.reading() as member:
        values = {"title": member.course.title, "shift_days": "182"}
        return _copy(page, member, FormState(values, labels=LABELS))


@router.post(f"{SETTINGS}/copy")
def copy_course(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Copy a course for the next term, and show what could not keep its time of the day."""
    state = FormState.of(form, LABELS)
    reader = Reader(form, state)
    days = reader.number("shift_days", 0)
    try:
        if not state.is_wrong:
            with access.writing() as member:
                order = CopyOrder(text(form, "slug"), reader.words("title"), days or 0)
                instructor_id = member.account_id if Role.INSTRUCTOR in member.membership.roles else None
                made = copying.copy(member.session, member.course, order, member.actor, instructor_id)
                return page.render("teach/course_copied.html", membership=member.membership, made=made)
    except Problem as problem:
        state.blame(problem, FIELD_OF.get(problem.slug, ""))
    with access.reading() as member:
        return _copy(page, member, state)


@router.get(f"{SETTINGS}/remove")
def ask_removal(page: ThePage, access: Managing) -> Response:
    """Ask whether a course is to be removed with everything in it."""
    with access.reading() as member:
        return confirmation.ask(page, _removal(member), member.membership)


@router.post(f"{SETTINGS}/remove")
def remove_course(page: ThePage, access: Managing, form: TheForm) -> Response:
    """Remove a course, once its address was typed; and its work, if that was ticked."""
    state = FormState.of(form, {"confirm": "The address of the course", "with_work": "The work"})
    if not confirmation.typed_wrong(state, access.slug):
        try:
            with access.writing() as member:
                with_work = text(form, "with_work") != ""
                removal.remove(member.session, member.course, access.slug, member.actor, with_work=with_work)
            return page.go("/courses")
        except removal.CourseHasWork:
            state.faults["with_work"] = "There is work in it. Tick this to remove it too, or archive the course."
        except Problem as problem:
            state.blame(problem)
    with access.reading() as member:
        return confirmation.ask(page, _removal(member), member.membership, state)


def typed(course: CourseRow) -> dict[str, str]:
    """Return the rules of a course as a form holds them."""
    return {
        "title": course.title,
        "time_zone": course.time_zone,
        "hint_levels": str(course.hint_levels),
        "hints_after": str(course.hints_after),
        "counterexamples": "on" if course.counterexamples else "",
        "inherited_share": typed_percent(course.inherited_share),
    }


@cache
def zones() -> list[str]:
    """Return the names of time zones that people live in."""
    return sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))


def _fields(reader: Reader, course: CourseRow) -> dict[str, Any]:
    levels = reader.choice("hint_levels", ("0", "1", "2", "3"), str(course.hint_levels))
    return {
        "title": reader.words("title") or "",
        "time_zone": reader.words("time_zone") or "",
        "hint_levels": int(levels),
        "hints_after": reader.number("hints_after", 0),
        "counterexamples": reader.is_on("counterexamples"),
        "inherited_share": reader.percent("inherited_share", 0.0),
    }


def _render(
    page: Page, member: CourseSession, state: FormState, notice: str = "", impact: Impact | None = None
) -> Response:
    return page.render(
        "teach/course_settings.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        state=state,
        notice=notice,
        impact=impact,
        zones=zones(),
    )


def _copy(page: Page, member: CourseSession, state: FormState) -> Response:
    status = 422 if state.is_wrong else 200
    return page.render("teach/course_copy.html", status, membership=member.membership, state=state)


def _removal(member: CourseSession) -> Question:
    content = removal.count(member.session, member.course)
    here = f"/courses/{member.course.slug}/settings"
    ticks = {"with_work": f"Remove the {content.submissions} submissions too"} if content.submissions else {}
    return Question(
        f"Remove {member.course.title} for ever?",
        (
            f"{content.sentence} All of it would be gone, with its assignments and its audit log.",
            "The accounts of its people stay. This cannot be undone; an archived course can be reopened.",
        ),
        "Remove the course",
        f"{here}/remove",
        here,
        typed=member.course.slug,
        ticks=ticks,
        is_grave=True,
    )
