"""The class, live: what changed since, sent to everybody who looks on.

1. One look of the process asks for the grades that were stored since the look before, however many people look on.
2. A grade may become visible after one with a greater number. So each look goes back some, and skips what it saw.
3. The rows of the students whose grades these are, are read once and handed to each stream; a slow stream gets the
   newest row of each student alone.
4. A position in an event's id says up to which grade and which moment a stream has seen everything. A row says all of a
   student in an exercise, so one that is sent twice does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from fastapi import Depends, Header, Query, Request
from sqlalchemy import func, select
from sqlmodel import Session, col
from starlette.concurrency import run_in_threadpool

from exercises.exercise import Exercise
from server.courses.access import CourseAccess
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.table import now
from server.http.problems import Problem, Unprocessable
from server.reports.asked import assigned, class_scope
from server.reports.live_rows import LiveRow, read_live_rows
from server.reports.students import STUCK_AFTER, Scope
from server.tables import CourseRow, GradeRow, RegradeRow, SubmissionRow

LOOK_SECONDS: Final = 0.75  # so that with the reading of rows an update is sent within a second
CHECK_SECONDS: Final = 20.0  # how long somebody who was removed looks on at a class that stands still
STREAMS_MAX: Final = 8  # of a person, in each process
OVERLAP: Final = 200  # numbers of grades; a transaction that stores one is not open while 200 others are stored
REGRADE_OVERLAP: Final = timedelta(seconds=5)
CAUGHT_UP_MAX: Final = 5_000  # grades; who missed more reads the whole class again


class TooManyClassStreams(Problem):
    """A person follows as many classes as they may."""

    status, title, slug = 429, "Too many streams", "too-many-streams"


class BadPosition(Unprocessable):
    """The position is none that an event had."""

    title, slug = "Not a position", "bad-position"


@dataclass(frozen=True)
class Position:
    """Up to where a stream has seen everything: the greatest grade, and the moment of the look that found it."""

    grade_id: int
    moment: datetime

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the position of an event's id.

        :raises BadPosition: it is none
        """
        grade_id, _, moment = text.partition("@")
        try:
            at = datetime.fromisoformat(moment)
            if at.tzinfo is None or not 0 <= int(grade_id) < 1 << 62:
                raise ValueError
            return cls(int(grade_id), at)
        except ValueError:
            raise BadPosition(f"{text[:80]!r} is no id of an event. Leave it out to follow from now on.") from None

    def __str__(self) -> str:
        return f"{self.grade_id}@{self.moment.isoformat()}"


@dataclass(frozen=True)
class Begin:
    """Where a stream begins, and after how many seconds it ends; None for not at all."""

    after: Position | None = None
    seconds: float | None = None


FROM_NOW: Final = Begin()


@dataclass(frozen=True)
class Change:
    """A grade that was stored, or that began to count."""

    course_id: int
    exercise: str
    account_id: int


class Event(StrEnum):
    """What a stream tells."""

    POSITION = "position"  # it has begun
    STUDENT = "student"  # the row of a student is another one, or those of several
    RELOAD = "reload"  # too much was missed: read the class again
    END = "end"  # the person may look no longer


@dataclass(frozen=True)
class Watch:
    """What somebody looks at. ``section`` None means the whole course."""

    account_id: int
    course: CourseRow
    exercises: tuple[Exercise, ...]
    section: str | None
    stuck_after: int = STUCK_AFTER


ReadWatch = Callable[[], Watch]


@dataclass(eq=False)
class _Stream:
    """Somebody who looks on, and the rows that wait for them."""

    watch: Watch
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    rows: dict[tuple[str, int], LiveRow] = field(default_factory=dict)

    def take(self) -> list[LiveRow]:
        """Return the rows that wait, and forget them."""
        taken, self.rows = list(self.rows.values()), {}
        self.changed.clear()
        return taken

    def add(self, rows: Iterable[LiveRow]) -> None:
        """Have rows wait, if they are of the section that is looked at."""
        for row in rows:
            if self.watch.section in (None, row.standing.section):
                self.rows[row.exercise, row.standing.id] = row
                self.changed.set()


