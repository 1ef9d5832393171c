"""Handing in, reading what became of it, and taking it out of the queue."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from server.assignments.exercises import find_exercise
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.middleware import SAFETENSORS, SOURCE_BYTES_MAX, media_type
from server.http.problems import Conflict, TooLarge, UnsupportedMedia, documented
from server.http.row_id import RowId
from server.queue.dispatcher import TheDispatcher
from server.submissions import present
from server.submissions.accept import HandedIn
from server.submissions.access import AllowedForSubmission, SubmissionAccess
from server.submissions.detail import detailed, submitters
from server.submissions.follow import Follower
from server.submissions.intake import Intake
from server.submissions.listing import LISTED, LISTED_MAX, SubmissionFilter, find_submissions, visible_account
from server.submissions.live_check import LiveChecks
from server.submissions.schemas import (
    CodeBody,
    GradeBody,
    ListedSubmissionBody,
    SubmissionBody,
    SubmissionDetailBody,
    SubmissionListBody,
)
from server.submissions.source import PYTHON, handed_out
from server.tables import AnswerKind

WAIT_SECONDS_MAX = 30

router = APIRouter(tags=["submissions"], responses=documented(401, 403, 404, 422))


def intake_of(request: Request) -> Intake:
    """Return what takes answers in. The routes that are asked most call this: a dependency takes longer."""
    value = request.app.state.intake
    assert isinstance(value, Intake)
    return value


async def intake(request: Request) -> Intake:
    """Return what takes answers in."""
    return intake_of(request)


def live_checks_of(request: Request) -> LiveChecks:
    """Return what grades answers without keeping them. The routes that are asked most call this."""
    value = request.app.state.live_checks
    assert isinstance(value, LiveChecks)
    return value


async def live_checks(request: Request) -> LiveChecks:
    """Return what grades answers without keeping them."""
    return live_checks_of(request)


async def follower(request: Request) -> Follower:
    """Return what follows submissions."""
    value = request.app.state.follower
    assert isinstance(value, Follower)
    return value


async def handed_in(
    request: Request,
    pack: str,
    name: str,
    idempotency_key: Annotated[str | None, Header(max_length=255, pattern=r"^[\x21-\x7e]+$")] = None,
) -> HandedIn:
    """Return the answer in a request's body; raises what ``checked`` does."""
    return dataclasses.replace(await checked(request, pack, name), key=idempotency_key)


async def checked(request: Request, pack: str, name: str) -> HandedIn:
    """Return the answer in a request's body, without a key.

    :raises UnknownExercise: there is no such exercise
    :raises UnsupportedMedia: it is neither safetensors nor JSON
    :raises TooLarge: the source is too long
    """
    exercise = find_exercise(f"{pack}/{name}")
    content_type = media_type(request.headers)
    if content_type == SAFETENSORS:
        return HandedIn(exercise, AnswerKind.TENSORS, await request.body(), filename=None)
    if content_type != "application/json":
        raise UnsupportedMedia(f"Send tensors as {SAFETENSORS}, or code as application/json with filename and source.")
    code = _code(await request.body())
    return HandedIn(exercise, AnswerKind.CODE, code.source.encode(), code.filename)


def _code(body: bytes) -> CodeBody:
    try:
        code = CodeBody.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([each | {"loc": ("body", *each["loc"])} for each in mistakes]) from None
    if len(code.source.encode()) > SOURCE_BYTES_MAX:
        raise TooLarge(
            f"The code is longer than {SOURCE_BYTES_MAX // 1024} KiB. Send only what computes the gradients."
        )
    return code


BODY_OF_SUBMIT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            SAFETENSORS: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": CodeBody.model_json_schema()},
        },
    }
}
Reading = Annotated[
    SubmissionAccess, Depends(AllowedForSubmission(Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS))
]


@router.post(
    "/courses/{course}/exercises/{pack}/{name}/submissions",
    status_code=201,
    responses={
        202: {"model": SubmissionBody, "description": "Kept; not graded yet."},
        **documented(413, 415, 429, 503),
    },
    openapi_extra=BODY_OF_SUBMIT,
)
async def submit(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.HAND_IN))],
    answer: Annotated[HandedIn, Depends(handed_in)],
    request: Request,
    response: Response,
    wait: Annotated[float, Query(ge=0, le=WAIT_SECONDS_MAX, description="Seconds to wait for the grade.")] = 0,
) -> SubmissionBody:
    """Hand in tensors or code.

    In a file of tensors, entries such as ``context.dhpreact`` are not graded; they say what the student has above.
    Tensors are graded at once; code waits its turn. What is acknowledged is kept, whatever happens. The same
    Idempotency-Key with the same content returns the same submission.
    """
    intake = intake_of(request)
    if answer.kind is AnswerKind.TENSORS:
        submission = await run_in_threadpool(intake.compare_tensors, access, answer)
    else:
        submission = await intake.wait_for_grade(await run_in_threadpool(intake.queue_code, access, answer), wait)
    response.status_code = 201 if submission.status == present.GRADED else 202
    response.headers["Location"] = f"/api/v1/submissions/{submission.id}"
    return submission


