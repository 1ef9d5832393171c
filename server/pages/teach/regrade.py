"""Regrades: begun, watched, and accepted or discarded by their difference report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query, Response

from exercises import registry
from server.assignments import packs
from server.assignments.exercises import find_exercise
from server.courses.access import CourseAccess, CourseSession
from server.courses.roles import Permission
from server.http.problems import Problem
from server.http.row_id import RowId
from server.pages import confirmation
from server.pages.confirmation import Question
from server.pages.fields import FormState, Reader
from server.pages.filters import plural
from server.pages.forms import TheForm
from server.pages.page import Page, ThePage
from server.pages.route import FRAGMENT_HEADER, page_router
from server.pages.session import Visiting
from server.people import people
from server.people.people import Person, Search
from server.progress.record import PASSING
from server.queue.dispatcher import TheDispatcher
from server.regrading import regrade
from server.regrading.regrade import RegradeScope
from server.regrading.report import NO_ROW, report
from server.regrading.schemas import DifferenceBody, RegradeBody
from server.tables import Role

router = page_router()
REGRADE: Final = "/courses/{course}/regrade"
LABELS: Final = {"exercise": "Exercise", "account_id": "Student", "submission_id": "Submission"}
LISTED_MAX: Final = 100
DONE: Final = {
    "none": "There is nothing to grade again: every grade is of today's exercises, torch and grader.",
    "accepted": "The new grades count now.",
    "discarded": "The new grades are dropped. Nothing else changed.",
}

Regrading = Annotated[CourseAccess, Depends(Visiting(Permission.REGRADE))]


@dataclass(frozen=True)
class Judged:
    """How a step was judged by one grade: its mark, and the words beside it."""

    mark: str
    words: str


@dataclass(frozen=True)
class StepChange:
    """A step that two grades judge otherwise."""

    name: str
    before: Judged
    after: Judged


@dataclass(frozen=True)
class Difference:
    """A submission whose grade changes, with its steps."""

    body: DifferenceBody
    steps: Sequence[StepChange]


@dataclass(frozen=True)
class RegradePage:
    """What the page of regrades shows; ``scope`` says in words what the regrade is of."""

    report: RegradeBody
    scope: str
    differences: Sequence[Difference]
    share: float

    @property
    def total(self) -> int:
        """How many submissions are graded again in all."""
        return self.report.waiting + self.report.regraded + len(self.report.set_aside)

    @property
    def is_done(self) -> bool:
        """Whether the regrade can be accepted."""
        return self.report.status == "open" and not self.report.waiting


def read_page(member: CourseSession, regrade_id: int | None = None) -> RegradePage:
    """Return what the page shows of a regrade; without an id of the newest.

    :raises UnknownRegrade: the course has none of this id
    """
    row = regrade.find_regrade(member.session, member.course, regrade_id)
    told = report(member.session, member.course, row)
    scope = regrade.scope_of(row).in_words if row else ""
    total = told.waiting + told.regraded + len(told.set_aside)
    share = (total - told.waiting) / total if total else 1.0
    return RegradePage(told, scope, [_difference(body) for body in told.changed[:LISTED_MAX]], share)


@router.get(REGRADE)
def show_regrade(
    page: ThePage, access: Regrading, id: RowId | None = None, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Show how far a regrade is, and who gains and loses by it; a script looks again while something waits."""
    with access.reading() as member:
        if FRAGMENT_HEADER in page.request.headers:
            shown = read_page(member, id)
            return page.render("teach/regrade_report.html", membership=member.membership, shown=shown)
        return _render(page, member, FormState(labels=LABELS), DONE.get(done, ""), id)


@router.post(REGRADE)
def begin_regrade(page: ThePage, access: Regrading, form: TheForm, dispatcher: TheDispatcher) -> Response:
    """Grade again what has no grade of today, in the background."""
    state = FormState.of(form, LABELS)
    reader = Reader(form, state)
    slug, scope_of = reader.words("exercise"), {name: reader.number(name) for name in ("account_id", "submission_id")}
    try:
        if not state.is_wrong:
            exercises = list(registry.exercises().values()) if slug is None else [find_exercise(slug)]
            scope = RegradeScope(slug, scope_of["account_id"], scope_of["submission_id"])
            with access.writing() as member:
                begun = regrade.begin(member.session, member.course, exercises, scope, member.account_id)
                if begun.regrade is not None and begun.outdated:
                    dispatcher.enqueue(member.session, begun.outdated, regrade_id=begun.regrade.id)
            return page.go(f"/courses/{access.slug}/regrade" + ("" if begun.regrade is not None else "?done=none"))
    except Problem as problem:
        if problem.status == 404:  # the scope names what is not there
            state.faults["submission_id" if "ubmission" in problem.for_page else ""] = problem.for_page
        else:
            state.blame(problem)
    with access.reading() as member:
        return _render(page, member, state)


