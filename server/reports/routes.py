"""A class's progress and analytics."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.problems import documented
from server.instances.exercises import AskedExercises
from server.reports.analytics import read_analytics
from server.reports.asked import AskedRows, AskedSection, StuckAfter, assigned, class_scope, progress_scope
from server.reports.progress_table import Wanted, read_progress_table
from server.reports.schemas import AnalyticsBody, ProgressBody
from server.reports.students import STUCK_AFTER

router = APIRouter(responses=documented(401, 403, 404, 422))


class Format(StrEnum):
    """How the progress table is sent: JSON, CSV with a line for each cell, or CSV with a line for each student."""

    JSON = "json"
    CSV = "csv"
    STUDENTS_CSV = "students-csv"


@router.get(
    "/courses/{course}/progress",
    tags=["progress"],
    response_class=Response,
    responses={200: {"model": ProgressBody, "content": {"text/csv": {}}}},
)
def show_progress(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_OWN_WORK))],
    exercises: AskedExercises,
    rows: AskedRows,
    section: AskedSection = None,
    stuck_after: StuckAfter = STUCK_AFTER,
    format: Format = Format.JSON,
) -> Response:
    """Students by checkpoints, of all exercises of the course or of one.

    Staff see the class, everyone in it; a student their own row. ``csv`` has a line for each student and checkpoint,
    ``students-csv`` one for each student.
    """
    with access.reading() as member:
        asked = assigned(member.session, member.course, exercises)
        wanted = Wanted(progress_scope(member, section, asked), rows, stuck_after)
        table = read_progress_table(member.session, member.course, asked, wanted)
    if format is Format.JSON:
        return Response(table.as_json(), media_type="application/json")
    what, text = ("progress", table.as_csv()) if format is Format.CSV else ("students", table.students_as_csv())
    return Response(text, media_type="text/csv", headers=attachment(f"{access.slug}-{what}.csv"))


@router.get("/courses/{course}/analytics", tags=["analytics"])
def show_analytics(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_CLASS))],
    exercises: AskedExercises,
    section: AskedSection = None,
    stuck_after: StuckAfter = STUCK_AFTER,
) -> AnalyticsBody:
    """How the class gets on with each checkpoint, of all exercises of the course or of one. For staff.

    Who tried, who passed, after how many attempts and minutes, who made which mistake, and whose code stops at what.
    """
    with access.reading() as member:
        asked = assigned(member.session, member.course, exercises)
        return read_analytics(member.session, member.course, asked, class_scope(member, section), stuck_after)


def attachment(filename: str) -> dict[str, str]:
    """Return the headers of a file to be saved under a name of plain letters."""
    return {"Content-Disposition": f'attachment; filename="{filename}"'}