@router.post(
    "/courses/{course}/exercises/{pack}/{name}/check",
    responses=documented(413, 415, 429, 503),
    openapi_extra=BODY_OF_SUBMIT,
)
async def check(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.HAND_IN))],
    answer: Annotated[HandedIn, Depends(checked)],
    request: Request,
) -> GradeBody:
    """Grade tensors or code on the numbers that the caller has. Nothing is kept, and it is no attempt.

    Entries such as ``context.dhpreact`` are not graded; they say what the student has above. Code waits for a moment
    while submissions need the sandbox, and is refused if that takes long.
    """
    live_checks = live_checks_of(request)
    if answer.kind is AnswerKind.TENSORS:
        return await run_in_threadpool(live_checks.check_tensors, access, answer)
    return (await live_checks.check_code(access, answer)).grade


@router.get("/submissions/{id}")
def show_submission(access: Reading, dispatcher: TheDispatcher) -> SubmissionDetailBody:
    """One submission with its student, its place in their work, and what staff say of it.

    For its owner and the staff of its course.
    """
    with access.reading_head() as opened:
        body = present.show(opened.session, opened.submission, opened.reader, dispatcher)
        return detailed(opened.session, opened.submission, body)


def read_submission(access: Reading, dispatcher: TheDispatcher) -> SubmissionBody:
    """Return a submission with its grade, or its place in the queue."""
    with access.reading_head() as opened:
        return present.show(opened.session, opened.submission, opened.reader, dispatcher)


@router.get(
    "/submissions/{id}/source",
    response_class=Response,
    responses={200: {"content": {SAFETENSORS: {}, PYTHON: {}}}, **documented(410)},
)
def show_source(access: Reading) -> Response:
    """What was handed in: a safetensors file, or code, byte for byte, for its owner and the staff of its course."""
    with access.reading() as opened:
        return handed_out(opened.submission)


@router.get("/courses/{course}/submissions")
def list_submissions(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_OWN_WORK))],
    dispatcher: TheDispatcher,
    student: Annotated[RowId | Literal["me"] | None, Query(description="A number, or me.")] = None,
    exercise: str | None = None,
    before: RowId | None = None,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = LISTED,
) -> SubmissionListBody:
    """Submissions, the newest first, without their rows: staff see those of the class, a student their own.

    To read on, ask for those ``before`` the last id.
    """
    slug = exercise and find_exercise(exercise).slug
    with access.reading() as member:
        session, reader = member.session, member.membership
        asked = member.account_id if student == "me" else student
        account_id = visible_account(reader, member.account_id, asked)
        section = None if asked == member.account_id else reader.section
        which = SubmissionFilter(account_id, section, slug, before, limit)
        found = find_submissions(session, member.course, which)
        summaries = present.summaries(session, reader, found, dispatcher)
        students = submitters(session, found)
        return SubmissionListBody(
            submissions=[
                ListedSubmissionBody(**dict(summary), student=students[row.account_id])
                for row, summary in zip(found, summaries, strict=True)
            ]
        )


async def stream_owner(
    submission: Annotated[SubmissionBody, Depends(read_submission)],
    access: Reading,
    follower: Annotated[Follower, Depends(follower)],
) -> int:
    """Return the account that may follow the submission, and one stream more.

    :raises TooManyStreams: it has as many as it may
    """
    account_id: int = access.credentials.request_state.account_id  # who read the submission
    follower.require_room(account_id)
    return account_id


@router.get("/submissions/{id}/events", response_class=EventSourceResponse, responses=documented(429))
async def follow(
    account_id: Annotated[int, Depends(stream_owner)],
    access: Reading,
    dispatcher: TheDispatcher,
    follower: Annotated[Follower, Depends(follower)],
) -> AsyncIterator[ServerSentEvent]:
    """Follow a submission by Server-Sent Events.

    The first event is the submission now; one more comes each time its place or its status changes. The last one has
    the grade, or says that it was cancelled or set aside. A person follows at most eight at a time.
    """
    async for change in follower.changes(access.id, account_id, lambda: read_submission(access, dispatcher)):
        yield ServerSentEvent(event="submission", data=change)


@router.post("/submissions/{id}/cancel", responses=documented(409))
def cancel(
    access: Annotated[
        SubmissionAccess, Depends(AllowedForSubmission(Permission.READ_OWN_WORK, Permission.CANCEL_SUBMISSIONS))
    ],
    dispatcher: TheDispatcher,
) -> SubmissionBody:
    """Take a submission out of the queue before it is run, as its owner or staff. It stays in the history."""
    with access.writing() as opened:
        if not dispatcher.cancel(opened.session, access.id):
            raise Conflict(
                f"Submission {access.id} is not waiting any more.",
                on_api=f"GET /api/v1/submissions/{access.id} has its result.",
            )
        return present.show(opened.session, opened.submission, opened.reader, dispatcher)


@router.post("/submissions/{id}/release", responses=documented(409))
def release(
    access: Annotated[
        SubmissionAccess,
        Depends(AllowedForSubmission(Permission.RELEASE_SUBMISSIONS, Permission.RELEASE_SUBMISSIONS)),
    ],
    dispatcher: TheDispatcher,
) -> SubmissionBody:
    """Put a submission that was set aside or cancelled back into the queue. For staff."""
    with access.writing() as opened:
        if not dispatcher.requeue(opened.session, access.id):
            raise Conflict(f"Submission {access.id} is neither set aside nor cancelled. There is nothing to release.")
        return present.show(opened.session, opened.submission, opened.reader, dispatcher)
