"""The class, live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.instances.exercises import AskedExercises
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.teach.class_view import Asked, group_starts, read_class, student_address
from server.pages.teach.live_cells import row_of
from server.reports.asked import SEARCH_LENGTH_MAX, AskedSection
from server.reports.class_events import AskedBegin, Event, ReadWatch, TheClassEvents, Watch, watch_of
from server.reports.students import STUCK_AFTER, Order, State

router = page_router()
Looking = Annotated[CourseAccess, Depends(Visiting(Permission.READ_CLASS))]


async def asked(
    exercise: str | None = None,
    section: AskedSection = None,
    show: str = "",
    sort: Order = Order.PASSED_DOWN,
    search: Annotated[str, Query(max_length=SEARCH_LENGTH_MAX)] = "",
) -> Asked:
    """Return what an address asks for; a form sends what was left empty, too."""
    state = State(show) if show in set(State) else None
    return Asked(exercise or None, section or None, state, sort, search.strip() or None)


TheAsked = Annotated[Asked, Depends(asked)]


@router.get("/courses/{course}/class")
def show_class(page: ThePage, access: Looking, wanted: TheAsked) -> Response:
    """Show students by the steps of an exercise."""
    with access.reading() as member:
        view = read_class(member, wanted)
        return page.render("teach/class.html", membership=member.membership, view=view)


def page_watch(access: Looking, exercises: AskedExercises, section: AskedSection = None) -> ReadWatch:
    """Return what reads, now and later, what the visitor may look at."""
    return lambda: watch_of(access, exercises, section or None, STUCK_AFTER)


async def opened_watch(read_watch: Annotated[ReadWatch, Depends(page_watch)], events: TheClassEvents) -> Watch:
    """Return what the visitor looks at, if they may open one stream more."""
    return await events.open(read_watch)


@router.get("/courses/{course}/class/events", response_class=EventSourceResponse)
async def follow_class(
    watch: Annotated[Watch, Depends(opened_watch)],
    read_watch: Annotated[ReadWatch, Depends(page_watch)],
    begin: AskedBegin,
    events: TheClassEvents,
) -> AsyncIterator[ServerSentEvent]:
    """Follow the class: the events of REST, with rows as the page has them."""
    starts = {each.slug: group_starts(each) for each in watch.exercises}
    async for event, rows, id in events.follow(watch, read_watch, begin):
        if event is not Event.STUDENT:
            yield ServerSentEvent(event=event, data={}, id=id)
        for row in rows:
            address = student_address(watch.course.slug, row.standing.id, row.exercise)
            data = {"id": row.standing.id, "row": row_of(row, address, starts[row.exercise])}
            yield ServerSentEvent(event=event, data=data, id=id)
