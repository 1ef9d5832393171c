"""A class's progress and analytics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.attachment import attachment
from server.http.problems import documented
from server.instances.exercises import AskedExercises
from server.reports.analytics import read_analytics
from server.reports.asked import AskedRows, AskedSection, StuckAfter, assigned, class_scope, progress_scope
from server.reports.class_events import AskedBegin, Event, ReadWatch, TheClassEvents, Watch, watch_of
from server.reports.clusters import WantedClusters, find_clusters, names_of, read_clusters
from server.reports.progress_table import Wanted, read_progress_table
from server.reports.schemas import AnalyticsBody, ClustersBody, ProgressBody, SimilarityBody
from server.reports.similarity import NOTE, pair_bodies, sketches_of
from server.reports.sources import Selection, chosen, list_handins, open_archive
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
    ``students-csv`` one for each student. Both begin with a byte order mark, for spreadsheets.
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


def class_watch(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_CLASS))],
    exercises: AskedExercises,
    section: AskedSection = None,
    stuck_after: StuckAfter = STUCK_AFTER,
) -> ReadWatch:
    """Return what reads, now and later, what the caller may look at."""
    return lambda: watch_of(access, exercises, section, stuck_after)


async def opened_watch(read_watch: Annotated[ReadWatch, Depends(class_watch)], events: TheClassEvents) -> Watch:
    """Return what the caller looks at, if they may open one stream more.

    :raises TooManyClassStreams: they may not
    """
    return await events.open(read_watch)


@router.get(
    "/courses/{course}/events", tags=["progress"], response_class=EventSourceResponse, responses=documented(429)
)
async def follow_class(
    watch: Annotated[Watch, Depends(opened_watch)],
    read_watch: Annotated[ReadWatch, Depends(class_watch)],
    begin: AskedBegin,
    events: TheClassEvents,
) -> AsyncIterator[ServerSentEvent]:
    """Follow the class by Server-Sent Events. For staff.

    Of all exercises of the course or of one. ``position`` comes first. A ``student`` holds the whole row of a student
    in an exercise, within a second after their grade. ``reload`` says that too much was missed: read the progress
    again. ``end`` is the last one, if the caller may look no longer.
    """
    async for event, rows, id in events.follow(watch, read_watch, begin):
        if event is not Event.STUDENT:
            yield ServerSentEvent(event=event, data={}, id=id)
        for row in rows:
            yield ServerSentEvent(event=event, data=row.body(), id=id)


@router.get("/courses/{course}/clusters", tags=["analytics"])
def show_clusters(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_SUBMISSIONS))],
    exercises: AskedExercises,
    section: AskedSection = None,
    checkpoint: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> ClustersBody:
    """Wrong answers that are wrong alike, so that one comment answers all of a group. For staff.

    Of all exercises of the course or of one, of all checkpoints or of one; the groups of most students first.
    """
    with access.reading() as member:
        asked = assigned(member.session, member.course, exercises)
        wanted = WantedClusters(checkpoint, limit)
        return read_clusters(member.session, member.course, asked, class_scope(member, section), wanted)


@router.get("/courses/{course}/similarity", tags=["analytics"])
def show_similarity(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_SUBMISSIONS))],
    exercises: AskedExercises,
    section: AskedSection = None,
    which: Selection = Selection.BEST,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
) -> SimilarityBody:
    """Pairs of students who share rare mistakes, or passages of code that few have: places to look. For staff.

    Of all exercises of the course or of one; of the ``last``, the ``best`` or ``all`` code of each student.
    """
    with access.reading() as member:
        scope = class_scope(member, section)
        asked = assigned(member.session, member.course, exercises)
        handins = chosen(list_handins(member.session, member.course, asked, scope), which)
        names = names_of(member.session, member.course, scope)
        clusters = [find_clusters(member.session, member.course, [each], scope) for each in asked]
    weighted = [
        pair
        for exercise, alike in zip(asked, clusters, strict=True)
        for pair in pair_bodies(
            exercise, sketches_of(access.credentials.database, exercise, handins), alike, names, limit
        )
    ]
    weighted.sort(key=lambda pair: -pair[0])
    return SimilarityBody(course=access.slug, note=NOTE, pairs=[body for _, body in weighted[:limit]])


@router.get(
    "/courses/{course}/sources",
    tags=["analytics"],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}},
)
def export_sources(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_SUBMISSIONS))],
    exercises: AskedExercises,
    section: AskedSection = None,
    which: Selection = Selection.LAST,
) -> StreamingResponse:
    """The code of the class as a ZIP archive in the layout that JPlag and Dolos read. For staff.

    Of all exercises of the course or of one; the ``last``, the ``best`` or ``all`` code of each student. It names
    students to those who may read the roster.
    """
    with access.reading() as member:
        archive = open_archive(
            member.session,
            member.course,
            assigned(member.session, member.course, exercises),
            class_scope(member, section),
            which,
            is_named=member.membership.may(Permission.READ_ROSTER),
        )
    chunks = archive.chunks(access.credentials.database)
    headers = attachment(f"{access.slug}-sources.zip")
    return StreamingResponse(chunks, media_type="application/zip", headers=headers)
