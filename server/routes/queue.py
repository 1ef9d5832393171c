"""The queue: following a submission until its grade, taking it out, and what was set aside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from server import schemas, submissions
from server.deps import CourseSlug, Seat, TheCaller
from server.models import Submission, Ticket, TicketState
from server.problems import Problem, documented
from server.routes.submissions import readable, show_submission
from server.submissions import GRADED

ENDS = (GRADED, TicketState.CANCELLED, TicketState.QUARANTINED)

router = APIRouter(tags=["queue"], responses=documented(401, 404, 422))
SubmissionId = Annotated[int, Path(ge=1, lt=2**31)]


class NotNow(Problem):
    status, title, slug = 409, "Not in that state", "not-in-that-state"


@router.get("/submissions/{id}/events", response_class=EventSourceResponse)
async def follow(
    submission: Annotated[schemas.Submission, Depends(show_submission)], caller: TheCaller
) -> AsyncIterator[ServerSentEvent]:
    """Server-Sent Events: the submission now, and each time its place or its status changes; the last one has the
    grade, or says that it was cancelled or set aside."""
    told = None
    with caller.services.bell.listening(submission.id) as rung:
        while True:
            rung.clear()
            submission = await run_in_threadpool(show_submission, submission.id, caller)
            now = (submission.status, submission.place)
            if now != told:
                told = now
                yield ServerSentEvent(event="submission", data=submission)
            if submission.status in ENDS:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), caller.services.timing.follow_look_seconds)


@router.post("/submissions/{id}/cancel", responses=documented(409))
def cancel(id: SubmissionId, caller: TheCaller) -> schemas.Submission:
    """Take a submission out of the queue before its turn, as its owner or staff. It stays in the history."""
    dispatcher = caller.services.dispatcher
    with caller.writing() as visit:
        found = readable(visit, id)
        if not dispatcher.cancel(visit.session, id):
            raise NotNow(f"Submission {id} is not waiting. Look at it: GET /api/v1/submissions/{id}.")
        return submissions.show(visit.session, *found, dispatcher)


@router.post("/submissions/{id}/release", responses=documented(403, 409))
def release(id: SubmissionId, caller: TheCaller) -> schemas.Submission:
    """Put a submission that was set aside or cancelled back into the queue; for staff."""
    dispatcher = caller.services.dispatcher
    with caller.writing() as visit:
        submission, course, role = readable(visit, id)
        Seat(course, role).require_staff()
        if not dispatcher.requeue(visit.session, id):
            raise NotNow(f"Submission {id} is neither set aside nor cancelled. There is nothing to release.")
        return submissions.show(visit.session, submission, course, role, dispatcher)


@router.get("/courses/{course}/queue", responses=documented(403))
def show_queue(course: CourseSlug, caller: TheCaller) -> schemas.Queue:
    """How many wait or run on the whole server, and what of this course was set aside; for staff."""
    with caller.reading() as visit:
        seat = visit.seat(course)
        seat.require_staff()
        aside = (
            select(Ticket, Submission.exercise)
            .join(Submission, col(Submission.id) == Ticket.submission_id)
            .where(Submission.course_id == seat.course.id, Ticket.state == TicketState.QUARANTINED)
            .order_by(col(Ticket.id))
        )
        return schemas.Queue(
            depth=caller.services.dispatcher.depth(visit.session),
            quarantined=[
                schemas.Quarantined(
                    submission=ticket.submission_id,
                    student=ticket.student_id,
                    exercise=exercise,
                    tries=ticket.tries,
                    reason=ticket.reason or "",
                )
                for ticket, exercise in visit.session.exec(aside)
            ],
        )
