"""The history of an exercise: all attempts, any two of them side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response

from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.http.row_id import RowId
from server.instances.exercises import TheExercise
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.study.history_view import Asked, read_history
from server.queue.dispatcher import TheDispatcher

router = page_router()
Looking = Annotated[CourseAccess, Depends(Visiting(Permission.READ_OWN_WORK))]


async def asked(
    student: RowId | None = None, before: RowId | None = None, one: RowId | None = None, other: RowId | None = None
) -> Asked:
    """Return what an address asks for."""
    return Asked(student, before, one, other)


@router.get("/courses/{course}/exercises/{pack}/{name}/history")
def show_history(
    page: ThePage,
    access: Looking,
    exercise: TheExercise,
    dispatcher: TheDispatcher,
    wanted: Annotated[Asked, Depends(asked)],
) -> Response:
    """Show one's own attempts, or a student's to staff."""
    with access.reading() as member:
        view = read_history(member, dispatcher, exercise, wanted)
        return page.render("study/history.html", membership=member.membership, view=view)
