"""The assignments of a course: its dates at one glance, their order, adding and removing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Response

from exercises import registry
from server.assignments import changes, packs
from server.assignments.assignment import Assignment, list_extensions
from server.assignments.exercises import find_exercise
from server.assignments.lateness import late_sentence
from server.assignments.points import points_max
from server.courses.access import CourseAccess, CourseSession
from server.courses.local_time import zone_of
from server.courses.roles import Permission
from server.database.table import now
from server.http.problems import Problem
from server.pages import confirmation
from server.pages.confirmation import Question
from server.pages.fields import FormState
from server.pages.forms import TheForm, text
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.term import Term, term
from server.tables import AssignmentRow, CourseRow

router = page_router()
ASSIGNMENTS: Final = "/courses/{course}/assignments"
ASSIGNMENT: Final = f"{ASSIGNMENTS}/{{pack}}/{{name}}"
DONE: Final = {
    "saved": "The assignment is saved.",
    "same": "Nothing was changed: the rules were as before.",
    "ordered": "The assignments have their new order.",
    "removed": "The assignment is removed. What was handed in stays.",
}

Reading = Annotated[CourseAccess, Depends(Visiting(Permission.READ_CLASS))]
Setting = Annotated[CourseAccess, Depends(Visiting(Permission.MANAGE_ASSIGNMENTS))]


async def named_slug(pack: Annotated[str, Path(max_length=64)], name: Annotated[str, Path(max_length=64)]) -> str:
    """Return the slug that an address names."""
    return f"{pack}/{name}"


Slug = Annotated[str, Depends(named_slug)]


@dataclass(frozen=True)
class Listed:
    """An assignment in the list. ``earlier`` and ``later`` are the orders with it moved by a place; empty: no move."""

    row: AssignmentRow
    title: str
    points: float
    late: str | None
    state: str
    earlier: str
    later: str


@dataclass(frozen=True)
class AssignmentList:
    """The assignments of a course, their line of time, and the exercises that it does not ask for.

    ``pack_notes`` says what of its packs is not as it was pinned.
    """

    assignments: Sequence[Listed]
    term: Term | None
    others: Sequence[tuple[str, str]]
    pack_notes: Sequence[str] = ()


def read_list(member: CourseSession) -> AssignmentList:
    """Return what the list shows."""
    rows = changes.read(member.session, member.course)
    titles = {slug: exercise.title for slug, exercise in registry.exercises().items()}
    order = [row.exercise for row in rows]
    listed = [_listed(row, member.course, titles, order) for row in rows]
    held = packs.exercises_of(member.course)
    others = [(slug, exercise.title) for slug, exercise in held.items() if slug not in order]
    extensions = list_extensions(member.session, member.course)
    assignments = [Assignment.of(row, member.course) for row in rows]
    notes = [each.note for each in packs.read(member.course) if each.note]
    return AssignmentList(listed, term(assignments, extensions, titles, now(), zone_of(member.course)), others, notes)


@router.get(ASSIGNMENTS)
def show_assignments(page: ThePage, access: Reading, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Show the assignments of a course on a line of time, and in a table."""
    with access.reading() as member:
        shown = read_list(member)
        notice = DONE.get(done, "")
        return page.render("teach/assignments.html", membership=member.membership, list=shown, notice=notice, fault="")


@router.get(f"{ASSIGNMENTS}/new")
def choose_exercise(page: ThePage, access: Setting, exercise: Annotated[str, Query(max_length=64)]) -> Response:
    """Lead to the form of an exercise that was chosen from the list."""
    with access.reading():
        pass  # refuses those who may not
    return page.go(f"/courses/{access.slug}/assignments/{find_exercise(exercise).slug}")


@router.post(f"{ASSIGNMENTS}/order")
def order_assignments(page: ThePage, access: Setting, form: TheForm) -> Response:
    """Put the assignments of a course in another order."""
    try:
        with access.writing() as member:
            plan = changes.plan_order(member.session, member.course, text(form, "order").split(","))
            changes.write(member.session, member.course, plan, member.actor)
        return page.go(f"/courses/{access.slug}/assignments?done=ordered")
    except changes.BadOrder:
        fault = "The assignments were changed meanwhile, so they were not moved. Look at them again, then move them."
    with access.reading() as member:
        shown = read_list(member)
        return page.render(
            "teach/assignments.html", 409, membership=member.membership, list=shown, notice="", fault=fault
        )


@router.get(f"{ASSIGNMENT}/remove")
def ask_removal(page: ThePage, access: Setting, slug: Slug) -> Response:
    """Ask whether an assignment is to be removed, with what was handed in for it."""
    with access.reading() as member:
        return confirmation.ask(page, _removal(member, slug), member.membership)


@router.post(f"{ASSIGNMENT}/remove")
def remove_assignment(page: ThePage, access: Setting, form: TheForm, slug: Slug) -> Response:
    """Ask for an exercise no longer."""
    version = text(form, "version")
    try:
        with access.writing() as member:
            seen = int(version) if version.isdecimal() else None
            plan = changes.plan_removal(member.session, member.course, slug, seen)
            changes.write(member.session, member.course, plan, member.actor)
        return page.go(f"/courses/{access.slug}/assignments?done=removed")
    except Problem as problem:
        state = FormState().blame(problem)
    with access.reading() as member:
        return confirmation.ask(page, _removal(member, slug), member.membership, state)


def _listed(row: AssignmentRow, course: CourseRow, titles: dict[str, str], order: list[str]) -> Listed:
    assignment = Assignment.of(row, course)
    exercise = registry.exercises().get(row.exercise)
    names = [each.name for each in exercise.checkpoints] if exercise else []
    place = order.index(row.exercise)
    return Listed(
        row,
        titles.get(row.exercise, f"{row.exercise} (not installed any more)"),
        points_max(assignment, names),
        late_sentence(assignment),
        state_of(row),
        _moved(order, place, -1),
        _moved(order, place, 1),
    )


def state_of(row: AssignmentRow) -> str:
    """Return whether an assignment is not open yet, open, or past its due time."""
    moment = now()
    if row.opens_at is not None and row.opens_at > moment:
        return "planned"
    return "past due" if row.due_at is not None and row.due_at <= moment else "open"


def _moved(order: list[str], place: int, by: int) -> str:
    """Return the order with one moved, as a field of a form; nothing if it cannot be."""
    if not 0 <= place + by < len(order):
        return ""
    moved = [*order]
    moved[place], moved[place + by] = moved[place + by], moved[place]
    return ",".join(moved)


def _removal(member: CourseSession, slug: str) -> Question:
    row = changes.find(member.session, member.course, slug)
    work = changes.count_work(member.session, member.course, slug)
    here = f"/courses/{member.course.slug}/assignments"
    exercise = registry.exercises().get(slug)
    handed_in = f"There are {work.sentence}" if work.submissions != 1 else f"There is {work.sentence}"
    sentences = [f"{handed_in} They stay, and count no more."] if work.submissions else ["Nobody handed in anything."]
    if len(changes.read(member.session, member.course)) == 1:
        sentences.append(
            "It is the last assignment: the course is open practice then, with every exercise and no dates."
        )
    return Question(
        f"Remove the assignment “{exercise.title if exercise else slug}”?",
        (*sentences, "Its rules are gone. Its extensions hold again if it is set again."),
        "Remove it",
        f"{here}/{slug}/remove",
        f"{here}/{slug}" if exercise else here,
        hidden={"version": str(row.version)},
        is_grave=bool(work.submissions),
    )
