"""The workbench of an exercise: its graph, an editor, live checks, the panel of a step, handing in."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import Depends, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from exercises.exercise import Exercise
from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.http.middleware import SOURCE_BYTES_MAX
from server.http.problems import TooLarge, Unprocessable
from server.instances.exercises import TheExercise
from server.instances.store import TheInstances
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import FRAGMENT_HEADER, page_router
from server.pages.session import Visiting
from server.pages.source import lines_of
from server.pages.study.bench import FILENAME, Bench, Benches, counts, key_of, parsed_moment
from server.pages.study.reading import FileRead, read_file
from server.pages.study.reading_turns import TheReadingTurns
from server.pages.study.sheets import sheet_of
from server.pages.study.verdicts import FIRST_HINT, Looking, checkpoints_of, verdicts
from server.queue.dispatcher import TheDispatcher
from server.submissions.accept import HandedIn
from server.submissions.drafts import keep_draft
from server.submissions.intake import Intake
from server.submissions.live_check import Checked, LiveChecks
from server.submissions.routes import intake, live_checks
from server.submissions.schemas import CodeBody
from server.tables import AnswerKind

HINTS_MAX = 100
WAIT_SECONDS = 2.0  # for a grade, before the page says that it waits
ADDRESS = "/courses/{course}/exercises/{pack}/{name}"

router = page_router()
Reading = Annotated[CourseAccess, Depends(Visiting(Permission.READ_EXERCISES))]
Working = Annotated[CourseAccess, Depends(Visiting(Permission.HAND_IN))]
TheIntake = Annotated[Intake, Depends(intake)]
TheLiveChecks = Annotated[LiveChecks, Depends(live_checks)]


async def benches(instances: TheInstances, dispatcher: TheDispatcher) -> Benches:
    """Return what puts workbenches together."""
    return Benches(instances, dispatcher)


TheBenches = Annotated[Benches, Depends(benches)]


@router.get(ADDRESS)
def show_workbench(
    page: ThePage,
    access: Reading,
    exercise: TheExercise,
    benches: TheBenches,
    step: str | None = None,
    hints: int = FIRST_HINT,
    attempt: int | None = None,
) -> HTMLResponse:
    """Show the workbench. ``attempt`` shows what became of it; ``step`` and ``hints`` open one more hint."""
    return _shown(page, access, exercise, benches, Looking(step, min(max(hints, FIRST_HINT), HINTS_MAX)), attempt)


@router.post(f"{ADDRESS}/check")
async def check(
    page: ThePage, access: Working, exercise: TheExercise, live_checks: TheLiveChecks, form: TheForm
) -> HTMLResponse:
    """Check code on the student's own numbers, and show the verdicts. Nothing is kept."""
    source, step = _source(form), text(form, "step")
    answer = HandedIn(exercise, AnswerKind.CODE, source.encode(), FILENAME)
    checked = await live_checks.check_code(access, answer, {step}, page.request.is_disconnected)
    return await run_in_threadpool(_checked, page, exercise, checked, step)


@router.post(f"{ADDRESS}/draft")
def keep(access: Working, exercise: TheExercise, form: TheForm) -> JSONResponse:
    """Keep a draft; answer when it was kept, and whether it replaced one of another device."""
    source = _source(form)
    with access.writing() as member:
        draft = keep_draft(member, exercise.slug, source, parsed_moment(text(form, "seen")))
    overwrote = draft.overwrote and draft.overwrote.isoformat()
    return JSONResponse({"changed_at": draft.changed_at.isoformat(), "overwrote": overwrote})


@router.post(f"{ADDRESS}/submit")
async def submit(
    page: ThePage,
    access: Working,
    exercise: TheExercise,
    benches: TheBenches,
    intake: TheIntake,
    form: TheForm,
) -> Response:
    """Hand in what stands in the editor, or a file that was read before."""
    await run_in_threadpool(_require, access)
    answer = _answer(exercise, form)
    if answer.kind is AnswerKind.TENSORS:
        submission = await run_in_threadpool(intake.compare_tensors, access, answer)
    else:
        accepted = await run_in_threadpool(intake.queue_code, access, answer)
        submission = await intake.wait_for_grade(accepted, WAIT_SECONDS)
    if FRAGMENT_HEADER in page.request.headers:
        looking = Looking(text(form, "step") or None)
        return await run_in_threadpool(_shown, page, access, exercise, benches, looking, submission.attempt)
    return page.go(f"{page.request.url.path.removesuffix('/submit')}?attempt={submission.attempt}")