def read_position(session: Session) -> Position:
    """Return the position of now. Read it before the rows that it is to go on from."""
    moment = now()
    return Position(session.scalar(select(func.max(GradeRow.id))) or 0, moment)


class ClassEvents:
    """Tells those who look at a class what changed in it."""

    def __init__(self, database: Database, look_seconds: float = LOOK_SECONDS) -> None:
        self._database = database
        self._look_seconds = look_seconds
        self._people: Counter[int] = Counter()
        self._streams: set[_Stream] = set()
        self._looking: asyncio.Task[None] | None = None
        self._has_looked = asyncio.Event()
        self._position: Position | None = None

    def require_room(self, account_id: int) -> None:
        """Do nothing if an account may open one stream more.

        :raises TooManyClassStreams: it has as many as it may
        """
        if self._people[account_id] >= STREAMS_MAX:
            raise TooManyClassStreams(
                f"You look at {STREAMS_MAX} classes already, as many as a person may. Close one of them first.",
                {"Retry-After": "5"},
            )

    async def open(self, read_watch: ReadWatch) -> Watch:
        """Return what somebody looks at, if they may open one stream more; raises what ``require_room`` does."""
        watch = await run_in_threadpool(read_watch)
        self.require_room(watch.account_id)
        return watch

    async def follow(
        self, watch: Watch, read_watch: ReadWatch, begin: Begin = FROM_NOW
    ) -> AsyncIterator[tuple[Event, Sequence[LiveRow], str]]:
        """Yield what happens, the rows of ``Event.STUDENT``, and the id to go on after them.

        :param read_watch: reads anew what the person may look at, and raises a problem once that is nothing.
        """
        clock, after = asyncio.get_running_loop().time, begin.after
        ends_at = math.inf if begin.seconds is None else clock() + begin.seconds
        with self._following(watch) as stream:
            await self._has_looked.wait()  # from here on, no grade is missed
            position = await run_in_threadpool(self._now)
            if after is not None and not await self._catch_up(stream, after):
                yield Event.RELOAD, (), str(position)
            yield Event.POSITION, (), str(position)
            while (left := ends_at - clock()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stream.changed.wait(), min(CHECK_SECONDS, left))
                try:
                    stream.watch = await run_in_threadpool(read_watch)
                except DatabaseUnavailable:
                    await asyncio.sleep(self._look_seconds)
                    continue
                except Problem:
                    yield Event.END, (), str(position)
                    return
                section, seen = stream.watch.section, self._position or position
                rows = [row for row in stream.take() if section in (None, row.standing.section)]
                if rows:
                    yield Event.STUDENT, rows, str(seen)

    async def _catch_up(self, stream: _Stream, after: Position) -> bool:
        """Have the rows wait that changed after a position; return whether these are all."""

        def read() -> list[LiveRow] | None:
            with self._database.reading() as session:
                found = _changes(session, after, {stream.watch.course.id}, CAUGHT_UP_MAX)
                if len(found) >= CAUGHT_UP_MAX:
                    return None
                return self._rows(session, stream.watch, set(found.values()))

        rows = await run_in_threadpool(read)
        stream.add(rows or ())
        return rows is not None

    @contextmanager
    def _following(self, watch: Watch) -> Iterator[_Stream]:
        stream = _Stream(watch)
        self._people[watch.account_id] += 1
        self._streams.add(stream)
        if self._looking is None or self._looking.done():
            self._has_looked = asyncio.Event()
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            self._people[watch.account_id] -= 1
            if not self._people[watch.account_id]:
                del self._people[watch.account_id]

    async def _look_on(self) -> None:
        """Look at the grades until nobody looks on."""
        seen: dict[tuple[int, int], Change] = {}
        self._position = None
        while self._streams:
            with contextlib.suppress(DatabaseUnavailable):  # the next look finds it
                watches = [each.watch for each in self._streams]
                seen, found = await run_in_threadpool(self._look, watches, seen)
                self._has_looked.set()
                for stream in self._streams:
                    for watch, rows in found:
                        if _is_same(watch, stream.watch):
                            stream.add(rows)
            await asyncio.sleep(self._look_seconds)

    def _look(
        self, watches: Sequence[Watch], seen: dict[tuple[int, int], Change]
    ) -> tuple[dict[tuple[int, int], Change], list[tuple[Watch, list[LiveRow]]]]:
        """Return what is known of the newest grades, and the rows of what is new among them."""
        with self._database.reading() as session:
            before, position = self._position, read_position(session)
            if before is None:
                self._position = position
                return _changes(session, position, {each.course.id for each in watches}), []
            known = _changes(session, before, {each.course.id for each in watches})
            new = {change for key, change in known.items() if key not in seen}
            different = {(each.course.id, each.exercises, each.stuck_after): each for each in watches}
            rows = [(each, self._rows(session, each, new)) for each in different.values()]
            self._position = position
        return known, [each for each in rows if each[1]]

    def _rows(self, session: Session, watch: Watch, changes: Iterable[Change]) -> list[LiveRow]:
        """Return the rows of a course's students in whose work something changed."""
        of_exercise: dict[str, set[int]] = defaultdict(set)
        for each in changes:
            if each.course_id == watch.course.id:
                of_exercise[each.exercise].add(each.account_id)
        return [
            row
            for exercise in watch.exercises
            if of_exercise[exercise.slug]
            for row in read_live_rows(
                session, watch.course, exercise, Scope(among=frozenset(of_exercise[exercise.slug])), watch.stuck_after
            )
        ]

    def _now(self) -> Position:
        with self._database.reading() as session:
            return read_position(session)


