"""The lecture: one step on the wall, live."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final

from fastapi import Depends, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.instances.exercises import TheExercise
from server.pages.page import TEMPLATES, ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.teach.lecture_view import Tally, begin_tally, read_mistake
from server.reports.asked import AskedSection, class_scope
from server.reports.class_events import AskedBegin, Event, ReadWatch, TheClassEvents, Watch, watch_of
from server.reports.students import STUCK_AFTER, Scope

router = page_router()
Looking = Annotated[CourseAccess, Depends(Visiting(Permission.READ_CLASS))]
MISTAKE_SECONDS: Final = 3.0  # between two readings of the commonest mistake, which looks at every answer
ADDRESS: Final = "/courses/{course}/lecture/{pack}/{name}/{checkpoint}"


@router.get(ADDRESS)
def show_step(
    page: ThePage, access: Looking, exercise: TheExercise, checkpoint: str, section: AskedSection = None
) -> Response:
    """Show one step on the wall."""
    with access.reading() as member:
        scope = class_scope(member, section or None)
        wall = begin_tally(member.session, member.course, exercise, checkpoint, scope).wall()
        return page.render("teach/lecture.html", membership=member.membership, wall=wall, section=scope.section or "")


def wall_watch(access: Looking, exercise: TheExercise, section: AskedSection = None) -> ReadWatch:
    """Return what reads, now and later, what the visitor may look at."""
    return lambda: watch_of(access, [exercise], section or None, STUCK_AFTER)


async def opened_watch(read_watch: Annotated[ReadWatch, Depends(wall_watch)], events: TheClassEvents) -> Watch:
    """Return what the visitor looks at, if they may open one stream more."""
    return await events.open(read_watch)


def tally_reader(access: Looking, exercise: TheExercise, checkpoint: str) -> Callable[[Watch, Tally | None], Tally]:
    """Return what begins a tally, or reads the commonest mistake of one anew."""

    def read(watch: Watch, tally: Tally | None) -> Tally:
        with access.reading() as member:
            scope = Scope(section=watch.section)
            if tally is None:
                return begin_tally(member.session, member.course, exercise, checkpoint, scope)
            read_mistake(member.session, member.course, tally, scope)
            return tally

    return read


@router.get(f"{ADDRESS}/events", response_class=EventSourceResponse)
async def follow_step(
    watch: Annotated[Watch, Depends(opened_watch)],
    read_watch: Annotated[ReadWatch, Depends(wall_watch)],
    read_tally: Annotated[Callable[[Watch, Tally | None], Tally], Depends(tally_reader)],
    begin: AskedBegin,
    events: TheClassEvents,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a step: each event is the wall as it is now, as HTML."""
    tally, read_at = None, 0.0
    async for event, rows, id in events.follow(watch, read_watch, begin):
        if event is Event.END:
            yield ServerSentEvent(event=event, data={}, id=id)
            return
        if tally is None or event is Event.RELOAD:
            tally, read_at = await run_in_threadpool(read_tally, watch, None), time.monotonic()
        tally.take(rows)
        if rows and time.monotonic() - read_at > MISTAKE_SECONDS:
            tally, read_at = await run_in_threadpool(read_tally, watch, tally), time.monotonic()
        html = TEMPLATES.get_template("teach/wall.html").render(wall=tally.wall(), here=_here(watch))
        yield ServerSentEvent(event="wall", data=html, id=id)


def _here(watch: Watch) -> str:
    return f"/courses/{watch.course.slug}/lecture/{watch.exercises[0].slug}"
