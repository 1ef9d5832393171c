"""Grading a course again after an exercise, torch or the grader changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.problems import documented
from server.instances.exercises import AskedExercises
from server.queue.dispatcher import TheDispatcher
from server.regrading import regrade
from server.regrading.schemas import RegradeBody

router = APIRouter(tags=["regrade"], responses=documented(401, 403, 404, 422))
Regrading = Annotated[CourseAccess, Depends(Allowed(Permission.REGRADE))]


@router.post("/courses/{course}/regrade", status_code=202)
def begin_regrade(access: Regrading, exercises: AskedExercises, dispatcher: TheDispatcher) -> RegradeBody:
    """Grade again every submission without a grade of today, of the course or of one exercise. For instructors.

    A grade of today has today's revision and numeric environment. It happens in the background, after all students who
    wait. Old grades are kept.
    """
    with access.writing() as member:
        outdated = regrade.find_outdated(member.session, member.course, exercises)
        if outdated:
            dispatcher.enqueue(member.session, outdated, background=True)
        return regrade.report(member.session, member.course)


@router.get("/courses/{course}/regrade")
def show_regrade(access: Regrading) -> RegradeBody:
    """How far the regrade is, and which rows differ from the grade before. For instructors."""
    with access.reading() as member:
        return regrade.report(member.session, member.course)
