"""Training on pages: a student starts a run, follows its curve, cancels it, and reads the ranking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from dojo.api.training import parse_schedule
from server.assignments.exercises import find_exercise
from server.courses.access import CourseAccess, CourseSession
from server.courses.roles import Permission
from server.http.problems import Problem, Unprocessable
from server.http.row_id import RowId
from server.instances import choice
from server.instances.store import TheInstances
from server.pages.fields import FormState, Reader
from server.pages.forms import TheForm
from server.pages.page import TEMPLATES, Page, ThePage
from server.pages.route import page_router
from server.pages.session import TheVisitor, Visiting
from server.pages.source import lines_of
from server.pages.study.reading import read_file
from server.pages.study.reading_turns import TheReadingTurns
from server.pages.study.training_view import RunShown, read_training
from server.rules.rules import find_rules
from server.tables import AccountRow
from server.training import runs
from server.training.access import RunAccess
from server.training.room import TheTraining, Training
from server.training.routes import show_source as handed_out
from server.training.run import TrainingRun
from server.training.runs import EXERCISE, Order

FILENAME: Final = "backward.py"
ADDRESS: Final = "/courses/{course}/training"
RUN: Final = "/training/{id}"
LABELS: Final = {
    "source": "Code",
    "file": "File",
    "steps": "Steps",
    "batch": "Minibatch",
    "rates": "Learning rate",
    "pseudonym": "Pseudonym",
}
FIELD_OF: Final = {
    "over-budget": "steps",
    "no-pseudonym": "pseudonym",
    "bad-name": "pseudonym",
    "taken-pseudonym": "pseudonym",
    "too-large": "source",
}

router = page_router()
Reading = Annotated[CourseAccess, Depends(Visiting(Permission.READ_OWN_WORK))]
Working = Annotated[CourseAccess, Depends(Visiting(Permission.HAND_IN))]


@dataclass(frozen=True)
class VisitingRun:
    """The dependency of a page of a training run; see ``RunAccess`` for its two permissions."""

    own: Permission
    others: Permission

    async def __call__(self, request: Request, id: RowId, visitor: TheVisitor) -> RunAccess:
        """Return access to the run that the address names."""
        return RunAccess(visitor, id, self.own, self.others)


Looking = Annotated[RunAccess, Depends(VisitingRun(Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS))]
Cancelling = Annotated[RunAccess, Depends(VisitingRun(Permission.READ_OWN_WORK, Permission.CANCEL_SUBMISSIONS))]


@router.get(ADDRESS)
def show_training(page: ThePage, access: Reading, training: TheTraining) -> Response:
    """Show one's own runs, the ranking, and the form for another run."""
    with access.reading() as member:
        return _render(page, member, training, FormState(labels=LABELS))


@router.post(f"{ADDRESS}/start")
def start_run(page: ThePage, access: Working, training: TheTraining, form: TheForm) -> Response:
    """Start a run of what stands in the editor."""
    state = FormState.of(form, LABELS)
    order = _order(Reader(form, state))
    if order is not None:
        try:
            with access.handing_in() as member:
                runs.start(member.session, member.membership, member.account_id, order, training.terms)
            return page.go(f"/courses/{access.slug}/training#run")
        except Problem as problem:
            state.blame(problem, FIELD_OF.get(problem.slug, ""))
    with access.reading() as member:
        return _render(page, member, training, state)


@router.post(f"{ADDRESS}/read")
async def read(
    page: ThePage,
    access: Working,
    training: TheTraining,
    instances: TheInstances,
    turns: TheReadingTurns,
    form: TheForm,
) -> Response:
    """Put what is taken of a notebook or a script into the editor."""
    account_id = await run_in_threadpool(_account_of, access)
    file = form.get("file")
    state = FormState(labels=LABELS)
    if not isinstance(file, UploadFile) or not file.filename:
        state.faults["file"] = "Choose a notebook or a script first."
        return await run_in_threadpool(_shown, page, access, training, state)
    async with turns.one(account_id):
        content = await file.read()  # not before: files that wait stay on the disk
        return await run_in_threadpool(_taken, page, access, training, instances, (file.filename, content))


