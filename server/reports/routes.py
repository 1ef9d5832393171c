"""A class's progress and analytics."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.problems import documented
from server.instances.exercises import AskedExercises
from server.reports.analytics import read_analytics
from server.reports.progress_table import read_progress_table
from server.reports.schemas import AnalyticsBody, ProgressBody

router = APIRouter(responses=documented(401, 404, 422))


@router.get(
    "/courses/{course}/progress",
    tags=["progress"],
    response_class=Response,
    responses={200: {"model": ProgressBody, "content": {"text/csv": {}}}},
)
def show_progress(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_OWN_WORK))],
    exercises: AskedExercises,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """Students by checkpoints, of all exercises or of one.

    Staff see the class, a student their own row. The CSV has a line for each student and checkpoint.
    """
    with access.reading() as member:
        whose = None if member.membership.may(Permission.READ_CLASS) else member.account_id
        table = read_progress_table(member.session, member.course, exercises, whose)
    if format == "csv":
        name = f'attachment; filename="{access.slug}-progress.csv"'
        return Response(table.as_csv(), media_type="text/csv", headers={"Content-Disposition": name})
    return Response(table.as_json(), media_type="application/json")


@router.get("/courses/{course}/analytics", tags=["analytics"], responses=documented(403))
def show_analytics(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_CLASS))], exercises: AskedExercises
) -> AnalyticsBody:
    """How the class gets on with each checkpoint, of all exercises or of one. For staff.

    Who tried, who passed and after how many attempts, and who made which mistake.
    """
    with access.reading() as member:
        return read_analytics(member.session, member.course, exercises)
