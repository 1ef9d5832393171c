"""Grading a course again, after an exercise, torch or the grader has changed."""

from __future__ import annotations

from fastapi import APIRouter

from server import regrade, schemas
from server.deps import CourseSlug, TheCaller, exercise_of
from server.problems import documented

router = APIRouter(tags=["regrade"], responses=documented(401, 403, 404, 422))


@router.post("/courses/{course}/regrade", status_code=202)
def begin_regrade(course: CourseSlug, caller: TheCaller, exercise: str | None = None) -> schemas.Regrade:
    """Have every submission of the course, or of one exercise, graded again that has no grade of today's revision and
    environment; in the background, after all students who wait. Old grades are kept. For staff."""
    exercises = regrade.chosen(exercise_of(exercise) if exercise else None)
    with caller.writing() as visit:
        seat = visit.seat(course)
        seat.require_staff()
        found = regrade.outdated(visit.session, seat.course, exercises)
        if found:
            caller.services.dispatcher.enqueue(visit.session, found, background=True)
        return regrade.report(visit.session, seat.course)


@router.get("/courses/{course}/regrade")
def show_regrade(course: CourseSlug, caller: TheCaller) -> schemas.Regrade:
    """How far it is, and which rows came out otherwise than in the grade before. For staff."""
    with caller.reading() as visit:
        seat = visit.seat(course)
        seat.require_staff()
        return regrade.report(visit.session, seat.course)
