"""Progress: the class for its staff, their own row for a student."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from exercises import registry
from server import schemas
from server.deps import CourseSlug, TheCaller, exercise_of
from server.matrix import read_matrix
from server.problems import documented

router = APIRouter(tags=["progress"], responses=documented(401, 404, 422))


@router.get(
    "/courses/{course}/progress",
    response_class=Response,
    responses={
        200: {"model": schemas.Progress, "content": {"text/csv": {}}},
    },
)
def show_progress(
    course: CourseSlug,
    caller: TheCaller,
    exercise: str | None = None,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """Students by checkpoints, of all exercises or of one. The CSV has a line for each student and
    checkpoint."""
    exercises = registry.exercises().values() if exercise is None else [exercise_of(exercise)]
    with caller.reading() as visit:
        seat = visit.seat(course)
        found = read_matrix(visit.session, seat.course, exercises, None if seat.is_staff else visit.student_id)
    if format == "csv":
        name = f'attachment; filename="{course}-progress.csv"'
        return Response(found.as_csv(), media_type="text/csv", headers={"Content-Disposition": name})
    return Response(found.as_json(), media_type="application/json")
