"""The queue, for staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.problems import documented
from server.queue import tickets
from server.queue.dispatcher import TheDispatcher
from server.queue.schemas import QuarantinedBody, QueueBody

router = APIRouter(tags=["queue"], responses=documented(401, 403, 404, 422))


@router.get("/courses/{course}/queue")
def show_queue(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_CLASS))], dispatcher: TheDispatcher
) -> QueueBody:
    """How many submissions wait or run on the whole server, and which of this course were set aside. For staff."""
    with access.reading() as member:
        return QueueBody(
            depth=dispatcher.depth(member.session),
            quarantined=[
                QuarantinedBody(
                    submission=ticket.submission_id,
                    student=ticket.account_id,
                    exercise=exercise,
                    tries=ticket.tries,
                    reason=ticket.reason or "",
                )
                for ticket, exercise in tickets.quarantined(member.session, member.course.id)
            ],
        )