@router.get(f"{REGRADE}/{{id}}/accept")
def ask_acceptance(page: ThePage, access: Regrading, id: RowId) -> Response:
    """Ask whether the new grades are to count."""
    with access.reading() as member:
        shown = read_page(member, id)
        return confirmation.ask(page, _acceptance(access.slug, shown), member.membership)


@router.post(f"{REGRADE}/{{id}}/accept")
def accept_regrade(page: ThePage, access: Regrading, form: TheForm, id: RowId) -> Response:
    """Let the new grades count, all at once."""
    try:
        with access.writing() as member:
            regrade.accept(member.session, member.course, id, member.account_id)
        return page.go(f"/courses/{access.slug}/regrade?done=accepted")
    except Problem as problem:
        state = FormState().blame(problem)
    with access.reading() as member:
        return _render(page, member, state, regrade_id=id)


@router.get(f"{REGRADE}/{{id}}/discard")
def ask_discarding(page: ThePage, access: Regrading, id: RowId) -> Response:
    """Ask whether the new grades are to be dropped."""
    with access.reading() as member:
        regrade.find_regrade(member.session, member.course, id)
        here = f"/courses/{access.slug}/regrade"
        sentences = ("Its new grades are dropped, and what still waits for it. The old grades go on to count.",)
        question = Question(f"Discard regrade {id}?", sentences, "Discard it", f"{here}/{id}/discard", here)
        return confirmation.ask(page, question, member.membership)


@router.post(f"{REGRADE}/{{id}}/discard")
def discard_regrade(page: ThePage, access: Regrading, form: TheForm, id: RowId) -> Response:
    """Drop the new grades, and what waits."""
    try:
        with access.writing() as member:
            regrade.discard(member.session, member.course, id, member.account_id)
        return page.go(f"/courses/{access.slug}/regrade?done=discarded")
    except Problem as problem:
        state = FormState().blame(problem)
    with access.reading() as member:
        return _render(page, member, state, regrade_id=id)


def judged(line: str) -> Judged:
    """Return the mark and the words of a step as the report has it, such as ``wrong own sign``."""
    if line in (NO_ROW, "missing"):
        return Judged("missing", "not there")
    verdict, *rest = line.split()
    if verdict in PASSING:
        return Judged(verdict, verdict)
    if "inherited" in rest:
        return Judged("inherited", "inherited")
    words = [word.replace("_", " ") for word in rest if word != "own"]
    return Judged("own", ", ".join(words) or verdict.replace("_", " "))


def _difference(body: DifferenceBody) -> Difference:
    return Difference(body, [StepChange(row.name, judged(row.before), judged(row.after)) for row in body.rows])


def _acceptance(slug: str, shown: RegradePage) -> Question:
    gain, lose = len(shown.report.gain), len(shown.report.lose)
    here = f"/courses/{slug}/regrade"
    points = (
        f"The points of {gain + lose} change: {gain} gain, {lose} lose." if gain or lose else "Nobody's points change."
    )
    aside = len(shown.report.set_aside)
    kept = (f"{aside} could not be graded again, and keep their grade.",) if aside else ()
    return Question(
        f"Let the grades of regrade {shown.report.id} count?",
        (f"{plural(shown.report.regraded, 'new grade')} will count, all at once. {points}", *kept),
        "Accept it",
        f"{here}/{shown.report.id}/accept",
        here,
    )


def _students(member: CourseSession) -> Sequence[Person]:
    return people.list_people(member.session, member.course, Search(role=Role.STUDENT))


def _render(
    page: Page, member: CourseSession, state: FormState, notice: str = "", regrade_id: int | None = None
) -> Response:
    return page.render(
        "teach/regrade.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        shown=read_page(member, regrade_id),
        exercises=[(slug, exercise.title) for slug, exercise in packs.exercises_of(member.course).items()],
        students=_students(member),
        state=state,
        notice=notice,
    )
