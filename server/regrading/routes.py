"""Grading again after an exercise, torch or the grader changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.problems import documented
from server.http.row_id import RowId
from server.instances.exercises import AskedExercises
from server.queue.dispatcher import TheDispatcher
from server.regrading import regrade
from server.regrading.regrade import RegradeScope
from server.regrading.report import report
from server.regrading.schemas import RegradeBody

router = APIRouter(tags=["regrade"], responses=documented(401, 403, 404, 422))
Regrading = Annotated[CourseAccess, Depends(Allowed(Permission.REGRADE))]


async def scope(
    exercise: str | None = None, student: RowId | None = None, submission: RowId | None = None
) -> RegradeScope:
    """Return what the query narrows a regrade down to."""
    return RegradeScope(exercise, student, submission)


@router.post("/courses/{course}/regrade", status_code=202, responses=documented(409))
def begin_regrade(
    access: Regrading,
    exercises: AskedExercises,
    scope: Annotated[RegradeScope, Depends(scope)],
    dispatcher: TheDispatcher,
) -> RegradeBody:
    """Grade again every submission without a grade of today, of the course or of what the query names.

    For instructors. A grade of today has today's revision and numeric environment. It happens in the background, after
    all students who wait. The new grades do not count before the regrade is accepted. A course has one open regrade at
    most; the same request again goes on with it.
    """
    with access.writing() as member:
        begun = regrade.begin(member.session, member.course, exercises, scope, member.account_id)
        if begun.regrade is not None and begun.outdated:
            dispatcher.enqueue(member.session, begun.outdated, regrade_id=begun.regrade.id)
        return report(member.session, member.course, begun.regrade)


@router.get("/courses/{course}/regrade")
def show_regrade(access: Regrading, id: RowId | None = None) -> RegradeBody:
    """How far the newest regrade is, or that of an id, and what it changes: for whom, and in which steps.

    For instructors.
    """
    with access.reading() as member:
        return report(member.session, member.course, regrade.find_regrade(member.session, member.course, id))


@router.post("/courses/{course}/regrade/{id}/accept", responses=documented(409))
def accept_regrade(access: Regrading, id: RowId) -> RegradeBody:
    """Let the grades of a regrade count, all at once. For instructors. It is refused while something waits."""
    with access.writing() as member:
        accepted = regrade.accept(member.session, member.course, id, member.account_id)
        return report(member.session, member.course, accepted)


@router.post("/courses/{course}/regrade/{id}/discard", responses=documented(409))
def discard_regrade(access: Regrading, id: RowId) -> RegradeBody:
    """Drop the grades of a regrade, and what waits for it. For instructors. Nothing else changes."""
    with access.writing() as member:
        discarded = regrade.discard(member.session, member.course, id, member.account_id)
        return report(member.session, member.course, discarded)