@router.get(RUN)
def show_run(page: ThePage, access: Looking) -> Response:
    """Show a run with its code, to its owner and to the staff of its course."""
    with access.reading() as opened:
        row = opened.row
        person = None if row.account_id == opened.reader_id else opened.session.get_one(AccountRow, row.account_id)
        return page.render(
            "study/training_run.html",
            membership=opened.reader,
            shown=RunShown(TrainingRun.of(row)),
            person=person,
            lines=None if row.emptied_at else lines_of(row.body.decode("utf-8", "replace")),
            filename=row.filename,
        )


@router.get(f"{RUN}/source")
def show_source(access: Looking) -> Response:
    """Hand out the code of a run, byte for byte."""
    return handed_out(access)


@router.post(f"{RUN}/cancel")
def cancel_run(page: ThePage, access: Cancelling, form: TheForm) -> Response:
    """Cancel a run that goes on."""
    with access.writing() as opened:
        runs.cancel(opened.session, opened.row.id)
        is_own = opened.row.account_id == opened.reader_id
        course = opened.reader.course.slug
    return page.go(f"/courses/{course}/training" if is_own else f"/training/{access.id}")


def read_run(access: Looking) -> TrainingRun:
    """Return a run as it is now."""
    with access.reading() as opened:
        return TrainingRun.of(opened.row)


async def stream_owner(run: Annotated[TrainingRun, Depends(read_run)], access: Looking, training: TheTraining) -> int:
    """Return the account that may follow the run, and one stream more.

    :raises TooManyStreams: it has as many as it may
    """
    account_id: int = access.credentials.request_state.account_id  # who read the run
    training.follower.require_room(account_id)
    return account_id


@router.get(f"{RUN}/events", response_class=EventSourceResponse)
async def follow_run(
    account_id: Annotated[int, Depends(stream_owner)], access: Looking, training: TheTraining
) -> AsyncIterator[ServerSentEvent]:
    """Follow a run: each event is its curve and figures as they are now, as HTML. The last one is ``done``."""
    template = TEMPLATES.get_template("study/training_live.html")
    async for run in training.follower.changes(access.id, account_id, lambda: read_run(access)):
        html = await run_in_threadpool(template.render, shown=RunShown(run))
        yield ServerSentEvent(event="run" if run.is_live else "done", data=html)


def _order(reader: Reader) -> Order | None:
    """Return what a form asks for; None, with a fault, if it cannot be read."""
    source = reader.form.get("source")
    source = source.replace("\r\n", "\n") if isinstance(source, str) else ""
    if not source.strip():
        reader.state.faults["source"] = "There is no code. Write your backward(state), or open a file."
    schedule = None
    typed = reader.words("rates")
    if typed is not None:
        try:
            schedule = parse_schedule(typed)
        except ValueError as error:
            reader.state.faults["rates"] = str(error)
    steps, batch = reader.number("steps"), reader.number("batch", 32)
    if reader.state.is_wrong or batch is None:
        return None
    is_ranked = reader.is_on("ranked")
    pseudonym = reader.words("pseudonym") if is_ranked else None
    return Order(FILENAME, source, steps, batch, schedule, is_ranked, pseudonym)


def _account_of(access: CourseAccess) -> int:
    with access.reading() as member:
        return member.account_id


def _taken(
    page: Page, access: CourseAccess, training: Training, instances: TheInstances, file: tuple[str, bytes]
) -> Response:
    """Show the page with what is taken of a file in the editor."""
    exercise = find_exercise(EXERCISE)
    with access.reading() as member:
        rules = find_rules(member.session, member.membership, member.account_id, EXERCISE)
    stored = instances.get(member.account_id, exercise, choice.handed_out(rules.assignment))
    state = FormState(labels=LABELS)
    notice = ""
    try:
        taken = read_file(exercise, tuple(stored.instance.tensors()), *file)
        if taken.source is None:
            raise Unprocessable("A file of tensors holds no code. Open a notebook or a script.")
        state.values["source"] = taken.source
        notice = " ".join((taken.summary, *taken.remarks))
    except Problem as problem:
        state.blame(problem, "file")
    return _shown(page, access, training, state, notice)


def _shown(page: Page, access: CourseAccess, training: Training, state: FormState, notice: str = "") -> Response:
    with access.reading() as member:
        return _render(page, member, training, state, notice)


def _render(page: Page, member: CourseSession, training: Training, state: FormState, notice: str = "") -> Response:
    view = read_training(member, training)
    return page.render(
        "study/training.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        view=view,
        state=state,
        notice=notice,
    )
