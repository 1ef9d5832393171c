"""Analytics: how the class gets on, for its staff."""

from __future__ import annotations

from fastapi import APIRouter

from exercises import registry
from server import schemas
from server.analytics import read_analytics
from server.deps import CourseSlug, TheCaller, exercise_of
from server.problems import documented

router = APIRouter(tags=["analytics"], responses=documented(401, 403, 404, 422))


@router.get("/courses/{course}/analytics")
def show_analytics(course: CourseSlug, caller: TheCaller, exercise: str | None = None) -> schemas.Analytics:
    """For each checkpoint: who tried, who passed and after how many attempts, and who made which mistake. Of all
    exercises or of one."""
    exercises = registry.exercises().values() if exercise is None else [exercise_of(exercise)]
    with caller.reading() as visit:
        seat = visit.seat(course)
        seat.require_staff()
        return read_analytics(visit.session, seat.course, exercises)
