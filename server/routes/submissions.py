"""Handing in, and reading what became of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import bindparam, or_
from sqlalchemy.orm import defer
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from exercises.exercise import Exercise
from exercises.instance import Kind
from grader.tensors import BadAnswer
from server import grading, pace, schemas, submissions
from server.deps import Caller, CourseSlug, Seat, TheCaller, TheExercise, Visit, exercise_of
from server.middleware import SAFETENSORS, SOURCE_BYTES, media_type
from server.models import AnswerKind, Course, Enrolment, Role, Submission
from server.problems import NotFound, TooLarge, Unavailable, Unprocessable, UnsupportedMedia, documented
from server.services import Services
from server.submissions import GRADED, Answer

LONGEST_WAIT_SECONDS = 30

# The submission of this ``id`` with its course and the role of its ``reader``, who owns it or is staff there.
_READABLE: Final = (
    select(Submission, Course, Enrolment.role)
    .join(Course, col(Course.id) == Submission.course_id)
    .join(Enrolment, col(Enrolment.course_id) == Submission.course_id)
    .where(
        Submission.id == bindparam("id"),
        Enrolment.student_id == bindparam("reader"),
        or_(col(Submission.student_id) == Enrolment.student_id, col(Enrolment.role) == Role.INSTRUCTOR),
    )
    .options(defer(Submission.body))  # type: ignore[arg-type]
)

router = APIRouter(tags=["submissions"], responses=documented(401, 404, 422))


@dataclass(frozen=True)
class Kept:
    """A submission that is in the database, and the seat of its student, who was recognised just now."""

    submission: Submission
    seat: Seat


class NotTensors(Unprocessable):
    title, slug = "Not a safetensors file", "not-safetensors"


class NoSandbox(Unavailable):
    title, slug = "Code cannot be graded now", "sandbox-down"


class UnknownSubmission(NotFound):
    title, slug = "No such submission", "unknown-submission"


async def handed_in(request: Request) -> Answer:
    """The answer in a request's body.

    :raises UnsupportedMedia: neither safetensors nor JSON
    :raises TooLarge: source that is too long
    """
    kind = media_type(request.headers)
    if kind == SAFETENSORS:
        return Answer(AnswerKind.TENSORS, await request.body(), filename=None)
    if kind != "application/json":
        raise UnsupportedMedia(f"Send tensors as {SAFETENSORS}, or code as application/json with filename and source.")
    try:
        code = schemas.Code.model_validate_json(await request.body())
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([each | {"loc": ("body", *each["loc"])} for each in found]) from None
    source = code.source.encode()
    if len(source) > SOURCE_BYTES:
        raise TooLarge(f"The code is longer than {SOURCE_BYTES // 1024} KiB. Send only what computes the gradients.")
    return Answer(AnswerKind.CODE, source, code.filename)


BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            SAFETENSORS: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": schemas.Code.model_json_schema()},
        },
    }
}


@router.post(
    "/courses/{course}/exercises/{topic}/{name}/submissions",
    status_code=201,
    responses={
        202: {"model": schemas.Submission, "description": "Kept; not graded yet."},
        **documented(413, 415, 429, 503),
    },
    openapi_extra=BODY,
)
async def submit(
    course: CourseSlug,
    caller: TheCaller,
    exercise: TheExercise,
    answer: Annotated[Answer, Depends(handed_in)],
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=255, pattern=r"^[\x21-\x7e]+$")] = None,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for the grade.")] = 0,
) -> schemas.Submission:
    """Hand in tensors or code. Tensors are graded at once; code waits its turn. What is answered is kept,
    whatever happens. The same Idempotency-Key with the same content gives the same submission again."""
    if answer.kind is AnswerKind.TENSORS:
        submission = await run_in_threadpool(compare_tensors, caller, course, exercise, answer, idempotency_key)
    else:
        kept = await run_in_threadpool(queue_code, caller, course, exercise, answer, idempotency_key)
        submission = await _graded(caller.services, kept, wait)
    response.status_code = 201 if submission.status == GRADED else 202
    response.headers["Location"] = f"/api/v1/submissions/{submission.id}"
    return submission


@router.get("/submissions/{id}")
def show_submission(id: Annotated[int, Path(ge=1, lt=2**31)], caller: TheCaller) -> schemas.Submission:
    """One submission, for its owner and the staff of its course."""
    with caller.reading() as visit:
        return submissions.show(visit.session, *readable(visit, id), caller.services.dispatcher)


@router.get("/courses/{course}/submissions")
def list_submissions(
    course: CourseSlug,
    caller: TheCaller,
    exercise: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> schemas.SubmissionList:
    """The caller's own submissions, the newest first, without their rows."""
    wanted = exercise and exercise_of(exercise).slug
    with caller.reading() as visit:
        found = submissions.history(
            visit.session,
            visit.seat(course).course,
            visit.student_id,
            wanted,
            limit,
            caller.services.dispatcher,
        )
    return schemas.SubmissionList(submissions=found)


