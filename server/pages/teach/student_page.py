"""One student, for staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response

from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.http.row_id import RowId
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.teach.student_view import CHART, read_student
from server.queue.dispatcher import TheDispatcher

router = page_router()
Looking = Annotated[CourseAccess, Depends(Visiting(Permission.READ_SUBMISSIONS))]


@router.get("/courses/{course}/students/{id}")
def show_student(
    page: ThePage,
    access: Looking,
    dispatcher: TheDispatcher,
    id: RowId,
    exercise: str | None = None,
    step: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Show the work of a student."""
    with access.reading() as member:
        view = read_student(member, dispatcher, id, exercise, step)
        return page.render("teach/student.html", membership=member.membership, view=view, CHART=CHART)