@router.post(f"{ADDRESS}/read")
async def read(
    page: ThePage,
    access: Working,
    exercise: TheExercise,
    benches: TheBenches,
    turns: TheReadingTurns,
    form: TheForm,
) -> HTMLResponse:
    """Show what is taken of a notebook, a script or a file of tensors, before it is handed in."""
    account_id = await run_in_threadpool(_require, access)
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Unprocessable("No file came with the form. Choose a notebook, a script or a file of tensors.")
    async with turns.one(account_id):
        content = await file.read()  # not before: files that wait stay on the disk
        return await run_in_threadpool(_taken, page, access, exercise, benches, (file.filename, content))


def _require(access: CourseAccess) -> int:
    """Return the visitor's account. Who may not is refused before their form is read."""
    with access.reading() as member:
        return member.account_id


def _shown(
    page: Page,
    access: CourseAccess,
    exercise: Exercise,
    benches: Benches,
    looking: Looking,
    attempt: int | None = None,
) -> HTMLResponse:
    with access.reading() as member:
        finish = benches.open(member, exercise, attempt)
    bench = finish(looking)
    template = "study/fragment.html" if FRAGMENT_HEADER in page.request.headers else "study/workbench.html"
    return page.render(template, bench=bench, membership=bench.membership, **_of_verdicts(bench))


def _of_verdicts(bench: Bench) -> dict[str, Any]:
    shown = {"verdicts": bench.verdicts, "hand_in": bench.hand_in, "counts": bench.hand_in.counts}
    return {**shown, "sheet_of": sheet_of}


def _checked(page: Page, exercise: Exercise, checked: Checked, step: str) -> HTMLResponse:
    looking = Looking(step or None)
    shown = verdicts(exercise, checkpoints_of(exercise), checked.grade, looking, checked.differences)
    return page.render("study/checked.html", verdicts=shown, counts=counts(checked.grade), sheet_of=sheet_of)


def _taken(
    page: Page, access: CourseAccess, exercise: Exercise, benches: Benches, file: tuple[str, bytes]
) -> HTMLResponse:
    with access.reading() as member:
        finish = benches.open(member, exercise)
    bench = finish(Looking())
    taken: FileRead = read_file(exercise, bench.names, *file)
    steps = frozenset(each.name for each in exercise.checkpoints)
    lines = lines_of(taken.source, steps) if taken.source is not None else ()
    template = "study/taken_part.html" if FRAGMENT_HEADER in page.request.headers else "study/taken.html"
    return page.render(
        template, bench=bench, hand_in=bench.hand_in, membership=bench.membership, taken=taken, lines=lines
    )


def _source(form: FormData) -> str:
    """Return the code of a form, with the line ends that Python knows.

    :raises TooLarge: it is too long
    """
    value = form.get("source")
    source = value.replace("\r\n", "\n") if isinstance(value, str) else ""
    if len(source.encode()) > SOURCE_BYTES_MAX:
        raise TooLarge(
            f"The code is longer than {SOURCE_BYTES_MAX // 1024} KiB. Keep only what computes the gradients."
        )
    return source


def _answer(exercise: Exercise, form: FormData) -> HandedIn:
    """Return what a form hands in: its source, or tensors in base64.

    :raises Unprocessable: the form cannot be read
    """
    attempt = text(form, "attempt")
    number = int(attempt) if attempt.isdecimal() and len(attempt) < 10 else 0
    encoded = text(form, "tensors")
    if encoded:
        try:
            content = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise Unprocessable("The tensors of this form cannot be read. Open the file once more.") from None
        return HandedIn(exercise, AnswerKind.TENSORS, content, None, key_of(content, number))
    source = _source(form)
    if not source.strip():
        raise Unprocessable("There is no code in this form. Write some, and hand it in.")
    filename = CodeBody(filename=text(form, "filename") or FILENAME, source="").filename
    return HandedIn(exercise, AnswerKind.CODE, source.encode(), filename, key_of(source.encode(), number))