def watch_of(access: CourseAccess, exercises: Sequence[Exercise], section: str | None, stuck_after: int) -> Watch:
    """Return what somebody looks at who asks for these exercises and this section; raises what ``reading`` does."""
    with access.reading() as member:
        asked = assigned(member.session, member.course, exercises)
        return Watch(member.account_id, member.course, tuple(asked), class_scope(member, section).section, stuck_after)


async def asked_begin(
    after: Annotated[str | None, Query(max_length=80, description="The id of an event, to go on after it.")] = None,
    seconds: Annotated[float | None, Query(ge=0, le=86_400, description="End after so many seconds.")] = None,
    last_event_id: Annotated[str | None, Header(max_length=80)] = None,
) -> Begin:
    """Return where a stream begins. What a browser sends when it connects again counts before the address.

    :raises BadPosition: it is the id of no event
    """
    text = last_event_id or after
    return Begin(None if text is None else Position.read(text), seconds)


AskedBegin = Annotated[Begin, Depends(asked_begin)]


async def class_events(request: Request) -> ClassEvents:
    """Return what follows classes."""
    value = request.app.state.class_events
    assert isinstance(value, ClassEvents)
    return value


TheClassEvents = Annotated[ClassEvents, Depends(class_events)]


def _is_same(one: Watch, other: Watch) -> bool:
    return (one.course.id, one.exercises, one.stuck_after) == (other.course.id, other.exercises, other.stuck_after)


def _changes(
    session: Session, after: Position, course_ids: set[int], limit: int | None = None
) -> dict[tuple[int, int], Change]:
    """Return what changed in courses after a position and shortly before, by grade and by the regrade that it is of."""
    read = session.connection().execute
    columns = (
        col(GradeRow.id), col(GradeRow.regrade_id),
        col(SubmissionRow.course_id), col(SubmissionRow.exercise), col(SubmissionRow.account_id),
    )  # fmt: skip
    joined = select(*columns).join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
    stored = joined.where(
        col(GradeRow.id) > after.grade_id - OVERLAP,
        col(GradeRow.counts),
        col(SubmissionRow.course_id).in_(course_ids),
    )
    accepted = joined.join(RegradeRow, col(RegradeRow.id) == GradeRow.regrade_id).where(
        col(RegradeRow.accepted_at) > after.moment - REGRADE_OVERLAP, col(RegradeRow.course_id).in_(course_ids)
    )
    found: dict[tuple[int, int], Change] = {}
    for statement in (stored, accepted):
        for id, regrade_id, course_id, exercise, account_id in read(statement.order_by(col(GradeRow.id)).limit(limit)):
            found[id, regrade_id or 0] = Change(course_id, exercise, account_id)
    return found