def readable(visit: Visit, id: int) -> tuple[Submission, Course, Role]:
    """A submission that the caller may read, its course, and the caller's role there.

    :raises UnknownSubmission: there is none, or it is neither theirs nor in a course of which they are staff
    """
    found = visit.session.exec(_READABLE, params={"id": id, "reader": visit.student_id}).first()
    if found is None:
        raise UnknownSubmission(f"You have no submission {id}. GET /api/v1/courses/{{course}}/submissions lists yours.")
    submission, course, role = found
    return submission, course, Role(role)


def compare_tensors(
    caller: Caller, course: str, exercise: Exercise, answer: Answer, key: str | None
) -> schemas.Submission:
    """Grade tensors on the caller's own instance, then keep both; nothing is locked while comparing."""
    services, most_per_minute = caller.services, caller.services.settings.submissions_per_minute
    with caller.reading() as visit:
        seat = visit.seat(course)
        earlier = submissions.find_earlier(visit.session, visit.student_id, key, seat.course, exercise, answer)
        if earlier is not None:
            return submissions.show(visit.session, earlier, seat.course, seat.role, services.dispatcher)
        pace.require(visit.session, visit.student_id, most_per_minute)  # before anything is computed
    held = services.instances.get(visit.student_id, exercise, Kind.STUDENT)
    try:
        graded = grading.compare(held, answer.body)
    except BadAnswer as error:
        raise NotTensors(str(error)) from None
    with services.database.writing() as session:
        submission, is_new = submissions.keep(
            session, visit.student_id, key, seat.course, exercise, answer, most_per_minute
        )
        if not is_new:
            return submissions.show(session, submission, seat.course, seat.role, services.dispatcher)
        grade = grading.store(session, submission, graded)
        rows = [row.as_json() for row in graded.grade.checkpoints]
        return submissions.present(session, submission, seat.course, seat.role, grade, rows)


def queue_code(caller: Caller, course: str, exercise: Exercise, answer: Answer, key: str | None) -> Kept:
    """Keep code, with a ticket for the dispatcher in the same transaction."""
    dispatcher, most_per_minute = caller.services.dispatcher, caller.services.settings.submissions_per_minute
    trouble = dispatcher.refusal
    with caller.writing() as visit:
        seat = visit.seat(course)
        submission, is_new = submissions.keep(
            visit.session, visit.student_id, key, seat.course, exercise, answer, most_per_minute
        )
        if is_new and trouble is not None:
            raise NoSandbox(
                f"The sandbox is down: {trouble}. Nothing was kept; try again later, or send tensors, "
                "which need no sandbox.",
                {"Retry-After": "30"},
            )
        if is_new:
            dispatcher.enqueue(visit.session, [submission])
    return Kept(submission, seat)


async def _graded(services: Services, kept: Kept, seconds: float) -> schemas.Submission:
    """A submission once it is graded, or as it is after so many seconds. No thread waits meanwhile."""
    clock, id = asyncio.get_running_loop().time, kept.submission.id
    deadline = clock() + seconds
    with services.bell.listening(id) as rung:
        while (left := deadline - clock()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), min(left, services.timing.wait_look_seconds))
            if rung.is_set() or await run_in_threadpool(submissions.is_graded, services.database, id):
                rung.clear()  # a run that was lost rings too
                submission = await run_in_threadpool(_look, services, kept)
                if submission.status == GRADED:
                    return submission
    return await run_in_threadpool(_look, services, kept)


def _look(services: Services, kept: Kept) -> schemas.Submission:
    with services.database.reading() as session:
        return submissions.show(session, kept.submission, kept.seat.course, kept.seat.role, services.dispatcher)
